"""Adding courses to a period, and changing or withdrawing what it offers; each change is announced whole."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from services.catalog.contract.courses import CourseState
from services.catalog.contract.periods import OFFERING_CHANGED, OfferingState, PeriodState, Tier
from services.catalog.courses import queries as course_queries
from services.catalog.courses.models import FACTS, Course, Unit
from services.catalog.periods import queries, rules
from services.catalog.periods.actions.periods import lock_kept
from services.catalog.periods.models import Offering, OfferingVersion, Period
from services.catalog.periods.telling import offering_payload
from services.shared import audit, outbox
from services.shared.actor import covers
from services.shared.bus import Call
from services.shared.errors import Conflict, InvalidInput, NotFound
from services.shared.ids import new_id
from services.shared.search_tokens import tokens_of

Values = dict[str, Any]


def add_offerings(db: Session, call: Call, period_id: uuid.UUID, wanted: Sequence[Values]) -> list[Offering]:
    """Offer some courses in a period: all of them, or none.

    Raises NotFound for a period that is not the caller's or a course out of reach, Conflict once selection is over, for a
    course that is withdrawn or offered already, InvalidInput for an audience outside the period's place. The field says
    which of them: `offerings.3.course_id`.
    """
    period = lock_kept(db, call, period_id)
    rules.require_offering_time(PeriodState(period.state))
    ids = [each["course_id"] for each in wanted]
    courses = course_queries.find_courses(db, ids)
    rated = queries.find_ratings(db, ids)
    offered = queries.find_offered(db, period_id, ids)
    units = _units_of(db, courses.values())
    schools = course_queries.find_units(db, {school for each in wanted for school in each["audience"]["school_ids"]})
    made = []
    for index, each in enumerate(wanted):
        field = f"offerings.{index}"
        course = _offerable(period, courses.get(each["course_id"]), f"{field}.course_id")
        if course.course_id in offered:
            raise Conflict("catalog.offering_exists", f"{field}.course_id")
        offered.add(course.course_id)
        audience = audience_inside(period.place, each["audience"], schools, f"{field}.")
        offering = _new(period, course, units, each["capacity"], audience, call.now)
        offering.ratings, offering.stars = rated.get(course.course_id, (0, 0))
        made.append(offering)
    db.add_all(made)
    _tell(db, call, made, [{}] * len(made), call.now)
    return made


def _offerable(period: Period, course: Course | None, field: str) -> Course:
    """A course of the place itself, of what lies below, or of what the place lies in. Raises NotFound, Conflict."""
    if course is None or not may_offer(period.place, course.place):
        raise NotFound(course_queries.NOT_FOUND, field)
    if course.state != CourseState.OPEN:
        raise Conflict("catalog.course_withdrawn", field)
    return course


def may_offer(period_place: str, course_place: str) -> bool:
    """A city offers its own courses and those kept below it; a district also what its city keeps."""
    return covers(period_place, course_place) or covers(course_place, period_place)


def _units_of(db: Session, courses: Any) -> dict[uuid.UUID, Unit]:
    return course_queries.find_units(
        db, {unit_id for course in courses for unit_id in (course.applicant_unit_id, course.charging_unit_id)}
    )


def audience_inside(place: str, given: Values, schools: dict[uuid.UUID, Unit], field: str = "") -> Values:
    """As it is stored and told. Raises InvalidInput for a school that nobody knows, or a place outside `place`."""
    for school_id in given["school_ids"]:
        if school_id not in schools:
            raise InvalidInput("catalog.unit_unknown", f"{field}audience.school_ids")
    rules.require_audience_inside(
        place, given["place_ids"], [schools[school_id].place for school_id in given["school_ids"]]
    )
    return {
        "segments": sorted(given["segments"]),
        "subjects": sorted(given["subjects"]),
        "place_ids": sorted(given["place_ids"]),
        "school_ids": sorted(str(school_id) for school_id in given["school_ids"]),
    }


def _new(
    period: Period,
    course: Course,
    units: dict[uuid.UUID, Unit],
    capacity: int | None,
    audience: Values,
    now: dt.datetime,
) -> Offering:
    offering = Offering(
        offering_id=new_id(),
        version=0,
        period_id=period.period_id,
        tier=period.tier,
        place=period.place,
        course_id=course.course_id,
        capacity=capacity,
        audience=audience,
        state=OfferingState.OPEN,
        created_at=now,
    )
    pin(offering, course, units)
    return offering


def pin(offering: Offering, course: Course, units: dict[uuid.UUID, Unit]) -> None:
    """Let the offering say what the course is now."""
    for name in FACTS:
        setattr(offering, name, getattr(course, name))
    offering.course_version = course.version
    offering.applicant_place = units[course.applicant_unit_id].place
    offering.charging_place = units[course.charging_unit_id].place
    offering.tokens = tokens_of(f"{course.title}\n{course.lecturer}\n{course.course_no}")


def change_offering(
    db: Session, call: Call, offering_id: uuid.UUID, version: int, capacity: int | None, audience: Values
) -> Offering:
    """Another number of seats, another audience; the same again changes nothing.

    Raises NotFound out of reach, Conflict for an outdated `version`, a withdrawn offering, a period whose selection is
    over, and, while teachers choose, for less than there was.
    """
    period, offering = _lock_kept_offering(db, call, offering_id, version)
    schools = course_queries.find_units(db, audience["school_ids"])
    wanted = audience_inside(period.place, audience, schools)
    old, new = (offering.capacity, offering.audience), (capacity, wanted)
    if old == new:
        return offering
    rules.require_not_narrowed(PeriodState(period.state), old, new)
    before = {"capacity": offering.capacity, "audience": offering.audience}
    offering.capacity, offering.audience = capacity, wanted
    _tell(db, call, [offering], [before], call.now)
    return offering


def withdraw_offering(db: Session, call: Call, offering_id: uuid.UUID, version: int, reason: str) -> Offering:
    """The course is not held in this period after all; what was chosen of it is void. Raises as `change_offering`."""
    _, offering = _lock_kept_offering(db, call, offering_id, version)
    before = {"state": str(offering.state)}
    offering.state = OfferingState.WITHDRAWN
    _tell(db, call, [offering], [before], call.now, reason)
    return offering


def _lock_kept_offering(db: Session, call: Call, offering_id: uuid.UUID, version: int) -> tuple[Period, Offering]:
    found = queries.get_offering(db, offering_id)
    # The period first, as whoever closes it does: two orders of locking would wait for each other.
    period = queries.lock_period(db, found.period_id, sharing=True)
    call.authorise(place=period.place, missing=queries.NO_OFFERING, field="offering_id")
    if not rules.keeps(call.actor.grants, Tier(period.tier), period.place):
        raise NotFound(queries.NO_OFFERING, "offering_id")
    offering = queries.lock_offering(db, offering_id)
    if offering.version != version:
        raise Conflict("catalog.offering_version", "version")
    rules.require_offering_time(PeriodState(period.state))
    rules.require_open(OfferingState(offering.state))
    return period, offering


def follow_course(db: Session, call: Call, course: Course) -> None:
    """Periods that are only planned offer a course as it is now."""
    found = queries.lock_planned_offerings(db, course.course_id)
    found = [offering for offering in found if offering.course_version != course.version]
    units = _units_of(db, [course])
    before = [{"course_version": offering.course_version} for offering in found]
    for offering in found:
        pin(offering, course, units)
    _tell(db, call, found, before, call.now)


def require_not_offered(db: Session, course_id: uuid.UUID) -> None:
    """Raises Conflict("catalog.course_offered")."""
    if queries.is_offered(db, course_id):
        raise Conflict("catalog.course_offered", "course_id")


def follow_unit(db: Session, unit_id: uuid.UUID, place: str, now: dt.datetime) -> None:
    """A unit stands elsewhere now, and with it the right to charge: whoever relies on it is told."""
    found = queries.lock_offerings_of_unit(db, unit_id, place)
    for offering in found:
        if offering.applicant_unit_id == unit_id:
            offering.applicant_place = place
        if offering.charging_unit_id == unit_id:
            offering.charging_place = place
    _announce(db, found, "service:catalog", now)


def _tell(
    db: Session, call: Call, offerings: Sequence[Offering], before: Sequence[Values], now: dt.datetime, reason: str = ""
) -> None:
    _announce(db, offerings, call.actor.key, now)
    acts = []
    for offering, was in zip(offerings, before, strict=True):
        after = {"version": offering.version, "course_version": offering.course_version, "state": str(offering.state)}
        for name in ("capacity", "audience"):
            if name in was or not was:
                after[name] = getattr(offering, name)
        acts.append(audit.Act(offering.offering_id, offering.place, reason, was, after))
    audit.record_many(db, call, acts)


def _announce(db: Session, offerings: Sequence[Offering], by: str, now: dt.datetime) -> None:
    for offering in offerings:
        offering.version += 1
        offering.changed_at = now
    db.flush()
    told = [(offering.offering_id, offering_payload(offering)) for offering in offerings]
    db.add_all(
        OfferingVersion(
            offering_id=offering.offering_id,
            version=offering.version,
            place=offering.place,
            content=payload,
            published_by=by,
            published_at=now,
        )
        for offering, (_, payload) in zip(offerings, told, strict=True)
    )
    outbox.announce_many(db, OFFERING_CHANGED, told)
