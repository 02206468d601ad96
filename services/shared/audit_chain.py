"""The audit trail as a chain of seals, made afterwards over committed rows by one sealer per service.

Each seal is an HMAC over its position, the seal before it and the row as PostgreSQL's `COPY` writes it, so no row can be
changed, removed, added or moved unnoticed without the key. What is cut off the end shows against the heads that are
written down outside the database (`audit_anchors`). Nothing here touches a row of `audit`: writers never wait.
"""

from __future__ import annotations

import dataclasses
import enum
import hmac
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.shared import row_security
from services.shared.crypto import KeySet
from services.shared.tables import CHAIN, audit_chain, audit_unsealed

if TYPE_CHECKING:
    from services.shared.database import Database
    from services.shared.keys import KeyRing

FORMAT: Final = b"yanxiu.audit.1"
# What a seal covers, in this order, for ever; a column that is added later needs a new FORMAT.
COLUMNS: Final = (
    "id",
    "at",
    "actor",
    "address",
    "session_id",
    "action",
    "subject",
    "place",
    "reason",
    "refusal",
    "before",
    "after",
    "call_id",
)
_ROW: Final = ", ".join(f"a.{column}" for column in COLUMNS)
# COPY takes no parameters; what is put in are our own integers.
_WAITING: Final = f"SELECT {_ROW} FROM audit_unsealed u JOIN audit a ON a.id = u.id ORDER BY a.id LIMIT {{limit}}"  # noqa: S608
_SEALED: Final = (
    f"SELECT c.position, c.key_id, encode(c.seal, 'hex'), c.audit_id, {_ROW}"  # noqa: S608
    " FROM audit_chain c LEFT JOIN audit a ON a.id = c.audit_id WHERE c.position > {after} ORDER BY c.position LIMIT {limit}"
)
NOTHING_BEFORE: Final = bytes(32)
MISSING: Final = rb"\N"  # how COPY writes NULL

# Small enough that the hub hardly waits for its seals.
SEAL_BATCH: Final = 2000
VERIFY_PAGE: Final = 20_000
FAULTS_KEPT: Final = 1000
# One sealer at a time, whoever asks: the periodic job, an operator, a test.
_LOCK = sa.text("SELECT pg_advisory_xact_lock(hashtextextended('audit_chain', 2))")
# COPY's text depends on these two only; the encoding is named with each COPY.
_FIXED_TEXT = sa.text("SELECT set_config('timezone', 'UTC', true), set_config('datestyle', 'ISO, YMD', true)")


@dataclasses.dataclass(frozen=True)
class Head:
    """The end of a chain: how many rows are sealed, and the last seal. Whoever knows it can prove a truncation."""

    position: int
    seal: bytes


class FaultKind(enum.StrEnum):
    ALTERED = "ALTERED"  # the seal does not fit: a row or seal was changed, put in or moved
    REMOVED = "REMOVED"  # a sealed row is gone
    GAP = "GAP"  # positions are missing
    OUTSIDE = "OUTSIDE"  # a row that neither is sealed nor waits for it: put in past the trigger
    LOST = "LOST"  # a row that waited for its seal is gone
    TRUNCATED = "TRUNCATED"  # the chain ends before a head that was written down
    REWRITTEN = "REWRITTEN"  # the chain says something else than a head that was written down
    UNKNOWN_KEY = "UNKNOWN_KEY"  # sealed under a key that is not on the ring


@dataclasses.dataclass(frozen=True)
class Fault:
    kind: FaultKind
    position: int | None = None
    audit_id: str = ""


@dataclasses.dataclass
class Report:
    """What the verification of one chain found. `faults` holds the first thousand, `fault_count` counts all."""

    service: str
    rows: int = 0
    head: Head = dataclasses.field(default_factory=lambda: Head(0, NOTHING_BEFORE))
    unsealed: int = 0
    oldest_unsealed_seconds: float = 0.0
    anchors: int = 0
    seconds: float = 0.0
    fault_count: int = 0
    faults: list[Fault] = dataclasses.field(default_factory=list)

    def add(self, kind: FaultKind, position: int | None = None, audit_id: str = "") -> None:
        self.fault_count += 1
        if len(self.faults) < FAULTS_KEPT:
            self.faults.append(Fault(kind, position, audit_id))


def purpose(service: str) -> str:
    """The key's name on the ring: a service can forge no other's chain."""
    return f"audit-chain.{service}"


class Seals:
    """Computes the seals of one service's chain."""

    def __init__(self, service: str, keys: KeySet) -> None:
        self._start = FORMAT + b"\0" + service.encode() + b"\0"
        self._keys = keys
        self.current = keys.current

    @classmethod
    def of(cls, keyring: KeyRing, service: str) -> Seals:
        return cls(service, KeySet.of(keyring, purpose(service)))

    def secret(self, key_id: str) -> bytes | None:
        return self._keys.secrets.get(key_id)

    def seal(self, secret: bytes, position: int, before: bytes, row: bytes) -> bytes:
        """The seal of `row` (a line as COPY writes it) at `position`, after the seal `before`."""
        return hmac.digest(secret, self._start + position.to_bytes(8, "big") + before + row, "sha256")


# --- sealing ----------------------------------------------------------------------------------------------------------


def find_head(db: Session) -> Head:
    """The end of the chain; position 0 when nothing is sealed."""
    row = db.execute(
        sa.select(audit_chain.c.position, audit_chain.c.seal).order_by(audit_chain.c.position.desc()).limit(1)
    ).one_or_none()
    return Head(0, NOTHING_BEFORE) if row is None else Head(row.position, bytes(row.seal))


def find_seal(db: Session, position: int) -> bytes | None:
    seal = db.execute(sa.select(audit_chain.c.seal).where(audit_chain.c.position == position)).scalar_one_or_none()
    return None if seal is None else bytes(seal)


def seal_waiting(database: Database, seals: Seals, batch: int = SEAL_BATCH) -> int:
    """Seal all that is committed and waits, batch by batch; returns how many rows that were."""
    done = 0
    while True:
        with database.work() as db:
            sealed = _seal_batch(db, seals, batch)
        done += sealed
        if sealed < batch:
            return done


def _seal_batch(db: Session, seals: Seals, limit: int) -> int:
    db.execute(_LOCK)
    db.execute(_FIXED_TEXT)
    lines = list(_copy(db, _WAITING.format(limit=int(limit))))
    if not lines:
        return 0
    head = find_head(db)
    secret = seals.secret(seals.current)
    assert secret is not None  # a key set holds its current key
    position, before = head.position, head.seal
    positions, ids, made = [], [], []
    for line in lines:
        position += 1
        before = seals.seal(secret, position, before, line)
        positions.append(position)
        ids.append(line[: line.index(b"\t")].decode("ascii"))
        made.append(before)
    db.execute(
        sa.text(
            "INSERT INTO audit_chain (position, audit_id, key_id, seal)"
            " SELECT p, i, :key_id, s FROM unnest(CAST(:positions AS bigint[]), CAST(:ids AS uuid[]),"
            " CAST(:seals AS bytea[])) AS sealed (p, i, s)"
        ),
        {"key_id": seals.current, "positions": positions, "ids": ids, "seals": made},
    )
    db.execute(sa.text("DELETE FROM audit_unsealed WHERE id = ANY (CAST(:ids AS uuid[]))"), {"ids": ids})
    return len(lines)


def _copy(db: Session, select: str) -> Iterator[bytes]:
    """The rows of `select` as COPY writes them: fields between tabs, the special characters inside escaped."""
    connection: Any = db.connection().connection.driver_connection
    with connection.cursor() as cursor, cursor.copy(f"COPY ({select}) TO STDOUT (ENCODING 'UTF8')") as copy:
        rest = b""
        for block in copy:
            # PostgreSQL sends a row a block; nothing in the protocol promises it.
            lines = (rest + bytes(block)).split(b"\n")
            rest = lines.pop()
            yield from lines


# --- verifying --------------------------------------------------------------------------------------------------------


def verify(
    database: Database,
    seals: Seals,
    known_heads: Mapping[int, bytes],
    progress: Callable[[int], Any] = lambda _rows: None,
) -> Report:
    """Check every row, seal and position, and that the chain passes through each of `known_heads` (position: seal).

    The heads must have been read before: what is sealed meanwhile is not looked at. Changes nothing. After a fault it
    goes on with the seal that is written, so that one changed row is one fault.
    """
    report = Report(database.service, anchors=len(known_heads))
    started = time.monotonic()
    engine = database.worker.execution_options(isolation_level="REPEATABLE READ")
    with Session(engine) as db, db.begin():
        db.execute(sa.text("SET TRANSACTION READ ONLY"))
        db.execute(_FIXED_TEXT)
        _verify_ends(db, report)
        # Pages are joined row by row; a planner without statistics would read the whole trail for each.
        db.execute(
            sa.text("SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)")
        )
        walk = _Walk(seals, report, known_heads)
        while page := list(_copy(db, _SEALED.format(after=walk.position, limit=VERIFY_PAGE))):
            for line in page:
                walk.take(line)
            progress(report.rows)
        walk.end()
    report.seconds = time.monotonic() - started
    return report


def _verify_ends(db: Session, report: Report) -> None:
    """What the walk along the chain cannot meet: rows outside it, and rows that were lost before their seal."""
    outside = db.execute(
        sa.text(
            "SELECT a.id FROM audit a WHERE NOT EXISTS (SELECT 1 FROM audit_chain c WHERE c.audit_id = a.id)"
            " AND NOT EXISTS (SELECT 1 FROM audit_unsealed u WHERE u.id = a.id)"
        )
    )
    for audit_id in outside.scalars():
        report.add(FaultKind.OUTSIDE, None, str(audit_id))
    lost = db.execute(
        sa.text("SELECT u.id FROM audit_unsealed u WHERE NOT EXISTS (SELECT 1 FROM audit a WHERE a.id = u.id)")
    )
    for audit_id in lost.scalars():
        report.add(FaultKind.LOST, None, str(audit_id))
    age = sa.func.extract("epoch", sa.func.now() - sa.func.min(audit_unsealed.c.since))
    report.unsealed, oldest = db.execute(sa.select(sa.func.count(), age)).one()
    report.oldest_unsealed_seconds = float(oldest or 0.0)


class _Walk:
    """Along the chain, line by line."""

    def __init__(self, seals: Seals, report: Report, known_heads: Mapping[int, bytes]) -> None:
        self._seals = seals
        self._report = report
        self._heads = known_heads
        self.position = 0
        self._before: bytes | None = NOTHING_BEFORE

    def take(self, line: bytes) -> None:
        number, key, seal_hex, audit_id, row = line.split(b"\t", 4)
        position, written = int(number), bytes.fromhex(seal_hex.decode("ascii"))
        if position != self.position + 1:
            self._report.add(FaultKind.GAP, self.position + 1)
            self._before = None
        fault = self._judge(position, key.decode("ascii", "replace"), written, row)
        if fault is not None:
            self._report.add(fault, position, audit_id.decode("ascii"))
        if self._heads.get(position, written) != written:
            self._report.add(FaultKind.REWRITTEN, position, audit_id.decode("ascii"))
        self.position, self._before = position, written
        self._report.rows += 1

    def _judge(self, position: int, key_id: str, written: bytes, row: bytes) -> FaultKind | None:
        if row.startswith(MISSING):
            return FaultKind.REMOVED
        secret = self._seals.secret(key_id)
        if secret is None:
            return FaultKind.UNKNOWN_KEY
        # After a gap the seal before is not known; the gap itself has been told.
        if self._before is None or self._seals.seal(secret, position, self._before, row) == written:
            return None
        return FaultKind.ALTERED

    def end(self) -> None:
        self._report.head = Head(self.position, self._before or NOTHING_BEFORE)
        for position in sorted(self._heads):
            if position > self.position:
                self._report.add(FaultKind.TRUNCATED, position)


# --- tables -----------------------------------------------------------------------------------------------------------

# The auditor's four ways in; `province` by the second step of the place, because auditors are of the nation or of one.
INDEXES: Final[Sequence[tuple[str, str]]] = (
    ("audit_time", "at, id"),
    ("audit_province", "split_part(place, '/', 2), at, id"),
    ("audit_actor", "actor, at, id"),
    ("audit_action", "action, at, id"),
)


def create(op: Any) -> None:
    """The chain's tables beside `audit`, and what older `audit` tables lack (the migration named audit_chain).

    Nobody may change a seal, and rows that were there before wait for theirs.
    """
    op.execute("ALTER TABLE audit ADD COLUMN IF NOT EXISTS session_id uuid")
    op.execute("ALTER TABLE audit ADD COLUMN IF NOT EXISTS refusal text NOT NULL DEFAULT ''")
    for name, columns in INDEXES:
        op.execute(f"CREATE INDEX {name} ON audit ({columns})")
    # Few among many, and what an auditor looks for first.
    op.execute("CREATE INDEX audit_refused ON audit (at, id) WHERE refusal <> ''")
    CHAIN.create_all(op.get_bind())
    # The owner is under row security like everybody else, and sees no row without this.
    op.execute("ALTER TABLE audit NO FORCE ROW LEVEL SECURITY")
    op.execute("INSERT INTO audit_unsealed (id) SELECT id FROM audit")  # rows from before the chain
    op.execute("ALTER TABLE audit FORCE ROW LEVEL SECURITY")
    row_security.protect(
        op,
        "audit_unsealed",
        app="false",
        check="true",
        app_rights=("INSERT",),
        worker_rights=("SELECT", "INSERT", "DELETE"),
    )
    row_security.protect(op, "audit_chain", app="false", app_rights=(), worker_rights=("SELECT", "INSERT"))
    op.execute("""
        CREATE FUNCTION audit_wait_for_seal() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO audit_unsealed (id) SELECT id FROM inserted;
            RETURN NULL;
        END $$
    """)
    op.execute("""
        CREATE TRIGGER audit_wait_for_seal AFTER INSERT ON audit
        REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION audit_wait_for_seal()
    """)
