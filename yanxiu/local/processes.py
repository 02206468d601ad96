"""The process types of an installation: what `yanxiu up` starts, what each container runs."""

from __future__ import annotations

import enum
from pathlib import Path

GATEWAY = "gateway"
GUNICORN_SETTINGS = Path(__file__).resolve().parents[2] / "deploy" / "gunicorn.conf.py"


class Layer(enum.IntEnum):
    """Who calls whom, outermost first: the order in which processes stop, so that none loses whom it still asks."""

    EDGE = 0
    CONSUMERS = 1
    CALLERS = 2
    CALLEES = 3


# certs asks identity, learning asks identity; the others are only asked.
PROCESSES = {
    GATEWAY: Layer.EDGE,
    "learning-ingest": Layer.CONSUMERS,
    "credits-recognition": Layer.CONSUMERS,
    "certs-render": Layer.CONSUMERS,
    "certs": Layer.CALLERS,
    "learning": Layer.CALLERS,
    "identity": Layer.CALLEES,
    "org": Layer.CALLEES,
    "catalog": Layer.CALLEES,
    "credits": Layer.CALLEES,
}
PROCESS_NAMES = tuple(PROCESSES)
SERVICE_PROCESSES = tuple(name for name in PROCESSES if name != GATEWAY)
