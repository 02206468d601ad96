"""What could not be handled: parked events in the databases, and dead-letter queues on the broker.

Replaying goes the way every message goes, through inbox or idempotency row, so it cannot count twice.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import uuid
from typing import Any

import sqlalchemy as sa

from services.shared import logs
from services.shared.bus import topology
from services.shared.bus.link import Link
from services.shared.bus.publisher import CONFIRM_SECONDS
from services.shared.database import Database
from services.shared.ids import new_id
from services.shared.tables import audit, parked


@dataclasses.dataclass(frozen=True)
class ParkedEvent:
    """One parked event; its body is shown only masked."""

    id: uuid.UUID
    service: str
    consumer: str
    event_id: uuid.UUID
    type: str
    error: str
    attempts: int
    parked_at: dt.datetime
    next_attempt_at: dt.datetime


_COLUMNS = [parked.c[field.name] for field in dataclasses.fields(ParkedEvent) if field.name != "service"]


def list_parked(database: Database, consumer: str = "", limit: int = 200) -> list[ParkedEvent]:
    """The oldest parked events of a service first."""
    with database.work() as db:
        rows = db.execute(
            sa.select(*_COLUMNS)
            .where(sa.or_(sa.literal(not consumer), parked.c.consumer == consumer))
            .order_by(parked.c.parked_at)
            .limit(limit)
        ).mappings()
        return [ParkedEvent(service=database.service, **row) for row in rows]


def show_parked(database: Database, parked_id: uuid.UUID) -> dict[str, Any] | None:
    """A parked event with its body, personal data masked; None when it is not there (any more)."""
    with database.work() as db:
        row = db.execute(sa.select(parked).where(parked.c.id == parked_id)).mappings().one_or_none()
        return None if row is None else {**row, "body": mask(row["body"])}


def mask(body: Any) -> Any:
    """The same structure, with whatever looks personal or secret hidden."""
    if isinstance(body, dict):
        return {key: mask(value) for key, value in logs.scrub(None, "", dict(body)).items()}
    if isinstance(body, list):
        return [mask(value) for value in body]
    return logs.scrub(None, "", {"value": body})["value"]


def replay_parked(database: Database, chosen: list[ParkedEvent], reason: str, *, dry_run: bool) -> int:
    """Make parked events due at once, and record who asked and why; the service's sweeper then tries them."""
    if dry_run or not chosen:
        return len(chosen)
    with database.work() as db:
        done = db.execute(
            sa.update(parked)
            .where(parked.c.id.in_([event.id for event in chosen]))
            .values(next_attempt_at=sa.func.now())
            .returning(parked.c.id)
        ).all()
        db.execute(
            sa.insert(audit).inline(),
            {
                "id": new_id(),
                "at": dt.datetime.now(dt.UTC),
                "actor": "service:cli",
                "address": "",
                "action": "replay_parked",
                "subject": None,
                "place": "",
                "reason": reason,
                "before": {},
                "after": {"events": [str(event.event_id) for event in chosen]},
                "call_id": "",
            },
        )
        return len(done)


# --- the broker's queues --------------------------------------------------------------------------------------------------


def dead_queues(plan: topology.Topology) -> dict[str, str]:
    """{dead-letter queue: the queue whose messages it holds}."""
    queues = (*plan.rpc_queues, *plan.event_queues, *plan.study_queues)
    return {topology.dead_queue(queue): queue for queue in queues}


def depths(link: Link, plan: topology.Topology) -> dict[str, int]:
    """How many messages lie in each dead-letter queue, and in the queue of unrouted events."""
    names = (*dead_queues(plan), topology.UNROUTED)
    return {name: link.channel.queue_declare(name, passive=True).message_count for name in names}


def peek(link: Link, dead: str, limit: int = 20) -> list[dict[str, Any]]:
    """The first messages of a dead-letter queue, masked; they stay there."""
    shown: list[dict[str, Any]] = []
    held: list[Any] = []
    while len(shown) < limit and (message := link.channel.basic_get(dead)) is not None:
        held.append(message)
        shown.append({"why": _why(message), "bytes": len(message.body), "body": _masked_body(message.body)})
    for message in held:
        link.channel.basic_reject(message.delivery_tag, requeue=True)
    return shown


def replay_dead(link: Link, dead: str, queue: str, *, dry_run: bool, limit: int = 10_000) -> int:
    """Put the messages of a dead-letter queue back into their queue; each leaves only when the broker confirmed the copy."""
    depth = int(link.channel.queue_declare(dead, passive=True).message_count)
    if dry_run:
        return min(depth, limit)
    confirming = link.connection.channel()
    confirming.confirm_select()
    done = 0
    # As many as there were: what fails again must not be replayed for ever.
    while done < min(depth, limit) and (message := link.channel.basic_get(dead)) is not None:
        confirming.basic_publish_confirm(
            message, exchange="", routing_key=queue, mandatory=True, confirm_timeout=CONFIRM_SECONDS
        )
        link.channel.basic_ack(message.delivery_tag)
        done += 1
    return done


def _why(message: Any) -> str:
    headers = message.headers or {}
    deaths = headers.get("x-death") or []
    return str(headers.get("why") or (deaths[0].get("reason") if deaths else "") or "")


def _masked_body(body: Any) -> Any:
    try:
        return mask(json.loads(body))
    except (ValueError, RecursionError):
        # Undecodable bytes may hold anything: tell nothing of them.
        return "[not JSON]"
