"""What each service does with its audit trail: seal it, write its head down, let auditors search it. A mixin."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
import structlog
from marshmallow import Schema, fields, validate
from sqlalchemy.orm import Session

from services.shared import audit, audit_chain, clock, metrics
from services.shared.actor import Role
from services.shared.audit_anchors import HeadBook, open_anchors
from services.shared.bus.calls import Call, periodic, query
from services.shared.bus.providers import Environment, Provider, owner_of
from services.shared.fields import Instant
from services.shared.paging import Page, page_of
from services.shared.policy import Policy, granted
from services.shared.tables import audit as audit_table

if TYPE_CHECKING:
    from services.shared.database import Database

log = structlog.get_logger(__name__)

SEAL_SECONDS: Final = 5
ANCHOR_SECONDS: Final = 300  # reliability.md S11
NATION: Final = "CN"
AUDITORS: Final = frozenset({Role.AUDITOR})

# `domain.md` §1.2, further rights: search the audit trail A17, and nobody else.
POLICIES: Final[dict[str, Policy]] = {
    "search_audit": granted(Role.AUDITOR).seeing_everything(
        "the application role reads no row of the trail; the search itself keeps to the auditor's territory"
    ),
}


class Cursor(Schema):
    at = fields.AwareDateTime(required=True, format="iso")
    id = fields.UUID(required=True)


class SearchAudit(Page):
    """What an auditor looks for; newest first."""

    cursor = fields.Nested(Cursor, load_default=None, allow_none=True)
    actor = fields.String(load_default="", validate=validate.Length(max=80))
    subject = fields.UUID(load_default=None, allow_none=True)
    action = fields.String(load_default="", validate=validate.Regexp(r"[a-z_]{0,60}\Z"))
    place = fields.String(load_default="", validate=validate.Length(max=200))
    since = fields.AwareDateTime(load_default=None, allow_none=True, format="iso")
    until = fields.AwareDateTime(load_default=None, allow_none=True, format="iso")
    refused = fields.Boolean(load_default=None, allow_none=True)


class AuditRecord(Schema):
    id = fields.UUID()
    at = Instant()
    actor = fields.String()
    address = fields.String()
    session_id = fields.UUID(allow_none=True)
    action = fields.String()
    subject = fields.UUID(allow_none=True)
    place = fields.String()
    reason = fields.String()
    refusal = fields.String()
    before = fields.Dict()
    after = fields.Dict()
    call_id = fields.String()


class Book:
    """The keys of the chain, and where its heads are written down."""

    def __init__(self, seals: audit_chain.Seals, heads: HeadBook) -> None:
        self.seals = seals
        self.heads = heads


class BookProvider(Provider[Book]):
    def build(self, service_class: Any, environment: Environment) -> Book:
        service = owner_of(service_class)
        seals = audit_chain.Seals.of(environment.keyring, service)
        return Book(seals, HeadBook(open_anchors(environment.settings), service, seals))


class AuditTrail:
    """Mixed into each service; its policies take in `POLICIES`."""

    database: Database
    audit_book = BookProvider()

    @query
    def search_audit(self, call: Call) -> dict[str, Any]:
        """The trail of this service inside the auditor's territory; the search is itself recorded."""
        wanted = call.load(SearchAudit())
        places = self._places(call, wanted["place"])
        limit = wanted["limit"]
        # Not `read`: whoever looks at the trail stands in it.
        with self.database.transaction(call) as db:
            found = _search(db, places, wanted, limit + 1)
            audit.record(db, call, subject=wanted["subject"], place=places[0], after=_asked(wanted))
            return page_of(found, limit, AuditRecord().dump, _cursor_of)

    def _places(self, call: Call, place: str) -> tuple[str, ...]:
        """Where to look. Raises NotFound for a place outside the auditor's territory."""
        places = (place,) if place else call.actor.places(AUDITORS)
        for each in places:
            call.authorise(place=each)
        return places

    @periodic(SEAL_SECONDS, job="seal_audit")
    def seal_audit(self, now: dt.datetime) -> None:
        """Seal what has been committed since the last time."""
        if sealed := audit_chain.seal_waiting(self.database, self.audit_book.seals):
            metrics.audit_sealed.labels(self.database.service).inc(sealed)

    @periodic(ANCHOR_SECONDS, job="anchor_audit")
    def anchor_audit(self, now: dt.datetime) -> None:
        """Write the head of the chain down outside the database, unless the chain has lost the last one written."""
        heads, service = self.audit_book.heads, self.database.service
        newest = heads.newest()
        with self.database.work() as db:
            seal = audit_chain.find_seal(db, newest.position) if newest else None
            head = audit_chain.find_head(db)
        intact = newest is None or seal == newest.seal
        metrics.audit_chain_intact.labels(service).set(intact)
        if newest is not None and not intact:
            log.error("audit_chain_broken", service=service, position=newest.position)
        elif heads.write(head, now):
            # A second witness, wherever logs are kept.
            log.info("audit_head", service=service, position=head.position, seal=head.seal.hex())


def _search(db: Session, places: tuple[str, ...], wanted: dict[str, Any], limit: int) -> list[Any]:
    columns = audit_table.c
    select = sa.select(audit_table).order_by(columns.at.desc(), columns.id.desc()).limit(limit)
    if NATION not in places:
        select = select.where(_inside(places))
    for name in ("actor", "subject", "action"):
        if wanted[name]:
            select = select.where(columns[name] == wanted[name])
    if wanted["since"]:
        select = select.where(columns.at >= wanted["since"])
    if wanted["until"]:
        select = select.where(columns.at < wanted["until"])
    if wanted["refused"] is not None:
        select = select.where(columns.refusal != "" if wanted["refused"] else columns.refusal == "")
    if wanted["cursor"]:
        last = sa.tuple_(sa.literal(wanted["cursor"]["at"]), sa.literal(wanted["cursor"]["id"]))
        select = select.where(sa.tuple_(columns.at, columns.id) < last)
    return list(db.execute(select))


def _inside(places: tuple[str, ...]) -> Any:
    place = audit_table.c.place
    below = [sa.or_(place == each, sa.and_(place >= f"{each}/", place < f"{each}0")) for each in places]
    provinces = sorted({each.split("/")[1] for each in places})
    # The first condition is what the index is by; '0' follows '/' in the C collation.
    return sa.and_(sa.func.split_part(place, "/", 2).in_(provinces), sa.or_(*below))


def _asked(wanted: dict[str, Any]) -> dict[str, Any]:
    """The search as it is recorded: only what was asked for."""
    asked = {name: str(value) for name, value in wanted.items() if name not in ("cursor", "limit") and value}
    return {"asked": asked, "page": "first" if wanted["cursor"] is None else "later"}


def _cursor_of(row: Any) -> dict[str, str]:
    return {"at": clock.format_instant(row.at), "id": str(row.id)}
