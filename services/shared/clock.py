"""The business clock: what the rules call "now". Deadlines and time-outs use `time.monotonic()`, never this.

A test or the demo may replace it by a file that holds an instant (`YANXIU_CLOCK_FILE`), so that several processes
share one simulated time; `settings` refuses that outside the development modes.
"""

from __future__ import annotations

import datetime as dt
import os
import time
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

UTC = dt.UTC
# Days and deadlines of the rules are Beijing days (`architecture.md` part 4).
BEIJING = ZoneInfo("Asia/Shanghai")


class Clock(Protocol):
    def now(self) -> dt.datetime: ...


class SystemClock:
    def now(self) -> dt.datetime:
        return dt.datetime.now(UTC)


class FileClock:
    """A simulated clock shared through a file: it goes on from the instant that was last set, at the real pace.

    The file holds that instant (RFC 3339) and the real time at which it was set (seconds since 1970).
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def now(self) -> dt.datetime:
        instant, set_at = self.path.read_text(encoding="ascii").split()
        return parse_instant(instant) + dt.timedelta(seconds=time.time() - float(set_at))

    def set(self, instant: dt.datetime) -> None:
        # Rename, so that a reader in another process never sees half a line.
        partial = self.path.with_suffix(f".{os.getpid()}.partial")
        partial.write_text(f"{format_instant(instant)} {time.time():.6f}", encoding="ascii")
        partial.replace(self.path)


_clock: Clock = SystemClock()


def install(clock: Clock) -> None:
    """Replace the process's business clock (start-up and tests only)."""
    global _clock
    _clock = clock


def now() -> dt.datetime:
    """The current business instant, aware, UTC."""
    return _clock.now()


def format_instant(instant: dt.datetime) -> str:
    """RFC 3339 in UTC with microseconds, e.g. `2023-02-28T15:59:59.000000Z`."""
    # A tenth of what `strftime` costs; UTC's offset is always "+00:00".
    return instant.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def parse_instant(text: str) -> dt.datetime:
    """The inverse of `format_instant`; also accepts any RFC 3339 offset. Raises ValueError on a naive time."""
    instant = dt.datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("a time needs its offset")
    return instant.astimezone(UTC)
