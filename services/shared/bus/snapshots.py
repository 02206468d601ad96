"""Facts as they are now, key by key: what an owner tells when somebody rebuilds a projection, and what a holder holds.

Events tell of changes; a projection that was lost, or a database restored to an earlier time, needs the present. The
owner pages through it in the order of its keys (`read_snapshot`), and adds it up (`get_digest`).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, Any, ClassVar

import sqlalchemy as sa
from marshmallow import Schema, fields, validate
from sqlalchemy.orm import Session

from services.shared import clock
from services.shared.bus.calls import Call, query
from services.shared.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from services.shared.database import Database

# UUIDs order in Python as in PostgreSQL, so both sides walk in the same order.
Key = tuple[uuid.UUID, ...]
PAGE = 500
# Of facts that never change, such as an enrolment: being there is all that can be compared.
UNCHANGING = sa.literal(1)


@dataclasses.dataclass(frozen=True)
class Digest:
    """How many facts, and the sum of their versions: equal on both sides when nothing is missing, old or too new."""

    count: int
    version_sum: int


@dataclasses.dataclass(frozen=True)
class Facts:
    """Where facts of one kind are: the columns of their key, their version, and which rows count."""

    key: tuple[Any, ...]
    version: Any
    where: tuple[Any, ...] = ()

    def list_versions(self, db: Session, after: Key | None, limit: int) -> dict[Key, int]:
        """The next facts in the order of their keys, beginning after one."""
        select = self._select().order_by(*self.key).limit(limit)
        if after is not None:
            select = select.where(sa.tuple_(*self.key) > sa.tuple_(*after))
        return _by_key(db.execute(select))

    def find_versions(self, db: Session, keys: Collection[Key]) -> dict[Key, int]:
        """Those of the keys that are there."""
        return _by_key(db.execute(self._select().where(sa.tuple_(*self.key).in_(keys))))

    def digest(self, db: Session) -> Digest:
        versions = self._select().subquery()
        total = sa.func.coalesce(sa.func.sum(versions.c.version), 0)
        count, version_sum = db.execute(sa.select(sa.func.count(), total).select_from(versions)).one()
        return Digest(count, int(version_sum))

    def _select(self) -> sa.Select[Any]:
        return sa.select(*self.key, self.version.label("version")).where(*self.where)


def _by_key(rows: Iterable[Any]) -> dict[Key, int]:
    return {tuple(row[:-1]): row[-1] for row in rows}


@dataclasses.dataclass(frozen=True)
class Told:
    """One fact, with the payload that its event would carry now. `occurred_at` where a consumer's rules ask for it."""

    key: Key
    payload: dict[str, Any]
    occurred_at: dt.datetime | None = None


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """How a service tells the facts behind one event type: where they are, and their payloads for some keys.

    `tell` gets the service object, for facts that only its keys open.
    """

    facts: Facts
    tell: Callable[[Any, Session, list[Key]], Iterable[Told]]


class ReadSnapshot(Schema):
    type = fields.String(required=True)
    after = fields.List(fields.UUID(), load_default=None, allow_none=True, validate=validate.Length(min=1, max=4))
    limit = fields.Integer(load_default=PAGE, strict=True, validate=validate.Range(min=1, max=PAGE))


class GetDigest(Schema):
    type = fields.String(required=True)


class TellsSnapshots:
    """The two queries of a service that owns facts; its class says `snapshots = SNAPSHOTS`, its policies who may ask."""

    snapshots: ClassVar[dict[str, Snapshot]]
    database: Database

    @query
    def read_snapshot(self, call: Call) -> dict[str, Any]:
        """A page of facts of one event type, in the order of their keys; `after` is the last key of the page before."""
        arguments = call.load(ReadSnapshot())
        snapshot = self._snapshot(arguments["type"])
        after = tuple(arguments["after"]) if arguments["after"] else None
        if after is not None and len(after) != len(snapshot.facts.key):
            raise InvalidInput("shared.invalid", "after", "not a key of this type")
        with self.database.read(call) as db:
            versions = snapshot.facts.list_versions(db, after, arguments["limit"])
            told = snapshot.tell(self, db, list(versions)) if versions else ()
        return {"items": [_shown(each, versions, call.now) for each in sorted(told, key=lambda each: each.key)]}

    @query
    def get_digest(self, call: Call) -> dict[str, Any]:
        snapshot = self._snapshot(call.load(GetDigest())["type"])
        with self.database.read(call) as db:
            return dataclasses.asdict(snapshot.facts.digest(db))

    def _snapshot(self, event_type: str) -> Snapshot:
        if event_type not in self.snapshots:
            raise NotFound("shared.not_found", "type")
        return self.snapshots[event_type]


def _shown(told: Told, versions: dict[Key, int], now: dt.datetime) -> dict[str, Any]:
    return {
        "key": [str(part) for part in told.key],
        # What the payload says: the row may have changed since its version was listed.
        "version": told.payload.get("version", versions[told.key]),
        "occurred_at": clock.format_instant(told.occurred_at or now),
        "payload": told.payload,
    }
