"""Running service classes on nameko: containers, workers, relay and jobs. The only module that knows nameko.

nameko gives each request its own service object, its dependencies, a bounded pool of green workers and a life cycle;
what it does badly (`reliability.md` part b) is replaced here and in `listener`.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterable
from typing import Any

import eventlet
import sqlalchemy as sa
import structlog
from nameko.containers import ServiceContainer
from nameko.extensions import DependencyProvider, Entrypoint

from services.shared import metrics, trace
from services.shared.actor import ActorVerifier
from services.shared.bus import dispatch, topology
from services.shared.bus.calls import (
    BatchConsumer,
    Command,
    Event,
    EventHandler,
    Message,
    Periodic,
    Query,
    marked_methods,
)
from services.shared.bus.client import ClientPool
from services.shared.bus.link import BadBodyError, Link, decode, encode
from services.shared.bus.listener import Delivery, Listener
from services.shared.bus.providers import Environment, Provider, instantiate
from services.shared.bus.relay import Relay
from services.shared.database import is_outage
from services.shared.errors import NotAllowed, to_wire
from services.shared.keys import ISSUERS, KeyRing
from services.shared.settings import Settings

log = structlog.get_logger(__name__)

# A container that has not stopped by then is killed; a supervisor kills the process at 25 s (reliability.md N19).
STOP_SECONDS = 20
EVENT_WORKERS = 2
SWEEP_SECONDS = 1.0
FIRST_RUN_SECONDS = 60.0
CLEAN_SECONDS = 3600.0
HUB_LAG_SECONDS = 1.0


_LOCK_JOB = sa.text("SELECT pg_try_advisory_lock(hashtextextended(:job, 1))")
_UNLOCK_JOB = sa.text("SELECT pg_advisory_unlock(hashtextextended(:job, 1))")
# The period we are in, unless the job has been run in it. The database's clock: hosts may differ.
_FIND_PERIOD = sa.text(
    "SELECT period FROM (SELECT floor(extract(epoch FROM clock_timestamp()) / :seconds)::bigint::text AS period) AS here"
    " WHERE NOT EXISTS (SELECT 1 FROM job_run WHERE job_run.job = :job AND job_run.period = here.period)"
)
_FINISH_PERIOD = sa.text("INSERT INTO job_run (job, period) VALUES (:job, :period) ON CONFLICT DO NOTHING")


class Given(DependencyProvider):  # nameko has no types
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


class ServiceProcess:
    """One process type: container, listeners, relay, sweeper and periodic jobs."""

    def __init__(self, service_class: Any, settings: Settings, keyring: KeyRing, plan: topology.Topology) -> None:
        self.name: str = service_class.name
        self.service_class = service_class
        self.settings = settings
        self._plan = plan
        environment = Environment(settings, keyring, lambda: ClientPool(settings, self.name, settings.max_workers))
        self.prototype = instantiate(service_class, environment)
        self.database = self.prototype.database
        self._verifier = ActorVerifier(_trusted_keys(keyring))
        self.listeners: list[Listener] = []
        self.relay = Relay(self.database, settings.amqp_uri, self.name, plan)
        self._stopping = threading.Event()
        self.container = Container(
            as_nameko_service(service_class, self.prototype), {"max_workers": self._worker_count()}
        )

    def _worker_count(self) -> int:
        # Never fewer than can be delivered: a listener that waits for a worker sends no heartbeats.
        batches = len(marked_methods(self.service_class, BatchConsumer))
        return self.settings.max_workers + EVENT_WORKERS + batches + 2

    def start(self) -> None:
        """Start consuming; returns at once. Readiness is `is_ready()`."""
        self.container.start()
        if marked_methods(self.service_class, (Query, Command)):  # type: ignore[arg-type]
            self._listen([topology.rpc_queue(self.name)], self.settings.max_workers, self._on_request)
        handlers = marked_methods(self.service_class, EventHandler)
        if handlers:
            by_type = {type_: method for method, marker in handlers.items() for type_ in marker.types}
            self._listen(
                [topology.events_queue(self.name)], EVENT_WORKERS, lambda delivery: self._on_event(delivery, by_type)
            )
        for method, marker in marked_methods(self.service_class, BatchConsumer).items():
            self._listen_to_batches(method, marker)
        self._spawn(self.relay.run)
        self._spawn(self._every, SWEEP_SECONDS, self._sweep)
        self._spawn(self._every, CLEAN_SECONDS, self.relay.forget_old)
        for method, marker in marked_methods(self.service_class, Periodic).items():
            self._spawn(self._every, marker.seconds, lambda m=method, p=marker: self._run_periodic(m, p))
        self._spawn(self._watch_hub)

    def _spawn(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.container.spawn_managed_thread(lambda: function(*arguments), identifier=f"{self.name}.{function}")

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

    def _ensure_topology(self, queues: list[str]) -> Callable[[Link], None]:
        def ensure(link: Link) -> None:
            # A wiped broker, or one that was never migrated: consuming from a missing queue would fail for ever.
            if not all(topology.exists(link, queue) for queue in queues):
                topology.declare(link, self._plan)

        return ensure

    # --- requests ---

    def _on_request(self, delivery: Delivery) -> None:
        message = delivery.message
        reply_to, correlation_id = message.properties.get("reply_to"), message.properties.get("correlation_id")
        try:
            body = decode(message)
            method = str(body["method"])
            deadline = time.monotonic() + float(message.headers["deadline"]) - time.time()
        except (BadBodyError, KeyError, TypeError, ValueError) as error:
            self._set_aside(delivery, type(error).__name__)
            return
        if not reply_to:
            # Nobody could hear the answer; stock nameko dies of it, at each restart again.
            self._set_aside(delivery, "no_reply_to")
            return
        if deadline - time.monotonic() < dispatch.MINIMUM_REMAINING_SECONDS or self._is_stale_query(message, method):
            metrics.expired_requests.labels(self.name).inc()
            delivery.acknowledge()
            return
        listener = delivery._listener  # noqa: SLF001  replies leave by the connection that the request came by

        def job(service: Any) -> None:
            try:
                with trace.span(str(message.headers.get("traceparent", ""))):
                    reply = self._answer(service, method, body, message.headers, deadline)
                listener.reply(reply_to, self._encode_reply(reply, method), correlation_id)
            finally:
                delivery.acknowledge()

        self.container.spawn_job(job)

    def _is_stale_query(self, message: Any, method: str) -> bool:
        """Whether this is a redelivered question; a redelivered command answers from its idempotency row instead."""
        redelivered = bool(message.delivery_info.get("redelivered"))
        return redelivered and not message.headers.get("command_id")

    def _answer(
        self, service: Any, method: str, body: dict[str, Any], headers: dict[str, Any], deadline: float
    ) -> dict[str, Any]:
        try:
            # The only header that says who asks; nothing else of the message reaches the service.
            actor = self._verifier.verify(str(headers.get("actor", "")), self.name)
        except NotAllowed as error:
            return {"error": to_wire(error)}
        command_id = headers.get("command_id")
        return dispatch.answer(
            service,
            method,
            body.get("arguments"),
            actor,
            command_id=str(command_id) if command_id else None,
            deadline=deadline,
            call_id=str(headers.get("call_id", "")),
        )

    def _encode_reply(self, reply: dict[str, Any], method: str) -> bytes:
        try:
            return encode(reply)
        except (TypeError, ValueError):
            # Our own mistake; say so at once rather than let the caller wait for its deadline.
            log.exception("reply_is_not_json", service=self.name, method=method)
            return encode({"error": dispatch.DEFECT})

    def _set_aside(self, delivery: Delivery, why: str) -> None:
        """Put a message that is no request into the dead-letter queue; its content is never logged."""
        queue = topology.rpc_queue(self.name)
        metrics.refused_messages.labels(queue, why).inc()
        log.warning("message_refused", queue=queue, why=why)
        link = self.listeners[0].link
        body = delivery.message.body
        if link is not None and not link.in_memory:
            # Not by rejecting: requests whose time ran out would be dead-lettered by the same rule.
            raw = body.encode() if isinstance(body, str) else bytes(body)
            link.publish(topology.DEAD, queue, raw, persistent=True, headers={"why": why})
        delivery.acknowledge()

    # --- events ---

    def _on_event(self, delivery: Delivery, by_type: dict[str, str]) -> None:
        try:
            body = decode(delivery.message)
            event = Event.from_wire(body)
            method = by_type[event.type]
        except (BadBodyError, KeyError, TypeError, ValueError) as error:
            self._refuse(delivery, topology.events_queue(self.name), error)
            return

        def job(service: Any) -> None:
            with trace.span(str(body.get("trace", ""))):
                self._hold(lambda: self._apply_event(service, method, event, delivery), [delivery])

        self.container.spawn_job(job)

    def _apply_event(self, service: Any, method: str, event: Event, delivery: Delivery) -> list[Delivery]:
        try:
            dispatch.apply_event_or_park(self.database, service, method, event)
        except dispatch.NotParkedError:
            return [delivery]
        return []

    def _listen_to_batches(self, method: str, marker: BatchConsumer) -> None:
        queues = list(self._plan.study_queues) if marker.stream else [topology.batch_queue(self.name, method)]
        collector = Collector(self, method, marker)
        self._listen(
            queues,
            2 * marker.max_messages,
            collector.add,
            on_tick=collector.flush,
            tick_seconds=min(marker.max_wait_seconds / 2, 0.1),
        )

    def _refuse(self, delivery: Delivery, queue: str, error: Exception) -> None:
        metrics.refused_messages.labels(queue, type(error).__name__).inc()
        log.warning("message_refused", queue=queue, why=type(error).__name__)
        delivery.refuse()

    def _hold(self, work: Callable[[], list[Delivery]], deliveries: list[Delivery]) -> None:
        """Do the work, waiting out an outage of the database for as long as it lasts; then settle the deliveries.

        `work` returns those of them that belong into the dead-letter queue.
        """
        pause = 0.2
        while True:
            try:
                refused = work()
                break
            except Exception as error:
                if not is_outage(error):
                    log.exception("work_given_back", service=self.name)
                else:
                    log.warning("work_held", service=self.name, error=type(error).__name__)
                    if not self._stopping.wait(pause):
                        pause = min(pause * 2, 10.0)
                        continue
                for delivery in deliveries:
                    delivery.give_back()
                return
        for delivery in deliveries:
            if delivery in refused:
                delivery.refuse()
            else:
                delivery.acknowledge()

    # --- own jobs ---

    def _every(self, seconds: float, job: Callable[[], Any]) -> None:
        """Run `job` again and again; what it raises is logged, and it runs again.

        The first run comes within a minute: a process that restarts hourly must not skip an hourly job for ever.
        """
        pause = min(seconds, FIRST_RUN_SECONDS)
        while not self._stopping.wait(pause):
            pause = seconds
            try:
                job()
            except Exception as error:
                if is_outage(error):
                    log.warning("job_held", service=self.name, error=type(error).__name__)
                else:
                    log.exception("job_failed", service=self.name)

    def _sweep(self) -> None:
        single = dict.fromkeys(marked_methods(self.service_class, EventHandler), True)
        batches = dict.fromkeys(marked_methods(self.service_class, BatchConsumer), False)
        if consumers := {**single, **batches}:
            dispatch.sweep(self.database, self.prototype, consumers)

    def _run_periodic(self, method: str, marker: Periodic) -> None:
        """Run a periodic job, unless another instance is running it or has already run it in this period.

        The lock is an advisory one held by a connection, so it goes with its process; a run that failed or was cut off
        leaves no row, and the next instance to look runs the job.
        """
        from services.shared import clock

        job = {"job": marker.job, "seconds": marker.seconds}
        with self.database.worker.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if not connection.execute(_LOCK_JOB, job).scalar_one():
                return
            try:
                period = connection.execute(_FIND_PERIOD, job).scalar_one_or_none()
                if period is not None:
                    getattr(self.prototype, method)(clock.now())
                    connection.execute(_FINISH_PERIOD, {"job": marker.job, "period": period})
            finally:
                connection.execute(_UNLOCK_JOB, job)

    def _watch_hub(self) -> None:
        """Measure how late the hub runs: work that blocks it stops heartbeats for everyone."""
        while not self._stopping.is_set():
            started = time.monotonic()
            eventlet.sleep(0.5)
            lag = time.monotonic() - started - 0.5
            metrics.hub_lag_seconds.labels(self.name).set(lag)
            if lag > HUB_LAG_SECONDS:
                log.error("hub_blocked", process=self.name, seconds=round(lag, 2))

    def is_ready(self) -> bool:
        """Whether every listener consumes."""
        return all(listener.connected.is_set() for listener in self.listeners)

    def stop(self, seconds: float = STOP_SECONDS) -> bool:
        """Finish what runs, acknowledge it, close. Whether that was done within `seconds`; the rest comes again."""
        deadline = time.monotonic() + seconds
        self._stopping.set()
        for listener in self.listeners:
            listener.cancel()
        clean = all(listener.stop(max(0.1, deadline - time.monotonic())) for listener in self.listeners)
        self.relay.stop(max(0.1, min(2.0, deadline - time.monotonic())))
        clean = self.container.stop_within(max(0.1, deadline - time.monotonic())) and clean
        self.database.dispose()
        return clean


class Collector:
    """Gathers a batch and hands it to one worker at a time, so that a queue's order is kept."""

    def __init__(self, process: ServiceProcess, method: str, marker: BatchConsumer) -> None:
        self._process = process
        self._method = method
        self._marker = marker
        self._waiting: list[tuple[Delivery, Message]] = []
        self._since = 0.0
        self._busy = False

    def add(self, delivery: Delivery) -> None:
        try:
            body = decode(delivery.message)
            message_id = str(body["id"]) if self._marker.types else _message_id(delivery)
            if self._marker.types and Event.from_wire(body).type not in self._marker.types:
                raise ValueError("another type")
        except (BadBodyError, KeyError, TypeError, ValueError) as error:
            self._process._refuse(delivery, self._method, error)  # noqa: SLF001
            return
        if not self._waiting:
            self._since = time.monotonic()
        self._waiting.append((delivery, Message(message_id, body)))
        self.flush()

    def flush(self) -> None:
        """Start the batch when it is full or old enough, and the last one is done."""
        if self._busy or not self._waiting:
            return
        full = len(self._waiting) >= self._marker.max_messages
        if not full and time.monotonic() - self._since < self._marker.max_wait_seconds:
            return
        taken, self._waiting = self._waiting[: self._marker.max_messages], self._waiting[self._marker.max_messages :]
        self._since = time.monotonic()
        self._busy = True
        self._process.container.spawn_job(lambda service: self._apply(service, taken))

    def _apply(self, service: Any, taken: list[tuple[Delivery, Message]]) -> None:
        try:
            metrics.batch_size.labels(f"{self._process.name}.{self._method}").observe(len(taken))
            self._process._hold(  # noqa: SLF001
                lambda: self._apply_once(service, taken), [delivery for delivery, _ in taken]
            )
        finally:
            self._busy = False

    def _apply_once(self, service: Any, taken: list[tuple[Delivery, Message]]) -> list[Delivery]:
        messages = [message for _, message in taken]
        events = bool(self._marker.types)
        refused = dispatch.apply_batch(self._process.database, service, self._method, messages, events=events)
        return [delivery for delivery, message in taken if any(message is one for one in refused)]


def _message_id(delivery: Delivery) -> str:
    return str(delivery.message.properties.get("message_id") or uuid.uuid4())


def _trusted_keys(keyring: KeyRing) -> dict[str, Any]:
    return {issuer: keyring.verify_key(f"actor.{issuer}") for issuer in ISSUERS}


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
            process.container.wait()
        except Exception:
            log.exception("service_failed", service=name)
        if not self._stopping:
            process.database.dispose()
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
