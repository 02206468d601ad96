"""What a teacher does with exams: look, begin or take over an attempt, save answers, hand in."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from services.learning.enrolment.queries import get_programme, require_enrolment
from services.learning.exams import judging, queries, rules
from services.learning.exams.models import Exam, ExamAttempt, ExamQuestion
from services.learning.exams.rules import AttemptState
from services.learning.study.queries import list_accounts
from services.shared.bus import Call
from services.shared.errors import Conflict, InvalidInput, NotFound
from services.shared.ids import new_id


def start_attempt(
    db: Session, teacher_id: uuid.UUID, exam_id: uuid.UUID, client_id: str, take_over: bool, now: dt.datetime
) -> dict[str, Any]:
    """The teacher's open attempt on this device, else a new one.

    Raises NotFound for an unknown exam; Conflict when the teacher is not enrolled, an attempt is open on another device
    and is not to be taken over, or a guard of `rules.start_refusal` refuses.
    """
    exam = queries.get_exam(db, exam_id)
    require_enrolment(db, teacher_id, exam.programme_id)
    # The attempt before the result, as whoever ends one does; and once more behind it: two devices may begin at once.
    attempt = queries.lock_open_attempt(db, teacher_id, exam_id)
    queries.lock_result(db, teacher_id, exam)
    attempt = attempt or queries.lock_open_attempt(db, teacher_id, exam_id)
    if attempt is not None and now >= attempt.deadline_at:
        judging.end_attempts(db, [attempt], AttemptState.EXPIRED, now)
        attempt = None
    if attempt is None:
        attempt = _begin(db, teacher_id, exam, client_id, now)
    elif attempt.client_id != client_id:
        if not take_over:
            raise Conflict("learning.exam_elsewhere", "take_over")
        attempt.client_id, attempt.fence = client_id, attempt.fence + 1
        db.flush()
    return describe(db, attempt, now)


def _begin(db: Session, teacher_id: uuid.UUID, exam: Exam, client_id: str, now: dt.datetime) -> ExamAttempt:
    terms = queries.terms_of(exam)
    used = queries.count_attempts(db, _accounts(db, teacher_id), exam.exam_id)
    missing = sum(each["missing_seconds"] for each in _conditions(db, teacher_id, exam))
    if refusal := rules.start_refusal(terms, used, missing, now):
        raise Conflict(refusal)
    attempt_id = new_id()
    drawn = rules.draw(attempt_id, queries.pools_of(exam))
    attempt = ExamAttempt(
        teacher_id=teacher_id,
        attempt_id=attempt_id,
        exam_id=exam.exam_id,
        programme_id=exam.programme_id,
        number=used + 1,
        state=AttemptState.OPEN,
        client_id=client_id,
        fence=1,
        started_at=now,
        deadline_at=rules.deadline(terms, now),
        pass_mark=exam.pass_mark,
        question_ids=[each.question_id for each in drawn],
        points=[each.points for each in drawn],
        given=[[] for _ in drawn],
    )
    db.add(attempt)
    db.flush()
    return attempt


def save_answers(
    db: Session, call: Call, attempt_id: uuid.UUID, fence: int, answers: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Keep answers of an open attempt; a later one to the same question replaces the earlier.

    Raises Conflict when the attempt has ended, its time is over, or another device has it now; NotFound for a question
    that was not drawn, InvalidInput for an option that the question does not have.
    """
    attempt = _lock_open(db, call, attempt_id, fence)
    places = {question_id: place for place, question_id in enumerate(attempt.question_ids)}
    questions = queries.find_questions(db, attempt.question_ids)
    given = list(attempt.given)
    for index, answer in enumerate(answers):
        if answer["question_id"] not in places:
            raise NotFound("learning.question_not_drawn", f"answers.{index}.question_id")
        question = questions[answer["question_id"]]
        given[places[question.question_id]] = _numbers(question, answer["given"], f"answers.{index}.given")
    attempt.given, attempt.saved_at = given, call.now
    db.flush()
    return {
        "attempt_id": attempt_id,
        "answered": sum(bool(each) for each in given),
        "questions": len(given),
        "remaining_seconds": _remaining(attempt, call.now),
    }


def _numbers(question: ExamQuestion, given: Sequence[str], field: str) -> list[int]:
    known = {option: number for number, option in enumerate(question.options)}
    numbers = [known.get(option, -1) for option in given]
    if refusal := rules.answer_refusal(question.kind, len(question.options), numbers):
        raise InvalidInput(refusal, field)
    return sorted(numbers)


def submit_attempt(db: Session, call: Call, attempt_id: uuid.UUID, fence: int) -> dict[str, Any]:
    """Hand in: what is saved is judged. Raises Conflict as `save_answers`; an attempt is judged once."""
    attempt = _lock_open(db, call, attempt_id, fence)
    judging.end_attempts(db, [attempt], AttemptState.SUBMITTED, call.now)
    return describe(db, attempt, call.now)


def _lock_open(db: Session, call: Call, attempt_id: uuid.UUID, fence: int) -> ExamAttempt:
    attempt = queries.get_attempt(db, attempt_id, lock=True)
    call.authorise(subject=attempt.teacher_id, missing=queries.UNKNOWN_ATTEMPT)
    if attempt.state != AttemptState.OPEN:
        raise Conflict("learning.attempt_ended")
    # The server's clock alone: what was saved before this instant counts, nothing after it.
    if call.now >= attempt.deadline_at:
        raise Conflict("learning.attempt_over")
    if attempt.fence != fence:
        raise Conflict("learning.exam_elsewhere", "fence")
    return attempt


# --- looking --------------------------------------------------------------------------------------------------------------


def show_exams(db: Session, teacher_id: uuid.UUID, programme_id: uuid.UUID, now: dt.datetime) -> list[dict[str, Any]]:
    """The programme's exams with the teacher's standing at each, and why no attempt can begin now, if none can."""
    get_programme(db, programme_id)
    require_enrolment(db, teacher_id, programme_id)
    exams = queries.list_exams(db, programme_id)
    accounts = _accounts(db, teacher_id)
    ids = [exam.exam_id for exam in exams]
    attempts = queries.list_attempts(db, accounts, ids)
    results = queries.list_results(db, accounts, ids)
    shown = []
    for exam in exams:
        mine = [attempt for attempt in attempts if attempt.exam_id == exam.exam_id]
        best = [row for row in results if row.exam_id == exam.exam_id and row.score is not None]
        conditions = _conditions(db, teacher_id, exam)
        missing = sum(each["missing_seconds"] for each in conditions)
        is_open = next((each for each in mine if _state(each, now) is AttemptState.OPEN), None)
        refusal = "" if is_open else rules.start_refusal(queries.terms_of(exam), len(mine), missing, now)
        shown.append(
            {
                **{name: getattr(exam, name) for name in _EXAM_SHOWN},
                "attempts_allowed": exam.attempts,
                "attempts_used": len(mine),
                "questions": sum(pool["count"] for pool in exam.draw),
                "after": conditions,
                "open_attempt_id": is_open.attempt_id if is_open else None,
                "score": max((row.score for row in best if row.score is not None), default=None),
                "passed": any(row.passed for row in best),
                "reasons": [refusal] if refusal else [],
            }
        )
    return shown


_EXAM_SHOWN = ("exam_id", "course_id", "key", "titles", "opens_at", "closes_at", "minutes", "pass_mark")


def show_attempt(db: Session, call: Call, attempt_id: uuid.UUID) -> dict[str, Any]:
    attempt = queries.get_attempt(db, attempt_id)
    call.authorise(subject=attempt.teacher_id, missing=queries.UNKNOWN_ATTEMPT)
    return describe(db, attempt, call.now)


def show_attempts(db: Session, teacher_id: uuid.UUID, exam_id: uuid.UUID, now: dt.datetime) -> list[dict[str, Any]]:
    """All attempts at one exam, without their questions."""
    queries.get_exam(db, exam_id)
    return [_summary(each, now) for each in queries.list_attempts(db, _accounts(db, teacher_id), [exam_id])]


def describe(db: Session, attempt: ExamAttempt, now: dt.datetime) -> dict[str, Any]:
    """The attempt with its questions as it shows them. Right answers are never told; marks and analyses only when no
    further attempt can be helped by them.
    """
    exam = queries.get_exam(db, attempt.exam_id)
    questions = queries.find_questions(db, attempt.question_ids)
    used = queries.count_attempts(db, _accounts(db, attempt.teacher_id), attempt.exam_id)
    is_told = attempt.state != AttemptState.OPEN and rules.is_settled(used, queries.terms_of(exam), now)
    return {
        **_summary(attempt, now),
        "titles": exam.titles,
        "items": [
            _item(attempt, questions[question_id], place, is_told=is_told)
            for place, question_id in enumerate(attempt.question_ids)
        ],
    }


def _item(attempt: ExamAttempt, question: ExamQuestion, place: int, *, is_told: bool) -> dict[str, Any]:
    order = rules.option_order(attempt.attempt_id, question.question_id, question.kind, len(question.options))
    given = attempt.given[place]
    return {
        "question_id": question.question_id,
        "kind": question.kind,
        "prompt": question.prompt,
        "options": [question.options[number] for number in order],
        "points": attempt.points[place],
        "given": [question.options[number] for number in order if number in given],
        "right": sorted(given) == question.answers if is_told else None,
        "analysis": question.analysis if is_told else None,
    }


def _summary(attempt: ExamAttempt, now: dt.datetime) -> dict[str, Any]:
    return {
        **{name: getattr(attempt, name) for name in _ATTEMPT_SHOWN},
        "state": _state(attempt, now),
        "questions": len(attempt.question_ids),
        "answered": sum(bool(each) for each in attempt.given),
        "remaining_seconds": _remaining(attempt, now),
    }


_ATTEMPT_SHOWN = (
    "attempt_id",
    "exam_id",
    "programme_id",
    "number",
    "fence",
    "started_at",
    "deadline_at",
    "ended_at",
    "score",
    "passed",
    "pass_mark",
)


def _state(attempt: ExamAttempt, now: dt.datetime) -> AttemptState:
    """An overdue attempt is over before the sweeper has judged it; its score comes then."""
    if attempt.state == AttemptState.OPEN and now >= attempt.deadline_at:
        return AttemptState.EXPIRED
    return AttemptState(attempt.state)


def _remaining(attempt: ExamAttempt, now: dt.datetime) -> int:
    if attempt.state != AttemptState.OPEN:
        return 0
    return max(0, int((attempt.deadline_at - now).total_seconds()))


def _conditions(db: Session, teacher_id: uuid.UUID, exam: Exam) -> list[dict[str, Any]]:
    """What has to be watched first, and how much of it is missing."""
    if not exam.after:
        return []
    watched = queries.watched_whole(db, teacher_id, exam.programme_id)
    wanted = [(uuid.UUID(each["course_id"]), each["seconds"]) for each in exam.after]
    titles = queries.course_titles(db, [course_id for course_id, _ in wanted])
    return [
        {
            "course_id": course_id,
            "title": titles.get(course_id, ""),
            "seconds": seconds,
            "watched_seconds": watched.get(course_id, 0),
            "missing_seconds": max(0, seconds - watched.get(course_id, 0)),
        }
        for course_id, seconds in wanted
    ]


def _accounts(db: Session, teacher_id: uuid.UUID) -> tuple[uuid.UUID, ...]:
    """The person's accounts; of one that was merged into another its own, for what it has done stays visible there."""
    return list_accounts(db, {teacher_id})[teacher_id] or (teacher_id,)
