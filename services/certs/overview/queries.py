"""Selects of the overview: the list school by school, by key; figures by key, or of one place's children."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.certs.contract import PublicState
from services.certs.models import Certificate, Placement, Programme
from services.certs.overview.models import MEASURES, CertificateFigures
from services.certs.rules import Kind
from services.certs.showing import PUBLIC_STATES
from services.shared import clock
from services.shared.placement import at_or_below

MISSING = "certs.place_unknown"
_STORED = {public: state for state, public in PUBLIC_STATES.items()}
Position = tuple[str, uuid.UUID, uuid.UUID]


@dataclasses.dataclass(frozen=True)
class Wanted:
    """Which certificates of a territory; days are Beijing's, both included."""

    place: str
    kind: Kind | None = None
    state: PublicState | None = None
    programme_id: uuid.UUID | None = None
    issued_from: dt.date | None = None
    issued_to: dt.date | None = None


@dataclasses.dataclass(frozen=True)
class Issued:
    certificate: Certificate
    place: str  # of its holder, now

    @property
    def position(self) -> Position:
        return self.place, self.certificate.teacher_id, self.certificate.certificate_id


def select_issued(wanted: Wanted) -> sa.Select[Certificate, str]:
    select = (
        sa.select(Certificate, Placement.place)
        .join(Placement, Placement.teacher_id == Certificate.teacher_id)
        .where(at_or_below(Placement.place, wanted.place))
    )
    if wanted.kind is not None:
        select = select.where(Certificate.kind == wanted.kind)
    if wanted.state is not None:
        select = select.where(Certificate.state == _STORED[wanted.state])
    if wanted.programme_id is not None:
        select = select.where(Certificate.programme_id == wanted.programme_id)
    if wanted.issued_from is not None:
        select = select.where(Certificate.issued_at >= _midnight(wanted.issued_from))
    if wanted.issued_to is not None:
        select = select.where(Certificate.issued_at < _midnight(wanted.issued_to + dt.timedelta(days=1)))
    return select


def list_issued(db: Session, wanted: Wanted, after: Position | None, limit: int) -> list[Issued]:
    """School by school, of each teacher the oldest first: the order of an index, whatever the size of the territory."""
    key = (Placement.place, Placement.teacher_id, Certificate.certificate_id)
    select = select_issued(wanted)
    if after is not None:
        select = select.where(sa.tuple_(*key) > sa.tuple_(*after))
    return [Issued(certificate, place) for certificate, place in db.execute(select.order_by(*key).limit(limit))]


def figures_of(db: Session, place: str, programme_id: uuid.UUID | None) -> list[Any]:
    """The totals of a place by kind: of one programme, or of all."""
    return list(db.execute(_select_figures(CertificateFigures.place == place, programme_id)))


def list_children(db: Session, place: str, after: str | None, limit: int) -> list[str]:
    """The places directly below where anything was counted, in the order of the tree: there are no league tables."""
    select = sa.select(CertificateFigures.place).where(CertificateFigures.parent == place).distinct()
    if after is not None:
        select = select.where(CertificateFigures.place > after)
    return list(db.scalars(select.order_by(CertificateFigures.place).limit(limit)))


def figures_by_place(db: Session, places: list[str], programme_id: uuid.UUID | None) -> Mapping[str, list[Any]]:
    found: dict[str, list[Any]] = {place: [] for place in places}
    for row in db.execute(_select_figures(CertificateFigures.place.in_(places), programme_id)):
        found[row.place].append(row)
    return found


def titles_of(db: Session, programme_ids: set[uuid.UUID]) -> Mapping[uuid.UUID, str]:
    """{programme: its Chinese title}"""
    rows = sa.select(Programme.programme_id, Programme.title_zh).where(Programme.programme_id.in_(programme_ids))
    return {row.programme_id: row.title_zh for row in db.execute(rows)}


def as_of(db: Session, now: dt.datetime) -> dt.datetime:
    """Up to when the figures hold everything: the oldest change that is not counted yet, or now."""
    oldest = db.scalar(sa.select(sa.func.oldest_certificate_count_due()))
    return min(oldest, now) if oldest else now


def _select_figures(where: sa.ColumnElement[bool], programme_id: uuid.UUID | None) -> sa.Select[Any]:
    sums = [sa.func.sum(getattr(CertificateFigures, name)).label(name) for name in MEASURES]
    key = (CertificateFigures.place, CertificateFigures.kind)
    select = sa.select(*key, *sums).where(where).group_by(*key).order_by(*key)
    return select if programme_id is None else select.where(CertificateFigures.programme_id == programme_id)


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), clock.BEIJING)
