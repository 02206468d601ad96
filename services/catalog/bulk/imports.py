"""A course list: each row enters or changes a course by its number, and may offer it in a period."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from marshmallow import ValidationError
from sqlalchemy.orm import Session

from services.catalog.contract import bulk
from services.catalog.courses import actions as courses
from services.catalog.courses.models import Course, Unit
from services.catalog.courses.policy import KEEPING
from services.catalog.courses.queries import LIVING
from services.catalog.courses.rules import KEEPERS, may_name
from services.catalog.courses.schemas import CourseContent
from services.catalog.periods.actions import offerings
from services.catalog.periods.models import Period
from services.catalog.periods.queries import find_offered
from services.catalog.periods.schemas import NewOffering
from services.identity.contract import SEGMENT_NAMES, SEGMENTS
from services.shared.bulk.columns import Fault
from services.shared.bulk.kinds import Chunk, JobRow, Kind, each_row
from services.shared.bulk.rules import Outcome
from services.shared.bus import Call
from services.shared.bus.calls import first_fault
from services.shared.errors import Conflict, InvalidInput, NotFound, ServiceError

Values = Mapping[str, str]
SEGMENT_OF = {**dict(zip(SEGMENT_NAMES, SEGMENTS, strict=True)), **{each: each for each in SEGMENTS}}
TERMINAL_OF = {**bulk.TERMINALS, **{each: each for each in bulk.TERMINALS.values()}}
_SPLIT = re.compile(f"[{re.escape(bulk.SEPARATORS)}]+")
NO_UNIT = "00000000-0000-0000-0000-000000000000"
UNITS = ("applicant", "charging")


def fault_in_course(values: Values) -> Fault | None:
    """For the preview: what is wrong with a row's form."""
    try:
        _content(values, NO_UNIT, NO_UNIT)
        _capacity(values)
    except InvalidInput as error:
        return Fault(error.code, error.field)
    return None


def foresee_courses(service: Any, call: Call, rows: Sequence[JobRow]) -> dict[int, Fault]:
    """For the preview: units, periods and places that are not there, or not the caller's."""
    faults: dict[int, Fault] = {}
    with service.database.read(call) as db:
        for row in rows:
            try:
                home = _home(call)
                _unit_ids(db, home, row.values)
                _period(db, home, row.values)
            except ServiceError as error:
                faults[row.number] = Fault(error.code, error.field)
    return faults


def import_course(db: Session, chunk: Chunk, row: JobRow) -> Outcome:
    """CREATED, changed (DONE), or UNCHANGED; the same list again changes nothing."""
    call, values = chunk.call, row.values
    home = _home(call)
    applicant, charging = _unit_ids(db, home, values)
    content = _content(values, applicant, charging)
    known = db.scalars(sa.select(Course).where(Course.place == home, Course.course_no == content["course_no"])).first()
    if known is None:
        course, outcome = courses.create_course(db, call, home, content), Outcome.CREATED
    else:
        version = known.version
        course = courses.change_course(db, call, known.course_id, version, content)
        offerings.follow_course(db, call, course)
        outcome = Outcome.UNCHANGED if course.version == version else Outcome.CHANGED
    if _offer(db, call, _period(db, home, values), course, _capacity(values)) and outcome is Outcome.UNCHANGED:
        outcome = Outcome.CHANGED
    return outcome


def _offer(db: Session, call: Call, period: Period | None, course: Course, capacity: int | None) -> bool:
    """Offer the course in the period that the row names, unless it is; returns whether that was news."""
    if period is None or find_offered(db, period.period_id, [course.course_id]):
        return False
    wanted = NewOffering().load({"course_id": str(course.course_id), "capacity": capacity})
    offerings.add_offerings(db, call, period.period_id, [wanted])
    return True


def _home(call: Call) -> str:
    """Where the caller keeps courses. Raises Conflict("catalog.home_ambiguous") for who does in several places."""
    places = {grant.place for grant in call.actor.grants if grant.role in KEEPERS}
    if len(places) != 1:
        raise Conflict("catalog.home_ambiguous")
    return places.pop()


def _unit_ids(db: Session, home: str, values: Values) -> list[str]:
    """The units that the row names, of those that a course kept here may name. Raises InvalidInput, Conflict."""
    found = []
    for key in UNITS:
        named = db.scalars(sa.select(Unit).where(Unit.name == values[key], Unit.state.in_(LIVING)).limit(200))
        near = [unit for unit in named if may_name(home, unit.place)]
        if not near:
            raise InvalidInput("catalog.unit_unknown", key)
        if len(near) > 1:
            raise Conflict("catalog.unit_ambiguous", key)
        found.append(str(near[0].unit_id))
    return found


def _period(db: Session, home: str, values: Values) -> Period | None:
    """The period of the own place that the row names. Raises NotFound("catalog.period_unknown")."""
    if not (code := values.get("period")):
        return None
    period = db.scalars(sa.select(Period).where(Period.place == home, Period.code == code)).first()
    if period is None:
        raise NotFound("catalog.period_unknown", "period")
    return period


def _content(values: Values, applicant: str, charging: str) -> dict[str, Any]:
    """The course as `create_course` takes it. Raises InvalidInput naming the column."""
    plain = ("course_no", "title", "lecturer", "hour_type", "course_type", "series", "summary", "capability_class")
    amounts = ("hours", "fee", "material_fee")
    document: dict[str, Any] = {key: values[key] for key in (*plain, *amounts) if key in values}
    document["subjects"] = _words(values.get("subjects", ""))
    document["segments"] = _known(values.get("segments", ""), SEGMENT_OF, "segments")
    document["terminals"] = _known(values.get("terminals", ""), TERMINAL_OF, "terminals")
    document |= {"applicant_unit_id": applicant, "charging_unit_id": charging}
    try:
        content: dict[str, Any] = CourseContent().load(document)
    except ValidationError as error:
        field, _ = first_fault(error.messages)
        raise InvalidInput("shared.value_malformed", field.split(".")[0]) from None
    return content


def _words(text: str) -> list[str]:
    return [word for word in dict.fromkeys(_SPLIT.split(text.strip())) if word]


def _known(text: str, names: Mapping[str, str], field: str) -> list[str]:
    words = _words(text)
    if unknown := [word for word in words if word not in names]:
        raise InvalidInput("shared.value_unknown", field, unknown[0][:20])
    return list(dict.fromkeys(names[word] for word in words))


def _capacity(values: Values) -> int | None:
    text = values.get("capacity", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise InvalidInput("shared.value_malformed", "capacity")
    return int(text)


KINDS = (
    Kind(
        name=bulk.IMPORT_COURSES,
        title="课程目录导入",
        columns=bulk.COURSE_COLUMNS,
        policy=KEEPING,
        run=each_row(import_course),
        repeats=(("course_no",),),
        check=fault_in_course,
        foresee=foresee_courses,
    ),
)
