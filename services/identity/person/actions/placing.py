"""What a change of school means for the person's record."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.identity import queries
from services.identity.models import Placement, Profile
from services.identity.person.actions.learner_numbers import issue
from services.identity.person.models import ProfileDraft
from services.identity.person.queries import list_draft
from services.identity.person.rules.review import ReviewState, after_membership
from services.identity.rules.profile import VERIFIED
from services.shared.placement import keep_placement


def follow_membership(db: Session, payload: dict[str, Any]) -> None:
    """Store where a teacher is, unless something newer is known, and bring the profile to it.

    Whom a school vouches for gets a learner number, and a confirmed profile; whom none does may edit again.
    """
    account = queries.lock_account(db, uuid.UUID(payload["teacher_id"]))
    known = queries.find_placement(db, uuid.UUID(payload["teacher_id"]))
    if not keep_placement(db, Placement, payload) or account is None:
        return  # org may be told of a person before us; what follows then comes with the resync
    profile = queries.find_profile(db, account.id)
    if profile is None:
        return
    before = known.state if known else _lost_state(db, profile)
    account.place = profile.place = payload["place"] if account.state == "ACTIVE" else ""
    state = after_membership(before, payload["state"], ReviewState(profile.review_state))
    if state != profile.review_state:
        profile.review_state, profile.submitted_at, profile.return_reason = state, None, ""
    if payload["state"] == VERIFIED:
        issue(db, [account])
    else:
        db.execute(sa.delete(ProfileDraft).where(ProfileDraft.account_id == account.id))
    db.flush()


def _lost_state(db: Session, profile: Profile) -> str:
    """The state that a placement had which is not there: a rebuilt one must not end a review that is under way."""
    under_way = profile.review_state == ReviewState.SUBMITTED or list_draft(db, [profile.account_id])
    return VERIFIED if under_way else ""
