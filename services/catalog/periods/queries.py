"""Selects of periods and offerings."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.catalog.contract.periods import OfferingState, PeriodState, Tier
from services.catalog.periods.models import Offering, OfferingVersion, Period
from services.catalog.periods.rules import MAY_OFFER
from services.shared.errors import NotFound

NO_PERIOD = "catalog.period_unknown"
NO_OFFERING = "catalog.offering_unknown"


def get_period(db: Session, period_id: uuid.UUID) -> Period:
    """Raises NotFound("catalog.period_unknown")."""
    if (period := db.get(Period, period_id)) is None:
        raise NotFound(NO_PERIOD, "period_id")
    return period


def find_period(db: Session, period_id: uuid.UUID) -> Period | None:
    """Locked."""
    return db.scalars(sa.select(Period).where(Period.period_id == period_id).with_for_update()).one_or_none()


def lock_period(db: Session, period_id: uuid.UUID, *, sharing: bool = False) -> Period:
    """As `get_period`; its state stays until this transaction ends. `sharing`: others may rely on it, too."""
    select = sa.select(Period).where(Period.period_id == period_id).with_for_update(read=sharing)
    if (period := db.scalars(select).one_or_none()) is None:
        raise NotFound(NO_PERIOD, "period_id")
    return period


def lock_due_periods(db: Session, now: dt.datetime, limit: int) -> list[Period]:
    """Periods whose window has opened or ended without anybody having said so; those that somebody holds come later."""
    opens = sa.and_(Period.state == PeriodState.PUBLISHED, Period.selects_from <= now)
    closes = sa.and_(Period.state == PeriodState.SELECTING, Period.selects_until <= now)
    select = sa.select(Period).where(sa.or_(opens, closes)).order_by(Period.period_id).limit(limit)
    return list(db.scalars(select.with_for_update(skip_locked=True)))


def list_periods(
    db: Session,
    places: Collection[str],
    states: Collection[PeriodState],
    tiers: Collection[Tier],
    before: uuid.UUID | None,
    limit: int,
) -> list[Period]:
    """Of these cities and districts, newest first."""
    select = sa.select(Period).where(Period.place.in_(places), Period.state.in_(states), Period.tier.in_(tiers))
    if before is not None:
        select = select.where(Period.period_id < before)
    return list(db.scalars(select.order_by(Period.period_id.desc()).limit(limit)))


def is_code_taken(db: Session, place: str, code: str) -> bool:
    return db.scalars(sa.select(Period.period_id).where(Period.place == place, Period.code == code)).first() is not None


def has_open_offering(db: Session, period_id: uuid.UUID) -> bool:
    select = sa.select(Offering.offering_id).where(
        Offering.period_id == period_id, Offering.state == OfferingState.OPEN
    )
    return db.scalars(select.limit(1)).first() is not None


def get_offering(db: Session, offering_id: uuid.UUID) -> Offering:
    """Raises NotFound("catalog.offering_unknown")."""
    if (offering := db.get(Offering, offering_id)) is None:
        raise NotFound(NO_OFFERING, "offering_id")
    return offering


def lock_offering(db: Session, offering_id: uuid.UUID) -> Offering:
    select = sa.select(Offering).where(Offering.offering_id == offering_id).with_for_update()
    if (offering := db.scalars(select.execution_options(populate_existing=True)).one_or_none()) is None:
        raise NotFound(NO_OFFERING, "offering_id")
    return offering


def find_offered(db: Session, period_id: uuid.UUID, course_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Those of the courses that the period has already offered, withdrawn ones among them."""
    select = sa.select(Offering.course_id).where(Offering.period_id == period_id, Offering.course_id.in_(course_ids))
    return set(db.scalars(select))


def find_ratings(db: Session, course_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, tuple[int, int]]:
    """How many have rated these courses, and the sum of their stars: each offering of a course knows it."""
    select = (
        # The same in each of them, so the largest is any.
        sa.select(Offering.course_id, sa.func.max(Offering.ratings), sa.func.max(Offering.stars))
        .where(Offering.course_id.in_(course_ids))
        .group_by(Offering.course_id)
    )
    return {course_id: (ratings, stars) for course_id, ratings, stars in db.execute(select)}


def list_offerings(
    db: Session, period_id: uuid.UUID, state: OfferingState | None, after: uuid.UUID | None, limit: int
) -> list[Offering]:
    """In the order in which they were added."""
    select = sa.select(Offering).where(Offering.period_id == period_id)
    if state is not None:
        select = select.where(Offering.state == state)
    if after is not None:
        select = select.where(Offering.offering_id > after)
    return list(db.scalars(select.order_by(Offering.offering_id).limit(limit)))


def lock_planned_offerings(db: Session, course_id: uuid.UUID) -> list[Offering]:
    """Of periods that are only planned: these follow their course."""
    return list(
        db.scalars(
            sa.select(Offering)
            .join(Period, Period.period_id == Offering.period_id)
            .where(
                Offering.course_id == course_id,
                Offering.state == OfferingState.OPEN,
                Period.state == PeriodState.PLANNED,
            )
            .order_by(Offering.offering_id)
            .with_for_update(of=Offering)
        )
    )


def is_offered(db: Session, course_id: uuid.UUID) -> bool:
    """By a period whose selection is not over."""
    select = (
        sa.select(Offering.offering_id)
        .join(Period, Period.period_id == Offering.period_id)
        .where(Offering.course_id == course_id, Offering.state == OfferingState.OPEN, Period.state.in_(MAY_OFFER))
    )
    return db.scalars(select.limit(1)).first() is not None


def lock_offerings_of_unit(db: Session, unit_id: uuid.UUID, place: str) -> list[Offering]:
    """Of periods that are not archived, which name the unit and where it no longer stands."""
    names_it = sa.or_(
        sa.and_(Offering.applicant_unit_id == unit_id, Offering.applicant_place != place),
        sa.and_(Offering.charging_unit_id == unit_id, Offering.charging_place != place),
    )
    return list(
        db.scalars(
            sa.select(Offering)
            .join(Period, Period.period_id == Offering.period_id)
            .where(names_it, Period.state != PeriodState.ARCHIVED)
            .order_by(Offering.offering_id)
            .with_for_update(of=Offering)
        )
    )


def list_versions(db: Session, offering_id: uuid.UUID) -> Sequence[OfferingVersion]:
    select = sa.select(OfferingVersion).where(OfferingVersion.offering_id == offering_id)
    return db.scalars(select.order_by(OfferingVersion.version.desc())).all()
