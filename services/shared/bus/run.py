"""Running service classes: what a process of one type consists of, and several of them in one process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

import eventlet
import structlog

from services.shared.actor import ActorVerifier
from services.shared.bus import database_wait, hosting, jobs, topology
from services.shared.bus.answering import Requests
from services.shared.bus.calls import (
    BatchConsumer,
    Command,
    Continuous,
    EventHandler,
    Periodic,
    Query,
    marked_methods,
)
from services.shared.bus.client import ClientPool
from services.shared.bus.handling import Collector, Events
from services.shared.bus.link import Link
from services.shared.bus.listener import Delivery, Listener
from services.shared.bus.providers import Environment, instantiate
from services.shared.bus.relay import Relay
from services.shared.keys import ISSUERS, KeyRing
from services.shared.settings import Settings

log = structlog.get_logger(__name__)

# A container that has not stopped by then is killed; a supervisor kills the process at 25 s (reliability.md N19).
STOP_SECONDS = 20
EVENT_WORKERS = 2
SWEEP_SECONDS = 1.0
CLEAN_SECONDS = 3600.0


class ServiceProcess:
    """One process type: container, listeners, relay, sweeper and periodic jobs."""

    def __init__(self, service_class: Any, settings: Settings, keyring: KeyRing, plan: topology.Topology) -> None:
        database_wait.install()
        self.name: str = service_class.name
        self.service_class = service_class
        self.settings = settings
        self._plan = plan
        environment = Environment(settings, keyring, lambda: ClientPool(settings, self.name, settings.max_workers))
        self.host = hosting.host(service_class, instantiate(service_class, environment), self._worker_count())
        trusted = {issuer: keyring.verify_key(f"actor.{issuer}") for issuer in ISSUERS}
        self._requests = Requests(self.host, ActorVerifier(trusted))
        self.listeners: list[Listener] = []
        self.relay = Relay(self.host.database, settings.amqp_uri, self.name, plan)

    def _worker_count(self) -> int:
        # Never fewer than can be delivered: a listener that waits for a worker sends no heartbeats.
        batches = len(marked_methods(self.service_class, BatchConsumer))
        return self.settings.max_workers + EVENT_WORKERS + batches + 2

    def start(self) -> None:
        """Start consuming; returns at once. Readiness is `is_ready()`."""
        self.host.container.start()
        if marked_methods(self.service_class, (Query, Command)):  # type: ignore[arg-type]
            self._listen([topology.rpc_queue(self.name)], self.settings.max_workers, self._requests.on_delivery)
        if handlers := marked_methods(self.service_class, EventHandler):
            events = Events(self.host, {type_: name for name, marker in handlers.items() for type_ in marker.types})
            self._listen([topology.events_queue(self.name)], EVENT_WORKERS, events.on_delivery)
        for method, marker in marked_methods(self.service_class, BatchConsumer).items():
            self._listen_to_batches(method, marker)
        self._spawn(self.relay.run)
        self._spawn(jobs.every, self.host, SWEEP_SECONDS, lambda: jobs.sweep_parked(self.host))
        self._spawn(jobs.every, self.host, CLEAN_SECONDS, self.relay.forget_old)
        for method, marker in marked_methods(self.service_class, Periodic).items():
            run = lambda method=method, marker=marker: jobs.run_periodic(self.host, method, marker)  # noqa: E731
            self._spawn(jobs.every, self.host, marker.seconds, run)
        for method, marker in marked_methods(self.service_class, Continuous).items():
            for _ in range(marker.workers):
                self._spawn(jobs.work_on, self.host, method, marker)
        self._spawn(jobs.watch_hub, self.host)

    def _spawn(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.host.container.spawn_managed_thread(
            lambda: function(*arguments), identifier=f"{self.name}.{function.__qualname__}"
        )

    def _listen(
        self, queues: list[str], prefetch: int, on_delivery: Callable[[Delivery], None], **options: Any
    ) -> None:
        listener = Listener(
            f"{self.name}.{queues[0]}",
            self.settings.amqp_uri,
            queues,
            prefetch,
            on_delivery,
            before_consuming=self._ensure_topology(queues),
            **options,
        )
        self.listeners.append(listener)
        self._spawn(listener.run)

    def _listen_to_batches(self, method: str, marker: BatchConsumer) -> None:
        queues = list(self._plan.study_queues) if marker.stream else [topology.batch_queue(self.name, method)]
        collector = Collector(self.host, method, marker)
        self._listen(
            queues,
            2 * marker.max_messages,
            collector.on_delivery,
            on_tick=collector.flush,
            tick_seconds=min(marker.max_wait_seconds / 2, 0.1),
        )

    def _ensure_topology(self, queues: list[str]) -> Callable[[Link], None]:
        def ensure(link: Link) -> None:
            # A wiped broker, or one that was never migrated: consuming from a missing queue would fail for ever.
            if not all(topology.exists(link, queue) for queue in queues):
                topology.declare(link, self._plan)

        return ensure

    def is_ready(self) -> bool:
        """Whether every listener consumes."""
        return all(listener.connected.is_set() for listener in self.listeners)

    def stop(self, seconds: float = STOP_SECONDS) -> bool:
        """Finish what runs, acknowledge it, close. Whether that was done within `seconds`; the rest comes again."""
        deadline = time.monotonic() + seconds
        self.host.stopping.set()
        for listener in self.listeners:
            listener.cancel()
        clean = all(listener.stop(max(0.1, deadline - time.monotonic())) for listener in self.listeners)
        self.relay.stop(max(0.1, min(2.0, deadline - time.monotonic())))
        clean = self.host.container.stop_within(max(0.1, deadline - time.monotonic())) and clean
        self.host.database.dispose()
        return clean


class ServiceRunner:
    """Several process types in one process (embedded mode). A failing one is restarted alone."""

    def __init__(
        self, service_classes: Iterable[Any], settings: Settings, keyring: KeyRing, plan: topology.Topology
    ) -> None:
        self._make = {
            service_class.name: (lambda chosen=service_class: ServiceProcess(chosen, settings, keyring, plan))
            for service_class in service_classes
        }
        self.processes: dict[str, ServiceProcess] = {}
        self._stopping = False

    def start(self) -> None:
        for name in self._make:
            self._start_one(name)

    def _start_one(self, name: str) -> None:
        process = self._make[name]()
        self.processes[name] = process
        process.start()
        eventlet.spawn(self._keep_alive, name, process)

    def _keep_alive(self, name: str, process: ServiceProcess) -> None:
        try:
            process.host.container.wait()
        except Exception:
            log.exception("service_failed", service=name)
        if not self._stopping:
            process.host.database.dispose()
        pause = 0.5
        while not self._stopping and self.processes.get(name) is process:
            eventlet.sleep(pause)
            try:
                self._start_one(name)
            except Exception:
                log.exception("service_not_restarted", service=name)
                pause = min(pause * 2, 30.0)

    def is_ready(self) -> bool:
        return all(process.is_ready() for process in self.processes.values())

    def stop(self, seconds: float = STOP_SECONDS) -> bool:
        """Stop consumers and callers first, callees last, under one budget."""
        self._stopping = True
        deadline = time.monotonic() + seconds
        for process in self.processes.values():
            # Together, for each takes up to a second; what is announced from now on waits in the outbox.
            process.relay.cancel()
        results = [process.stop(max(0.5, deadline - time.monotonic())) for process in reversed(self.processes.values())]
        return all(results)
