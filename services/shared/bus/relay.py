"""The relay: carries outbox rows to the broker, and is the only publisher of events.

Rows are locked with SKIP LOCKED, published persistent and mandatory with confirms in flight, and marked in the same
transaction after the confirms; a crash in between sends a row twice, which the inbox absorbs. Several relays are safe.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
import uuid
from typing import Any

import psycopg
import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.shared import clock, metrics
from services.shared.bus import topology
from services.shared.bus.calls import Event
from services.shared.bus.link import CONNECTION_ERRORS, Link, encode
from services.shared.bus.publisher import CONFIRM_SECONDS, ConfirmingLink, NotConfirmedError
from services.shared.database import Database, is_outage
from services.shared.tables import bus_state, idempotency, inbox, outbox

log = structlog.get_logger(__name__)

BATCH = 200
POLL_SECONDS = 1.0
REFUSED_PAUSE_SECONDS = 2.0
# Sent rows are kept this long, for a broker that lost them; the inbox is kept longer (reliability.md d7).
RETENTION = dt.timedelta(days=7)
# The inbox must remember longer than any relay can send again; idempotency keys live at least 30 days (d3).
LONG_RETENTION = dt.timedelta(days=30)


class Relay:
    """Runs in a greenlet of each process that writes events."""

    def __init__(self, database: Database, uri: str, name: str, plan: topology.Topology) -> None:
        self.database = database
        self._uri = uri
        self._name = name
        self._plan = plan
        # Types that the broker refused a moment ago, and until when they rest (monotonic).
        self._resting: dict[str, float] = {}
        self._stopping = threading.Event()
        self._stopped = threading.Event()

    def run(self) -> None:
        """Relay until stopped; an outage of either server is waited out."""
        pause = 0.2
        try:
            while not self._stopping.is_set():
                try:
                    self._run_connected()
                    pause = 0.2
                except Exception as error:
                    log.warning(
                        "relay_held", relay=self._name, error=type(error).__name__, exc_info=not _is_known(error)
                    )
                    self._stopping.wait(pause)
                    pause = min(pause * 2, 5.0)
        finally:
            self._stopped.set()

    def _run_connected(self) -> None:
        publisher = ConfirmingLink(self._uri, f"relay-{self._name}")
        try:
            self.meet_broker(publisher.link)
            with self._notices() as notices:
                while not self._stopping.is_set():
                    if self.send_batch(publisher) < BATCH:
                        publisher.link.drain(0.001)
                        publisher.link.beat()
                        wait_for_notice(notices, POLL_SECONDS)
        finally:
            publisher.close()

    def _notices(self) -> psycopg.Connection[Any]:
        url = self.database.worker.url.set(drivername="postgresql").render_as_string(hide_password=False)
        connection = psycopg.connect(url, autocommit=True, connect_timeout=5)
        connection.execute("LISTEN outbox")
        return connection

    def meet_broker(self, link: Link) -> None:
        """Recognise the broker by the mark left on it; a broker without it is new and gets the retention window again.

        In memory every start meets a new broker. The mark's row is locked, so that of several relays one re-sends.
        """
        with self.database.work() as db:
            db.execute(insert(bus_state).values(name="incarnation", value="").on_conflict_do_nothing())
            mark = db.execute(
                sa.select(bus_state.c.value).where(bus_state.c.name == "incarnation").with_for_update()
            ).scalar_one()
            if mark and topology.exists(link, mark):
                return
            topology.declare(link, self._plan)
            mark = f"incarnation.{self.database.service}.{uuid.uuid4().hex}"
            link.channel.queue_declare(
                mark, durable=True, auto_delete=False, arguments={} if link.in_memory else {"x-queue-type": "classic"}
            )
            db.execute(sa.update(bus_state).where(bus_state.c.name == "incarnation").values(value=mark))
            again = db.execute(
                sa.update(outbox)
                .where(outbox.c.sent_at > sa.func.now() - RETENTION)
                .values(sent_at=None)
                .returning(sa.literal(1))
            )
            log.info("new_broker", relay=self._name, events_to_send_again=len(again.all()))

    def send_batch(self, publisher: ConfirmingLink, limit: int = BATCH) -> int:
        """Send up to `limit` events; returns how many it tried.

        What the broker refuses (a queue of that type is full) stays unsent, and its type rests for a while, so that it
        holds up no other. Raises NotConfirmedError when the broker does not answer.
        """
        with self.database.work() as db:
            rows = db.execute(
                sa.select(outbox)
                .where(outbox.c.sent_at.is_(None), outbox.c.type.not_in(self._resting_types()))
                .order_by(outbox.c.position)
                .limit(limit)
                .with_for_update(skip_locked=True)
            ).all()
            if not rows:
                if not self._resting:
                    metrics.outbox_oldest_seconds.labels(self.database.service).set(0)
                return 0
            for row in rows:
                publisher.publish(topology.EVENTS, row.type, encode(_wire_of(row)), str(row.id), row)
            publisher.wait(CONFIRM_SECONDS)
            self._mark(db, publisher.settle())
            age = (clock.SystemClock().now() - rows[0].recorded_at).total_seconds()
            metrics.outbox_oldest_seconds.labels(self.database.service).set(max(0.0, age))
            return len(rows)

    def _mark(self, db: Session, decided: list[tuple[Any, bool]]) -> None:
        arrived = [row.id for row, has_arrived in decided if has_arrived]
        db.execute(sa.update(outbox).where(outbox.c.id.in_(arrived)).values(sent_at=sa.func.now()))
        metrics.outbox_sent.labels(self.database.service).inc(len(arrived))
        if refused := {row.type for row, has_arrived in decided if not has_arrived}:
            log.warning("events_refused", relay=self._name, types=sorted(refused))
            self._resting.update(dict.fromkeys(refused, time.monotonic() + REFUSED_PAUSE_SECONDS))

    def _resting_types(self) -> list[str]:
        now = time.monotonic()
        self._resting = {type_: until for type_, until in self._resting.items() if until > now}
        return list(self._resting)

    def forget_old(self) -> None:
        """Remove what no broker can need any more: sent events, and inbox rows kept longer than those."""
        with self.database.work() as db:
            db.execute(sa.delete(outbox).where(outbox.c.sent_at < sa.func.now() - RETENTION))
            db.execute(sa.delete(inbox).where(inbox.c.received_at < sa.func.now() - LONG_RETENTION))
            db.execute(sa.delete(idempotency).where(idempotency.c.created_at < sa.func.now() - LONG_RETENTION))
            db.execute(sa.text("DELETE FROM job_run WHERE finished_at < now() - interval '7 days'"))

    def cancel(self) -> None:
        self._stopping.set()

    def stop(self, timeout: float) -> bool:
        self._stopping.set()
        return self._stopped.wait(timeout)


def _is_known(error: Exception) -> bool:
    return isinstance(error, (*CONNECTION_ERRORS, NotConfirmedError, psycopg.Error)) or is_outage(error)


def _wire_of(row: Any) -> dict[str, Any]:
    event = Event(row.id, row.type, row.aggregate_id, row.occurred_at, row.payload)
    return {**event.to_wire(), "trace": row.trace}


def wait_for_notice(connection: psycopg.Connection[Any], timeout: float) -> bool:
    """Sleep until a NOTIFY arrives or the time is over; yields to the hub. Raises psycopg.Error on a lost connection."""
    return any(True for _ in connection.notifies(timeout=timeout, stop_after=1))
