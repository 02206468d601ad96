"""The process types of an installation: what `yanxiu up` starts, what each container runs, and which class each is.

Importing this module imports no service; `load_class` and `plan` do.
"""

from __future__ import annotations

import dataclasses
import enum
import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from services.shared.bus.topology import Topology

GATEWAY = "gateway"
GUNICORN_SETTINGS = Path(__file__).resolve().parents[2] / "deploy" / "gunicorn.conf.py"


class Layer(enum.IntEnum):
    """Who calls whom, outermost first: the order in which processes stop, so that none loses whom it still asks."""

    EDGE = 0
    CONSUMERS = 1
    CALLERS = 2
    CALLEES = 3
    LEAVES = 4  # asked by callees


@dataclasses.dataclass(frozen=True)
class ProcessType:
    """A process type: when it stops, and the module with the service class whose `name` is the process's."""

    layer: Layer
    module: str = ""


# certs, learning and the jobs of all services ask identity; the sheets of certs-render ask credits besides; org asks billing; the others are only asked.
PROCESSES = {
    GATEWAY: ProcessType(Layer.EDGE),
    "learning-ingest": ProcessType(Layer.CONSUMERS, "services.learning.study.ingest"),
    "credits-recognition": ProcessType(Layer.CONSUMERS, "services.credits.recognition"),
    "certs-render": ProcessType(Layer.CONSUMERS, "services.certs.render"),
    "org-bulk": ProcessType(Layer.CONSUMERS, "services.org.bulk.service"),
    "billing-bulk": ProcessType(Layer.CONSUMERS, "services.billing.bulk.service"),
    "credits-bulk": ProcessType(Layer.CONSUMERS, "services.credits.exports.service"),
    "certs-bulk": ProcessType(Layer.CONSUMERS, "services.certs.exports.service"),
    "catalog-bulk": ProcessType(Layer.CONSUMERS, "services.catalog.bulk.service"),
    "learning-bulk": ProcessType(Layer.CONSUMERS, "services.learning.bulk.service"),
    "certs": ProcessType(Layer.CALLERS, "services.certs.service"),
    "learning": ProcessType(Layer.CALLERS, "services.learning.service"),
    "identity": ProcessType(Layer.CALLEES, "services.identity.service"),
    "org": ProcessType(Layer.CALLEES, "services.org.service"),
    "catalog": ProcessType(Layer.CALLEES, "services.catalog.service"),
    "credits": ProcessType(Layer.CALLEES, "services.credits.service"),
    "billing": ProcessType(Layer.LEAVES, "services.billing.service"),
}
PROCESS_NAMES = tuple(PROCESSES)
SERVICE_PROCESSES = tuple(name for name in PROCESSES if name != GATEWAY)


def load_class(name: str) -> Any:
    """The service class of a process type. Raises LookupError when its module has none of that name."""
    module = importlib.import_module(PROCESSES[name].module)
    for candidate in vars(module).values():
        if isinstance(candidate, type) and getattr(candidate, "name", None) == name:
            return candidate
    raise LookupError(f"{module.__name__} has no service class named {name!r}")


def plan(shards: int) -> Topology:
    """What all process types together need of the broker."""
    from services.shared.bus import topology
    from services.shared.settings import SERVICES

    contracts = [importlib.import_module(f"services.{service}.contract") for service in SERVICES]
    types = sorted({type_ for contract in contracts for type_ in contract.EVENTS})
    return topology.plan([load_class(name) for name in SERVICE_PROCESSES], types, shards)
