"""A school’s teachers: employment status, archive, the review queue, lists (`domain.md` §3.4)."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from typing import Any

from sqlalchemy.orm import Session

from services.identity.contract.person import MERGE_UNDONE, PERSON_ERASED, PERSONS_MERGED
from services.org import queries as org_queries
from services.org.schemas import Nothing, SchoolId, TeacherId
from services.org.staffing import queries, schemas
from services.org.staffing.actions import counts, desk, employment, persons, reviews
from services.shared.actor import covers, service_actor
from services.shared.bus import Call, Event, command, event_handler, periodic, query
from services.shared.errors import NotFound
from services.shared.paging import page_of
from services.shared.policy import Policy

HANDLING_SECONDS = 60.0
# Made once: the list is asked for all day, and a schema takes longer to make than to use.
LIST_TEACHERS = schemas.ListTeachers()
FOLDS = 10  # in one run of the job; an import of a province leaves more than one batch


class Staffing:
    """Mixed into the service."""

    database: Any

    # --- lists and counts ---

    @query
    def list_teachers(self, call: Call) -> dict[str, Any]:
        arguments = call.load(LIST_TEACHERS)
        place, limit = arguments["place"], arguments["limit"]
        call.authorise(place=place, missing="org.place_unknown")
        wanted = queries.StaffFilter(arguments["state"], arguments["employment"], arguments["with_archived"])
        with self.database.read(call) as db:
            found = queries.list_staff(db, place, wanted, arguments["cursor"], limit + 1)
        return page_of(
            found, limit, schemas.show_staff, lambda staff: schemas.place_cursor(staff.place, staff.teacher_id)
        )

    @query
    def get_staff_counts(self, call: Call) -> dict[str, Any]:
        place = call.load(schemas.OnePlace())["place"]
        call.authorise(place=place, missing="org.place_unknown", field="place")
        with self.database.read(call) as db:
            name = queries.find_name(db, place)
            if name is None:
                raise NotFound("org.place_unknown", "place")
            return schemas.Counted().dump(counts.get_counts(db, place, name, call.now))

    @query
    def list_staff_counts(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.ListCounts())
        place, limit = arguments["place"], arguments["limit"]
        call.authorise(place=place, missing="org.place_unknown")
        with self.database.read(call) as db:
            found = counts.list_counts(db, place, arguments["cursor"], limit + 1, call.now)
        return page_of(found, limit, schemas.Counted().dump, lambda counted: counted.place)

    @query
    def reconcile_staff_counts(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.Reconcile())
        with self.database.read(call) as db:
            return counts.reconcile_counts(db, arguments["after"], arguments["limit"])

    @periodic(2, job="fold_staff_counts")
    def fold_staff_counts(self, _now: dt.datetime) -> None:
        """Changes become counts; answers add what is not folded yet, so this is housekeeping."""
        for _ in range(FOLDS):
            with self.database.work() as db:
                if counts.fold_counts(db) < counts.BATCH:
                    return

    # --- the school's desk and its review queue ---

    @query
    def get_school_desk(self, call: Call) -> dict[str, Any]:
        school_id = call.load(SchoolId())["school_id"]
        with self.database.read(call) as db:
            school = org_queries.get_school(db, school_id)
            call.authorise(place=school.place, missing="org.school_unknown", field="school_id")
            return schemas.Desk().dump(desk.get_desk(db, school, call.now))

    @query
    def list_reviews(self, call: Call) -> dict[str, Any]:
        """Who waits for the school's word, longest first."""
        arguments = call.load(schemas.ListReviews())
        limit = arguments["limit"]
        with self.database.read(call) as db:
            school = org_queries.get_school(db, arguments["school_id"])
            call.authorise(place=school.place, missing="org.school_unknown", field="school_id")
            found = queries.list_waiting(db, school.place, arguments["cursor"], limit + 1)

        def show(staff: queries.StaffView) -> dict[str, Any]:
            return {**schemas.Staff().dump(staff), "days_waiting": desk.waited(staff.changed_at, call.now)}

        return page_of(found, limit, show, lambda staff: schemas.time_cursor(staff.changed_at, staff.teacher_id))

    @command
    def verify_memberships(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.ManyTeachers())
        return self._decide_many(call, lambda db: reviews.verify_memberships(db, call, **arguments))

    @command
    def reject_memberships(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.ManyAndReason())
        return self._decide_many(call, lambda db: reviews.reject_memberships(db, call, **arguments))

    # --- archive ---

    @command
    def archive_teacher(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.Archive())
        return self.database.commit_once(
            call, lambda db: employment.archive_teacher(db, call, **arguments), schemas.Staff()
        )

    @command
    def restore_teacher(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.Restore())
        return self.database.commit_once(
            call, lambda db: employment.restore_teacher(db, call, **arguments), schemas.Staff()
        )

    @command
    def archive_teachers(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.ArchiveMany())
        return self._decide_many(call, lambda db: employment.archive_teachers(db, call, **arguments))

    @command
    def restore_teachers(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.RestoreMany())
        return self._decide_many(call, lambda db: employment.restore_teachers(db, call, **arguments))

    def _decide_many(self, call: Call, act: Any) -> dict[str, Any]:
        reply: dict[str, Any] = self.database.commit_once(call, act, schemas.RowOutcomes())
        return reply

    # --- stays ---

    @query
    def list_own_periods(self, call: Call) -> dict[str, Any]:
        call.load(Nothing())
        with self.database.read(call) as db:
            return {"items": schemas.Period(many=True).dump(queries.list_periods(db, call.authorise_own()))}

    @query
    def list_periods(self, call: Call) -> dict[str, Any]:
        """The stays of a teacher inside the caller's territory; nobody elsewhere is told apart from nobody at all."""
        teacher_id = call.load(TeacherId())["teacher_id"]
        with self.database.read(call) as db:
            found = queries.list_periods(db, teacher_id)
        reached = [period for period in found if _reaches(call, period.place)]
        call.authorise(place=reached[0].place if reached else None, missing="org.membership_unknown")
        return {"items": schemas.Period(many=True).dump(reached)}

    @query
    def get_placement_at(self, call: Call) -> dict[str, Any]:
        """Where a teacher was at a moment, for attributing what was earned then."""
        arguments = call.load(schemas.PlacementAt())
        with self.database.read(call) as db:
            period = queries.find_period_at(db, arguments["teacher_id"], arguments["at"])
        if period is None:
            raise NotFound("org.no_membership")
        return schemas.Period().dump(period)

    # --- what identity says of persons ---

    @event_handler(PERSONS_MERGED)
    def on_persons_merged(self, db: Session, event: Event) -> None:
        persons.merge_persons(db, _as_call("on_persons_merged", event), *_pair(event))

    @event_handler(MERGE_UNDONE)
    def on_merge_undone(self, db: Session, event: Event) -> None:
        persons.undo_merge(db, _as_call("on_merge_undone", event), *_pair(event))

    @event_handler(PERSON_ERASED)
    def on_person_erased(self, db: Session, event: Event) -> None:
        persons.erase_person(db, _as_call("on_person_erased", event), uuid.UUID(event.payload["account_id"]))


def _reaches(call: Call, place: str) -> bool:
    return any(covers(granted, place) for granted in call.actor.places(call.policy.roles))


def _pair(event: Event) -> tuple[uuid.UUID, uuid.UUID, int]:
    payload = event.payload
    return uuid.UUID(payload["merged_id"]), uuid.UUID(payload["kept_id"]), payload["version"]


def _as_call(method: str, event: Event) -> Call:
    """An event on its way in, for actions that record who did what: identity said so."""
    deadline = time.monotonic() + HANDLING_SECONDS
    return Call("org", method, {}, service_actor("identity"), Policy(), deadline, call_id=str(event.id))
