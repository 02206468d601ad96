"""Exams over the bus: what a teacher asks, the sweeper of overdue attempts, and what the catalogue tells."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from services.catalog import contract as catalog
from services.learning.exams import actions, judging, projection, schemas
from services.shared.bus import Call, command, event_handler, periodic, query
from services.shared.errors import NotAllowed

TEACHER = "TEACHER"


class Exams:
    """Mixed into the service."""

    database: Any

    @query
    def list_exams(self, call: Call) -> dict[str, Any]:
        """The exams of a programme and how the teacher stands at each."""
        teacher_id = call.authorise_own()
        given = call.load(schemas.OfProgramme())
        with self.database.read(call) as db:
            found = actions.show_exams(db, teacher_id, given["programme_id"], call.now)
        shown: dict[str, Any] = schemas.Exams().dump({"items": found})
        return shown

    @command
    def start_exam_attempt(self, call: Call) -> dict[str, Any]:
        """A new attempt, or the open one again: nothing is lost by asking twice, so no reply is kept."""
        teacher_id = _own_teacher(call)
        given = call.load(schemas.StartAttempt())
        started: dict[str, Any] = self.database.commit_once(
            call,
            lambda db: actions.start_attempt(db, teacher_id, **given, now=call.now),
            schemas.Attempt(),
            keep_reply=False,
        )
        return started

    @query
    def list_exam_attempts(self, call: Call) -> dict[str, Any]:
        teacher_id = call.authorise_own()
        given = call.load(schemas.OfExam())
        with self.database.read(call) as db:
            found = actions.show_attempts(db, teacher_id, given["exam_id"], call.now)
        shown: dict[str, Any] = schemas.Attempts().dump({"items": found})
        return shown

    @query
    def get_exam_attempt(self, call: Call) -> dict[str, Any]:
        given = call.load(schemas.AttemptId())
        with self.database.read(call) as db:
            shown: dict[str, Any] = schemas.Attempt().dump(actions.show_attempt(db, call, given["attempt_id"]))
        return shown

    @command
    def save_exam_answers(self, call: Call) -> dict[str, Any]:
        given = call.load(schemas.SaveAnswers())
        saved: dict[str, Any] = self.database.commit_once(
            call, lambda db: actions.save_answers(db, call, **given), schemas.Saved()
        )
        return saved

    @command
    def submit_exam_attempt(self, call: Call) -> dict[str, Any]:
        given = call.load(schemas.SubmitAttempt())
        ended: dict[str, Any] = self.database.commit_once(
            call, lambda db: actions.submit_attempt(db, call, **given), schemas.Attempt()
        )
        return ended

    @periodic(10.0, job="expire_exam_attempts")
    def expire_exam_attempts(self, now: dt.datetime) -> None:
        """Judge what nobody handed in, a bounded piece in each transaction."""
        more = True
        while more:
            with self.database.work() as db:
                more = judging.expire_overdue(db, now) == judging.SWEPT_AT_ONCE

    @event_handler(catalog.EXAM_PUBLISHED)
    def on_exam_published(self, db: Any, event: Any) -> None:
        projection.keep_exam(db, event.payload)


def _own_teacher(call: Call) -> uuid.UUID:
    """The caller, who must act as a teacher."""
    teacher_id = call.authorise_own()
    if call.actor.identity != TEACHER:
        raise NotAllowed("learning.teachers_only")
    return teacher_id
