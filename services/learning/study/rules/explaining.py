"""Why studied time does not count: a reason for every zero (`architecture.md` decision 14). Pure rules; no I/O."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum

from services.learning.study.rules import multirange
from services.learning.study.rules.multirange import Ranges


class Reason(enum.StrEnum):
    """Codes of the contract's ERRORS, so each has its words in both languages."""

    PROGRAMME_CLOSED = "learning.programme_closed"
    COURSE_NOT_OPEN = "learning.course_not_open"
    QUIZ_UNANSWERED = "learning.quiz_unanswered"
    REST_UNWATCHED = "learning.rest_unwatched"
    OUTSIDE_WINDOW = "learning.outside_window"
    BEFORE_ANSWER = "learning.before_answer"
    UNDER_REVIEW = "learning.under_review"


@dataclasses.dataclass(frozen=True)
class VideoState:
    """One video as one teacher has studied it; `quizzes` are (position, instant of the right answer or None).

    `countable` includes what is `held` for a review.
    """

    duration_seconds: int
    seen: Ranges
    countable: Ranges
    quizzes: tuple[tuple[int, dt.datetime | None], ...]
    quiz_required: bool
    held: Ranges = multirange.EMPTY


def video_reasons(video: VideoState) -> list[Reason]:
    """In the order a teacher can act on them; nothing for a video of which every studied second counts for good."""
    if not video.seen:
        return []
    reasons = []
    uncounted = multirange.subtraction(video.seen, video.countable)
    if video.quiz_required:
        reasons += _quiz_reasons(video, uncounted)
        locked_from = min((at for at, _ in video.quizzes), default=video.duration_seconds)
        uncounted = multirange.clip(uncounted, 0, locked_from)
    if uncounted:
        reasons.append(Reason.OUTSIDE_WINDOW)
    if video.held:
        reasons.append(Reason.UNDER_REVIEW)
    return reasons


def _quiz_reasons(video: VideoState, uncounted: Ranges) -> list[Reason]:
    if any(answered is None for _, answered in video.quizzes):
        return [Reason.QUIZ_UNANSWERED]
    reasons = []
    first = min((at for at, _ in video.quizzes), default=video.duration_seconds)
    after_quiz = ((first, video.duration_seconds),) if first < video.duration_seconds else ()
    if multirange.subtraction(after_quiz, video.countable):
        reasons.append(Reason.REST_UNWATCHED)
    if multirange.clip(uncounted, first, video.duration_seconds):
        # Outside the window or before the answer: either way this stretch has to be watched again.
        reasons.append(Reason.BEFORE_ANSWER)
    return reasons


def course_reasons(opens_at: dt.datetime, closes_at: dt.datetime, now: dt.datetime) -> list[Reason]:
    """Why nothing studied at this moment would count, whatever the video."""
    if now < opens_at:
        return [Reason.COURSE_NOT_OPEN]
    if now >= closes_at:
        return [Reason.PROGRAMME_CLOSED]
    return []
