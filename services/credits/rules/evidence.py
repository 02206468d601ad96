"""What the engine judges: per video, what was seen, what of it may count, and when its quizzes were answered."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import NamedTuple

from services.credits.rules import intervals
from services.credits.rules.intervals import Intervals


@dataclasses.dataclass(frozen=True)
class Quiz:
    at_seconds: int
    answered_at: dt.datetime | None  # of the right answer


@dataclasses.dataclass(frozen=True)
class Video:
    """One teacher's study of one video.

    `seen` is everything ever played. `countable` is the part that learning accepts: inside the programme's window, and
    beyond a quiz only where it was played at or after the answer. `held` would be countable, but waits for a review.
    """

    key: str
    duration_seconds: int
    seen: Intervals
    countable: Intervals
    quizzes: tuple[Quiz, ...] = ()
    held: Intervals = ()


class Measured(NamedTuple):
    """A video's study in seconds: all that rules ask of it. What is countable, or held, has been seen."""

    key: str
    duration: int
    seen: int
    countable: int
    first_quiz_at: int  # where the part begins that a quiz guards; the end of the video when it has none
    seen_before_quiz: int
    countable_before_quiz: int
    quizzes: tuple[Quiz, ...]
    held: int = 0  # beyond what is countable
    held_before_quiz: int = 0


def measure(video: Video) -> Measured:
    """The same facts as sets inside the video, measured; however the pieces came."""
    duration, quizzes = video.duration_seconds, video.quizzes
    first_quiz_at = min([quiz.at_seconds for quiz in quizzes]) if quizzes else duration
    countable, countable_seconds = intervals.measured(video.countable, duration)
    before = intervals.length_before(countable, first_quiz_at) if quizzes else countable_seconds
    if video.seen == video.countable and not video.held:
        return Measured(
            video.key, duration, countable_seconds, countable_seconds, first_quiz_at, before, before, quizzes
        )
    accepted, held, held_before = countable, 0, 0
    if video.held:
        accepted, accepted_seconds = intervals.measured((*video.held, *countable), duration)
        held = accepted_seconds - countable_seconds
        held_before = intervals.length_before(accepted, first_quiz_at) - before
    seen, seen_seconds = intervals.measured(video.seen, duration)
    if not intervals.holds(seen, accepted):
        seen = intervals.union((*seen, *accepted))
        seen_seconds = intervals.length(seen)
    seen_before = intervals.length_before(seen, first_quiz_at) if quizzes else seen_seconds
    return Measured(
        video.key,
        duration,
        seen_seconds,
        countable_seconds,
        first_quiz_at,
        seen_before,
        before,
        quizzes,
        held,
        held_before,
    )
