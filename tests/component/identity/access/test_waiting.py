"""GATED tenants: who has not been approved by the school may only finish the registration (`domain.md` §3.1)."""

import itertools
import uuid

import pytest

from services.org.contract.units import TENANT_POLICY_CHANGED
from services.shared.errors import NotAllowed
from tests.component.identity.stories import anonymous

_number = itertools.count(1)


@pytest.fixture
def county():
    """The place of a county of this test's own."""
    return f"CN/450000/450100/45{next(_number):04d}-{uuid.uuid4().hex[:6]}"


def decide(people, place, mode="GATED", version=1, *, withdrawn=False):
    payload = {
        "policy_id": str(uuid.uuid5(uuid.NAMESPACE_OID, place)),
        "place": place,
        "version": version,
        "mode": mode,
        "max_school_admins": 1,
        "profile_review": "NONE",
        "withdrawn": withdrawn,
    }
    people.hear("on_tenant_policy_changed", TENANT_POLICY_CHANGED, payload)


def waits(people, phone):
    return people.claims(people.sign_in(phone)["access_token"])["wai"]


@pytest.mark.parametrize(
    ("state", "expected"), [("PENDING", True), ("REJECTED", True), ("VERIFIED", False), ("RELEASED", False)]
)
def test_who_waits_below_a_gated_place(people, county, state, expected):
    decide(people, county)
    actor, phone = people.register()
    assert waits(people, phone) is False  # chose no school yet, and must be able to
    people.place(actor, "" if state == "RELEASED" else f"{county}/s1", state)
    assert waits(people, phone) is expected


def test_the_nearest_policy_decides_and_a_withdrawn_one_does_not(people, county):
    actor, phone = people.register()
    people.place(actor, f"{county}/s1")
    assert waits(people, phone) is False
    decide(people, f"{county}/s1", "OPEN")
    decide(people, county)
    assert waits(people, phone) is False
    decide(people, f"{county}/s1", "OPEN", 2, withdrawn=True)
    assert waits(people, phone) is True
    decide(people, county, "OPEN", 2)
    assert waits(people, phone) is False
    decide(people, county, "GATED", 1)  # late, and older than what is known
    assert waits(people, phone) is False


def test_a_neighbour_whose_name_begins_alike_is_not_meant(people, county):
    decide(people, county)
    actor, phone = people.register()
    people.place(actor, f"{county}1/s1")
    assert waits(people, phone) is False


def test_approval_voids_the_waiting_token_at_once(people, county):
    decide(people, county)
    actor, phone = people.register()
    people.place(actor, f"{county}/s1", "PENDING", 1)
    reply = people.sign_in(phone)
    revoked = len(people.events("identity.access_revoked", actor.account_id))
    people.place(actor, f"{county}/s1", "VERIFIED", 2)
    assert len(people.events("identity.access_revoked", actor.account_id)) == revoked + 1
    renewed = people.call("refresh_session", {"refresh_token": reply["refresh_token"]}, anonymous())
    assert people.claims(renewed["access_token"])["wai"] is False


def test_choosing_a_gated_school_begins_the_waiting_at_once(people, county):
    decide(people, county)
    actor, phone = people.register()
    people.sign_in(phone)
    people.place(actor, f"{county}/s1")
    assert people.events("identity.access_revoked", actor.account_id)[-1]["session_id"] is None
    assert waits(people, phone) is True


def test_where_nobody_waits_a_membership_voids_nothing(people, county):
    actor, _ = people.register()
    people.place(actor, f"{county}/s1", "PENDING", 1)
    people.place(actor, f"{county}/s1", "VERIFIED", 2)
    assert people.events("identity.access_revoked", actor.account_id) == []


def test_an_appointed_administrator_does_not_wait_at_the_desk(people, county):
    decide(people, county)
    actor, phone = people.register()
    people.fill_profile(actor)
    people.place(actor, f"{county}/s1")
    people.grant(actor, ("SCHOOL_ADMIN", f"{county}/s1"))
    assert waits(people, phone) is True
    proofs = {"password": "correct-horse-9", "sms_code": people.code(phone, "SIGN_IN"), "captcha": people.captcha()}
    reply = people.call("sign_in", {"phone": phone, "desk": "ADMINISTRATOR", **proofs}, anonymous())
    assert people.claims(reply["access_token"])["wai"] is False


def test_what_a_waiting_person_may_and_may_not(people, county):
    decide(people, county)
    actor, phone = people.register()
    people.place(actor, f"{county}/s1")
    waiting = people.session(people.sign_in(phone))
    assert waiting.waiting
    for method in ("get_account", "get_profile", "list_sign_ins"):
        assert people.call(method, {}, waiting)
    people.fill_profile(waiting)
    with pytest.raises(NotAllowed, match="awaiting_approval"):
        people.call("request_step_up_code", {}, waiting)
    assert people.call("sign_out", {}, waiting) == {}
