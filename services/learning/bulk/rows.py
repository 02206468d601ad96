"""Who and which course the rows of a job mean: named as on paper, or by the ids of lists."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.learning.bulk.models import LearnerNumber
from services.learning.selection.models import Offering, Period
from services.shared.bulk.columns import Fault
from services.shared.bulk.kinds import Chunk, JobRow
from services.shared.errors import NotFound

TEACHER_MISSING = "learning.teacher_unknown"


@dataclasses.dataclass(frozen=True)
class Named:
    """A row's teacher and offering; None where there is no such, or several."""

    teacher_id: uuid.UUID | None
    offering_id: uuid.UUID | None

    def require(self) -> tuple[uuid.UUID, uuid.UUID]:
        """Raises NotFound with what a teacher elsewhere, or a course of another city, would give."""
        if self.teacher_id is None:
            raise NotFound(TEACHER_MISSING, "learner_no")
        if self.offering_id is None:
            raise NotFound("learning.course_no_unknown", "course_no")
        return self.teacher_id, self.offering_id


def is_named(values: Mapping[str, str]) -> Fault | None:
    """Whether a row says who and what: a learner number or id; a period with a course number, or an offering's id."""
    if "learner_no" not in values and (fault := _id_fault(values, "teacher_id", "learner_no")):
        return fault
    if "period" in values and "course_no" in values:
        return None
    return _id_fault(values, "offering_id", "course_no" if "period" in values else "period")


def _id_fault(values: Mapping[str, str], key: str, asked_for: str) -> Fault | None:
    try:
        uuid.UUID(values[key])
    except KeyError:
        return Fault("shared.value_missing", asked_for)
    except ValueError:
        return Fault("shared.value_malformed", key)
    return None


def find_named(db: Session, chunk: Chunk) -> dict[int, Named]:
    """What each row means, by its number; with the service's own eyes: only the act decides whom the caller may see."""
    numbers = {row.values["learner_no"] for row in chunk.rows if "learner_no" in row.values}
    known = sa.select(LearnerNumber.learner_no, LearnerNumber.account_id).where(LearnerNumber.learner_no.in_(numbers))
    teachers = {row.learner_no: row.account_id for row in db.execute(known)}
    courses = _find_courses(db, chunk)
    return {row.number: Named(_teacher(row, teachers), _offering(row, courses)) for row in chunk.rows}


def _teacher(row: JobRow, teachers: dict[str, uuid.UUID]) -> uuid.UUID | None:
    if learner_no := row.values.get("learner_no"):
        return teachers.get(learner_no)
    return uuid.UUID(row.values["teacher_id"])


def _offering(row: JobRow, courses: dict[tuple[str, str], uuid.UUID | None]) -> uuid.UUID | None:
    if "period" in row.values and "course_no" in row.values:
        return courses.get((row.values["period"], row.values["course_no"]))
    return uuid.UUID(row.values["offering_id"])


def _find_courses(db: Session, chunk: Chunk) -> dict[tuple[str, str], uuid.UUID | None]:
    """Offerings by period code and course number, of the periods that the caller's own places lie in or keep.

    None where a city's and a district's are called the same: then the row must name the offering itself.
    """
    wanted = {
        (row.values["period"], row.values["course_no"])
        for row in chunk.rows
        if "period" in row.values and "course_no" in row.values
    }
    if not wanted:
        return {}
    places = {above for grant in chunk.call.actor.grants for above in _and_above(grant.place)}
    select = (
        sa.select(Period.code, Offering.course_no, Offering.offering_id)
        .join(Offering, Offering.period_id == Period.period_id)
        .where(sa.tuple_(Period.code, Offering.course_no).in_(wanted), Period.place.in_(places))
    )
    found: dict[tuple[str, str], Any] = {}
    for code, course_no, offering_id in db.execute(select):
        found[code, course_no] = offering_id if (code, course_no) not in found else None
    return found


def _and_above(place: str) -> list[str]:
    parts = place.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts) + 1)]
