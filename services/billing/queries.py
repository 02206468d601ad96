"""Selects of billing that several of its parts use: who is where, whose number it is, who is one person."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.billing.models import LearnerNumber, MergedPerson, Placement
from services.shared.errors import NotFound
from services.shared.placement import at_or_below

ERASED_VERSION = 2  # a number is told once, as version 1


def is_school(place: str) -> bool:
    """Whether the last step of a place is a school, and no division (six digits) and not the nation."""
    return "/" in place and not place.rpartition("/")[2].isdigit()


def at_place(column: Any, place: str) -> Any:
    """Condition: at the place itself, or below it where it is a region."""
    return column == place if is_school(place) else at_or_below(column, place)


def lock_placement(db: Session, teacher_id: uuid.UUID) -> Placement | None:
    return db.scalars(sa.select(Placement).where(Placement.teacher_id == teacher_id).with_for_update()).one_or_none()


def list_accounts_of(db: Session, teacher_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    """By account whose it is: these teachers' own, and what was merged into them."""
    merged = db.execute(
        sa.select(MergedPerson.merged_id, MergedPerson.kept_id).where(
            MergedPerson.kept_id.in_(list(teacher_ids)), MergedPerson.live
        )
    )
    return {teacher_id: teacher_id for teacher_id in teacher_ids} | {row.merged_id: row.kept_id for row in merged}


def get_teacher(db: Session, learner_no: str) -> uuid.UUID:
    """Whose number it is today: after a merge, the account under which the person goes on.

    Raises NotFound("billing.learner_no_unknown").
    """
    found = db.scalars(sa.select(LearnerNumber.account_id).where(LearnerNumber.learner_no == learner_no)).one_or_none()
    if found is None:
        raise NotFound("billing.learner_no_unknown", "learner_no")
    kept = sa.select(MergedPerson.kept_id).where(MergedPerson.merged_id == found, MergedPerson.live)
    return db.scalars(kept).one_or_none() or found
