"""Who may enrol in a programme, and when (`domain.md` §3.21). Pure rules; no I/O."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum


class ProgrammeState(enum.StrEnum):
    """Where a season stands at an instant; a course inside it may open later than the season does."""

    PLANNED = "PLANNED"
    OPEN = "OPEN"
    CLOSED = "CLOSED"


@dataclasses.dataclass(frozen=True)
class LearnerFacts:
    """`complete`: the profile holds name, identity document, segment and subject. `placed`: a school or 其他 is chosen."""

    complete: bool
    placed: bool


def programme_state(opens_at: dt.datetime, closes_at: dt.datetime, now: dt.datetime) -> ProgrammeState:
    """The closing instant itself is already closed: windows are half-open."""
    if now < opens_at:
        return ProgrammeState.PLANNED
    return ProgrammeState.OPEN if now < closes_at else ProgrammeState.CLOSED


def enrolment_refusal(state: ProgrammeState, facts: LearnerFacts) -> str:
    """The code of the first guard that refuses the enrolment, or ""."""
    if state is ProgrammeState.PLANNED:
        return "learning.programme_not_open"
    if state is ProgrammeState.CLOSED:
        return "learning.programme_closed"
    if not facts.complete:
        return "learning.profile_incomplete"
    if not facts.placed:
        return "learning.school_missing"
    return ""
