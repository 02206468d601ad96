"""Words of the review of conspicuous study: what was found, and where the review stands."""

from __future__ import annotations

import enum


class Anomaly(enum.StrEnum):
    """What no honest day looks like (`domain.md` §4.8 f). Each is a reason to look, never a verdict."""

    LONG_DAY = "LONG_DAY"
    IMPOSSIBLE_SPEED = "IMPOSSIBLE_SPEED"
    SHARED_DEVICE = "SHARED_DEVICE"
    SAME_RHYTHM = "SAME_RHYTHM"


class ReviewState(enum.StrEnum):
    PENDING = "PENDING"
    CLEARED = "CLEARED"
    UPHELD = "UPHELD"
    APPEALED = "APPEALED"
    CONFIRMED = "CONFIRMED"  # upheld once more, by somebody else
