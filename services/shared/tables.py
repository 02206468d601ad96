"""The plumbing tables that each service's database holds: what makes messages and commands safe to repeat."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, UUID

from services.shared import row_security

PLUMBING = sa.MetaData()

_instant = sa.DateTime(timezone=True)

# Events that wait for the relay. Sent rows stay for the retention window: a wiped broker gets them again.
outbox = sa.Table(
    "outbox",
    PLUMBING,
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("position", sa.BigInteger, sa.Identity(), nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("aggregate_id", UUID(as_uuid=True), nullable=False),
    sa.Column("payload", JSONB, nullable=False),
    sa.Column("trace", sa.Text, nullable=False, server_default=""),
    sa.Column("occurred_at", _instant, nullable=False),
    sa.Column("recorded_at", _instant, nullable=False, server_default=sa.func.now()),
    sa.Column("sent_at", _instant),
)
# The relay looks at unsent rows only, by flag and never by "id > last": sequences commit out of order.
sa.Index("outbox_unsent", outbox.c.position, postgresql_where=outbox.c.sent_at.is_(None))
sa.Index("outbox_sent", outbox.c.sent_at, postgresql_where=outbox.c.sent_at.is_not(None))

inbox = sa.Table(
    "inbox",
    PLUMBING,
    sa.Column("consumer", sa.Text, primary_key=True),
    sa.Column("event_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("received_at", _instant, nullable=False, server_default=sa.func.now()),
)

# Events whose handler failed, kept out of the way of good ones and tried again with growing pauses.
parked = sa.Table(
    "parked",
    PLUMBING,
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("consumer", sa.Text, nullable=False),
    sa.Column("event_id", UUID(as_uuid=True), nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("body", JSONB, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("parked_at", _instant, nullable=False, server_default=sa.func.now()),
    sa.Column("next_attempt_at", _instant, nullable=False),
    sa.UniqueConstraint("consumer", "event_id"),
)
sa.Index("parked_due", parked.c.next_attempt_at)

idempotency = sa.Table(
    "idempotency",
    PLUMBING,
    sa.Column("actor", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("method", sa.Text, nullable=False),
    sa.Column("request_hash", sa.LargeBinary, nullable=False),
    sa.Column("reply", JSONB, nullable=False),
    sa.Column("created_at", _instant, nullable=False, server_default=sa.func.now()),
)
sa.Index("idempotency_age", idempotency.c.created_at)

audit = sa.Table(
    "audit",
    PLUMBING,
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("at", _instant, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("subject", UUID(as_uuid=True)),
    sa.Column("place", sa.Text(collation="C"), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("before", JSONB, nullable=False),
    sa.Column("after", JSONB, nullable=False),
    sa.Column("call_id", sa.Text, nullable=False),
    # The sign-in it came from, and, of an attempt that was refused, the code of the refusal.
    sa.Column("session_id", UUID(as_uuid=True)),
    sa.Column("refusal", sa.Text, nullable=False, server_default=""),
)
sa.Index("audit_subject", audit.c.subject, audit.c.at)

# Made by the migration of the chain (`audit_chain.create`), which also brings older `audit` tables up to date.
CHAIN = sa.MetaData()

# Rows of `audit` that wait for the sealer: filled by a trigger, so that no way of inserting can leave it out.
audit_unsealed = sa.Table(
    "audit_unsealed",
    CHAIN,
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("since", _instant, nullable=False, server_default=sa.func.now()),
)

# The order in which rows were sealed, without gaps; each seal covers its row and the seal before it.
audit_chain = sa.Table(
    "audit_chain",
    CHAIN,
    sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("audit_id", UUID(as_uuid=True), nullable=False, unique=True),
    sa.Column("key_id", sa.Text, nullable=False),
    sa.Column("seal", sa.LargeBinary, nullable=False),
)

# One row per finished run of a periodic job that must run once per period whatever the number of instances.
job_run = sa.Table(
    "job_run",
    PLUMBING,
    sa.Column("job", sa.Text, primary_key=True),
    sa.Column("period", sa.Text, primary_key=True),
    sa.Column("finished_at", _instant, nullable=False, server_default=sa.func.now()),
)

# The mark left on the broker; when the broker no longer has it, the broker is a new one.
bus_state = sa.Table(
    "bus_state",
    PLUMBING,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)


def create_plumbing(op: Any) -> None:
    """Create all of the above with their rights (first migration of each service).

    The application role may add to outbox and audit but read neither; of idempotency rows it sees its actor's own.
    """
    row_security.create_functions(op)
    PLUMBING.create_all(op.get_bind())
    row_security.protect(op, "outbox", app="false", check="true", app_rights=("INSERT",))
    row_security.protect(
        op, "audit", app="false", check="true", app_rights=("INSERT",), worker_rights=("SELECT", "INSERT")
    )
    row_security.protect(op, "idempotency", app="actor = app_actor()", app_rights=("SELECT", "INSERT"))
    for table in ("inbox", "parked", "job_run", "bus_state"):
        row_security.protect(op, table, app="false", app_rights=())
