"""What the engine judges: per video, what was seen, what of it may count, and when its quizzes were answered."""

from __future__ import annotations

import dataclasses
import datetime as dt

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
    beyond a quiz only where it was played at or after the answer.
    """

    key: str
    duration_seconds: int
    seen: Intervals
    countable: Intervals
    quizzes: tuple[Quiz, ...] = ()

    def normalised(self) -> Video:
        """The same facts as sets inside the video; what is countable has been seen."""
        countable = intervals.clip(self.countable, 0, self.duration_seconds)
        seen = countable if self.seen == self.countable else intervals.clip(self.seen, 0, self.duration_seconds)
        if not intervals.holds(seen, countable):
            seen = intervals.union((*seen, *countable))
        quizzes = self.quizzes
        if len(quizzes) > 1:
            quizzes = tuple(sorted(quizzes, key=lambda quiz: quiz.at_seconds))
        if countable is self.countable and seen == self.seen and quizzes is self.quizzes:
            return self
        return Video(self.key, self.duration_seconds, seen, countable, quizzes)

    @property
    def seen_seconds(self) -> int:
        return intervals.length(self.seen)

    @property
    def countable_seconds(self) -> int:
        return intervals.length(self.countable)

    @property
    def first_quiz_at(self) -> int:
        """Where the part begins that a quiz guards; the end of the video when it has none. Needs a normalised video."""
        return self.quizzes[0].at_seconds if self.quizzes else self.duration_seconds
