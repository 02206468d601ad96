"""Random sequences of what teachers, schools and counties may try: whatever happens, the rows agree with each other."""

from __future__ import annotations

import contextlib
import itertools
import random
import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from services.org import contract
from services.org.models import AdminGrant, Membership, MembershipPeriod
from services.shared.actor import Actor, Role
from services.shared.errors import Conflict, NotFound
from tests.component.org.conftest import CLI, YUEXIU, Org

pytestmark = pytest.mark.postgres
STEPS = 60


def membership_step(org: Org, chance: random.Random, teacher: Actor, schools: list[dict[str, Any]]) -> None:
    school = chance.choice(schools)
    act = chance.choice(["choose", "other", "verify", "reject", "release", "roster"])
    argument = {"teacher_id": str(teacher.account_id)}
    if act == "choose":
        org.call("choose_school", {"school_id": school["school_id"]}, teacher)
    elif act == "other":
        org.call("choose_school", {"other_of": "440104"}, teacher)
    elif act == "roster":
        row = {"row": 2, "account_id": str(teacher.account_id), "school_id": school["school_id"]}
        org.call("import_memberships", {"rows": [row]}, CLI)
    else:
        reason = {} if act == "verify" else {"reason": "试"}
        org.call(f"{act}_membership", {**argument, **reason}, org.admin_of(school))


@pytest.mark.parametrize("seed", range(3))
def test_a_teachers_rows_periods_and_events_tell_one_story(org: Org, seed: int) -> None:
    chance, teacher = random.Random(seed), org.person()
    schools = [org.school(), org.school()]
    for _ in range(STEPS):
        with contextlib.suppress(Conflict, NotFound):
            membership_step(org, chance, teacher, schools)
        check_membership(org, teacher.account_id)


def check_membership(org: Org, teacher_id: uuid.UUID | None) -> None:
    events = org.announced(contract.MEMBERSHIP_CHANGED, teacher_id=str(teacher_id))
    with org.component.database.work() as db:
        membership = db.get(Membership, teacher_id)
        periods = db.scalars(
            sa.select(MembershipPeriod)
            .where(MembershipPeriod.teacher_id == teacher_id)
            .order_by(MembershipPeriod.period_id)
        ).all()
    assert [event["version"] for event in events] == list(range(1, len(events) + 1))
    if membership is None:
        assert (events, periods) == ([], [])
        return
    assert (events[-1]["version"], events[-1]["state"]) == (membership.version, membership.state)
    still_there = membership.state in ("PENDING", "VERIFIED")
    assert [period.closed_at is None for period in periods] == [False] * (len(periods) - 1) + [still_there]
    assert periods[-1].school_id == membership.school_id
    assert (periods[-1].verified_at is not None) == (membership.state in ("VERIFIED", "RELEASED"))
    assert all(one.closed_at <= two.opened_at for one, two in itertools.pairwise(periods) if one.closed_at)


@pytest.mark.parametrize("seed", range(3))
def test_a_holders_grants_and_events_tell_one_story(org: Org, seed: int) -> None:
    chance, county = random.Random(seed), org.holder(Role.COUNTY_ADMIN, YUEXIU)
    schools, accounts = [org.school() for _ in range(3)], [org.account() for _ in range(3)]
    given: list[str] = []
    for _ in range(STEPS):
        with contextlib.suppress(Conflict):
            if given and chance.random() < 0.35:
                org.call("revoke_grant", {"grant_id": chance.choice(given)}, county)
            else:
                body = {
                    "account_id": str(chance.choice(accounts)),
                    "role": "SCHOOL_ADMIN",
                    "place": chance.choice(schools)["place"],
                    "replace": chance.random() < 0.3,
                }
                given.append(org.call("grant_role", body, county)["grant_id"])
        check_grants(org, accounts, schools)


def check_grants(org: Org, accounts: list[uuid.UUID], schools: list[dict[str, Any]]) -> None:
    with org.component.database.work() as db:
        active = db.scalars(sa.select(AdminGrant).where(AdminGrant.state == "ACTIVE")).all()
    for account in accounts:
        events = org.announced(contract.GRANTS_CHANGED, account_id=str(account))
        held = sorted([grant.role, grant.place] for grant in active if grant.account_id == account)
        assert [event["version"] for event in events] == list(range(1, len(events) + 1))
        assert (events[-1]["grants"] if events else []) == held
    places = [(grant.role, grant.place) for grant in active if grant.place in {school["place"] for school in schools}]
    assert len(places) == len(set(places)), "two holders of one role at one school"
