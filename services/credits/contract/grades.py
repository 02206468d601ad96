"""Hours of courses chosen in a period, in the ledger: value sets."""

from __future__ import annotations

import enum
from typing import Final


class GradeState(enum.StrEnum):
    ENTERED = "ENTERED"  # passed, and an entry of the ledger
    NOTHING = "NOTHING"  # not passed, and nothing stands in the ledger
    HELD = "HELD"  # passed, but the year is frozen: a complaint must decide (`domain.md` §3.18)
    HELD_BACK = "HELD_BACK"  # not passed any more, and the entry of a frozen year stands: the same


# What waits for somebody to decide.
WAITING: Final = (GradeState.HELD, GradeState.HELD_BACK)
