"""Entrypoints of the process that recognises hours: it consumes evidence in batches, and the facts it needs beside it."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import ClassVar

from services.catalog import contract as catalog
from services.certs import contract as certs
from services.credits import actions, contract, queries
from services.credits.actions import Enrolment
from services.credits.bulk import Score, Snapshot
from services.credits.declarations import attachments
from services.credits.exports.models import AccountGrants
from services.credits.grades import actions as grades
from services.credits.handover import actions as handover
from services.credits.models import EmploymentStatus, Placement
from services.credits.projections import PROJECTIONS
from services.credits.statistics import counting
from services.identity import contract as identity
from services.learning import contract as learning
from services.org import contract as org
from services.org.contract.staffing import EMPLOYMENT_CHANGED
from services.shared import clock
from services.shared.account_grants import keep_grants
from services.shared.bus import DatabaseProvider, Event, batch_consumer, event_handler
from services.shared.employment import keep_employment
from services.shared.placement import keep_placement
from services.shared.policy import Policy


class RecognitionService:
    name = contract.RECOGNITION
    policies: ClassVar[dict[str, Policy]] = {}  # it answers nobody
    projections = PROJECTIONS
    database = DatabaseProvider()

    @batch_consumer(learning.COURSE_PROGRESSED, learning.ENROLLED, learning.EXAM_JUDGED)
    def record_progress(self, db, messages):
        """The inbox has already dropped what was delivered before."""
        events = [message.event() for message in messages]
        actions.recognise_progress(
            db,
            enrolments=[_enrolment(event) for event in events if event.type == learning.ENROLLED],
            snapshots=[_snapshot(event) for event in events if event.type == learning.COURSE_PROGRESSED],
            now=clock.now(),
            scores=[_score(event) for event in events if event.type == learning.EXAM_JUDGED],
        )

    @event_handler(learning.STUDY_CLOSED)
    def on_study_closed(self, db, event):
        payload = event.payload
        expected = queries.Arrived(
            payload["enrolments"],
            payload["snapshots"],
            payload["version_sum"],
            payload.get("exam_results", 0),
            payload.get("exam_version_sum", 0),
        )
        actions.close_recognition(db, uuid.UUID(payload["programme_id"]), expected, clock.now())

    @event_handler(learning.grades.COURSE_GRADED)
    def on_course_graded(self, db, event):
        grades.recognise_grade(db, grades.Told.of_course(event.payload), clock.now())

    @event_handler(learning.special_training.TRAINING_GRADED)
    def on_training_graded(self, db, event):
        grades.recognise_grade(db, grades.Told.of_training(event.payload), clock.now())

    @event_handler(catalog.PROGRAMME_PUBLISHED)
    def on_programme_published(self, db, event):
        actions.keep_programme(db, event.payload)

    @event_handler(org.MEMBERSHIP_CHANGED)
    def on_membership_changed(self, db, event):
        if keep_placement(db, Placement, event.payload):
            counting.count_person(db, uuid.UUID(event.payload["teacher_id"]), clock.now())

    @event_handler(EMPLOYMENT_CHANGED)
    def on_employment_changed(self, db, event):
        if keep_employment(db, EmploymentStatus, event.payload):
            counting.count_person(db, uuid.UUID(event.payload["teacher_id"]), clock.now())

    @event_handler(org.GRANTS_CHANGED)
    def on_grants_changed(self, db, event):
        keep_grants(db, AccountGrants, event.payload)

    @event_handler(identity.person.PERSON_ERASED)
    def on_person_erased(self, db, event):
        attachments.forget_attachments(db, uuid.UUID(event.payload["account_id"]))

    @event_handler(certs.CERTIFICATE_ISSUED, certs.CERTIFICATE_REISSUED)
    def on_certificate_issued(self, db, event):
        now = clock.now()
        if counting.keep_certified(db, event.payload, now, live=True):
            handover.hand_over(db, event.payload, now)

    @event_handler(certs.CERTIFICATE_REVOKED)
    def on_certificate_revoked(self, db, event):
        now = clock.now()
        if counting.keep_certified(db, event.payload, now, live=False):
            handover.revoke(db, event.payload, now)


def _enrolment(event: Event) -> Enrolment:
    payload = event.payload
    return Enrolment(
        uuid.UUID(payload["teacher_id"]),
        uuid.UUID(payload["programme_id"]),
        clock.parse_instant(payload["enrolled_at"]),
    )


def _snapshot(event: Event) -> Snapshot:
    payload = event.payload
    return Snapshot(
        teacher_id=uuid.UUID(payload["teacher_id"]),
        programme_id=uuid.UUID(payload["programme_id"]),
        course_id=uuid.UUID(payload["course_id"]),
        version=payload["version"],
        videos=payload["videos"],
        # Hours are of the day of the study, which may have been told after midnight.
        at=clock.parse_instant(payload["studied_at"]) if "studied_at" in payload else event.occurred_at,
    )


def _score(event: Event) -> Score:
    payload = event.payload
    return Score(
        teacher_id=uuid.UUID(payload["teacher_id"]),
        programme_id=uuid.UUID(payload["programme_id"]),
        course_id=uuid.UUID(payload["course_id"]) if payload["course_id"] else None,
        exam_id=uuid.UUID(payload["exam_id"]),
        version=payload["version"],
        score=Decimal(payload["score"]) if payload["score"] is not None else None,
        judged_at=clock.parse_instant(payload["judged_at"]) if payload["judged_at"] else None,
        at=event.occurred_at,
    )
