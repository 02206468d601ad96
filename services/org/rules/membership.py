"""Pure rules of school membership (`domain.md` §3.1); no I/O."""

from __future__ import annotations

import enum
import uuid

from services.org.contract import MembershipState
from services.shared.errors import Conflict, NotAllowed

TEACHER = "TEACHER"


class Act(enum.StrEnum):
    CHOOSE = "CHOOSE"  # by the teacher
    ADD = "ADD"  # by a roster
    VERIFY = "VERIFY"
    REJECT = "REJECT"
    RELEASE = "RELEASE"
    TRANSFER = "TRANSFER"  # decided above both schools


class Cause(enum.StrEnum):
    """What ends or opens a stay without anybody's decision about the membership: it follows from the person's record."""

    MERGE = "MERGE"  # the account is another's from now on
    REOPEN = "REOPEN"  # the merge was undone
    ERASE = "ERASE"


# Whatever is not listed is refused. PENDING --choose--> PENDING is how a teacher leaves 其他 once her school exists (§3.6).
TRANSITIONS: dict[tuple[MembershipState | None, Act], MembershipState] = {
    (None, Act.CHOOSE): MembershipState.PENDING,
    (MembershipState.PENDING, Act.CHOOSE): MembershipState.PENDING,
    (MembershipState.REJECTED, Act.CHOOSE): MembershipState.PENDING,
    (MembershipState.RELEASED, Act.CHOOSE): MembershipState.PENDING,
    (None, Act.ADD): MembershipState.PENDING,
    (MembershipState.REJECTED, Act.ADD): MembershipState.PENDING,
    (MembershipState.RELEASED, Act.ADD): MembershipState.PENDING,
    (MembershipState.PENDING, Act.VERIFY): MembershipState.VERIFIED,
    (MembershipState.PENDING, Act.REJECT): MembershipState.REJECTED,
    (MembershipState.VERIFIED, Act.RELEASE): MembershipState.RELEASED,
    (MembershipState.VERIFIED, Act.TRANSFER): MembershipState.VERIFIED,
}
REFUSALS: dict[Act, str] = {
    Act.CHOOSE: "org.release_first",
    Act.ADD: "org.member_elsewhere",
    Act.VERIFY: "org.not_pending",
    Act.REJECT: "org.not_pending",
    Act.RELEASE: "org.not_verified",
    Act.TRANSFER: "org.transfer_unverified",
}


def next_state(state: MembershipState | None, act: Act) -> MembershipState:
    """The state after `act`. Raises Conflict with the act's own code when it is not possible now."""
    try:
        return TRANSITIONS[state, act]
    except KeyError:
        raise Conflict(REFUSALS[act]) from None


def state_when_added(state: MembershipState | None, *, in_other: bool, vouched: bool) -> MembershipState:
    """The state of a teacher whom a roster puts into a school; `vouched`: it is the school's own (docs/adr/0018).

    Who waits in 其他 waits for exactly this. Raises Conflict("org.member_elsewhere") for one who waits at, or belongs to,
    another school: moving her is a transfer.
    """
    waits_for_it = state is MembershipState.PENDING and in_other
    added = MembershipState.PENDING if waits_for_it else next_state(state, Act.ADD)
    return next_state(added, Act.VERIFY) if vouched else added


def is_already_there(state: MembershipState | None, *, same_school: bool) -> bool:
    """Whether choosing or adding changes nothing: she is at this school, waiting or verified."""
    return same_school and state in (MembershipState.PENDING, MembershipState.VERIFIED)


def standing(state: MembershipState | None, *, in_other: bool) -> int:
    """How much a membership says about its person: nothing, waiting in 其他, waiting at a school, verified."""
    if state is MembershipState.PENDING:
        return 1 if in_other else 2
    return 3 if state is MembershipState.VERIFIED else 0


def require_other_person(reviewer: uuid.UUID | None, teacher: uuid.UUID) -> None:
    """Nobody approves what he is the subject of (`domain.md` §1.2). Raises NotAllowed("org.not_yourself")."""
    if reviewer == teacher:
        raise NotAllowed("org.not_yourself")


def require_reviewer(*, in_other: bool) -> None:
    """A teacher in 其他 has no reviewer (`domain.md` §3.1). Raises Conflict("org.no_reviewer")."""
    if in_other:
        raise Conflict("org.no_reviewer")


def require_teacher(identity: str) -> None:
    """Only the teacher identity has a school. Raises NotAllowed("org.teachers_only")."""
    if identity != TEACHER:
        raise NotAllowed("org.teachers_only")
