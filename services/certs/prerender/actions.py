"""Taking a stretch of certificates to render, and giving it back done; each in a transaction of its own."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.certs.models import Certificate, Document
from services.certs.prerender.models import RenderPosition, RenderStretch
from services.certs.rules import State

STRETCH = 20  # certificates: what a worker that dies leaves to the next one
LEASE = dt.timedelta(minutes=10)
# The database numbers certificates before they commit: after this long none with a lower number comes any more.
SETTLED = dt.timedelta(minutes=2)


def claim(db: Session, now: dt.datetime) -> RenderStretch | None:
    """A stretch that its worker left behind, else the next one; None when nothing waits. Nobody else has it meanwhile."""
    left = sa.select(RenderStretch).where(RenderStretch.leased_until <= now).order_by(RenderStretch.first).limit(1)
    stretch = db.scalars(left.with_for_update(skip_locked=True)).first() or _next(db, now)
    if stretch is not None:
        stretch.leased_until = now + LEASE
        db.flush()
        db.expunge(stretch)
    return stretch


def _next(db: Session, now: dt.datetime) -> RenderStretch | None:
    position = db.scalars(sa.select(RenderPosition).with_for_update()).one()
    following = (
        sa.select(Certificate.status_index, Certificate.issued_at)
        .where(Certificate.status_index > position.position)
        .order_by(Certificate.status_index)
        .limit(STRETCH)
    )
    settled = []
    for status_index, issued_at in db.execute(following):
        if issued_at > now - SETTLED:
            break
        settled.append(status_index)
    if not settled:
        return None
    stretch = RenderStretch(first=settled[0], last=settled[-1], leased_until=now)
    position.position = settled[-1]
    db.add(stretch)
    return stretch


def list_unrendered(db: Session, stretch: RenderStretch) -> list[Certificate]:
    """The valid certificates of the stretch that nobody has printed yet."""
    return list(
        db.scalars(
            sa.select(Certificate)
            .where(
                Certificate.status_index.between(stretch.first, stretch.last),
                Certificate.state == State.ISSUED,
                Certificate.holder_sealed != "",
                ~sa.exists().where(Document.certificate_id == Certificate.certificate_id),
            )
            .order_by(Certificate.status_index)
        )
    )


def finish(db: Session, stretch: RenderStretch) -> None:
    """All of it is done. A lease that ran out meanwhile is somebody else's to finish."""
    db.execute(
        sa.delete(RenderStretch).where(
            RenderStretch.first == stretch.first, RenderStretch.leased_until == stretch.leased_until
        )
    )


def give_back(db: Session, stretch: RenderStretch, now: dt.datetime) -> None:
    """What is left of it waits for the next worker that is free."""
    db.execute(
        sa.update(RenderStretch)
        .where(RenderStretch.first == stretch.first, RenderStretch.leased_until == stretch.leased_until)
        .values(leased_until=now)
    )
