"""Entrypoints of learning: enrolment, study sessions, quizzes, progress, and what other services announce."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from typing import Any

from services.catalog import contract as catalog
from services.identity import contract as identity
from services.learning import contract, schemas
from services.learning.audience import is_for
from services.learning.bulk import models as jobs
from services.learning.contract.tokens import PlayToken, mint_play_token
from services.learning.enrolment import actions as enrolment
from services.learning.enrolment import queries as enrolment_queries
from services.learning.enrolment.rules import LearnerFacts
from services.learning.exams import judging
from services.learning.exams.entrypoints import Exams
from services.learning.grades.entrypoints import Grades
from services.learning.models import Placement
from services.learning.policy import POLICIES
from services.learning.projections import PROJECTIONS
from services.learning.review.entrypoints import Reviews
from services.learning.selection.entrypoints import Selection
from services.learning.snapshots import SNAPSHOTS
from services.learning.special_training.actions import applying
from services.learning.special_training.entrypoints import SpecialTraining
from services.learning.study import queries as study_queries
from services.learning.study import reconciliation, trail
from services.learning.study.actions import answers, closing, evidence, persons, progress, sessions
from services.learning.study.actions.closing import Marker
from services.learning.study.actions.persons import Merge
from services.learning.tools.entrypoints import StudyTools
from services.org import contract as org
from services.shared import clock
from services.shared.account_grants import keep_grants
from services.shared.audit_trail import AuditTrail
from services.shared.bus import (
    BusProvider,
    Call,
    DatabaseProvider,
    KeyRingProvider,
    PublisherProvider,
    SettingsProvider,
    command,
    event_handler,
    periodic,
    query,
)
from services.shared.bus.snapshots import TellsSnapshots
from services.shared.errors import NotAllowed, NotFound, Unavailable
from services.shared.ids import new_id
from services.shared.paging import page_of
from services.shared.placement import keep_placement

TEACHER = "TEACHER"
MARKER_CONFIRM_SECONDS = 10


class LearningService(SpecialTraining, Grades, Exams, StudyTools, Selection, Reviews, AuditTrail, TellsSnapshots):
    name = contract.SERVICE
    policies = POLICIES
    snapshots = SNAPSHOTS
    projections = PROJECTIONS
    database = DatabaseProvider()
    bus = BusProvider()
    keyring = KeyRingProvider()
    settings = SettingsProvider()
    publisher = PublisherProvider()

    # --- enrolment ---

    @command
    def enrol(self, call):
        teacher_id = _own_teacher(call)
        programme_id = call.load(schemas.Enrol())["programme_id"]
        facts = self._learner_facts(call, teacher_id, programme_id)
        return self.database.commit_once(
            call,
            lambda db: enrolment.enrol(db, teacher_id, programme_id, facts, call.now),
            schemas.Enrolment(),
        )

    @query
    def list_enrolments(self, call):
        teacher_id = call.authorise_own()
        arguments = call.load(schemas.ListEnrolments())
        limit = arguments["limit"]
        with self.database.read(call) as db:
            found = enrolment_queries.list_enrolments(db, teacher_id, arguments["cursor"], limit + 1)
        page = page_of(found, limit, lambda pair: enrolment.describe(*pair, call.now), lambda pair: pair[0])
        return schemas.EnrolmentPage().dump(page)

    def _learner_facts(self, call: Call, teacher_id: uuid.UUID, programme_id: uuid.UUID) -> LearnerFacts:
        """Our projections where they say yes; the owners where they say no, for a projection may lag."""
        with self.database.read(call) as db:
            facts = enrolment_queries.learner_facts(db, teacher_id)
            audience = enrolment_queries.find_audience(db, programme_id)
        if not facts.complete or not is_for(audience, facts):
            told = self.bus.ask("identity", "check_enrolment_facts", {"account_id": str(teacher_id)}, call)
            facts = dataclasses.replace(
                facts, complete=bool(told["complete"]), segment=told["segment"], subject=told["subject"]
            )
        if not facts.placed or not is_for(audience, facts):
            facts = dataclasses.replace(facts, **self._placement_facts(call, teacher_id))
        return facts

    def _placement_facts(self, call: Call, teacher_id: uuid.UUID) -> dict[str, Any]:
        try:
            told = self.bus.ask("org", "get_placement_facts", {"teacher_id": str(teacher_id)}, call)
        except NotFound:
            return {"place": "", "school_id": None}
        # An org of the release before does not tell the school.
        school_id = told.get("school_id")
        return {"place": told["place"], "school_id": uuid.UUID(school_id) if school_id else None}

    # --- study ---

    @command
    def open_study_session(self, call):
        teacher_id = _own_teacher(call)
        request = sessions.OpenRequest(**call.load(schemas.OpenStudySession()))
        shards = self.settings.study_shards
        opened = self.database.commit_once(
            call,
            lambda db: sessions.open_study_session(db, teacher_id, request, shards, call.now),
            keep_reply=False,  # it holds a token; a repetition opens a newer session of the same client
        )
        return schemas.OpenedSession().dump({**vars(opened), "play_token": self._sign(opened.token)})

    @command
    def renew_play_token(self, call):
        study_session_id = call.load(schemas.RenewPlayToken())["study_session_id"]

        def act(db):
            study_session = study_queries.lock_study_session(db, study_session_id)
            call.authorise(subject=study_session.teacher_id, missing="learning.session_unknown")
            return sessions.renew_play_token(db, study_session, self.settings.study_shards, call.now)

        renewed = self.database.commit_once(call, act, keep_reply=False)
        token = self._sign(renewed.token) if renewed.token else None
        return schemas.RenewedSession().dump({**vars(renewed), "play_token": token})

    @command
    def answer_quiz(self, call):
        arguments = call.load(schemas.AnswerQuiz())

        def act(db):
            study_session = study_queries.get_study_session(db, arguments["study_session_id"])
            call.authorise(subject=study_session.teacher_id, missing="learning.session_unknown")
            return answers.answer_quiz(db, study_session, arguments["quiz_id"], arguments["answers"], call.now)

        return self.database.commit_once(call, act, schemas.JudgedAnswer())

    @command
    def confirm_presence(self, call):
        study_session_id = call.load(schemas.ConfirmPresence())["study_session_id"]

        def act(db):
            study_session = study_queries.lock_study_session(db, study_session_id)
            call.authorise(subject=study_session.teacher_id, missing="learning.session_unknown")
            return sessions.confirm_presence(db, study_session, call.now)

        return self.database.commit_once(call, act, schemas.ConfirmedPresence())

    @query
    def get_progress(self, call):
        teacher_id = call.authorise_own()
        programme_id = call.load(schemas.GetProgress())["programme_id"]
        with self.database.read(call) as db:
            found = progress.get_progress(db, teacher_id, programme_id, call.now)
        return schemas.ProgrammeProgress().dump(found)

    @command
    def tell_progress(self, call):
        """Have credits told at once of what one has studied in a programme: one is looking at the hours."""
        teacher_id = call.authorise_own()
        programme_id = call.load(schemas.GetProgress())["programme_id"]
        told = self.database.commit_once(
            call, lambda db: evidence.tell_teacher(db, teacher_id, programme_id), keep_reply=False
        )
        return {"told": told}

    @query
    def reconcile_study(self, call):
        """One page of the proof that watched time follows from the reports; `after` leads to the next page."""
        arguments = call.load(schemas.ReconcileStudy())
        with self.database.read(call) as db:
            pairs = reconciliation.list_pairs(db, arguments["after"], arguments["limit"])
            differences = reconciliation.find_differences(db, pairs)
        is_last = len(pairs) < arguments["limit"]
        return schemas.Reconciliation().dump(
            {"checked": len(pairs), "differences": differences, "after": None if is_last else pairs[-1]}
        )

    @periodic(3600, job="drop_study_trail")
    def drop_study_trail(self, now):
        """Drop the days of the trail whose time is over."""
        kept_from = now.astimezone(clock.BEIJING).date() - dt.timedelta(days=self.settings.study_trail_days)
        with self.database.work() as db:
            trail.drop_days(db, kept_from)

    def _sign(self, token: PlayToken) -> str:
        return mint_play_token(token, self.keyring.signing_key("play-token").sign)

    # --- what other services announce ---

    @event_handler(catalog.PROGRAMME_PUBLISHED)
    def on_programme_published(self, db, event):
        enrolment.keep_programme(db, event.payload)

    @event_handler(catalog.PROGRAMME_CLOSED)
    def on_programme_closed(self, db, event):
        # A gateway may still be publishing what it accepted before the close, no longer than its deadline.
        settle = dt.timedelta(seconds=self.settings.rpc_deadline_seconds + 1)
        closing.plan_closing(db, uuid.UUID(event.payload["programme_id"]), self.settings.study_shards, settle)

    @periodic(1, job="send_closing_markers")
    def send_closing_markers(self, now):
        with self.database.work() as db:
            markers = closing.take_due_markers(db, now)
        unsent = [marker for marker in markers if not self._is_sent(marker)]
        if unsent:
            with self.database.work() as db:
                closing.note_unsent(db, unsent)

    def _is_sent(self, marker: Marker) -> bool:
        try:
            self.publisher.publish(
                contract.STUDY_EXCHANGE, str(marker.shard), marker.to_wire(), str(new_id()), MARKER_CONFIRM_SECONDS
            )
        except Unavailable:
            return False
        return True

    @event_handler(identity.PROFILE_CHANGED)
    def on_profile_changed(self, db, event):
        enrolment.keep_learner(db, event.payload)

    @event_handler(identity.person.PERSONS_MERGED)
    def on_persons_merged(self, db, event):
        merge = Merge.of(event.payload, live=True)
        if persons.keep_merge(db, merge):
            enrolment.take_over_enrolments(db, merge.kept_id, merge.merged_id)
            judging.announce_merged(db, (merge.kept_id, merge.merged_id))

    @event_handler(identity.person.MERGE_UNDONE)
    def on_merge_undone(self, db, event):
        merge = Merge.of(event.payload, live=False)
        if persons.keep_merge(db, merge):
            judging.announce_merged(db, (merge.kept_id, merge.merged_id))

    @event_handler(org.GRANTS_CHANGED)
    def on_grants_changed(self, db, event):
        keep_grants(db, jobs.AccountGrants, event.payload)

    @event_handler(identity.person.LEARNER_NO_ISSUED)
    def on_learner_no_issued(self, db, event):
        jobs.keep_learner_number(db, event.payload)

    @event_handler(identity.person.PERSON_ERASED)
    def on_person_erased(self, db, event):
        account_id = uuid.UUID(event.payload["account_id"])
        jobs.forget_learner_number(db, account_id)
        applying.forget_statements(db, account_id)

    @event_handler(org.MEMBERSHIP_CHANGED)
    def on_membership_changed(self, db, event):
        keep_placement(db, Placement, event.payload)


def _own_teacher(call: Call) -> uuid.UUID:
    """The caller, who must act as a teacher: students and guardians do not take part."""
    teacher_id = call.authorise_own()
    if call.actor.identity != TEACHER:
        raise NotAllowed("learning.teachers_only")
    return teacher_id
