"""When credits is told of study: at once where it matters, else at most every few minutes. Pure rules; no I/O."""

from __future__ import annotations

import datetime as dt

from services.shared.clock import BEIJING

# Our own policy, of 2026-11-22; no manual names a time. Telling and judging cost more than the study itself, and of a
# teacher who goes on studying nearly every telling says the same (`docs/performance.md`). Five minutes is the longest
# pause between two reports of a player, so nobody waits longer for hours than a device may wait to report.
TOLD_WITHIN = dt.timedelta(minutes=5)
# Earlier than every instant: what must be told by then is told now.
AT_ONCE = dt.datetime.min.replace(tzinfo=dt.UTC)


def tell_by(closes_at: dt.datetime, now: dt.datetime, *, matters: bool) -> dt.datetime:
    """The instant by which study that was recorded now must be told, however lately something was told before.

    `matters` says that somebody waits for it: a video is whole, the sitting has ended. Otherwise it is told before the
    programme closes, and before the Beijing day is over, for years are verified by the day.
    """
    if matters or now >= closes_at:
        return AT_ONCE
    return min(closes_at, _next_midnight(now))


def _next_midnight(now: dt.datetime) -> dt.datetime:
    tomorrow = now.astimezone(BEIJING).date() + dt.timedelta(days=1)
    return dt.datetime.combine(tomorrow, dt.time(), BEIJING)
