"""Tickets for a dead phone: asking, evidence, the desk, cooling, stopping, finishing, forgetting."""

import dataclasses
import datetime as dt
import hashlib
import uuid

import pytest
import sqlalchemy as sa

from services.identity.person.actions.consents import current_texts
from services.identity.phone.actions import desk as desk_actions
from services.identity.phone.models import PhoneTicket, TicketEvidence
from services.shared import clock
from services.shared.actor import Role
from services.shared.errors import Conflict, InvalidInput, LimitReached, NotAllowed, NotFound
from services.shared.sealed_files import open_file
from tests.component.identity.stories import COUNTY, administrator, anonymous, new_id_no, new_phone
from tests.component.identity.tickets import IMAGE, NAME, Phones, agent, agreed


@pytest.fixture
def phones(people):
    return Phones(people)


def step(phones, method, asked, actor, **more):
    return phones.call(method, {"ticket_id": asked.ticket_id, **more}, actor)


def stop_link(phones, asked):
    """The token in the link that the old number got."""
    phones.send()
    [text] = [text for text in phones.messages(asked.old_phone) if "/stop-phone-change/" in text]
    return text.rsplit("/", 1)[1]


def actions_of(people, asked):
    with people.database.work() as db:
        rows = db.execute(
            sa.text("SELECT action, after FROM audit WHERE after ->> 'ticket' = :id ORDER BY at, id"),
            {"id": asked.ticket_id},
        ).all()
    return [(row.action, row.after.get("state")) for row in rows]


# --- the whole way ---------------------------------------------------------------------------------------------------------


def test_from_the_request_to_the_new_phone(phones, people):
    actor, old, id_no = phones.teacher()
    signed_in = people.sign_in(old)
    asked = phones.open(old, id_no)
    assert phones.state(asked)["state"] == "DRAFT"
    assert phones.submit(asked)["state"] == "SUBMITTED"
    someone = agent()
    [listed] = [each for each in listing(phones, someone) if each["ticket_id"] == asked.ticket_id]
    assert listed["name"] == "张**"
    assert id_no not in str(listed)
    assert old not in str(listed)
    step(phones, "claim_phone_ticket", asked, someone)
    seen = step(phones, "view_phone_ticket", asked, someone)
    assert (seen["name"], seen["id_no"], seen["old_phone"]) == (NAME, id_no, old)
    assert seen["matches"] == {"account": True, "name": True, "id_no": True}
    assert step(phones, "approve_phone_ticket", asked, someone)["state"] == "COOLING"
    people.pass_time(hours=23, minutes=59)
    phones.run("finish_phone_tickets")
    assert phones.state(asked)["state"] == "COOLING"
    people.pass_time(minutes=1)
    phones.run("finish_phone_tickets")
    assert phones.state(asked)["state"] == "DONE"
    assert people.sign_in(asked.new_phone)["account"]["account_id"] == str(actor.account_id)
    with pytest.raises(NotAllowed):
        people.sign_in(old)
    with pytest.raises(NotAllowed):
        people.call("refresh_session", {"refresh_token": signed_in["refresh_token"]}, anonymous())
    phones.send()
    assert [text for text in phones.messages(asked.new_phone) if "换绑已完成" in text]
    assert len([text for text in phones.messages(old) if "已改绑" in text]) == 1
    assert actions_of(people, asked) == [
        ("prepare_evidence", None),
        ("submit_phone_ticket", "SUBMITTED"),
        ("claim_phone_ticket", "IN_REVIEW"),
        ("view_phone_ticket", None),
        ("approve_phone_ticket", "COOLING"),
        ("finish_phone_tickets", "DONE"),
    ]
    events = [
        each
        for each in people.component.outbox("identity.phone_ticket_changed")
        if each["ticket_id"] == asked.ticket_id
    ]
    assert [event["state"] for event in events] == ["DRAFT", "SUBMITTED", "IN_REVIEW", "COOLING", "DONE"]
    assert [event["version"] for event in events] == [1, 2, 3, 4, 5]
    assert people.events("identity.phone_changed", actor.account_id)[0]["way"] == "TICKET"


def listing(phones, someone, *states):
    found, cursor = [], None
    while True:
        page = phones.call(
            "list_phone_tickets", {"states": list(states) or ["SUBMITTED"], "limit": 200, "cursor": cursor}, someone
        )
        found += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


# --- asking ----------------------------------------------------------------------------------------------------------------


def test_the_answer_is_the_same_whether_or_not_the_claim_is_true(phones, people):
    _actor, old, id_no = phones.teacher()
    true = phones.open(old, id_no)
    answers = []
    for asked in (true, phones.open(new_phone(), new_id_no()), phones.open(phones.teacher()[1], new_id_no())):
        shown = phones.submit(asked)
        answers.append({key: shown[key] for key in ("state", "reason", "note", "evidence", "decided_at")})
    assert answers[0] == answers[1] == answers[2]


def test_a_wrong_code_opens_nothing(phones, people):
    new = new_phone()
    people.pass_time(seconds=61)
    phones.request_code(new)
    right = phones.last_code(new)
    claimed = {"name": NAME, "id_no": new_id_no(), "old_phone": new_phone(), "new_phone": new}
    with pytest.raises(InvalidInput, match=r"identity\.sms_code_refused"):
        phones.call("open_phone_ticket", {**claimed, "sms_code": f"{(int(right) + 1) % 10**6:06d}"}, anonymous())
    # The code of another purpose is none of this one.
    with pytest.raises(InvalidInput, match=r"identity\.sms_code_refused"):
        phones.call("open_phone_ticket", {**claimed, "sms_code": people.code(new)}, anonymous())
    assert phones.call("open_phone_ticket", {**claimed, "sms_code": right}, anonymous())["state"] == "DRAFT"


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"id_no": "440524188001010015"}, "id_no", "identity.id_no_check_digit"),
        ({"id_no": "110105491231002"}, "id_no", "identity.id_no_fifteen_digits"),
        ({"name": "9"}, "name", "identity.name_form"),
        ({"old_phone": "12"}, "old_phone", "identity.phone_form"),
        ({"new_phone": "12"}, "new_phone", "identity.phone_form"),
        ({"old_phone": "13800138000", "new_phone": "+86 138 0013 8000"}, "new_phone", "identity.phone_same"),
    ],
)
def test_what_cannot_be_right_is_refused_at_once(phones, changes, field, code):
    claimed = {
        "name": NAME,
        "id_no": new_id_no(),
        "old_phone": new_phone(),
        "new_phone": new_phone(),
        "sms_code": "123456",
    }
    with pytest.raises(InvalidInput) as refusal:
        phones.call("open_phone_ticket", {**claimed, **changes}, anonymous())
    assert (refusal.value.code, refusal.value.field) == (code, field)


def test_a_new_phone_must_be_nobodys(phones, people):
    _, old, id_no = phones.teacher()
    _, taken = people.register()
    with pytest.raises(Conflict, match=r"identity\.phone_taken"):
        phones.open(old, id_no, new_phone=taken)


def test_one_ticket_in_progress_about_one_phone(phones, people):
    _, old, id_no = phones.teacher()
    asked = phones.submitted(old, id_no)
    with pytest.raises(Conflict, match=r"identity\.ticket_open"):
        phones.open(old, id_no)
    with pytest.raises(Conflict, match=r"identity\.ticket_open"):
        phones.open(new_phone(), new_id_no(), new_phone=asked.new_phone)
    phones.call("withdraw_phone_ticket", asked.reference, anonymous())
    assert phones.open(old, id_no)


def test_a_strangers_draft_stands_in_nobodys_way(phones, people):
    _, old, id_no = phones.teacher()
    stranger = phones.open(old, new_id_no())
    mine = phones.submitted(old, id_no)
    phones.upload(stranger)
    with pytest.raises(Conflict, match=r"identity\.ticket_open"):
        phones.call("submit_phone_ticket", stranger.reference, anonymous())
    assert phones.state(mine)["state"] == "SUBMITTED"


def test_of_two_sent_off_at_once_one_is_taken(phones, people, in_parallel):
    _, old, id_no = phones.teacher()
    drafts = [phones.open(old, id_no) for _ in range(2)]
    for draft in drafts:
        phones.upload(draft)
    waiting = list(drafts)
    outcomes = in_parallel(2, lambda: phones.call("submit_phone_ticket", waiting.pop().reference, anonymous()))
    assert sum(isinstance(outcome, dict) for outcome in outcomes) == 1
    assert {phones.state(draft)["state"] for draft in drafts} == {"SUBMITTED", "DRAFT"}


def test_a_code_for_a_stranger_costs_a_captcha(phones, people):
    new, solved = new_phone(), people.captcha()
    people.pass_time(seconds=61)
    with pytest.raises(InvalidInput, match=r"identity\.captcha_needed"):
        phones.call("request_ticket_code", {"new_phone": new}, anonymous())
    phones.call("request_ticket_code", {"new_phone": new, "captcha": solved}, anonymous())
    with pytest.raises(InvalidInput, match=r"identity\.captcha_refused"):
        phones.call("request_ticket_code", {"new_phone": new_phone(), "captcha": solved}, anonymous())


def test_three_tickets_a_day_for_one_new_phone(phones, people):
    _, old, id_no = phones.teacher()
    new = new_phone()
    for _ in range(3):
        phones.open(new_phone(), new_id_no(), new_phone=new)
    with pytest.raises(LimitReached, match=r"identity\.ticket_limit"):
        phones.open(old, id_no, new_phone=new)
    people.pass_time(days=1)
    assert phones.open(old, id_no, new_phone=new)


def test_strangers_who_name_a_phone_use_up_nothing_of_its_holder(phones):
    _, old, id_no = phones.teacher()
    for _ in range(4):
        phones.open(old, new_id_no())
    assert phones.submitted(old, id_no)


def test_without_the_key_there_is_no_ticket(phones, people):
    _, old, id_no = phones.teacher()
    asked, other = phones.open(old, id_no), phones.open(new_phone(), new_id_no())
    for key in (other.ticket_key, "x", asked.ticket_key[:-1] + "g"):
        for method in ("get_phone_ticket", "submit_phone_ticket", "withdraw_phone_ticket"):
            with pytest.raises(NotFound, match=r"identity\.ticket_unknown"):
                phones.call(method, {"ticket_id": asked.ticket_id, "ticket_key": key}, anonymous())
    with pytest.raises(NotFound, match=r"identity\.ticket_unknown"):
        phones.call("get_phone_ticket", {"ticket_id": str(uuid.uuid4()), "ticket_key": asked.ticket_key}, anonymous())


# --- evidence ------------------------------------------------------------------------------------------------------------


def test_a_ticket_needs_a_photo(phones):
    asked = phones.open(new_phone(), new_id_no())
    with pytest.raises(Conflict, match=r"identity\.ticket_evidence_missing"):
        phones.call("submit_phone_ticket", asked.reference, anonymous())
    # A place for one is none: the file has to be there.
    image = {"sha256": "0" * 64, "media_type": "image/png", "size": 5}
    phones.call("prepare_evidence", {**asked.reference, **image, **agreed()}, anonymous())
    with pytest.raises(Conflict, match=r"identity\.ticket_evidence_missing"):
        phones.call("submit_phone_ticket", asked.reference, anonymous())


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({}, "identity.consent_needed"),
        ({"consent_version": ""}, "identity.consent_needed"),
        ({"consent_version": "2020-01-01"}, "identity.consent_outdated"),
    ],
)
def test_without_the_consent_of_whom_it_shows_there_is_no_photo(phones, answer, code):
    asked = phones.open(new_phone(), new_id_no())
    image = {"sha256": "0" * 64, "media_type": "image/png", "size": 5}
    with pytest.raises(Conflict) as refusal:
        phones.call("prepare_evidence", {**asked.reference, **image, **answer}, anonymous())
    assert (refusal.value.code, refusal.value.field) == (code, "consent_version")
    assert phones.state(asked)["evidence"] == 0


def test_what_was_agreed_to_stays_on_record_when_the_photo_is_gone(phones, people):
    asked = phones.open(new_phone(), new_id_no())
    phones.upload(asked)
    phones.call("submit_phone_ticket", asked.reference, anonymous())
    # Taking back the consent is taking back the request: the photo goes at once and not after a week.
    phones.call("withdraw_phone_ticket", asked.reference, anonymous())
    phones.run("forget_phone_tickets")
    assert sealed_fields(people, asked) == ([], [])
    with people.database.work() as db:
        rows = db.execute(
            sa.text("SELECT after FROM audit WHERE action = 'prepare_evidence' AND after ->> 'ticket' = :id"),
            {"id": asked.ticket_id},
        ).scalars()
        [told] = rows
    text = current_texts()["SENSITIVE"]
    assert (told["consent"], told["version"], told["digest"]) == ("SENSITIVE", text["version"], text["digest"])


def test_three_photos_and_no_more_and_none_after_sending_off(phones):
    asked = phones.open(new_phone(), new_id_no())
    for number in range(3):
        phones.upload(asked, IMAGE + bytes([number]))
    with pytest.raises(Conflict, match=r"identity\.ticket_evidence_full"):
        phones.upload(asked, IMAGE + b"one more")
    phones.call("submit_phone_ticket", asked.reference, anonymous())
    with pytest.raises(Conflict, match=r"identity\.ticket_sent"):
        phones.upload(asked, IMAGE + b"late")
    with pytest.raises(Conflict, match=r"identity\.ticket_sent"):
        phones.call("submit_phone_ticket", asked.reference, anonymous())


def test_the_same_photo_twice_is_one(phones):
    asked = phones.open(new_phone(), new_id_no())
    evidence_id, _ = phones.upload(asked)
    image = {"sha256": hashlib.sha256(IMAGE).hexdigest(), "media_type": "image/png", "size": len(IMAGE)}
    slot = phones.call("prepare_evidence", {**asked.reference, **image, **agreed()}, anonymous())
    assert slot["evidence_id"] == evidence_id
    again = phones.call(
        "keep_evidence",
        {**asked.reference, "evidence_id": evidence_id, "storage_key": "evidence/00/" + "0" * 30},
        anonymous(),
    )
    assert (again["kept"], again["evidence"]) == (False, 1)


@pytest.mark.parametrize(
    "bad",
    [
        {"sha256": "x"},
        {"media_type": "image/svg+xml"},
        {"size": 5 * 1024 * 1024 + 1},
        {"size": 0},
        {"size": "5"},
    ],
)
def test_other_files_have_no_place(phones, bad):
    good = {"sha256": "0" * 64, "media_type": "image/png", "size": 5}
    arguments = {"ticket_id": str(uuid.uuid4()), "ticket_key": "k", **good, **bad}
    with pytest.raises(InvalidInput, match=r"shared\.invalid"):
        phones.call("prepare_evidence", arguments, anonymous())


def test_the_key_of_a_photo_is_in_no_stored_reply(phones, people):
    asked = phones.open(new_phone(), new_id_no())
    image = {"sha256": "0" * 64, "media_type": "image/png", "size": 5}
    slot = phones.call("prepare_evidence", {**asked.reference, **image, **agreed()}, anonymous())
    for table in ("idempotency", "audit", "outbox", "ticket_evidence"):
        assert (
            people.scalar(f"SELECT count(*) FROM {table} WHERE {table}::text LIKE :key", key=f"%{slot['file_key']}%")
            == 0
        )
    # Nor is the key of the ticket, which its opening answered with.
    assert (
        people.scalar("SELECT count(*) FROM idempotency WHERE reply::text LIKE :key", key=f"%{asked.ticket_key}%") == 0
    )


# --- the desk --------------------------------------------------------------------------------------------------------------


def test_only_support_agents_sit_at_the_desk(phones, people):
    _, old, id_no = phones.teacher()
    asked = phones.submitted(old, id_no)
    nobodies = (
        administrator(Role.NATIONAL_OPERATOR, "CN"),
        administrator(Role.COUNTY_ADMIN, COUNTY),
        administrator(Role.AUDITOR, "CN"),
        people.register()[0],
    )
    for nobody in nobodies:
        with pytest.raises(NotAllowed):
            phones.call("list_phone_tickets", {}, nobody)
        for method in ("claim_phone_ticket", "put_back_phone_ticket", "view_phone_ticket", "approve_phone_ticket"):
            with pytest.raises(NotAllowed):
                step(phones, method, asked, nobody)
    # Agents are the nation's: a grant at a county would reach nothing.
    with pytest.raises(NotFound, match=r"identity\.ticket_unknown"):
        step(phones, "claim_phone_ticket", asked, administrator(Role.SUPPORT_AGENT, COUNTY))


def test_seeing_and_approving_need_a_fresh_code(phones, people):
    _, old, id_no = phones.teacher()
    asked, someone = phones.claimed(old, id_no)
    tired = dataclasses.replace(someone, elevated_until=None)
    for method in ("view_phone_ticket", "approve_phone_ticket"):
        with pytest.raises(NotAllowed, match=r"shared\.step_up_needed"):
            step(phones, method, asked, tired)
    with pytest.raises(NotAllowed, match=r"shared\.step_up_needed"):
        step(phones, "view_evidence", asked, tired, evidence_id=str(uuid.uuid4()))


def test_what_is_claimed_is_seen_by_who_claimed_it(phones, people):
    _, old, id_no = phones.teacher()
    asked, someone = phones.claimed(old, id_no)
    other = agent()
    for method in ("view_phone_ticket", "approve_phone_ticket", "put_back_phone_ticket"):
        with pytest.raises(Conflict, match=r"identity\.ticket_not_yours"):
            step(phones, method, asked, other)
    with pytest.raises(Conflict, match=r"identity\.ticket_not_yours"):
        step(phones, "reject_phone_ticket", asked, other, reason="OTHER")
    with pytest.raises(Conflict, match=r"identity\.ticket_claimed"):
        step(phones, "claim_phone_ticket", asked, other)
    step(phones, "put_back_phone_ticket", asked, someone)
    with pytest.raises(Conflict, match=r"identity\.ticket_not_yours"):
        step(phones, "view_phone_ticket", asked, someone)
    step(phones, "claim_phone_ticket", asked, other)
    people.pass_time(hours=2)
    assert step(phones, "claim_phone_ticket", asked, someone)["mine"]


def test_of_many_agents_who_claim_at_once_one_gets_it(phones, people, in_parallel):
    _, old, id_no = phones.teacher()
    asked = phones.submitted(old, id_no)
    outcomes = in_parallel(6, lambda: step(phones, "claim_phone_ticket", asked, agent()))
    assert sum(isinstance(outcome, dict) for outcome in outcomes) == 1
    assert {getattr(outcome, "code", "") for outcome in outcomes} == {"", "identity.ticket_claimed"}


def test_the_photo_as_the_agent_sees_it(phones, people):
    _, old, id_no = phones.teacher()
    asked = phones.open(old, id_no)
    evidence_id, storage_key = phones.upload(asked)
    phones.call("submit_phone_ticket", asked.reference, anonymous())
    someone = agent()
    with pytest.raises(Conflict, match=r"identity\.ticket_not_yours"):
        step(phones, "view_evidence", asked, someone, evidence_id=evidence_id)
    step(phones, "claim_phone_ticket", asked, someone)
    seen = step(phones, "view_evidence", asked, someone, evidence_id=evidence_id)
    sealed = b"".join(phones.storage().read(storage_key))
    assert seen["storage_key"] == storage_key
    assert IMAGE not in sealed
    assert open_file(sealed, seen["file_key"], evidence_id) == IMAGE
    assert ("view_evidence", None) in actions_of(people, asked)
    with pytest.raises(NotFound, match=r"identity\.evidence_unknown"):
        step(phones, "view_evidence", asked, someone, evidence_id=str(uuid.uuid4()))


@pytest.mark.parametrize("wrong", ["name", "id_no", "old_phone", "no_id"])
def test_what_matches_no_account_can_only_be_rejected(phones, people, wrong):
    if wrong == "no_id":
        _, old = people.register()
        id_no = new_id_no()
    else:
        _, old, id_no = phones.teacher()
    asked, someone = phones.claimed(
        new_phone() if wrong == "old_phone" else old,
        new_id_no() if wrong == "id_no" else id_no,
        name="李四" if wrong == "name" else NAME,
    )
    assert not all(step(phones, "view_phone_ticket", asked, someone)["matches"].values())
    with pytest.raises(Conflict, match=r"identity\.ticket_no_match"):
        step(phones, "approve_phone_ticket", asked, someone)
    step(phones, "reject_phone_ticket", asked, someone, reason="NO_MATCH", note="请核对证件号码")
    shown = phones.state(asked)
    assert (shown["state"], shown["reason"], shown["note"]) == ("REJECTED", "NO_MATCH", "请核对证件号码")
    phones.send()
    assert [text for text in phones.messages(asked.new_phone) if "未通过：所填信息与账号不符" in text]


def test_a_new_phone_that_was_taken_meanwhile_is_refused_at_the_desk_and_at_the_end(phones, people):
    _, old, id_no = phones.teacher()
    asked, someone = phones.claimed(old, id_no)
    people.register(asked.new_phone)
    with pytest.raises(Conflict, match=r"identity\.phone_taken"):
        step(phones, "approve_phone_ticket", asked, someone)
    _, old, id_no = phones.teacher()
    asked = phones.approved(old, id_no)
    people.register(asked.new_phone)
    people.pass_time(hours=24)
    phones.run("finish_phone_tickets")
    shown = phones.state(asked)
    assert (shown["state"], shown["reason"]) == ("CANCELLED", "NEW_PHONE_TAKEN")
    assert people.sign_in(old)


def test_nobody_decides_about_themselves(phones, people):
    actor, old, id_no = phones.teacher()
    asked = phones.submitted(old, id_no)
    myself = dataclasses.replace(agent(), account_id=actor.account_id)
    with pytest.raises(NotAllowed, match=r"identity\.ticket_own"):
        step(phones, "claim_phone_ticket", asked, myself)


def test_an_administrators_phone_needs_two_agents(phones, people):
    actor, old, id_no = phones.teacher()
    people.grant(actor, (Role.COUNTY_ADMIN, COUNTY))
    asked, first = phones.claimed(old, id_no)
    assert step(phones, "view_phone_ticket", asked, first)["administrator"]
    assert step(phones, "approve_phone_ticket", asked, first)["state"] == "SUBMITTED"
    step(phones, "claim_phone_ticket", asked, first)
    with pytest.raises(NotAllowed, match=r"identity\.ticket_second_agent"):
        step(phones, "approve_phone_ticket", asked, first)
    step(phones, "put_back_phone_ticket", asked, first)
    second = agent()
    assert step(phones, "claim_phone_ticket", asked, second)["second_agent_needed"]
    assert step(phones, "approve_phone_ticket", asked, second)["state"] == "COOLING"


def test_decided_is_decided(phones, people):
    _, old, id_no = phones.teacher()
    asked, someone = phones.claimed(old, id_no)
    step(phones, "reject_phone_ticket", asked, someone, reason="UNREADABLE")
    for method in ("claim_phone_ticket", "put_back_phone_ticket", "approve_phone_ticket"):
        with pytest.raises(Conflict, match=r"identity\.ticket_not_waiting"):
            step(phones, method, asked, someone)
    with pytest.raises(Conflict, match=r"identity\.ticket_too_late"):
        phones.call("withdraw_phone_ticket", asked.reference, anonymous())


def test_a_reason_is_one_of_the_list(phones, people):
    _, old, id_no = phones.teacher()
    asked, someone = phones.claimed(old, id_no)
    for reason in ("", "BECAUSE", None):
        with pytest.raises(InvalidInput):
            step(phones, "reject_phone_ticket", asked, someone, reason=reason)


def test_the_queue_is_a_page_at_a_time_oldest_first(phones, people):
    made = [phones.submitted(new_phone(), new_id_no()).ticket_id for _ in range(3)]
    someone, found, cursor = agent(), [], None
    while True:
        page = phones.call("list_phone_tickets", {"limit": 2, "cursor": cursor}, someone)
        found += [each["ticket_id"] for each in page["items"]]
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert found == sorted(found)
    assert [each for each in found if each in made] == made


# --- cooling: the old number, the account, the clock ---------------------------------------------------------------------


def test_the_old_number_stops_it(phones, people):
    actor, old, id_no = phones.teacher()
    asked = phones.approved(old, id_no)
    token = stop_link(phones, asked)
    assert phones.call("find_ticket_to_stop", {"token": token}, anonymous())["state"] == "COOLING"
    for _ in range(2):
        assert phones.call("stop_phone_ticket", {"token": token}, anonymous()) == {"state": "CANCELLED"}
    people.pass_time(days=2)
    phones.run("finish_phone_tickets")
    assert people.sign_in(old)["account"]["account_id"] == str(actor.account_id)
    phones.send()
    assert len([text for text in phones.messages(asked.new_phone) if "已取消" in text]) == 1
    for bad in ("x", token[:-1], token + "x"):
        with pytest.raises(NotFound, match=r"identity\.ticket_unknown"):
            phones.call("stop_phone_ticket", {"token": bad}, anonymous())


def test_the_link_is_only_in_the_message(phones, people):
    _, old, id_no = phones.teacher()
    asked = phones.approved(old, id_no)
    token = stop_link(phones, asked)
    for table in ("phone_ticket", "notice", "idempotency", "outbox", "audit"):
        assert people.scalar(f"SELECT count(*) FROM {table} WHERE {table}::text LIKE :token", token=f"%{token}%") == 0


def test_who_can_still_sign_in_sees_it_and_stops_it(phones, people):
    actor, old, id_no = phones.teacher()
    asked = phones.approved(old, id_no)
    seen = phones.call("get_own_phone_ticket", {}, actor)
    assert seen["state"] == "COOLING"
    assert phones.call("stop_own_phone_ticket", {}, actor) == {"state": "CANCELLED"}
    assert phones.state(asked)["reason"] == "STOPPED_BY_OWNER"
    for method in ("get_own_phone_ticket", "stop_own_phone_ticket"):
        with pytest.raises(NotFound, match=r"identity\.ticket_unknown"):
            phones.call(method, {}, actor)


def test_a_strangers_ticket_shows_at_nobodys_account(phones, people):
    actor, old, _ = phones.teacher()
    phones.submitted(old, new_id_no())
    with pytest.raises(NotFound, match=r"identity\.ticket_unknown"):
        phones.call("get_own_phone_ticket", {}, actor)


def test_a_code_read_on_the_old_phone_ends_the_tale_that_it_is_dead(phones, people):
    _actor, old, id_no = phones.teacher()
    asked = phones.approved(old, id_no)
    code = people.code(old, "SIGN_IN")
    people.call("sign_in", {"phone": old, "sms_code": code}, anonymous())
    people.pass_time(hours=24)
    phones.run("finish_phone_tickets")
    shown = phones.state(asked)
    assert (shown["state"], shown["reason"]) == ("CANCELLED", "OLD_PHONE_ALIVE")


def test_so_does_any_other_code_of_the_old_phone(phones, people):
    _, old, id_no = phones.teacher()
    signed_in = people.session(people.sign_in(old))
    asked = phones.approved(old, id_no)
    people.pass_time(seconds=61)
    people.call("request_step_up_code", {}, signed_in)
    people.call("step_up", {"sms_code": phones.last_code(old)}, signed_in)
    people.pass_time(hours=24)
    phones.run("finish_phone_tickets")
    assert phones.state(asked)["reason"] == "OLD_PHONE_ALIVE"


def test_a_change_by_the_old_phone_overtakes_the_ticket(phones, people):
    actor, old, id_no = phones.teacher()
    asked = phones.approved(old, id_no)
    people.pass_time(seconds=61)
    change_id = phones.call("start_phone_change", {}, actor)["change_id"]
    phones.call("prove_old_phone", {"change_id": change_id, "sms_code": phones.last_code(old)}, actor)
    new = new_phone()
    phones.call("name_new_phone", {"change_id": change_id, "new_phone": new}, actor)
    phones.call("complete_phone_change", {"change_id": change_id, "sms_code": phones.last_code(new)}, actor)
    shown = phones.state(asked)
    assert (shown["state"], shown["reason"]) == ("CANCELLED", "PHONE_CHANGED")


def test_withdrawing_ends_it_at_every_stage(phones, people):
    for stage in ("open", "submitted", "claimed", "approved"):
        _, old, id_no = phones.teacher()
        asked = getattr(phones, stage)(old, id_no)
        asked = asked[0] if isinstance(asked, tuple) else asked
        shown = phones.call("withdraw_phone_ticket", asked.reference, anonymous())
        assert (shown["state"], shown["reason"]) == ("CANCELLED", "WITHDRAWN")
        with pytest.raises(Conflict, match=r"identity\.ticket_too_late"):
            phones.call("withdraw_phone_ticket", asked.reference, anonymous())


def test_finishing_twice_at_once_swaps_once(phones, people, in_parallel):
    actor, old, id_no = phones.teacher()
    asked = phones.approved(old, id_no)
    people.pass_time(hours=24)
    outcomes = in_parallel(4, lambda: phones.run("finish_phone_tickets"))
    assert outcomes == [None] * 4
    assert phones.state(asked)["state"] == "DONE"
    assert len(people.events("identity.phone_changed", actor.account_id)) == 1


def test_sabotage_a_job_that_does_not_look_again_takes_a_living_phone(phones, people, monkeypatch):
    """The twin of the tests above: without the last look, a phone that answered would be taken away."""
    _actor, old, id_no = phones.teacher()
    asked = phones.approved(old, id_no)
    people.call("sign_in", {"phone": old, "sms_code": people.code(old, "SIGN_IN")}, anonymous())
    people.pass_time(hours=24)
    monkeypatch.setattr(desk_actions.queries, "has_answered", lambda *_: False)
    phones.run("finish_phone_tickets")
    assert phones.state(asked)["state"] == "DONE"


# --- forgetting ----------------------------------------------------------------------------------------------------------


def sealed_fields(people, asked):
    with people.database.work() as db:
        ticket = db.get(PhoneTicket, uuid.UUID(asked.ticket_id))
        evidence = db.scalars(sa.select(TicketEvidence).where(TicketEvidence.ticket_id == ticket.id)).all()
        kept = [ticket.name_sealed, ticket.id_no_sealed, ticket.old_phone_sealed, ticket.new_phone_sealed]
        return [each for each in kept if each], [each.storage_key for each in evidence]


def test_images_and_claims_go_seven_days_after_the_decision(phones, people):
    _, old, id_no = phones.teacher()
    asked, someone = phones.claimed(old, id_no)
    [storage_key] = sealed_fields(people, asked)[1]
    step(phones, "reject_phone_ticket", asked, someone, reason="UNREADABLE", note="字迹不清")
    people.pass_time(days=6, hours=23)
    phones.run("forget_phone_tickets")
    assert len(sealed_fields(people, asked)[0]) == 4
    people.pass_time(hours=1)
    phones.run("forget_phone_tickets")
    assert sealed_fields(people, asked) == ([], [])
    with pytest.raises(NotFound):
        next(iter(phones.storage().read(storage_key)))
    shown = phones.state(asked)
    assert (shown["state"], shown["reason"], shown["note"], shown["new_phone"]) == ("REJECTED", "UNREADABLE", "", "")
    [listed] = [each for each in listing(phones, agent(), "REJECTED") if each["ticket_id"] == asked.ticket_id]
    assert listed["name"] == ""


def test_a_file_that_cannot_be_deleted_is_unreadable_already_and_deleted_later(phones, people, monkeypatch):
    from services.identity.phone import entrypoints

    _, old, id_no = phones.teacher()
    asked = phones.submitted(old, id_no)
    [storage_key] = sealed_fields(people, asked)[1]
    phones.call("withdraw_phone_ticket", asked.reference, anonymous())

    class Broken:
        def delete(self, _key):
            raise OSError

    with monkeypatch.context() as broken:
        broken.setattr(entrypoints, "open_storage", lambda _settings: Broken())
        phones.run("forget_phone_tickets")
    assert (
        people.scalar(
            "SELECT count(*) FROM ticket_evidence WHERE storage_key = :key AND file_key_sealed IS NULL", key=storage_key
        )
        == 1
    )
    phones.run("forget_phone_tickets")
    assert people.scalar("SELECT count(*) FROM ticket_evidence WHERE storage_key = :key", key=storage_key) == 0
    with pytest.raises(NotFound):
        next(iter(phones.storage().read(storage_key)))


def test_a_draft_lapses_after_a_day_and_leaves_nothing(phones, people):
    _, old, id_no = phones.teacher()
    asked = phones.open(old, id_no)
    phones.upload(asked)
    people.pass_time(hours=24)
    phones.run("forget_phone_tickets")
    assert phones.state(asked)["state"] == "EXPIRED"
    assert sealed_fields(people, asked) == ([], [])


def test_a_ticket_that_cools_is_not_forgotten(phones, people):
    _, old, id_no = phones.teacher()
    asked = phones.approved(old, id_no)
    people.pass_time(days=30)
    phones.run("forget_phone_tickets")
    phones.run("finish_phone_tickets")
    assert phones.state(asked)["state"] == "DONE"
    assert len(sealed_fields(people, asked)[0]) == 4


def test_tickets_hold_nothing_in_clear(phones, people):
    _, old, id_no = phones.teacher()
    asked = phones.approved(old, id_no)
    for table in ("phone_ticket", "ticket_evidence", "notice", "audit", "outbox", "idempotency"):
        for secret in (NAME, id_no, old, asked.new_phone):
            assert (
                people.scalar(f"SELECT count(*) FROM {table} WHERE {table}::text LIKE :text", text=f"%{secret}%") == 0
            ), (
                table,
                secret,
            )


def test_after_a_rotation_tickets_are_found_and_resealed(phones, people, keyring):
    from services.identity.phone.actions.reseal import reseal_tickets
    from services.identity.vault import Vault
    from services.shared.crypto import KeySet

    _, old, id_no = phones.teacher()
    asked = phones.submitted(old, id_no)
    fields, indexes = KeySet.of(keyring, "field-encryption"), KeySet.of(keyring, "blind-index")
    newer = Vault(
        KeySet("newer", {**fields.secrets, "newer": b"1" * 32}),
        KeySet("newer", {**indexes.secrets, "newer": b"2" * 32}),
    )
    with people.database.work() as db:
        while reseal_tickets(db, newer):
            pass
        ticket = db.get(PhoneTicket, uuid.UUID(asked.ticket_id))
        assert ticket.old_phone_index == newer.phone_index(old)
        assert newer.open("phone_ticket", ticket.id, "id_no", ticket.id_no_sealed) == id_no
        assert newer.is_ticket_key(ticket.id, asked.ticket_key)
        db.rollback()


def test_times_are_told_as_instants(phones):
    asked = phones.open(new_phone(), new_id_no())
    assert clock.parse_instant(phones.state(asked)["opened_at"]) <= clock.now() + dt.timedelta(seconds=1)
