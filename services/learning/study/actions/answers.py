"""Answering the quizzes of a video. The server judges; the client never learns the right answer from here."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Sequence

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from sqlalchemy.sql import func

from services.learning.models import QuizAnswer, QuizAttempt, StudySession
from services.learning.study import queries
from services.learning.study.actions.evidence import announce_progress
from services.learning.study.actions.sessions import SessionState, session_state
from services.learning.study.queries import Video
from services.learning.study.rules import explaining, quizzes
from services.learning.study.rules.explaining import Reason
from services.learning.study.rules.quizzes import Quiz
from services.shared.errors import Conflict, InvalidInput, NotFound
from services.shared.ids import new_id


@dataclasses.dataclass(frozen=True)
class JudgedAnswer:
    quiz_id: uuid.UUID
    right: bool
    attempts: int
    answered_at: dt.datetime | None
    reasons: list[Reason]


def answer_quiz(
    db: Session, study_session: StudySession, quiz_id: uuid.UUID, given: Sequence[str], now: dt.datetime
) -> JudgedAnswer:
    """Judge an answer and keep the attempt; the first right one inside the window opens the part after the quiz.

    Raises Conflict when the session has ended or an earlier quiz is open, NotFound for a quiz of another video,
    InvalidInput for an answer that is no option. A quiz that is answered already stays so and takes no more attempts.
    """
    if session_state(study_session, now) is not SessionState.LIVE:
        raise Conflict("learning.session_ended")
    video = queries.get_video(db, study_session.activity_id)
    quiz = _find_quiz(video, quiz_id, given)
    pair = (study_session.teacher_id, study_session.activity_id)
    answers = queries.list_quiz_standings(db, [pair])[pair]
    known = answers.get(quiz_id)
    if known is not None and known.answered_at is not None:
        return JudgedAnswer(quiz_id, right=True, attempts=known.attempts, answered_at=known.answered_at, reasons=[])
    answered = frozenset(answered_id for answered_id, answer in answers.items() if answer.answered_at is not None)
    if not quizzes.is_its_turn(quiz, video.quizzes, answered):
        raise Conflict("learning.quiz_order", "quiz_id")
    return _record(db, study_session, video, quiz, given, now)


def _find_quiz(video: Video, quiz_id: uuid.UUID, given: Sequence[str]) -> Quiz:
    quiz = next((quiz for quiz in video.quizzes if quiz.quiz_id == quiz_id), None)
    if quiz is None:
        raise NotFound("learning.quiz_unknown", "quiz_id")
    if unknown := quizzes.unknown_options(quiz, given):
        raise InvalidInput("learning.option_unknown", f"answers.{unknown[0]}")
    return quiz


def _record(
    db: Session, study_session: StudySession, video: Video, quiz: Quiz, given: Sequence[str], now: dt.datetime
) -> JudgedAnswer:
    right = quizzes.is_right(quiz, given)
    # After the close one may try, but an answer of then must not complete a video of the season.
    reasons = explaining.course_reasons(video.course.opens_at, video.programme.closes_at, now)
    db.add(
        QuizAttempt(
            quiz_attempt_id=new_id(),
            teacher_id=study_session.teacher_id,
            quiz_id=quiz.quiz_id,
            study_session_id=study_session.study_session_id,
            given=list(given),
            is_right=right,
            attempted_at=now,
        )
    )
    answer = _keep_answer(db, study_session, quiz, now if right and not reasons else None)
    if right and not reasons:
        announce_progress(db, {(study_session.teacher_id, study_session.course_id)})
    return JudgedAnswer(quiz.quiz_id, right, answer.attempts, answer.answered_at, reasons)


def _keep_answer(db: Session, study_session: StudySession, quiz: Quiz, answered_at: dt.datetime | None) -> QuizAnswer:
    statement = insert(QuizAnswer).values(
        teacher_id=study_session.teacher_id,
        quiz_id=quiz.quiz_id,
        activity_id=study_session.activity_id,
        attempts=1,
        answered_at=answered_at,
    )
    # Two clicks at once: both count as attempts, and the first right one keeps its instant.
    kept = statement.on_conflict_do_update(
        index_elements=["teacher_id", "quiz_id"],
        set_={
            "attempts": QuizAnswer.attempts + 1,
            "answered_at": func.coalesce(QuizAnswer.answered_at, statement.excluded.answered_at),
        },
    ).returning(QuizAnswer)
    return db.scalars(kept, execution_options={"populate_existing": True}).one()
