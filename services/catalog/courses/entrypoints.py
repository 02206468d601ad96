"""Entrypoints of courses, and what org tells of the units that they name."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from services.catalog.bulk.models import AccountGrants
from services.catalog.courses import actions, queries, schemas
from services.catalog.courses.models import Course
from services.catalog.periods.actions import offerings
from services.catalog.projects import actions as projects
from services.org.contract import GRANTS_CHANGED
from services.org.contract.units import SCHOOL_CHANGED
from services.shared.account_grants import keep_grants
from services.shared.bus import Call, Event, command, event_handler, query
from services.shared.paging import page_of

Reply = dict[str, Any]


class Courses:
    """Mixed into the service."""

    database: Any

    @command
    def create_course(self, call: Call) -> Reply:
        values = call.load(schemas.CreateCourse())
        place = values.pop("place")
        return self._commit_course(call, lambda db: actions.create_course(db, call, place, values))

    @command
    def change_course(self, call: Call) -> Reply:
        """Replace a course's content; periods that are only planned follow, all others keep what they offer."""
        values = call.load(schemas.ChangeCourse())
        course_id, version = values.pop("course_id"), values.pop("version")

        def change(db: Session) -> Course:
            course = actions.change_course(db, call, course_id, version, values)
            offerings.follow_course(db, call, course)
            return course

        return self._commit_course(call, change)

    @command
    def withdraw_course(self, call: Call) -> Reply:
        arguments = call.load(schemas.WithdrawCourse())

        def withdraw(db: Session) -> Course:
            course = actions.withdraw_course(db, call, **arguments)
            offerings.require_not_offered(db, course.course_id)
            return course

        return self._commit_course(call, withdraw)

    @query
    def get_course(self, call: Call) -> Reply:
        course_id = call.load(schemas.CourseId())["course_id"]
        with self.database.read(call) as db:
            course = queries.get_course(db, course_id)
            call.authorise(place=course.place, missing=queries.NOT_FOUND, field="course_id")
            return schemas.Course().dump(shown(db, [course])[0])

    @query
    def list_courses(self, call: Call) -> Reply:
        """Kept at a place or below it, newest first."""
        arguments = call.load(schemas.ListCourses())
        place, limit = arguments["place"], arguments["limit"]
        call.authorise(place=place, missing="catalog.keeper_elsewhere", field="place")
        with self.database.read(call) as db:
            found = queries.list_courses(
                db, place, arguments["state"], arguments["course_no"], arguments["cursor"], limit + 1
            )
            return page_of(shown(db, found), limit, schemas.Course().dump, lambda course: str(course["course_id"]))

    @query
    def list_course_versions(self, call: Call) -> Reply:
        """Every state that the course has had, newest first."""
        course_id = call.load(schemas.CourseId())["course_id"]
        with self.database.read(call) as db:
            course = queries.get_course(db, course_id)
            call.authorise(place=course.place, missing=queries.NOT_FOUND, field="course_id")
            return {"items": [schemas.PastCourse().dump(each) for each in queries.list_versions(db, course_id)]}

    @event_handler(SCHOOL_CHANGED)
    def on_school_changed(self, db: Session, event: Event) -> None:
        if actions.keep_unit(db, event.payload):
            moved = (uuid.UUID(event.payload["school_id"]), event.payload["place"], event.occurred_at)
            offerings.follow_unit(db, *moved)
            projects.follow_unit(db, *moved)

    @event_handler(GRANTS_CHANGED)
    def on_grants_changed(self, db: Session, event: Event) -> None:
        """For the jobs: an import goes on only while its owner keeps courses."""
        keep_grants(db, AccountGrants, event.payload)

    def _commit_course(self, call: Call, act: Callable[[Session], Course]) -> Reply:
        reply: Reply = self.database.commit_once(call, lambda db: shown(db, [act(db)])[0], schemas.Course())
        return reply


def shown(db: Session, courses: list[Course]) -> list[dict[str, Any]]:
    """Courses with the names of the units that they name."""
    units = queries.find_units(
        db, {unit_id for course in courses for unit_id in (course.applicant_unit_id, course.charging_unit_id)}
    )
    return [
        {
            **{column.key: getattr(course, column.key) for column in Course.__table__.columns},
            "applicant_name": units[course.applicant_unit_id].name,
            "charging_name": units[course.charging_unit_id].name,
        }
        for course in courses
    ]
