"""From a decoded request to a reply, and from a decoded event to a commit. No transport in here, so tests call it too."""

from __future__ import annotations

import time
import uuid
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.shared import clock, errors, metrics
from services.shared.actor import Actor
from services.shared.audit_denials import note_refusal
from services.shared.bus.calls import MARKER, Call, Command, Event, Message, NotYet, Query
from services.shared.database import Database, is_outage
from services.shared.errors import InvalidInput, NotAllowed, NotFound, ServiceError, Unavailable
from services.shared.ids import new_id
from services.shared.tables import inbox, parked

log = structlog.get_logger(__name__)

# A call with less than this left cannot be answered in time (Boulder's rule: refuse early, reliability.md d20).
MINIMUM_REMAINING_SECONDS = 0.05
# Pauses before a parked event is tried again: seconds; the last one repeats.
PAUSES_SECONDS = (1, 10, 60, 600, 3600)
NOT_YET_PAUSE_SECONDS = 2
# What goes over the wire of our own mistakes: nothing (reliability.md N17).
DEFECT = {"kind": "defect", "code": "shared.defect", "field": "", "detail": ""}


class NotParkedError(Exception):
    """A message that can be neither handled nor written down: it belongs into the dead-letter queue."""


def run_method(
    service: Any,
    method: str,
    arguments: Any,
    actor: Actor,
    *,
    command_id: str | None = None,
    deadline: float | None = None,
    call_id: str = "",
) -> Any:
    """Run a query or command of `service` for `actor`; the reply is plain JSON.

    Raises a ServiceError for every refusal. A method without a policy is NotFound, so it can never be reached by accident.
    """
    marker = getattr(getattr(type(service), method, None), MARKER, None)
    policy = service.policies.get(method)
    if not isinstance(marker, Query | Command) or policy is None:
        raise NotFound("shared.no_such_method")
    if not isinstance(arguments, dict):
        raise InvalidInput("shared.invalid")
    call = Call(
        service=service.name,
        method=method,
        arguments=arguments,
        actor=actor,
        policy=policy,
        deadline=deadline if deadline is not None else time.monotonic() + 5.0,
        call_id=call_id,
        command_id=command_id if isinstance(marker, Command) else None,
    )
    try:
        policy.admit(actor)
        if isinstance(marker, Command) and not command_id:
            # Callers repeat what got no answer; without an id the repetition would be a second command.
            raise InvalidInput("shared.no_command_id")
        if call.remaining_seconds() < MINIMUM_REMAINING_SECONDS:
            raise Unavailable("shared.deadline")
        reply = getattr(service, method)(call)
    except (NotAllowed, NotFound) as error:
        note_refusal(service, call, error)
        raise
    call.require_authorised()
    return reply


def answer(service: Any, method: str, arguments: Any, actor: Actor, **options: Any) -> dict[str, Any]:
    """As `run_method`, with refusals and defects turned into what goes over the wire."""
    started = time.monotonic()
    outcome = "ok"
    try:
        return {"result": run_method(service, method, arguments, actor, **options)}
    except ServiceError as error:
        outcome = error.code
        return {"error": errors.to_wire(error)}
    except Exception:
        outcome = "defect"
        log.exception("call_failed", service=service.name, method=method, call_id=options.get("call_id", ""))
        return {"error": DEFECT}
    finally:
        metrics.observe_call(service.name, method, outcome, time.monotonic() - started)


# --- events ---------------------------------------------------------------------------------------------------------


def claim(db: Session, consumer: str, event_ids: list[uuid.UUID]) -> set[uuid.UUID]:
    """Insert the inbox rows; returns the ids that nobody handled before. Same transaction as the effect."""
    if not event_ids:
        return set()
    rows = db.execute(
        insert(inbox)
        .values([{"consumer": consumer, "event_id": event_id} for event_id in sorted(set(event_ids))])
        .on_conflict_do_nothing()
        .returning(inbox.c.event_id)
    )
    return set(rows.scalars())


def apply_event(database: Database, service: Any, method: str, event: Event) -> None:
    """Handle an event once: inbox row and effect in one transaction; a repeated one does nothing. Raises what it raises."""
    consumer = f"{service.name}.{method}"
    with database.work() as db:
        is_new = bool(claim(db, consumer, [event.id]))
        if is_new:
            getattr(service, method)(db, event)
    if is_new:
        metrics.observe_applied(consumer, event.occurred_at)
    else:
        metrics.inbox_skips.labels(consumer).inc()


def apply_event_or_park(database: Database, service: Any, method: str, event: Event) -> None:
    """As `apply_event`; a failure parks the event.

    Raises when the database is away (then hold the event), and NotParkedError for one that not even parking can take.
    """
    try:
        apply_event(database, service, method, event)
    except Exception as error:
        if is_outage(error):
            raise
        park(database, f"{service.name}.{method}", event.id, event.type, event.to_wire(), error)


def apply_batch(
    database: Database, service: Any, method: str, messages: list[Message], *, events: bool
) -> list[Message]:
    """Handle a batch in one transaction; on an error halve it, and park the message that fails alone.

    Returns the messages that not even parking could take. Raises only when the database is away: then hold the whole
    batch.
    """
    if not messages:
        return []
    try:
        with database.work() as db:
            left = _unclaimed(db, f"{service.name}.{method}", messages) if events else messages
            if left:
                getattr(service, method)(db, left)
    except Exception as error:
        if is_outage(error):
            raise
        if len(messages) == 1:
            return _park_message(database, f"{service.name}.{method}", messages[0], error)
        middle = len(messages) // 2
        log.warning("batch_bisected", consumer=f"{service.name}.{method}", size=len(messages), error=_name(error))
        return [
            *apply_batch(database, service, method, messages[:middle], events=events),
            *apply_batch(database, service, method, messages[middle:], events=events),
        ]
    if events and left:
        _observe_newest(f"{service.name}.{method}", left)
    return []


def _observe_newest(consumer: str, messages: list[Message]) -> None:
    # Instants travel in one format, in which they order as text: one is parsed instead of hundreds.
    newest = max(str(message.body["occurred_at"]) for message in messages)
    metrics.observe_applied(consumer, clock.parse_instant(newest))


def _unclaimed(db: Session, consumer: str, messages: list[Message]) -> list[Message]:
    fresh = claim(db, consumer, [uuid.UUID(message.id) for message in messages])
    left, seen = [], set()
    for message in messages:
        if (event_id := uuid.UUID(message.id)) in fresh and event_id not in seen:
            seen.add(event_id)
            left.append(message)
    metrics.inbox_skips.labels(consumer).inc(len(messages) - len(left))
    return left


def _park_message(database: Database, consumer: str, message: Message, error: Exception) -> list[Message]:
    try:
        message_id = uuid.UUID(message.id)
    except ValueError:
        message_id = new_id()
    try:
        park(database, consumer, message_id, str(message.body.get("type", "")), message.body, error)
    except NotParkedError:
        return [message]
    return []


def park(
    database: Database, consumer: str, event_id: uuid.UUID, event_type: str, body: dict[str, Any], error: Exception
) -> None:
    """Put a failing event aside, counted in a transaction of its own: what the handler wrote was rolled back with it.

    Raises NotParkedError for a body that no table takes.
    """
    pause = NOT_YET_PAUSE_SECONDS if isinstance(error, NotYet) else PAUSES_SECONDS[0]
    if not isinstance(error, NotYet):
        log.error("event_parked", consumer=consumer, event_id=str(event_id), error=_name(error), exc_info=error)
    metrics.parked_total.labels(consumer).inc()
    try:
        with database.work() as db:
            db.execute(
                insert(parked)
                .values(
                    id=new_id(),
                    consumer=consumer,
                    event_id=event_id,
                    type=event_type,
                    body=body,
                    error=_name(error),
                    attempts=1,
                    next_attempt_at=_after(pause),
                )
                .on_conflict_do_nothing()
            )
    except Exception as failure:
        if is_outage(failure):
            raise
        # Its text quotes the body; the class has to do.
        log.error(  # noqa: TRY400
            "event_not_parked", consumer=consumer, event_id=str(event_id), error=_name(failure)
        )
        raise NotParkedError(_name(failure)) from None


def sweep(database: Database, service: Any, consumers: dict[str, bool], limit: int = 100) -> int:
    """Try the parked events that are due; returns how many succeeded.

    `consumers` maps this service's method names to whether they take single events (True) or batches (False). Row locks
    with SKIP LOCKED let several instances sweep together.
    """
    done = 0
    for _ in range(limit):
        with database.work() as db:
            row = db.execute(
                sa.select(parked)
                .where(
                    parked.c.next_attempt_at <= sa.func.now(),
                    parked.c.consumer.in_([f"{service.name}.{method}" for method in consumers]),
                )
                .order_by(parked.c.next_attempt_at)
                .limit(1)
                .with_for_update(skip_locked=True)
            ).one_or_none()
            if row is None:
                return done
            done += retry_parked(database, db, service, row, consumers)
    return done


def retry_parked(database: Database, db: Session, service: Any, row: Any, consumers: dict[str, bool]) -> bool:
    """Try one parked event, whose row `db` holds locked; its row goes when it succeeds. Returns whether it did."""
    method = row.consumer.split(".", 1)[1]
    try:
        if consumers[method]:
            apply_event(database, service, method, Event.from_wire(row.body))
        else:
            _apply_parked_message(database, service, method, row)
    except Exception as error:
        if is_outage(error):
            raise
        not_yet = isinstance(error, NotYet)
        pause = NOT_YET_PAUSE_SECONDS if not_yet else PAUSES_SECONDS[min(row.attempts, len(PAUSES_SECONDS) - 1)]
        db.execute(
            sa.update(parked)
            .where(parked.c.id == row.id)
            .values(
                attempts=row.attempts + (not not_yet),
                error=_name(error),
                next_attempt_at=_after(pause),
            )
        )
        return False
    db.execute(sa.delete(parked).where(parked.c.id == row.id))
    return True


def _apply_parked_message(database: Database, service: Any, method: str, row: Any) -> None:
    events = bool(getattr(getattr(type(service), method), MARKER).types)
    message = Message(str(row.event_id), row.body)
    with database.work() as work:
        if events and not claim(work, row.consumer, [row.event_id]):
            return
        getattr(service, method)(work, [message])


def _after(seconds: float) -> Any:
    return sa.func.now() + sa.text(f"interval '{float(seconds)} seconds'")


def _name(error: BaseException) -> str:
    """What may be stored and logged of an error: its class and, for ours, its code. Texts may hold personal data."""
    code = f"({error.code})" if isinstance(error, ServiceError) else ""
    return f"{type(error).__name__}{code}"
