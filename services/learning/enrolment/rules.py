"""Who may enrol in a programme, and when (`domain.md` §3.21). Pure rules; no I/O."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import uuid
from collections.abc import Mapping
from typing import Any

from services.learning.audience import is_for


class ProgrammeState(enum.StrEnum):
    """Where a season stands at an instant; a course inside it may open later than the season does."""

    PLANNED = "PLANNED"
    OPEN = "OPEN"
    CLOSED = "CLOSED"


@dataclasses.dataclass(frozen=True)
class LearnerFacts:
    """`complete`: the profile holds name, identity document, segment and subject. `place`: of the school or 其他, "" for none."""

    complete: bool
    segment: str = ""
    subject: str = ""
    place: str = ""
    school_id: uuid.UUID | None = None

    @property
    def placed(self) -> bool:
        return bool(self.place)


def programme_state(opens_at: dt.datetime, closes_at: dt.datetime, now: dt.datetime) -> ProgrammeState:
    """The closing instant itself is already closed: windows are half-open."""
    if now < opens_at:
        return ProgrammeState.PLANNED
    return ProgrammeState.OPEN if now < closes_at else ProgrammeState.CLOSED


def enrolment_refusal(state: ProgrammeState, audience: Mapping[str, Any], facts: LearnerFacts) -> str:
    """The code of the first guard that refuses the enrolment, or "". `audience`: whom the programme is for."""
    if state is ProgrammeState.PLANNED:
        return "learning.programme_not_open"
    if state is ProgrammeState.CLOSED:
        return "learning.programme_closed"
    if not facts.complete:
        return "learning.profile_incomplete"
    if not facts.placed:
        return "learning.school_missing"
    return "" if is_for(audience, facts) else "learning.not_in_audience"
