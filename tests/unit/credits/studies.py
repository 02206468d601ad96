"""Evidence in the words of the worked examples: minutes watched of courses of the 2023 winter season."""

from __future__ import annotations

import datetime as dt

from services.credits.rules import Quiz, Video
from services.shared.clock import BEIJING

ANSWERED = dt.datetime(2023, 2, 1, 12, 0, tzinfo=BEIJING)
MINUTE = 60


def ungated(key: str, minutes: float, *, seen: float | None = None) -> Video:
    """A video without quizzes of which the first `minutes` count; `seen` if more was played than counts."""
    counted, played = int(minutes * MINUTE), int((minutes if seen is None else seen) * MINUTE)
    return Video(key, max(counted, played, 1), ((0, played),), ((0, counted),))


def gated(key: str, minutes: int, quiz_at: int, watched_to: float, *, answered: bool = True) -> Video:
    """A video with one quiz, watched from its beginning to `watched_to`; what follows the quiz after its answer."""
    end = int(watched_to * MINUTE)
    # Without an answer, learning counts nothing beyond the quiz.
    countable = end if answered else min(end, quiz_at * MINUTE)
    quiz = Quiz(quiz_at * MINUTE, ANSWERED if answered else None)
    return Video(key, minutes * MINUTE, ((0, end),), ((0, countable),), (quiz,))


def complete(key: str, minutes: int) -> Video:
    """A video watched whole, its quiz in the middle answered."""
    return gated(key, minutes, max(1, minutes // 2), minutes)


def whole_season(**changes: list[Video]) -> dict[str, list[Video]]:
    """W01: 95 minutes of the 20th-Congress course and 45, 46, 50, 60 of the others, every quiz done."""
    return {
        "party20": [complete("v1", 60), complete("v2", 35)],
        "live_safety": [ungated("v1", 45)],
        "course_c": [complete("v1", 46)],
        "course_d": [complete("v1", 50)],
        "course_e": [complete("v1", 60)],
        **changes,
    }
