"""What a teacher has studied of a programme, video by video, with a reason for what does not count."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import itertools
import uuid

from sqlalchemy.orm import Session

from services.learning.enrolment.queries import get_programme, require_enrolment
from services.learning.models import Course
from services.learning.study import queries
from services.learning.study.queries import Study, Video
from services.learning.study.rules import explaining, multirange, quizzes
from services.learning.study.rules.explaining import Reason
from services.learning.study.rules.multirange import Ranges
from services.learning.study.rules.quizzes import QuizStanding


class QuizState(enum.StrEnum):
    LOCKED = "LOCKED"  # an earlier quiz of the video is open
    OPEN = "OPEN"
    ANSWERED = "ANSWERED"


@dataclasses.dataclass(frozen=True)
class QuizProgress:
    quiz_id: uuid.UUID
    at_seconds: int
    state: QuizState
    attempts: int
    answered_at: dt.datetime | None


@dataclasses.dataclass(frozen=True)
class VideoProgress:
    activity_id: uuid.UUID
    key: str
    title: str
    duration_seconds: int
    studied_seconds: int
    countable_seconds: int
    held_seconds: int
    seen: Ranges
    countable: Ranges
    quizzes: list[QuizProgress]
    reasons: list[Reason]


@dataclasses.dataclass(frozen=True)
class CourseProgress:
    course_id: uuid.UUID
    key: str
    title: str
    opens_at: dt.datetime
    quiz_required: bool
    studied_seconds: int
    countable_seconds: int
    held_seconds: int
    reasons: list[Reason]
    videos: list[VideoProgress]


@dataclasses.dataclass(frozen=True)
class ProgrammeProgress:
    teacher_id: uuid.UUID
    programme_id: uuid.UUID
    code: str
    enrolled_at: dt.datetime
    closes_at: dt.datetime
    as_of: dt.datetime
    courses: list[CourseProgress]


def get_progress(db: Session, teacher_id: uuid.UUID, programme_id: uuid.UUID, now: dt.datetime) -> ProgrammeProgress:
    """Raises NotFound for an unknown programme, Conflict when the teacher is not enrolled."""
    programme = get_programme(db, programme_id)
    enrolment = require_enrolment(db, teacher_id, programme_id)
    videos = queries.list_programme_videos(db, programme_id)
    pairs = [(teacher_id, video.activity.activity_id) for video in videos]
    study = queries.list_study(db, pairs)
    courses = []
    for _, group in itertools.groupby(videos, key=lambda video: video.course.course_id):
        in_course = list(group)
        shown = [_video_progress(video, study[teacher_id, video.activity.activity_id]) for video in in_course]
        reasons = explaining.course_reasons(in_course[0].course.opens_at, programme.closes_at, now)
        courses.append(_course_progress(in_course[0].course, shown, reasons))
    return ProgrammeProgress(
        teacher_id, programme_id, programme.code, enrolment.enrolled_at, programme.closes_at, now, courses
    )


def _course_progress(course: Course, videos: list[VideoProgress], reasons: list[Reason]) -> CourseProgress:
    return CourseProgress(
        course_id=course.course_id,
        key=course.key,
        title=course.title,
        opens_at=course.opens_at,
        quiz_required=course.quiz_required,
        studied_seconds=sum(video.studied_seconds for video in videos),
        countable_seconds=sum(video.countable_seconds for video in videos),
        held_seconds=sum(video.held_seconds for video in videos),
        reasons=list(dict.fromkeys([*reasons, *(reason for video in videos for reason in video.reasons)])),
        videos=videos,
    )


def _video_progress(video: Video, study: Study) -> VideoProgress:
    seen, countable = study.seen, study.countable
    shown = _quiz_progress(video, study.answers)
    state = explaining.VideoState(
        duration_seconds=video.activity.seconds,
        seen=seen,
        countable=multirange.union(countable, study.held),
        quizzes=tuple((quiz.at_seconds, quiz.answered_at) for quiz in shown),
        quiz_required=video.course.quiz_required,
        held=study.held,
    )
    return VideoProgress(
        activity_id=video.activity.activity_id,
        key=video.activity.key,
        title=video.activity.title,
        duration_seconds=video.activity.seconds,
        studied_seconds=multirange.total(seen),
        countable_seconds=multirange.total(countable),
        held_seconds=multirange.total(study.held),
        seen=seen,
        countable=countable,
        quizzes=shown,
        reasons=explaining.video_reasons(state),
    )


def _quiz_progress(video: Video, answers: dict[uuid.UUID, QuizStanding]) -> list[QuizProgress]:
    shown = []
    is_open = True
    for quiz in quizzes.in_order(video.quizzes):
        answer = answers.get(quiz.quiz_id)
        answered_at = answer.answered_at if answer else None
        state = QuizState.ANSWERED if answered_at else QuizState.OPEN if is_open else QuizState.LOCKED
        is_open = is_open and answered_at is not None
        attempts = answer.attempts if answer else 0
        shown.append(QuizProgress(quiz.quiz_id, quiz.at_seconds, state, attempts, answered_at))
    return shown
