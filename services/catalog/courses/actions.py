"""Keeping courses: each change is a new version, and none is ever lost."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.catalog.contract.courses import CourseState
from services.catalog.courses import queries, rules
from services.catalog.courses.models import FACTS, Course, CourseVersion, Unit
from services.shared import audit
from services.shared.bus import Call
from services.shared.errors import Conflict, InvalidInput
from services.shared.ids import new_id

Values = dict[str, Any]


def create_course(db: Session, call: Call, place: str, values: Values) -> Course:
    """A new course, kept at `place`.

    Raises NotAllowed where the caller keeps none, InvalidInput for a unit that nobody knows or may not be named there,
    Conflict("catalog.course_no_taken").
    """
    call.authorise(place=place, missing="catalog.keeper_elsewhere", field="place")
    rules.require_home(call.actor.grants, place)
    require_units(db, place, values)
    require_free_number(db, place, values["course_no"])
    course = Course(
        course_id=new_id(),
        version=1,
        place=place,
        state=CourseState.OPEN,
        created_at=call.now,
        changed_at=call.now,
        **{name: values[name] for name in FACTS},
    )
    db.add(course)
    db.flush()
    keep_version(db, call, course, before={})
    return course


def change_course(db: Session, call: Call, course_id: uuid.UUID, version: int, values: Values) -> Course:
    """Replace the course's content; the same content again changes nothing.

    Raises as `create_course`, NotFound out of reach, Conflict for an outdated `version` or a withdrawn course.
    """
    course = lock_kept(db, call, course_id, version)
    rules.require_open(CourseState(course.state))
    require_units(db, course.place, values)
    if values["course_no"] != course.course_no:
        require_free_number(db, course.place, values["course_no"])
    before = {name: getattr(course, name) for name in FACTS}
    changes = {name: values[name] for name in FACTS if values[name] != before[name]}
    if not changes:
        return course
    for name, value in changes.items():
        setattr(course, name, value)
    _advance(db, call, course, before={name: plain(before[name]) for name in changes})
    return course


def withdraw_course(db: Session, call: Call, course_id: uuid.UUID, version: int, reason: str) -> Course:
    """No period can offer it any more; what past periods offered stays. Raises as `change_course`."""
    course = lock_kept(db, call, course_id, version)
    rules.require_open(CourseState(course.state))
    course.state = CourseState.WITHDRAWN
    _advance(db, call, course, before={"state": str(CourseState.OPEN)}, reason=reason)
    return course


def lock_kept(db: Session, call: Call, course_id: uuid.UUID, version: int) -> Course:
    """The locked course, within the caller's reach, as the caller saw it."""
    course = queries.lock_course(db, course_id)
    call.authorise(place=course.place, missing=queries.NOT_FOUND, field="course_id")
    rules.require_version(version, course.version)
    return course


def require_units(db: Session, place: str, values: Values) -> None:
    """Raises InvalidInput("catalog.unit_unknown") naming the field, for a unit that is unknown, over, or elsewhere."""
    units = queries.find_units(db, {values["applicant_unit_id"], values["charging_unit_id"]})
    for field in ("applicant_unit_id", "charging_unit_id"):
        unit = units.get(values[field])
        if unit is None or unit.state not in queries.LIVING or not rules.may_name(place, unit.place):
            raise InvalidInput("catalog.unit_unknown", field)


def require_free_number(db: Session, place: str, course_no: str) -> None:
    """Raises Conflict("catalog.course_no_taken"); a race ends at the unique index."""
    taken = sa.select(Course.course_id).where(Course.place == place, Course.course_no == course_no)
    if db.scalars(taken).first() is not None:
        raise Conflict("catalog.course_no_taken", "course_no")


def _advance(db: Session, call: Call, course: Course, before: Values, reason: str = "") -> None:
    course.version += 1
    course.changed_at = call.now
    keep_version(db, call, course, before, reason)


def keep_version(db: Session, call: Call, course: Course, before: Values, reason: str = "") -> None:
    """Write the course's present down for ever, and who made it so."""
    content = {name: plain(getattr(course, name)) for name in (*FACTS, "state")}
    db.add(
        CourseVersion(
            course_id=course.course_id,
            version=course.version,
            place=course.place,
            content=content,
            published_by=call.actor.key,
            published_at=call.now,
        )
    )
    after = {"version": course.version, **{name: content[name] for name in before or ("course_no", "title")}}
    audit.record(db, call, subject=course.course_id, place=course.place, reason=reason, before=before, after=after)


def plain(value: Any) -> Any:
    """As JSON holds it."""
    return value if value is None or isinstance(value, list | int) else str(value)


def keep_unit(db: Session, payload: Values) -> bool:
    """Store a unit as org tells it unless a newer state is known; returns whether it was news."""
    values = {
        "unit_id": uuid.UUID(payload["school_id"]),
        **{name: payload[name] for name in ("version", "name", "place", "kind", "state")},
    }
    statement = insert(Unit).values(values)
    kept = db.execute(
        statement.on_conflict_do_update(
            index_elements=["unit_id"],
            set_={name: statement.excluded[name] for name in values if name != "unit_id"},
            where=Unit.version < statement.excluded.version,
        ).returning(Unit.unit_id)
    )
    return kept.first() is not None
