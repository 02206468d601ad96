"""A projection that was lost is told everything again, and one that was not changes nothing."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from services.identity.service import IdentityService
from services.org import contract
from services.shared.actor import Role
from services.shared.errors import NotAllowed
from tests.component.org.conftest import CLI, YUEXIU, Org

pytestmark = pytest.mark.postgres


def tell_all(org: Org, what: str, limit: int = 500) -> int:
    told, after = 0, None
    while True:
        reply = org.call("announce_again", {"what": what, "after": after, "limit": limit}, CLI)
        told += reply["announced"]
        if (after := reply["next"]) is None:
            return told


def test_every_membership_is_told_as_it_is_now(org: Org) -> None:
    school = org.school()
    verified, released = org.member(school, "VERIFIED"), org.member(school, "VERIFIED")
    org.call("release_membership", {"teacher_id": str(released.account_id), "reason": "调离"}, org.admin_of(school))
    assert tell_all(org, "MEMBERSHIPS", 2) >= 2
    for teacher, version, place in ((verified, 2, school["place"]), (released, 3, "")):
        events = org.announced(contract.MEMBERSHIP_CHANGED, teacher_id=str(teacher.account_id))
        assert events[-1] == events[-2], "told again, word for word"
        assert (events[-1]["version"], events[-1]["place"]) == (version, place)


def test_every_holder_is_told_with_the_live_grants_only(org: Org) -> None:
    school, account = org.school(), uuid.uuid4()
    body = {"account_id": str(account), "role": "SCHOOL_ADMIN", "place": school["place"]}
    given = org.call("bootstrap_grant", body, CLI)
    tell_all(org, "GRANTS", 3)
    org.call("revoke_grant", {"grant_id": given["grant_id"]}, org.holder(Role.COUNTY_ADMIN, YUEXIU))
    tell_all(org, "GRANTS")
    events = org.announced(contract.GRANTS_CHANGED, account_id=str(account))
    live = [["SCHOOL_ADMIN", school["place"]]]
    assert [(event["version"], event["grants"]) for event in events] == [(1, live), (1, live), (2, []), (2, [])]


def test_identity_finds_its_lost_placement_again(org: Org, component: Callable[..., Any]) -> None:
    identity = component(IdentityService)
    school = org.school()
    teacher = org.member(school, "VERIFIED")
    tell_all(org, "MEMBERSHIPS")
    event = org.announced(contract.MEMBERSHIP_CHANGED, teacher_id=str(teacher.account_id))[-1]
    for _ in range(2):
        identity.deliver("on_membership_changed", contract.MEMBERSHIP_CHANGED, event)
    with identity.database.work() as db:
        row = db.execute(
            sa.text("SELECT state, place, version FROM placement WHERE teacher_id = :id"), {"id": teacher.account_id}
        ).one()
    assert tuple(row) == ("VERIFIED", school["place"], 2)


def test_only_the_operators_machine_may_ask(org: Org) -> None:
    with pytest.raises(NotAllowed):
        org.call("announce_again", {"what": "GRANTS"}, org.holder(Role.NATIONAL_OPERATOR, "CN"))
