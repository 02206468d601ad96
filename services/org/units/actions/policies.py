"""Deciding, and withdrawing, what holds at a place and below it."""

from __future__ import annotations

import dataclasses
from typing import Any

from sqlalchemy.orm import Session

from services.org import queries as org_queries
from services.org.contract.units import TENANT_POLICY_CHANGED, ProfileReview, TenantMode
from services.org.units import queries
from services.org.units.models import TenantPolicy
from services.org.units.rules import policies as rules
from services.shared import audit, outbox
from services.shared.bus import Call
from services.shared.errors import NotFound

Values = dict[str, Any]


def set_tenant_policy(db: Session, call: Call, arguments: Values) -> Values:
    """Decide a place's policy, whole. Deciding the same again changes nothing.

    Raises NotFound outside the caller's territory, InvalidInput for a place that is neither province, city nor county.
    """
    _authorised_place(db, call, arguments["place"])
    decided = {name: arguments[name] for name in ("mode", "max_school_admins", "profile_review")}
    policy = queries.lock_tenant_policy(db, arguments["place"], call.now)
    if policy.version == 0 or policy.withdrawn or _values(policy) != decided:
        before = {} if policy.version == 0 or policy.withdrawn else _values(policy)
        for name, value in decided.items():
            setattr(policy, name, value)
        policy.withdrawn = False
        _announce(db, call, policy, before, decided, arguments["reason"])
    return in_force(db, arguments["place"])


def withdraw_tenant_policy(db: Session, call: Call, place: str, reason: str) -> Values:
    """From now on the place follows what holds above it. Raises NotFound("org.policy_unknown") when it has none of its own."""
    _authorised_place(db, call, place)
    policy = queries.lock_tenant_policy(db, place, call.now)
    if policy.version == 0 or policy.withdrawn:
        raise NotFound("org.policy_unknown")
    policy.withdrawn = True
    _announce(db, call, policy, _values(policy), {"withdrawn": True}, reason)
    return in_force(db, place)


def in_force(db: Session, place: str) -> Values:
    """What holds at a place, and where it was decided."""
    policy = dataclasses.asdict(queries.tenant_policy(db, place))
    return {**policy, "place": place, "decided_at_place": policy["place"] or None}


def payload_of(policy: TenantPolicy) -> Values:
    """The policy as `org.tenant_policy_changed` tells it."""
    return {
        "policy_id": str(policy.policy_id),
        "place": policy.place,
        "version": policy.version,
        **_values(policy),
        "withdrawn": policy.withdrawn,
    }


def _authorised_place(db: Session, call: Call, place: str) -> None:
    target = org_queries.get_target(db, place)
    call.authorise(place=place, missing="org.place_unknown", field="place")
    rules.require_policy_level(target.level)


def _values(policy: TenantPolicy) -> Values:
    return {
        "mode": TenantMode(policy.mode),
        "max_school_admins": policy.max_school_admins,
        "profile_review": ProfileReview(policy.profile_review),
    }


def _announce(db: Session, call: Call, policy: TenantPolicy, before: Values, after: Values, reason: str) -> None:
    policy.version += 1
    policy.changed_at = call.now
    db.flush()
    outbox.announce(db, TENANT_POLICY_CHANGED, policy.policy_id, payload_of(policy))
    audit.record(db, call, subject=None, place=policy.place, reason=reason, before=before, after=after)
