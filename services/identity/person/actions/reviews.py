"""The school's review of what its teachers have changed (`domain.md` §3.2)."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.identity import contract, queries
from services.identity.actions.people import show_person
from services.identity.actions.profiles import apply_values, is_taken, open_draft, open_profile
from services.identity.contract.notices import NoticeKind
from services.identity.models import Account, Placement, Profile
from services.identity.notices.actions import Addressee, tell
from services.identity.person import queries as person_queries
from services.identity.person.models import ProfileDraft
from services.identity.person.rules.review import (
    DIRECT_ONLY,
    OF_ADMINISTRATORS,
    Act,
    ReviewState,
    may_review,
    next_state,
    reviews_administrators,
    reviews_teachers,
)
from services.identity.rules.contact import masked_name
from services.identity.rules.documents import masked_id_no
from services.identity.rules.profile import VERIFIED, is_complete
from services.identity.vault import Vault
from services.shared import audit, outbox
from services.shared.actor import Role
from services.shared.bus import Call
from services.shared.errors import Conflict, NotAllowed, NotFound, ServiceError

MISSING = "identity.person_unknown"
NO_PLACE = "identity.place_unknown"
# What the queue shows of a changed field; the rest is not told apart from a blank.
_MASKS: dict[str, Callable[[str], str]] = {
    "name": masked_name,
    "id_no": masked_id_no,
    "birth_date": lambda day: f"{day[:4]}-**-**" if day else "",
    "ethnicity": lambda _: "**",
}


@dataclasses.dataclass(frozen=True)
class Desk:
    """Where a reviewer's queue is: whose teachers all, and of which units the administrators only."""

    everybody_at: list[str]
    administrators_at: list[str]


@dataclasses.dataclass(frozen=True)
class Reviewed:
    """One person under review, locked."""

    account: Account
    profile: Profile
    placement: Placement


def submit_profile(db: Session, call: Call, vault: Vault) -> dict[str, Any]:
    """Hand the caller's profile to the school for review.

    Raises Conflict: "identity.review_needs_school", "identity.nothing_to_submit", "identity.profile_incomplete".
    """
    account = queries.lock_account(db, call.authorise_own())
    profile = queries.find_profile(db, account.id) if account else None
    if account is None or profile is None:
        raise NotFound(MISSING)
    placement = queries.find_placement(db, account.id)
    if placement is None or placement.state != VERIFIED:
        raise Conflict("identity.review_needs_school")
    state = next_state(ReviewState(profile.review_state), Act.SUBMIT)
    if not is_complete({**open_profile(vault, profile), **open_draft(db, vault, account.id)}):
        raise Conflict("identity.profile_incomplete")
    profile.review_round += 1
    profile.submitted_at = call.now
    _move(db, call, Reviewed(account, profile, placement), state)
    return {"review_state": profile.review_state, "round": profile.review_round}


def decide_reviews(
    db: Session, call: Call, vault: Vault, wanted: Sequence[dict[str, Any]], act: Act, reason: str
) -> list[dict[str, Any]]:
    """Confirm or return what these teachers have submitted; each row by itself, in the order given.

    A row is refused with "identity.person_unknown" (also whoever is not in the own territory), "identity.not_yourself",
    "identity.not_submitted", "identity.review_stale" (submitted again since the reviewer looked), "identity.id_no_taken".
    """
    outcomes: dict[uuid.UUID, dict[str, Any]] = {}
    # In one order, so that two reviewers with overlapping lists do not wait for each other crosswise.
    for row in sorted(wanted, key=lambda each: each["account_id"]):
        account_id = row["account_id"]
        code = ""
        try:
            with db.begin_nested():
                _decide(db, call, vault, account_id, row["round"], act, reason)
        except ServiceError as error:
            code = error.code
        outcomes.setdefault(
            account_id, {"account_id": account_id, "outcome": "REFUSED" if code else "DONE", "code": code}
        )
    return [outcomes[row["account_id"]] for row in wanted]


def reopen_profile(db: Session, call: Call, vault: Vault, account_id: uuid.UUID, reason: str) -> dict[str, Any]:
    """Let a teacher edit what was confirmed (重新更新); it counts again when it has been reviewed.

    Raises NotFound, NotAllowed for one's own, Conflict: "identity.review_unused", "identity.not_confirmed".
    """
    person = _lock_reviewed(db, call, account_id)
    if not person_queries.is_review_required(db, person.placement.place):
        raise Conflict("identity.review_unused")
    _move(db, call, person, next_state(ReviewState(person.profile.review_state), Act.REOPEN), reason)
    _tell(db, call, vault, person, Act.REOPEN)
    return {"account_id": account_id, "review_state": person.profile.review_state}


def show_review(
    vault: Vault, account: Account, profile: Profile, draft: Sequence[ProfileDraft], now: dt.datetime
) -> dict[str, Any]:
    """A row of the reviewer's queue: the person masked, and what would change, masked too."""
    changes = {row.field: vault.open("profile_draft", account.id, row.field, row.value_sealed) for row in draft}
    submitted_at = profile.submitted_at or now
    return {
        **show_person(vault, account, profile),
        "round": profile.review_round,
        "submitted_at": submitted_at,
        "waiting_days": max(0, (now - submitted_at).days),
        "changes": {field: _MASKS.get(field, str)(value) for field, value in changes.items()},
    }


def reveal_review(db: Session, call: Call, vault: Vault, account_id: uuid.UUID, reason: str) -> dict[str, Any]:
    """What a reviewer must read in full to compare it with the document: name and number, before and after.

    Recorded with the reason. Raises NotFound, NotAllowed for one's own, Conflict("identity.not_submitted").
    """
    person = _lock_reviewed(db, call, account_id)
    if person.profile.review_state != ReviewState.SUBMITTED:
        raise Conflict("identity.not_submitted")
    live = open_profile(vault, person.profile)
    shown = ("name", "id_type", "id_no", "birth_date", "ethnicity")
    after = {**live, **open_draft(db, vault, account_id)}
    audit.record(db, call, subject=account_id, place=person.placement.place, reason=reason, after={"revealed": shown})
    return {
        "account_id": account_id,
        "round": person.profile.review_round,
        "before": {field: live[field] for field in shown},
        "after": {field: after[field] for field in shown},
    }


def _decide(
    db: Session, call: Call, vault: Vault, account_id: uuid.UUID, seen_round: int, act: Act, reason: str
) -> None:
    person = _lock_reviewed(db, call, account_id)
    state = next_state(ReviewState(person.profile.review_state), act)
    if person.profile.review_round != seen_round:
        raise Conflict("identity.review_stale")
    if act is Act.CONFIRM:
        _apply_draft(db, call, vault, person)
    _move(db, call, person, state, reason if act is Act.RETURN else "")
    _tell(db, call, vault, person, act)


# What the teacher is told by SMS; why something was returned is read after signing in.
NOTICES = {
    Act.CONFIRM: NoticeKind.PROFILE_CONFIRMED,
    Act.RETURN: NoticeKind.PROFILE_RETURNED,
    Act.REOPEN: NoticeKind.PROFILE_REOPENED,
}


def _tell(db: Session, call: Call, vault: Vault, person: Reviewed, act: Act) -> None:
    cause = f"review {person.account.id} {person.account.version}"
    details = {"school": person.placement.school_name}
    tell(db, vault, NOTICES[act], cause, Addressee(person.account.id), call.now, details)


def _apply_draft(db: Session, call: Call, vault: Vault, person: Reviewed) -> None:
    account, profile = person.account, person.profile
    live, draft = open_profile(vault, profile), open_draft(db, vault, account.id)
    after = {**live, **draft}
    # Free when it was typed, it may be somebody's by now.
    if "id_no" in draft and is_taken(db, vault, account.id, after["id_type"], after["id_no"]):
        raise Conflict("identity.id_no_taken", "id_no")
    apply_values(db, vault, account, profile, live, draft, call.now, cause="REVIEW")
    db.execute(sa.delete(ProfileDraft).where(ProfileDraft.account_id == account.id))


def desk_of(call: Call, place: str | None) -> Desk:
    """Where the caller's queue is: the asked place, or all that is theirs to review. Raises NotFound beyond it.

    City and province name one of the units attached directly to them: what lies below their counties is not theirs.
    """
    grants = call.actor.grants
    if place is not None:
        call.authorise(place=place, missing=NO_PLACE)
        if reviews_teachers(grants, place):
            return Desk([place], [])
        if reviews_administrators(grants, place):
            return Desk([], [place])
        raise NotFound(NO_PLACE)
    schools = sorted({grant.place for grant in grants if grant.role is Role.SCHOOL_ADMIN})
    counties = sorted({grant.place for grant in grants if grant.role in OF_ADMINISTRATORS - DIRECT_ONLY})
    if not (schools or counties):
        raise NotFound(NO_PLACE)
    call.authorise(place=(schools or counties)[0])
    return Desk(schools, counties)


def _lock_reviewed(db: Session, call: Call, account_id: uuid.UUID) -> Reviewed:
    placement = queries.find_placement(db, account_id)
    place = placement.place if placement else ""
    call.authorise(place=place, missing=MISSING)
    if not may_review(call.actor.grants, place, queries.find_grants(db, account_id)):
        raise NotFound(MISSING)
    if account_id == call.actor.account_id:
        raise NotAllowed("identity.not_yourself")
    account = queries.lock_account(db, account_id)
    profile = queries.find_profile(db, account_id)
    if account is None or account.state != "ACTIVE" or profile is None or placement is None:
        raise NotFound(MISSING)
    return Reviewed(account, profile, placement)


def _move(db: Session, call: Call, person: Reviewed, state: ReviewState, reason: str = "") -> None:
    """Write the new state, tell it, and record who did it."""
    account, profile = person.account, person.profile
    before = profile.review_state
    profile.review_state = state
    if state is not ReviewState.SUBMITTED:
        profile.submitted_at = None
    profile.return_reason = reason if state is ReviewState.EDITABLE else ""
    account.version += 1
    db.flush()
    payload = {"account_id": str(account.id), "version": account.version, "state": str(state)}
    outbox.announce(db, contract.person.REVIEW_MOVED, account.id, payload)
    audit.record(
        db,
        call,
        subject=account.id,
        place=person.placement.place,
        reason=reason,
        before={"review_state": before},
        after={"review_state": str(state), "round": profile.review_round},
    )
