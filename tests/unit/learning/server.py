"""A server of study reports in miniature, for forgers: the real rules, one teacher, and guards that can be taken away.

`Server(without="seq")` is a sabotaged one: a test that a forger gains nothing must fail on it, or it proves nothing.
"""

from __future__ import annotations

import dataclasses

from services.learning.contract import reports
from services.learning.study.rules import earning, multirange
from services.learning.study.rules.earning import Accrual, Report, Terms
from services.learning.study.rules.multirange import EMPTY, Ranges
from services.shared.errors import InvalidInput

SECOND, MINUTE, HOUR = 1000, 60_000, 3_600_000
AGES = 10**12
GUARDS = ("clock", "spent", "seq", "silence", "take_over", "gate", "slots", "window", "form", "server_time")


@dataclasses.dataclass
class Sitting:
    """One study session. Times are the server's, in milliseconds."""

    number: int
    video: str
    opened_ms: int
    accrual: Accrual
    heard_ms: list[int]
    ended_ms: int = AGES


@dataclasses.dataclass
class Video:
    duration: int = 2700
    quiz_at: int | None = None
    answered_ms: int | None = None
    seen: Ranges = EMPTY
    countable: Ranges = EMPTY


class Server:
    """What stands between a forger and the ledger."""

    def __init__(
        self, without: str = "", silence_ms: int = 5 * MINUTE, opens_ms: int = 0, closes_ms: int = AGES
    ) -> None:
        assert without in ("", *GUARDS)
        self._without = without
        self._silence_ms = silence_ms
        self.opens_ms, self.closes_ms = opens_ms, closes_ms
        self.now_ms = 0
        self.videos: dict[str, Video] = {}
        self.sittings: list[Sitting] = []

    def wait(self, milliseconds: int) -> None:
        self.now_ms += milliseconds

    def open(self, video: str, **facts: int) -> Sitting:
        """Open a session, which ends the one before it."""
        self.videos.setdefault(video, Video(**facts))
        opened_ms = self.now_ms
        if self.sittings and self._without != "take_over":
            last = self.sittings[-1]
            spent_until = last.opened_ms + (last.accrual.spent[-1][1] if last.accrual.spent else 0)
            last.ended_ms = min(last.ended_ms, max(opened_ms, spent_until))
            opened_ms = max(opened_ms, last.ended_ms)
        accrual = earning.begin_accrual(AGES if self._without == "silence" else self._silence_ms)
        self.sittings.append(Sitting(len(self.sittings), video, opened_ms, accrual, [opened_ms]))
        return self.sittings[-1]

    def answer(self, video: str) -> None:
        self.videos[video].answered_ms = self.now_ms

    def report(self, sitting: Sitting, seq: int, *segments: tuple[int, int], at_ms: int | None = None) -> int:
        """Take a report; returns how many seconds are newly seen. `at_ms`: of a genuine receipt, or a client's lie."""
        received_ms = self.now_ms if at_ms is None else at_ms
        if self._without != "server_time":
            received_ms = min(received_ms, self.now_ms)
        video = self.videos[sitting.video]
        clock_ms = AGES if self._without == "clock" else received_ms - sitting.opened_ms
        if self._without != "form":
            try:
                reports.read_segments(segments, video.duration)
            except InvalidInput:
                return 0
        earned = earning.time_earned(
            self._accrual(sitting), Report(seq, clock_ms, segments), self._terms(sitting, video)
        )
        sitting.accrual = earned.accrual
        sitting.heard_ms.append(received_ms)
        before = multirange.total(video.seen)
        video.seen = multirange.union(video.seen, earned.seen)
        video.countable = multirange.union(video.countable, earned.countable)
        return multirange.total(video.seen) - before

    def _accrual(self, sitting: Sitting) -> Accrual:
        accrual = sitting.accrual
        if self._without == "clock":
            accrual = dataclasses.replace(accrual, live=((-AGES, AGES),), spent=EMPTY)
        if self._without in ("spent", "slots"):
            accrual = dataclasses.replace(accrual, spent=EMPTY)
        if self._without == "seq":
            accrual = dataclasses.replace(accrual, seqs=EMPTY)
        if sitting.ended_ms < AGES:
            accrual = earning.end_accrual(accrual, sitting.ended_ms - sitting.opened_ms)
        return accrual

    def _terms(self, sitting: Sitting, video: Video) -> Terms:
        gates: tuple[tuple[int, int | None], ...] = ()
        if video.quiz_at is not None and self._without != "gate":
            answered = None if video.answered_ms is None else video.answered_ms - sitting.opened_ms
            gates = ((video.quiz_at, answered),)
        window = (-AGES, AGES) if self._without == "window" else (self.opens_ms, self.closes_ms)
        silence_ms = AGES if self._without == "silence" else self._silence_ms
        return Terms(silence_ms, window[0] - sitting.opened_ms, window[1] - sitting.opened_ms, gates)

    # --- what a witness would say, worked out without the rules ---

    def seen_seconds(self) -> int:
        return sum(multirange.total(video.seen) for video in self.videos.values())

    def countable_seconds(self) -> int:
        return sum(multirange.total(video.countable) for video in self.videos.values())

    def witnessed(self, begin_ms: int = 0, end_ms: int = AGES) -> int:
        """Seconds within the interval in which this teacher can have been at a player."""
        stretches = [
            (max(heard, begin_ms), min(heard + self._silence_ms, sitting.ended_ms, self.now_ms, end_ms))
            for sitting in self.sittings
            for heard in sitting.heard_ms
        ]
        return multirange.total(multirange.normalise(stretches)) // SECOND
