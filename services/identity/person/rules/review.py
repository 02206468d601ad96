"""The review of a teacher's profile by the school (`domain.md` §3.2)."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence

from services.identity.rules.profile import LOCKED_WHEN_VERIFIED, VERIFIED
from services.shared.actor import Grant, Role, covers
from services.shared.errors import Conflict

# By name and number a person is found and paid; these never change on a teacher's word alone.
KEYS = LOCKED_WHEN_VERIFIED
# [S3:236-262]: what the school answers for.
REVIEWED = (
    *KEYS,
    "gender",
    "segment",
    "subject",
    "birth_date",
    "ethnicity",
    "title",
    "post_category",
    "employed_since",
)
# [S3, app 我的]: changed without review.
FREE = ("email", "address", "nickname")

DECISIONS_AT_ONCE = 100

DIRECT_ONLY = frozenset({Role.CITY_ADMIN, Role.PROVINCE_ADMIN})
OF_ADMINISTRATORS = DIRECT_ONLY | {Role.COUNTY_ADMIN}


class ReviewState(enum.StrEnum):
    EDITABLE = "EDITABLE"  # the teacher may edit; of a verified one the changes wait for the review
    SUBMITTED = "SUBMITTED"  # 已提交，未审核
    CONFIRMED = "CONFIRMED"  # the school has looked at it


class Act(enum.StrEnum):
    SUBMIT = "SUBMIT"
    CONFIRM = "CONFIRM"
    RETURN = "RETURN"
    REOPEN = "REOPEN"  # 重新更新


class Way(enum.StrEnum):
    """What becomes of a change that the teacher types."""

    LIVE = "LIVE"  # it counts at once
    DRAFT = "DRAFT"  # it counts when the school has passed it
    REFUSED = "REFUSED"


_NEXT = {
    (ReviewState.EDITABLE, Act.SUBMIT): ReviewState.SUBMITTED,
    (ReviewState.SUBMITTED, Act.CONFIRM): ReviewState.CONFIRMED,
    (ReviewState.SUBMITTED, Act.RETURN): ReviewState.EDITABLE,
    (ReviewState.CONFIRMED, Act.REOPEN): ReviewState.EDITABLE,
}
_REFUSALS = {
    Act.SUBMIT: "identity.nothing_to_submit",
    Act.CONFIRM: "identity.not_submitted",
    Act.RETURN: "identity.not_submitted",
    Act.REOPEN: "identity.not_confirmed",
}


def next_state(state: ReviewState, act: Act) -> ReviewState:
    """The state after the act. Raises Conflict for every other pair than the four of `domain.md` §3.2."""
    if (state, act) not in _NEXT:
        raise Conflict(_REFUSALS[act])
    return _NEXT[state, act]


def way_of_change(field: str, membership_state: str, state: ReviewState, *, required: bool) -> tuple[Way, str]:
    """What becomes of a changed field, with the error code of a refusal.

    `required`: the tenant has every change of a confirmed profile reviewed (`ProfileReview.REQUIRED`). A verified
    teacher's changes wait, so that nobody studies, or is certified, under a name that no school has seen.
    """
    if field in FREE or membership_state != VERIFIED:
        return Way.LIVE, ""
    if state is ReviewState.SUBMITTED:
        return Way.REFUSED, "identity.profile_submitted"
    if state is ReviewState.EDITABLE:
        return Way.DRAFT, ""
    if field in KEYS:
        return Way.REFUSED, "identity.profile_locked"
    return (Way.REFUSED, "identity.profile_confirmed") if required else (Way.LIVE, "")


def after_membership(before: str, after: str, state: ReviewState) -> ReviewState:
    """The state once org's word on the membership has changed from `before` to `after`.

    To verify a teacher is to confirm her profile; whom no school vouches for may edit again.
    """
    if after != VERIFIED:
        return ReviewState.EDITABLE
    return state if before == VERIFIED else ReviewState.CONFIRMED


def reviews_teachers(grants: Iterable[Grant], place: str) -> bool:
    """Whether a holder of these grants reviews everybody of the unit at `place`: its own administrator [S3:182]."""
    return any(covers(grant.place, place) for grant in grants if grant.role is Role.SCHOOL_ADMIN)


def reviews_administrators(grants: Iterable[Grant], place: str) -> bool:
    """Whether they review who administers the unit at `place`, and so cannot have a colleague review them.

    The county below it; city and province only in units attached directly to them.
    """
    above, _, last = place.rpartition("/")
    # Divisions are numbers; what stands directly under a city beside its counties is a unit of its own.
    is_unit = not last.isdigit()
    return any(
        is_unit and grant.place == above if grant.role in DIRECT_ONLY else covers(grant.place, place)
        for grant in grants
        if grant.role in OF_ADMINISTRATORS
    )


def may_review(grants: Sequence[Grant], place: str, held: Iterable[Sequence[str]]) -> bool:
    """Whether a holder of `grants` reviews a person of the unit at `place`, who holds `held`: (role, place) pairs."""
    administers = (Role.SCHOOL_ADMIN, place) in {(role, at) for role, at in held}
    return reviews_teachers(grants, place) or (administers and reviews_administrators(grants, place))
