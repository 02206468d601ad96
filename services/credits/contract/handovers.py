"""Hours of a national season in a local register: value sets (`domain.md` §3.18: bureaux decide how the hours enter)."""

from __future__ import annotations

import enum


class HandoverState(enum.StrEnum):
    ENTERED = "ENTERED"  # an entry of the ledger
    HELD = "HELD"  # not entered: somebody must decide
    TAKEN_BACK = "TAKEN_BACK"  # a reversing entry, after the certificate was revoked
    HELD_BACK = "HELD_BACK"  # the certificate was revoked, and the entry stands: somebody must decide


class HeldReason(enum.StrEnum):
    """Why a hand-over waits for people."""

    YEAR_FROZEN = "YEAR_FROZEN"
    NUMBER_UNKNOWN = "NUMBER_UNKNOWN"  # announced before certificates told their numbers: nothing can be quoted
