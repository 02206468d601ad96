"""Selects of holds."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.billing import queries as billing_queries
from services.billing.contract.holds import HoldKind, HoldState
from services.billing.holds.models import Hold
from services.billing.models import Placement

_active = Hold.state == HoldState.ACTIVE


def list_active(db: Session, teacher_ids: Collection[uuid.UUID]) -> list[tuple[uuid.UUID, Hold]]:
    """What holds these people now, each by the id that was asked for: a merge of accounts settles no debt."""
    owners = billing_queries.list_accounts_of(db, teacher_ids)
    found = db.scalars(sa.select(Hold).where(Hold.teacher_id.in_(list(owners)), _active).order_by(Hold.hold_id))
    return [(owners[hold.teacher_id], hold) for hold in found]


def is_held(db: Session, teacher_id: uuid.UUID, kind: HoldKind, place: str) -> bool:
    """Whether the institution there holds her so already."""
    return any((hold.kind, hold.place) == (kind, place) for _, hold in list_active(db, [teacher_id]))


def lock_active_at(db: Session, teacher_ids: Collection[uuid.UUID], kind: HoldKind, place: str) -> Sequence[Hold]:
    """What one institution holds these accounts by; not of what was merged into them."""
    return db.scalars(
        sa.select(Hold)
        .where(Hold.teacher_id.in_(list(teacher_ids)), Hold.kind == kind, Hold.place == place, _active)
        .order_by(Hold.hold_id)
        .with_for_update()
    ).all()


def count_holds(db: Session, teacher_id: uuid.UUID, kind: HoldKind) -> int:
    """How often this kind of hold was on this person, lifted ones too."""
    accounts = billing_queries.list_accounts_of(db, [teacher_id])
    return db.scalars(
        sa.select(sa.func.count()).select_from(Hold).where(Hold.teacher_id.in_(list(accounts)), Hold.kind == kind)
    ).one()


def lock_hold(db: Session, hold_id: uuid.UUID) -> Hold | None:
    return db.scalars(sa.select(Hold).where(Hold.hold_id == hold_id).with_for_update()).one_or_none()


def lock_holds(db: Session, hold_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Hold]:
    rows = db.scalars(sa.select(Hold).where(Hold.hold_id.in_(list(hold_ids))).order_by(Hold.hold_id).with_for_update())
    return {hold.hold_id: hold for hold in rows}


def lock_holds_of_person(db: Session, teacher_id: uuid.UUID) -> Sequence[Hold]:
    return db.scalars(sa.select(Hold).where(Hold.teacher_id == teacher_id).with_for_update()).all()


def list_holds(
    db: Session, place: str, kind: HoldKind | None, state: HoldState | None, after: uuid.UUID | None, limit: int
) -> Sequence[Hold]:
    """Holds that the institutions of a region keep, or those on the teachers of a school; newest first."""
    statement = sa.select(Hold)
    if billing_queries.is_school(place):
        statement = statement.join(Placement, Placement.teacher_id == Hold.teacher_id).where(Placement.place == place)
    else:
        statement = statement.where(billing_queries.at_place(Hold.place, place))
    if kind:
        statement = statement.where(Hold.kind == kind)
    if state:
        statement = statement.where(Hold.state == state)
    if after:
        statement = statement.where(Hold.hold_id < after)
    return db.scalars(statement.order_by(Hold.hold_id.desc()).limit(limit)).all()


def list_own_holds(db: Session, teacher_id: uuid.UUID) -> Sequence[Hold]:
    """What is or was on this person, also under an account that was merged into hers."""
    mine = Hold.teacher_id.in_(list(billing_queries.list_accounts_of(db, [teacher_id])))
    return db.scalars(sa.select(Hold).where(mine).order_by(Hold.hold_id.desc())).all()


def count_special_users(db: Session, place: str) -> int:
    """How many of the teachers at a school, or below a region, are special users."""
    return db.scalars(
        sa.select(sa.func.count())
        .select_from(Hold)
        .join(Placement, Placement.teacher_id == Hold.teacher_id)
        .where(billing_queries.at_place(Placement.place, place), Hold.kind == HoldKind.SPECIAL_USER, _active)
    ).one()
