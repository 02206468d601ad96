"""Entering grades: ADMITTED becomes PASSED or FAILED, a wrong grade is corrected, and credits is told."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.learning.contract.grades import COURSE_GRADED
from services.learning.contract.selection import ChoiceState
from services.learning.grades import rules
from services.learning.grades.models import CourseGrade, GradeStep
from services.learning.selection import queries
from services.learning.selection.actions import moving
from services.learning.selection.models import Choice, Offering, Period
from services.shared import audit, clock, outbox
from services.shared.bus import Call
from services.shared.errors import Conflict, NotAllowed


@dataclasses.dataclass(frozen=True)
class Grade:
    """What an institution says of one choice. `reason`: why an earlier grade is turned over."""

    choice_id: uuid.UUID
    passed: bool
    score: Decimal | None = None
    reason: str = ""


def grade_choice(db: Session, call: Call, grade: Grade) -> bool:
    """Enter or correct one grade; whether anything changed. The same grade again changes nothing.

    Raises NotFound for whoever neither keeps the period nor charges for the course, NotAllowed for the caller's own,
    Conflict with the code of the guard that refuses.
    """
    found = queries.get_choice(db, grade.choice_id)
    [choice] = queries.lock_choices(db, Choice.choice_id == found.choice_id)
    period, offering = db.get_one(Period, choice.period_id), db.get_one(Offering, choice.offering_id)
    moving.require_institution(call, choice.charging_place, period.tier)
    if choice.teacher_id == call.actor.account_id:
        raise NotAllowed("learning.not_your_own_grade")
    if refusal := rules.grading_refusal(period.state, ChoiceState(choice.state), grade.passed, grade.reason):
        raise Conflict(refusal)
    kept = db.get(CourseGrade, (choice.teacher_id, choice.choice_id))
    if kept is not None and (kept.passed, kept.score) == (grade.passed, grade.score):
        return False
    before = choice.state
    _keep(db, call, choice, kept, grade)
    moving.move(db, {choice.choice_id: ChoiceState.PASSED if grade.passed else ChoiceState.FAILED}, [choice], call.now)
    if kept is None or before != choice.state:
        standing = db.get_one(CourseGrade, (choice.teacher_id, choice.choice_id))
        outbox.announce(db, COURSE_GRADED, choice.choice_id, graded_payload(choice, offering, period, standing))
    told = {"choice_id": str(choice.choice_id)}
    audit.record(
        db,
        call,
        subject=choice.teacher_id,
        place=choice.place,
        reason=grade.reason,
        before={**told, "state": before},
        after={**told, "state": choice.state},
    )
    return True


def _keep(db: Session, call: Call, choice: Choice, kept: CourseGrade | None, grade: Grade) -> None:
    if kept is None:
        db.add(
            CourseGrade(
                teacher_id=choice.teacher_id,
                choice_id=choice.choice_id,
                offering_id=choice.offering_id,
                version=1,
                passed=grade.passed,
                score=grade.score,
                graded_at=call.now,
            )
        )
    else:
        # A corrected score alone is nothing to credits.
        kept.version += kept.passed is not grade.passed
        kept.passed, kept.score, kept.graded_at = grade.passed, grade.score, call.now
    taken = db.scalar(sa.select(sa.func.count()).where(GradeStep.choice_id == choice.choice_id)) or 0
    db.add(
        GradeStep(
            choice_id=choice.choice_id,
            position=taken + 1,
            teacher_id=choice.teacher_id,
            passed=grade.passed,
            score=grade.score,
            reason=grade.reason,
            by=call.actor.account_id,
            at=call.now,
        )
    )
    db.flush()


def graded_payload(choice: Choice, offering: Offering, period: Period, grade: CourseGrade) -> dict[str, Any]:
    return {
        "choice_id": str(choice.choice_id),
        "version": grade.version,
        "teacher_id": str(choice.teacher_id),
        "offering_id": str(choice.offering_id),
        "period_id": str(choice.period_id),
        "period_code": period.code,
        "course_no": offering.course_no,
        "title": offering.title,
        "passed": grade.passed,
        "hours": str(offering.hours),
        "hour_type": offering.hour_type,
        "course_type": offering.course_type,
        "year": period.year,
        "place": period.place,
        "graded_on": beijing_day(grade.graded_at).isoformat(),
    }


def beijing_day(instant: dt.datetime) -> dt.date:
    return instant.astimezone(clock.BEIJING).date()


def list_graded(db: Session, keys: Iterable[tuple[uuid.UUID, ...]]) -> list[dict[str, Any]]:
    """The payloads of grades as they stand, by (teacher, choice)."""
    rows = db.execute(
        sa.select(Choice, Offering, Period, CourseGrade)
        .join(CourseGrade, CourseGrade.choice_id == Choice.choice_id)
        .join(Offering, Offering.offering_id == Choice.offering_id)
        .join(Period, Period.period_id == Choice.period_id)
        .where(sa.tuple_(CourseGrade.teacher_id, CourseGrade.choice_id).in_(list(keys)))
    )
    return [graded_payload(row.Choice, row.Offering, row.Period, row.CourseGrade) for row in rows]
