"""Pure rules of a school's life: which act is possible when, and what becomes of its code (`domain.md` §§2.6, 3.6); no I/O."""

from __future__ import annotations

import enum

from services.org.contract import SchoolKind, SchoolState, SchoolType
from services.org.contract.units import KeepCodeOf
from services.org.rules import schools
from services.shared.errors import Conflict, InvalidInput, NotAllowed


class Act(enum.StrEnum):
    EDIT = "EDIT"
    MOVE = "MOVE"  # to another division
    SUSPEND = "SUSPEND"
    RESUME = "RESUME"
    MERGE = "MERGE"  # into another school
    CLOSE = "CLOSE"
    REOPEN = "REOPEN"


class Cause(enum.StrEnum):
    """What ends and opens a teacher's stay when it follows from what became of the school."""

    SCHOOL_MOVED = "SCHOOL_MOVED"
    SCHOOL_MERGED = "SCHOOL_MERGED"
    SCHOOL_CLOSED = "SCHOOL_CLOSED"


class CodeEnd(enum.StrEnum):
    """Why a school code is void. Only a corrected one was never anybody's, so its rightful school may take it."""

    RECODED = "RECODED"
    MERGED = "MERGED"
    CLOSED = "CLOSED"
    MOVED = "MOVED"  # to another province, whose number the code would have to carry
    CORRECTED = "CORRECTED"


LIVING = frozenset({SchoolState.ACTIVE, SchoolState.SUSPENDED})
ENDED = frozenset({SchoolState.MERGED, SchoolState.CLOSED})

# Whatever is not listed is refused.
TRANSITIONS: dict[tuple[SchoolState, Act], SchoolState] = {
    (SchoolState.ACTIVE, Act.EDIT): SchoolState.ACTIVE,
    (SchoolState.SUSPENDED, Act.EDIT): SchoolState.SUSPENDED,
    (SchoolState.ACTIVE, Act.MOVE): SchoolState.ACTIVE,
    (SchoolState.SUSPENDED, Act.MOVE): SchoolState.SUSPENDED,
    (SchoolState.ACTIVE, Act.SUSPEND): SchoolState.SUSPENDED,
    (SchoolState.SUSPENDED, Act.RESUME): SchoolState.ACTIVE,
    (SchoolState.ACTIVE, Act.MERGE): SchoolState.MERGED,
    (SchoolState.SUSPENDED, Act.MERGE): SchoolState.MERGED,
    (SchoolState.ACTIVE, Act.CLOSE): SchoolState.CLOSED,
    (SchoolState.SUSPENDED, Act.CLOSE): SchoolState.CLOSED,
    # A school that hangs its sign again takes its old code (§2.6).
    (SchoolState.MERGED, Act.REOPEN): SchoolState.ACTIVE,
    (SchoolState.CLOSED, Act.REOPEN): SchoolState.ACTIVE,
}
REFUSALS: dict[Act, str] = {
    Act.EDIT: "org.school_ended",
    Act.MOVE: "org.school_ended",
    Act.SUSPEND: "org.school_not_active",
    Act.RESUME: "org.school_not_suspended",
    Act.MERGE: "org.school_ended",
    Act.CLOSE: "org.school_ended",
    Act.REOPEN: "org.school_not_ended",
}
# What the school's own staff may change: the seven fields of the school record, and whom SMS notices reach.
OWN_FIELDS = frozenset(
    {
        "name",
        "school_type",
        "seal_name",
        "town",
        "nature",
        "head_name",
        "head_mobile",
        "notice_name",
        "notice_mobile",
    }
)


def next_state(state: SchoolState, act: Act) -> SchoolState:
    """The state after `act`. Raises Conflict with the act's own code when it is not possible now."""
    try:
        return TRANSITIONS[state, act]
    except KeyError:
        raise Conflict(REFUSALS[act]) from None


def require_real(*, other: bool) -> None:
    """A county's 其他 is no school: it is neither changed nor ended. Raises Conflict("org.other_is_fixed")."""
    if other:
        raise Conflict("org.other_is_fixed")


def require_version(held: int, asked: int) -> None:
    """Who changes a school has seen it as it is. Raises Conflict("org.school_version")."""
    if held != asked:
        raise Conflict("org.school_version", "version")


def require_own_fields(fields: frozenset[str]) -> None:
    """Raises NotAllowed("org.keeper_only") for what only the level that keeps the school changes."""
    if foreign := sorted(fields - OWN_FIELDS):
        raise NotAllowed("org.keeper_only", foreign[0])


def require_no_teachers(on_duty: int) -> None:
    """Raises Conflict("org.school_has_teachers") while verified teachers on duty belong to the school."""
    if on_duty:
        raise Conflict("org.school_has_teachers")


def require_other_school(merged: object, into: object) -> None:
    """Raises InvalidInput("org.merge_into_itself")."""
    if merged == into:
        raise InvalidInput("org.merge_into_itself", "into")


def require_neighbours(parent: str, other_parent: str) -> None:
    """Schools of one keeper merge; one that stands elsewhere is moved first. Raises Conflict("org.merge_elsewhere")."""
    if parent != other_parent:
        raise Conflict("org.merge_elsewhere", "into")


def code_after_merger(merged: str | None, surviving: str | None, keep: KeepCodeOf) -> str | None:
    """The code of the school that remains: a merger may keep one of the old codes (§2.6).

    Raises Conflict("org.no_code_to_keep") for a code that is not there.
    """
    if keep is KeepCodeOf.SURVIVING:
        return surviving
    if merged is None:
        raise Conflict("org.no_code_to_keep", "keep_code_of")
    return merged


def needs_new_code(code: str | None, kind_before: SchoolKind, kind: SchoolKind, school_type: SchoolType) -> bool:
    """Whether the school becomes one of another kind than its code says: then it is coded anew, the old one is void (§2.6).

    A rename keeps the code, and so does a nine-year school that was a junior one: both are 31.
    """
    if code is None:
        return False
    return kind_before is not kind or code[:2] not in schools.code_kinds_of(kind, school_type)
