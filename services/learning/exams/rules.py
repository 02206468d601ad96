"""Pure rules of exams: what is drawn, in which order it is shown, what an attempt is worth, who may begin one; no I/O.

Draw and order follow from the attempt's id alone: shown again, on whatever device, an attempt looks the same, and two
attempts do not.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import hashlib
import uuid
from collections.abc import Iterable, Sequence
from decimal import ROUND_DOWN, Decimal

FULL_MARKS = 100
_QUANTUM = Decimal("0.01")


class AttemptState(enum.StrEnum):
    """OPEN --submit--> SUBMITTED; OPEN --the time is over--> EXPIRED. Either way what was saved is judged."""

    OPEN = "OPEN"
    SUBMITTED = "SUBMITTED"
    EXPIRED = "EXPIRED"


class Kind(enum.StrEnum):
    """As the catalogue names them."""

    SINGLE = "SINGLE"
    MULTIPLE = "MULTIPLE"
    TRUE_FALSE = "TRUE_FALSE"


@dataclasses.dataclass(frozen=True)
class Pool:
    count: int
    points: int
    question_ids: tuple[uuid.UUID, ...]


@dataclasses.dataclass(frozen=True)
class Drawn:
    question_id: uuid.UUID
    points: int


@dataclasses.dataclass(frozen=True)
class Terms:
    """Of one exam; instants are half-open."""

    opens_at: dt.datetime
    closes_at: dt.datetime
    minutes: int
    attempts: int
    pass_mark: int


@dataclasses.dataclass(frozen=True)
class Judged:
    score: Decimal  # 0.00 to 100.00
    right: int
    passed: bool


def draw(attempt_id: uuid.UUID, pools: Iterable[Pool]) -> list[Drawn]:
    """The attempt's questions in the order in which they are shown, pool after pool."""
    return [
        Drawn(question_id, pool.points)
        for pool in pools
        for question_id in _shuffled(attempt_id, pool.question_ids)[: pool.count]
    ]


def option_order(attempt_id: uuid.UUID, question_id: uuid.UUID, kind: str, options: int) -> list[int]:
    """In which order the attempt shows a question's options, by their numbers; true and false keep theirs."""
    numbers = range(options)
    if kind == Kind.TRUE_FALSE:
        return list(numbers)
    return sorted(numbers, key=lambda number: _rank(attempt_id, f"{question_id}/{number}"))


def _shuffled(attempt_id: uuid.UUID, ids: Iterable[uuid.UUID]) -> list[uuid.UUID]:
    return sorted(ids, key=lambda each: _rank(attempt_id, str(each)))


def _rank(attempt_id: uuid.UUID, name: str) -> bytes:
    return hashlib.sha256(f"{attempt_id}/{name}".encode()).digest()


def deadline(terms: Terms, started_at: dt.datetime) -> dt.datetime:
    """The first instant that no longer counts; the exam's own end cuts a late attempt short."""
    return min(started_at + dt.timedelta(minutes=terms.minutes), terms.closes_at)


def judge(points: Sequence[int], right: Sequence[bool], pass_mark: int) -> Judged:
    """The attempt's score of 100, cut off and never rounded up: 59.999 is not 60."""
    total = sum(points)
    reached = sum(each for each, is_right in zip(points, right, strict=True) if is_right)
    score = (Decimal(reached * FULL_MARKS) / total).quantize(_QUANTUM, ROUND_DOWN) if total else Decimal("0.00")
    return Judged(score, sum(right), score >= pass_mark)


def start_refusal(terms: Terms, used: int, missing_seconds: int, now: dt.datetime) -> str:
    """The code of the first guard that refuses another attempt, or "". Whoever passed may still better the result."""
    if now < terms.opens_at:
        return "learning.exam_not_open"
    if now >= terms.closes_at:
        return "learning.exam_closed"
    if used >= terms.attempts:
        return "learning.exam_attempts_used"
    if missing_seconds:
        return "learning.exam_study_first"
    return ""


def answer_refusal(kind: str, options: int, given: Sequence[int]) -> str:
    """Why these option numbers cannot be an answer at all (a wrong one is no refusal), or ""; none at all clears it."""
    if len(set(given)) < len(given) or any(not 0 <= number < options for number in given):
        return "learning.option_unknown"
    if kind != Kind.MULTIPLE and len(given) > 1:
        return "learning.one_answer_only"
    return ""


def is_settled(used: int, terms: Terms, now: dt.datetime) -> bool:
    """Whether no attempt can follow: only then may marks and analyses be shown without helping the next one."""
    return used >= terms.attempts or now >= terms.closes_at
