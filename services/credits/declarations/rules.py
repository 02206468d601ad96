"""Pure rules of declarations: states, who may move them, what may be declared; no I/O."""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from collections.abc import Collection
from decimal import Decimal

from services.credits.contract.declarations import DeclarationState as State
from services.shared.errors import Conflict, InvalidInput, NotAllowed

# Ours: more than a year holds working hours for, and typing errors end here.
MOST_HOURS = Decimal(500)
MOST_A_YEAR = 200  # declarations of one teacher for one year, ours


class Act(enum.StrEnum):
    EDIT = "EDIT"
    SUBMIT = "SUBMIT"
    WITHDRAW = "WITHDRAW"
    PASS = "PASS"  # noqa: S105  the first review's one favourable outcome 通过
    RETURN = "RETURN"  # 退回重新申报, with a reason
    APPROVE = "APPROVE"
    VOID = "VOID"


# Whatever is not listed is refused.
TRANSITIONS: dict[tuple[State, Act], State] = {
    (State.DRAFT, Act.EDIT): State.DRAFT,
    (State.RETURNED, Act.EDIT): State.RETURNED,
    (State.DRAFT, Act.SUBMIT): State.FIRST_REVIEW,
    (State.RETURNED, Act.SUBMIT): State.FIRST_REVIEW,
    (State.FIRST_REVIEW, Act.PASS): State.FINAL_REVIEW,
    (State.FIRST_REVIEW, Act.RETURN): State.RETURNED,
    (State.FINAL_REVIEW, Act.RETURN): State.RETURNED,
    (State.FINAL_REVIEW, Act.APPROVE): State.APPROVED,
    (State.APPROVED, Act.VOID): State.VOIDED,
    (State.DRAFT, Act.WITHDRAW): State.WITHDRAWN,
    (State.RETURNED, Act.WITHDRAW): State.WITHDRAWN,
    (State.FIRST_REVIEW, Act.WITHDRAW): State.WITHDRAWN,
    (State.FINAL_REVIEW, Act.WITHDRAW): State.WITHDRAWN,
}
# What a teacher, or whoever tells her, wants to hear of: what others did.
DECISIONS = frozenset({Act.RETURN, Act.APPROVE, Act.VOID})


def next_state(state: State, act: Act) -> State:
    """Raises Conflict("credits.declaration_state") for whatever is not listed."""
    try:
        return TRANSITIONS[state, act]
    except KeyError:
        raise Conflict("credits.declaration_state") from None


def require_reviewer(reviewer: uuid.UUID | None, teacher_id: uuid.UUID, others: Collection[uuid.UUID] = ()) -> None:
    """Nobody reviews his own declaration, and the final reviewer is not the first one of the same round."""
    if reviewer == teacher_id:
        raise NotAllowed("credits.declaration_own")
    if reviewer in others:
        raise NotAllowed("credits.declaration_same_reviewer")


def require_declarable(
    year: int, started_on: dt.date, ended_on: dt.date, hours: Decimal | None, today: dt.date
) -> None:
    """Hours belong to the year in which the training ended; today's year and the one before are open.

    `hours` is None for an activity that a table pays.
    """
    if year not in (today.year, today.year - 1):
        raise InvalidInput("credits.declaration_year", "year")
    if ended_on.year != year or ended_on > today or started_on > ended_on:
        raise InvalidInput("credits.declaration_dates", "ended_on")
    if hours is not None and not 0 < hours <= MOST_HOURS:
        raise InvalidInput("credits.declaration_hours", "hours")
