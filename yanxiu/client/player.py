"""What a player plays, as whole seconds in playing order, and when to report it: the same as in `clients/js/study.js`."""

from __future__ import annotations

import math
from typing import Protocol

FIRST_INTERVAL_SECONDS = 30.0
LONGEST_INTERVAL_SECONDS = 300.0
# Two looks at the position this far apart are one stretch of playing; a longer step was a seek.
LONGEST_STEP_SECONDS = 2.5

Segment = tuple[int, int]


class Reports(Protocol):
    """The part of a study session that a player needs."""

    def report(self, *segments: Segment) -> bool: ...

    def flush(self) -> bool: ...


class Watching:
    """Collects stretches; what is played twice between two reports is told once."""

    def __init__(self, duration_seconds: int) -> None:
        self._duration = duration_seconds
        self._stretches: list[tuple[float, float]] = []
        self._current: tuple[float, float] | None = None

    def at(self, position: float) -> None:
        """The player is playing and stands here."""
        if self._current and 0 <= position - self._current[1] <= LONGEST_STEP_SECONDS:
            self._current = (self._current[0], position)
        else:
            self.cut()
            self._current = (position, position)

    def cut(self) -> None:
        """Paused, sought or ended: what follows is another stretch."""
        if self._current:
            self._stretches.append(self._current)
        self._current = None

    def take(self) -> list[Segment]:
        """The segments since the last call; the running stretch goes on from its last whole second."""
        stretches, self._stretches = self._stretches, []
        if self._current:
            whole = math.floor(self._current[1])
            stretches = [*stretches, (self._current[0], whole)]
            self._current = (max(self._current[0], whole), self._current[1])
        told: list[Segment] = []
        for begin, end in stretches:
            # Only seconds that were played whole.
            told += _without((math.ceil(begin), min(math.floor(end), self._duration)), told)
        return told


class Player:
    """Reports a session by itself: in growing intervals, on pause and at the end. Seconds of the caller's clock."""

    def __init__(self, session: Reports, duration_seconds: int, silence_limit_seconds: float, now: float) -> None:
        self._session = session
        self._watching = Watching(duration_seconds)
        self._longest = min(LONGEST_INTERVAL_SECONDS, silence_limit_seconds / 2)
        self._interval = FIRST_INTERVAL_SECONDS
        self._due_at = now + self._interval

    def at(self, position: float, now: float) -> None:
        """Call often while playing; reports when it is time."""
        self._watching.at(position)
        if now >= self._due_at:
            accepted = self._report()
            # Longer and longer while all goes well, and soon again when it does not.
            self._interval = min(self._interval * 2, self._longest) if accepted else FIRST_INTERVAL_SECONDS
            self._due_at = now + self._interval

    def stop(self) -> bool:
        """Paused, hidden or closed: report what was played at once; False when it has to wait in the journal."""
        self._watching.cut()
        return self._report()

    def _report(self) -> bool:
        segments = self._watching.take()
        return self._session.report(*segments) if segments else self._session.flush()


def _without(segment: Segment, others: list[Segment]) -> list[Segment]:
    """The parts of a segment that none of the others covers."""
    parts = [segment]
    for begin, end in others:
        parts = [part for start, stop in parts for part in ((start, min(stop, begin)), (max(start, end), stop))]
    return [(begin, end) for begin, end in parts if begin < end]
