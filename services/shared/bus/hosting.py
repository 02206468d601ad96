"""nameko's part: containers, green workers, life cycle. The only module that knows nameko.

nameko gives each request its own service object, its dependencies, a bounded pool of green workers and a life cycle;
what it does badly (`reliability.md` part b) is replaced in `run` and `listener`.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from typing import Any

import eventlet
import structlog
from nameko.containers import ServiceContainer
from nameko.extensions import DependencyProvider, Entrypoint

from services.shared.bus.providers import Provider
from services.shared.database import Database

log = structlog.get_logger(__name__)


class Given(DependencyProvider):
    """Hands a service object what the runner built once: it can neither fail nor block in a request."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def get_dependency(self, worker_ctx: Any) -> Any:
        return self.value


class Work(Entrypoint):
    """The one entrypoint: the listeners spawn its workers, each running a job on a fresh service object."""


class Container(ServiceContainer):
    """nameko's container with a deadline on stopping."""

    def spawn_job(self, job: Callable[[Any], Any]) -> None:
        """Run `job(service object)` in a worker of the pool; whatever it raises is logged and ends there."""
        entrypoint = next(iter(self.entrypoints))
        self.spawn_worker(entrypoint, (job,), {}, handle_result=_keep_container_alive)

    def stop_within(self, seconds: float) -> bool:
        """Stop; whether all workers finished in time (otherwise they are killed, and their messages come again)."""
        with eventlet.Timeout(seconds, False):
            self.stop()
            return True
        self.kill()
        return False


def _keep_container_alive(worker_ctx: Any, _result: Any, exc_info: Any) -> tuple[Any, Any]:
    if exc_info:
        log.error("worker_failed", service=worker_ctx.service_name, exc_info=exc_info)
    return None, None


def as_nameko_service(service_class: Any, prototype: Any) -> Any:
    """A nameko service class that runs jobs on `service_class` objects which share the prototype's resources."""

    def work(self: Any, job: Callable[[Any], Any]) -> Any:
        return job(self)

    namespace: dict[str, Any] = {
        name: Given(getattr(prototype, name))
        for name in dir(service_class)
        if isinstance(getattr(service_class, name), Provider)
    }
    # What nameko's own decorator sets.
    work.nameko_entrypoints = {Work()}  # type: ignore[attr-defined]
    namespace["nameko_work"] = work
    return type(service_class.__name__, (service_class,), namespace)


@dataclasses.dataclass
class Host:
    """What the parts of one service process share."""

    name: str
    service_class: Any
    prototype: Any  # a service object for jobs that come with no message
    database: Database
    container: Container
    stopping: threading.Event


def host(service_class: Any, prototype: Any, max_workers: int) -> Host:
    container = Container(as_nameko_service(service_class, prototype), {"max_workers": max_workers})
    return Host(service_class.name, service_class, prototype, prototype.database, container, threading.Event())
