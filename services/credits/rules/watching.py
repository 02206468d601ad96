"""From pieces of watching, each with its instant, to what was seen and what of it may count.

Learning does the same as reports arrive (`services/learning/study/rules/earning.py`), with the server's clock as witness;
here the instants are taken as given: a piece `[begin, end)` that ended `at` was played at rate 1, so its second `s` was
played from `at - (end - s)` for one second.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable, Sequence

from services.credits.rules import intervals
from services.credits.rules.evidence import Quiz, Video
from services.credits.rules.intervals import Intervals

SECOND = dt.timedelta(seconds=1)


@dataclasses.dataclass(frozen=True)
class Piece:
    """Seconds `[begin, end)` of a video, played without a break until `at`."""

    begin: int
    end: int
    at: dt.datetime

    def played_within(self, opens: dt.datetime | None, closes: dt.datetime | None) -> tuple[int, int]:
        """The seconds that were played wholly within `[opens, closes)`, as an interval that may be empty."""
        begin, end = self.begin, self.end
        if opens is not None:
            begin = max(begin, self.end - (self.at - opens) // SECOND)
        if closes is not None:
            # Rounded so that a second which was begun but not finished in time is out.
            end = min(end, self.end + (closes - self.at) // SECOND)
        return begin, max(begin, end)


@dataclasses.dataclass(frozen=True)
class Watching:
    """All that was watched of one video, in any order, as often as liked."""

    key: str
    duration_seconds: int
    pieces: tuple[Piece, ...]
    quizzes: tuple[Quiz, ...] = ()


def video_as_of(
    watching: Watching, as_of: dt.datetime, opens: dt.datetime | None, closes: dt.datetime | None, *, gated: bool
) -> Video:
    """The engine's evidence as it stood at `as_of`; what came later is not there.

    With `gated`, a second behind a quiz is countable only if it was played at or after the answer to every quiz before
    it; an answer at or after the close is none.
    """
    quizzes = tuple(_quiz_as_of(quiz, as_of, closes) for quiz in watching.quizzes)
    gates = sorted((quiz.at_seconds, quiz.answered_at) for quiz in quizzes) if gated else []
    until = as_of if closes is None else min(as_of, closes)
    seen = intervals.union(piece.played_within(None, as_of) for piece in watching.pieces)
    countable = intervals.union(
        part for piece in watching.pieces for part in _countable(piece, gates_in_order(gates), opens, until)
    )
    return Video(watching.key, watching.duration_seconds, seen, countable, quizzes)


def gates_in_order(gates: Iterable[tuple[int, dt.datetime | None]]) -> list[tuple[int, dt.datetime | None]]:
    """Each quiz's position with the instant from which what lies behind it counts: the latest answer up to it, or None."""
    unlocked: list[tuple[int, dt.datetime | None]] = []
    latest: dt.datetime | None = None
    open_so_far = True
    for at, answered in gates:
        open_so_far = open_so_far and answered is not None
        if answered is not None:
            latest = answered if latest is None else max(latest, answered)
        unlocked.append((at, latest if open_so_far else None))
    return unlocked


def _countable(
    piece: Piece,
    gates: Sequence[tuple[int, dt.datetime | None]],
    opens: dt.datetime | None,
    until: dt.datetime,
) -> Intervals:
    """The parts of the piece that count: each stretch between two quizzes has its own earliest instant."""
    parts = []
    cuts = [0, *(at for at, _ in gates)]
    instants: list[dt.datetime | None] = [opens, *(answered for _, answered in gates)]
    for index, (start, instant) in enumerate(zip(cuts, instants, strict=True)):
        if index and instant is None:
            break  # an open quiz: nothing behind it counts
        stop = cuts[index + 1] if index + 1 < len(cuts) else piece.end
        earliest = instant if opens is None or instant is None else max(opens, instant)
        begin, end = piece.played_within(earliest, until)
        parts.append((max(begin, start), min(end, stop)))
    return intervals.union(parts)


def _quiz_as_of(quiz: Quiz, as_of: dt.datetime, closes: dt.datetime | None) -> Quiz:
    answered = quiz.answered_at
    if answered is None or answered > as_of or (closes is not None and answered >= closes):
        return Quiz(quiz.at_seconds, None)
    return quiz
