"""Stories of accounts: codes and passwords, phones, passes, reviewed profiles, merged records, erasure and consents."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from services.shared.actor import ANONYMOUS, Actor, Role
from services.shared.keys import KeyRing
from tests.component.identity.issuer import Issuer as IssuerServer
from tests.component.identity.person.test_erasing import request as ask_to_be_erased
from tests.component.identity.person.test_merging import approve, end, propose
from tests.component.identity.stories import PASSWORD, People, anonymous, new_id_no, new_phone
from tests.component.identity.test_passes import begin, bind, enter, issuers
from tests.component.identity.test_phone_change import change
from tests.component.identity.test_phone_tickets import stop_link
from tests.component.identity.tickets import Phones, agent
from tests.conftest import FixedClock, person
from tests.matrix.telling import Telling, story
from tests.matrix.world import (
    COUNTY,
    NATION,
    Spot,
    World,
    elevated,
    member,
    school_admin,
)

WHY = {"reason": "情况属实"}


@pytest.fixture
def people(world: World, fixed: FixedClock, keyring: KeyRing, told: Telling) -> People:
    return People(world.process["identity"], fixed, keyring)


@pytest.fixture
def phones(people: People) -> Phones:
    return Phones(people)


# --- signing in -----------------------------------------------------------------------------------------------------------------


@story("identity.request_sms_code", "identity.register_account", "identity.sign_in", "identity.refresh_session")
def test_a_visitor_registers_and_signs_in(people: People) -> None:
    actor, phone = people.register()
    opened = people.sign_in(phone)
    assert opened["account"]["account_id"] == str(actor.account_id)
    assert people.call("refresh_session", {"refresh_token": opened["refresh_token"]}, anonymous())["access_token"]


@story("identity.recover_password", "identity.set_password", "identity.step_up")
def test_a_code_recovers_a_password_sets_it_and_opens_what_is_sensitive(people: People) -> None:
    actor, phone = people.register(password="")
    code = people.code(phone, "SIGN_IN")
    people.call("set_password", {"password": PASSWORD, "sms_code": code}, actor)
    people.sign_in(phone)
    recovered = {"phone": phone, "sms_code": people.code(phone, "RECOVER"), "password": f"{PASSWORD}-2"}
    people.call("recover_password", recovered, anonymous())
    signed_in = people.session(people.sign_in(phone, f"{PASSWORD}-2"))
    people.pass_time(seconds=61)
    people.call("request_step_up_code", {}, signed_in)
    opened = people.call("step_up", {"sms_code": people.newest_code(phone)}, signed_in)
    assert people.claims(opened["access_token"])["elv"]


@story("identity.unlock_account")
def test_the_school_unlocks_whoever_mistyped_ten_times(world: World, here: Spot, people: People) -> None:
    locked = member(world, here)
    world.sql("identity", f"UPDATE account SET locked_at = now(), failed_count = 10 WHERE id = '{locked}'")
    people.call("unlock_account", {"account_id": locked}, school_admin(here))
    assert world.sql("identity", f"SELECT locked_at, failed_count FROM account WHERE id = '{locked}'") == [(None, 0)]


# --- phones -----------------------------------------------------------------------------------------------------------------------


@story("identity.prove_old_phone", "identity.name_new_phone", "identity.complete_phone_change")
def test_the_old_phone_proves_the_change(people: People, phones: Phones) -> None:
    actor, old = people.register()
    assert change(phones, actor, old, new_phone())["state"] == "DONE"


@story(
    "identity.request_ticket_code",
    "identity.open_phone_ticket",
    "identity.prepare_evidence",
    "identity.keep_evidence",
    "identity.submit_phone_ticket",
    "identity.get_phone_ticket",
    "identity.claim_phone_ticket",
    "identity.view_phone_ticket",
    "identity.view_evidence",
    "identity.approve_phone_ticket",
    "identity.find_ticket_to_stop",
    "identity.stop_phone_ticket",
)
def test_support_decides_a_ticket_and_the_old_number_stops_it(phones: Phones) -> None:
    _, old, id_no = phones.teacher()
    asked = phones.open(old, id_no)
    evidence_id, _ = phones.upload(asked)
    phones.call("submit_phone_ticket", asked.reference, anonymous())
    ticket, someone = {"ticket_id": asked.ticket_id}, agent()
    phones.call("claim_phone_ticket", ticket, someone)
    assert phones.call("view_phone_ticket", ticket, someone)["id_no"] == id_no
    assert phones.call("view_evidence", {**ticket, "evidence_id": evidence_id}, someone)
    phones.call("approve_phone_ticket", ticket, someone)
    assert phones.state(asked)["state"] == "COOLING"
    link = {"token": stop_link(phones, asked)}
    assert phones.call("find_ticket_to_stop", link, anonymous())["state"] == "COOLING"
    assert phones.call("stop_phone_ticket", link, anonymous())["state"] == "CANCELLED"


@story("identity.put_back_phone_ticket", "identity.reject_phone_ticket", "identity.withdraw_phone_ticket")
def test_support_puts_a_ticket_back_rejects_one_and_one_is_withdrawn(phones: Phones) -> None:
    _, old, id_no = phones.teacher()
    asked, someone = phones.claimed(old, id_no)
    ticket = {"ticket_id": asked.ticket_id}
    phones.call("put_back_phone_ticket", ticket, someone)
    phones.call("claim_phone_ticket", ticket, someone)
    phones.call("reject_phone_ticket", {**ticket, "reason": "UNREADABLE"}, someone)
    again = phones.submitted(old, id_no)
    assert phones.call("withdraw_phone_ticket", again.reference, anonymous())["state"] == "CANCELLED"


@story("identity.get_own_phone_ticket", "identity.stop_own_phone_ticket")
def test_who_can_still_sign_in_stops_a_ticket(phones: Phones) -> None:
    actor, old, id_no = phones.teacher()
    phones.approved(old, id_no)
    assert phones.call("get_own_phone_ticket", {}, actor)["state"] == "COOLING"
    assert phones.call("stop_own_phone_ticket", {}, actor)["state"] == "CANCELLED"


# --- passes -----------------------------------------------------------------------------------------------------------------------


@story(
    "identity.start_pass_binding",
    "identity.complete_pass_binding",
    "identity.start_pass_sign_in",
    "identity.complete_pass_sign_in",
    "identity.unbind_pass",
)
def test_a_pass_is_bound_signs_in_and_is_unbound(people: People) -> None:
    server = IssuerServer()
    people.service.pass_issuers = issuers(server.url)
    actor, _ = people.register()
    subject = str(uuid.uuid4())
    bind(people, server, actor, subject)
    opened = enter(people, begin(people, server, subject))
    assert opened["account"]["account_id"] == str(actor.account_id)
    [held] = people.call("list_passes", {}, actor)["items"]
    people.call("unbind_pass", {"pass_id": held["pass_id"]}, elevated(actor))
    assert people.call("list_passes", {}, actor)["items"] == []
    server.stop()


# --- the record -------------------------------------------------------------------------------------------------------------------


@story(
    "identity.reopen_profile",
    "identity.submit_profile",
    "identity.reveal_profile_review",
    "identity.return_profiles",
    "identity.confirm_profiles",
)
def test_a_profile_is_reopened_returned_and_confirmed(world: World, here: Spot, people: People) -> None:
    reviewing = {"place": COUNTY, "mode": "OPEN", "max_school_admins": 2, "profile_review": "REQUIRED", **WHY}
    world.call("org", "set_tenant_policy", reviewing, person(None, (Role.SUPER_ADMIN, COUNTY)))
    world.deliver_all()
    account = {"account_id": here.people["verified"]}
    her, school = world.actor(here.people["verified"]), elevated(school_admin(here))
    people.call("reopen_profile", {**account, **WHY}, school)
    people.call("update_profile", {"name": "李四"}, her)
    seen = people.call("submit_profile", {}, her)["round"]
    assert people.call("reveal_profile_review", {**account, **WHY}, school)
    people.call("return_profiles", {"decisions": [{**account, "round": seen}], **WHY}, school)
    seen = people.call("submit_profile", {}, her)["round"]
    people.call("confirm_profiles", {"decisions": [{**account, "round": seen}]}, school)
    assert people.call("get_profile", {}, her)["name"] == "李四"


@story(
    "identity.propose_merge",
    "identity.get_merge",
    "identity.reject_merge",
    "identity.withdraw_merge",
    "identity.approve_merge",
    "identity.undo_merge",
)
def test_two_of_support_merge_two_records_and_take_it_back(people: People) -> None:
    agents = [elevated(person(None, (Role.SUPPORT_AGENT, NATION))) for _ in range(2)]
    kept, merged = (_somebody(people) for _ in range(2))
    end(people, agents[0], "withdraw_merge", propose(people, agents[0], kept, merged))
    end(people, agents[1], "reject_merge", propose(people, agents[0], kept, merged))
    merge = propose(people, agents[0], kept, merged)
    assert people.call("get_merge", {"merge_id": merge["merge_id"]}, agents[1])["state"] == "PROPOSED"
    approve(people, agents[1], merge, kept[2])
    assert end(people, agents[0], "undo_merge", merge)["state"] == "UNDONE"


def _somebody(people: People) -> tuple[Actor, str, str]:
    actor, phone = people.register()
    id_no = new_id_no()
    people.fill_profile(actor, id_no=id_no)
    return actor, phone, id_no


@story("identity.request_erasure", "identity.cancel_erasure")
def test_an_erasure_is_asked_for_and_taken_back(people: People) -> None:
    actor, phone = people.register()
    ask_to_be_erased(people, actor, phone)
    assert people.call("get_erasure", {}, actor)["state"] == "REQUESTED"
    people.call("cancel_erasure", {}, actor)


@story("identity.record_consent")
def test_the_present_text_is_agreed_to(people: People) -> None:
    actor, _ = people.register()
    texts = people.call("list_consent_texts", {}, ANONYMOUS)["items"]
    privacy = next(text for text in texts if text["kind"] == "PRIVACY")
    answer: dict[str, Any] = {"kind": "PRIVACY", "version": privacy["version"], "given": True}
    people.call("record_consent", answer, actor)
    assert people.call("list_consents", {}, actor)["items"]
