"""Judging answers to the quizzes of a video. Pure rules; no I/O."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Iterable, Sequence


@dataclasses.dataclass(frozen=True)
class Quiz:
    quiz_id: uuid.UUID
    at_seconds: int
    options: tuple[str, ...]
    answers: frozenset[str]


@dataclasses.dataclass(frozen=True)
class QuizStanding:
    """How somebody stands at one quiz; `answered_at` is the first right answer inside the programme's window."""

    attempts: int
    answered_at: dt.datetime | None

    def __or__(self, other: QuizStanding) -> QuizStanding:
        """Of one person under two accounts: all attempts, the earlier right answer."""
        answered = [at for at in (self.answered_at, other.answered_at) if at is not None]
        return QuizStanding(self.attempts + other.attempts, min(answered, default=None))


def in_order(quizzes: Iterable[Quiz]) -> list[Quiz]:
    """As the video meets them; two at one position keep a stable order."""
    return sorted(quizzes, key=lambda quiz: (quiz.at_seconds, quiz.quiz_id))


def is_right(quiz: Quiz, given: Sequence[str]) -> bool:
    """All right options and no other; their order does not matter."""
    return frozenset(given) == quiz.answers


def unknown_options(quiz: Quiz, given: Sequence[str]) -> list[int]:
    """Which of the given answers are no options of the quiz at all (a defect of the client, not a wrong answer)."""
    return [index for index, option in enumerate(given) if option not in quiz.options]


def is_its_turn(quiz: Quiz, quizzes: Iterable[Quiz], answered: frozenset[uuid.UUID]) -> bool:
    """Whether every earlier quiz of the video has been answered (quizzes unlock in order)."""
    ordered = in_order(quizzes)
    return all(earlier.quiz_id in answered for earlier in ordered[: ordered.index(quiz)])
