"""Changing the phone by way of the old one: order, codes, uniqueness, sign-ins, notices."""

import uuid

import pytest

from services.shared.errors import Conflict, InvalidInput, LimitReached, NotAllowed, NotFound
from tests.component.identity.stories import PASSWORD, anonymous, new_phone
from tests.component.identity.tickets import Phones


@pytest.fixture
def phones(people):
    return Phones(people)


def start(phones, actor):
    phones.people.pass_time(seconds=61)
    return phones.call("start_phone_change", {}, actor)["change_id"]


def change(phones, actor, old, new):
    """The whole way, to DONE."""
    change_id = start(phones, actor)
    phones.call("prove_old_phone", {"change_id": change_id, "sms_code": phones.last_code(old)}, actor)
    phones.call("name_new_phone", {"change_id": change_id, "new_phone": new}, actor)
    return phones.call("complete_phone_change", {"change_id": change_id, "sms_code": phones.last_code(new)}, actor)


def test_old_code_new_code_swap(phones, people):
    actor, old = people.register()
    new = new_phone()
    assert change(phones, actor, old, new)["state"] == "DONE"
    assert people.call("get_account", {}, actor)["phone"] == f"{new[:3]}****{new[-4:]}"
    with pytest.raises(NotAllowed):
        people.sign_in(old)
    assert people.sign_in(new)["account"]["account_id"] == str(actor.account_id)


def test_other_sign_ins_end_and_the_own_stays(phones, people):
    _, phone = people.register()
    mine, other = (people.sign_in(phone) for _ in range(2))
    session_id = people.scalar(
        "SELECT id FROM sign_in WHERE account_id = :id ORDER BY id DESC OFFSET 1 LIMIT 1",
        id=uuid.UUID(mine["account"]["account_id"]),
    )
    actor = people.actor(mine["account"], session_id)
    change(phones, actor, phone, new_phone())
    assert people.call("refresh_session", {"refresh_token": mine["refresh_token"]}, anonymous())["access_token"]
    with pytest.raises(NotAllowed):
        people.call("refresh_session", {"refresh_token": other["refresh_token"]}, anonymous())
    ended = [event["session_id"] for event in people.events("identity.access_revoked", actor.account_id)]
    assert str(session_id) not in ended
    assert len(ended) == 2  # the registration's, and the other device's


def test_the_change_is_announced_told_to_the_old_number_and_on_record(phones, people):
    actor, old = people.register()
    new = new_phone()
    change(phones, actor, old, new)
    [event] = people.events("identity.phone_changed", actor.account_id)
    assert event == {"account_id": str(actor.account_id), "version": event["version"], "way": "OLD_PHONE"}
    phones.send()
    phones.send()
    assert [text for text in phones.messages(old) if "改绑" in text] == [
        "【研修】您的账号已改绑其他手机号。如非本人操作，请立即联系客服。"
    ]
    assert not [text for text in phones.messages(new) if "改绑" in text]
    assert (
        people.scalar(
            "SELECT count(*) FROM audit WHERE subject = :id AND action = 'complete_phone_change'", id=actor.account_id
        )
        == 1
    )


def test_each_step_has_its_turn(phones, people):
    actor, old = people.register()
    change_id = start(phones, actor)
    code, new = phones.last_code(old), new_phone()
    with pytest.raises(Conflict, match=r"identity\.phone_change_order"):
        phones.call("name_new_phone", {"change_id": change_id, "new_phone": new}, actor)
    with pytest.raises(Conflict, match=r"identity\.phone_change_order"):
        phones.call("complete_phone_change", {"change_id": change_id, "sms_code": code}, actor)
    phones.call("prove_old_phone", {"change_id": change_id, "sms_code": code}, actor)
    with pytest.raises(Conflict, match=r"identity\.phone_change_order"):
        phones.call("prove_old_phone", {"change_id": change_id, "sms_code": code}, actor)
    phones.call("name_new_phone", {"change_id": change_id, "new_phone": new}, actor)
    # The code of the old phone is none of the new one.
    with pytest.raises(InvalidInput, match=r"identity\.sms_code_refused"):
        phones.call("complete_phone_change", {"change_id": change_id, "sms_code": code}, actor)
    phones.call("complete_phone_change", {"change_id": change_id, "sms_code": phones.last_code(new)}, actor)
    with pytest.raises(Conflict, match=r"identity\.phone_change_order"):
        phones.call("complete_phone_change", {"change_id": change_id, "sms_code": phones.last_code(new)}, actor)


def test_a_wrong_code_moves_nothing_and_five_end_it(phones, people):
    actor, old = people.register()
    change_id = start(phones, actor)
    right = phones.last_code(old)
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"
    for _ in range(5):
        with pytest.raises(InvalidInput, match=r"identity\.sms_code_refused"):
            phones.call("prove_old_phone", {"change_id": change_id, "sms_code": wrong}, actor)
    with pytest.raises(InvalidInput, match=r"identity\.sms_code_refused"):
        phones.call("prove_old_phone", {"change_id": change_id, "sms_code": right}, actor)


def test_a_sign_in_code_proves_no_change(phones, people):
    actor, old = people.register()
    change_id = start(phones, actor)
    with pytest.raises(InvalidInput, match=r"identity\.sms_code_refused"):
        phones.call("prove_old_phone", {"change_id": change_id, "sms_code": people.code(old, "SIGN_IN")}, actor)


def test_a_change_that_takes_longer_than_a_quarter_of_an_hour_is_over(phones, people):
    actor, old = people.register()
    change_id = start(phones, actor)
    phones.call("prove_old_phone", {"change_id": change_id, "sms_code": phones.last_code(old)}, actor)
    people.pass_time(minutes=15)
    with pytest.raises(Conflict, match=r"identity\.phone_change_expired"):
        phones.call("name_new_phone", {"change_id": change_id, "new_phone": new_phone()}, actor)


def test_nobody_else_goes_on_with_it(phones, people):
    actor, old = people.register()
    stranger, _ = people.register()
    change_id = start(phones, actor)
    arguments = {"change_id": change_id, "sms_code": phones.last_code(old)}
    # Another person; and the same account on another device, perhaps a thief's.
    for other in (stranger, people.actor({"account_id": str(actor.account_id), "active_identity": "TEACHER"})):
        with pytest.raises(NotFound, match=r"identity\.phone_change_unknown"):
            phones.call("prove_old_phone", arguments, other)
    with pytest.raises(NotAllowed, match=r"shared\.sign_in_first"):
        phones.call("start_phone_change", {}, anonymous())


def test_beginning_again_ends_what_was_begun(phones, people):
    actor, old = people.register()
    first = start(phones, actor)
    second = start(phones, actor)
    code = phones.last_code(old)
    with pytest.raises(Conflict, match=r"identity\.phone_change_order"):
        phones.call("prove_old_phone", {"change_id": first, "sms_code": code}, actor)
    phones.call("prove_old_phone", {"change_id": second, "sms_code": code}, actor)


def test_codes_are_limited_as_everywhere(phones, people):
    actor, _ = people.register()
    start(phones, actor)
    with pytest.raises(LimitReached, match=r"identity\.sms_too_soon"):
        phones.call("start_phone_change", {}, actor)


def test_a_new_phone_that_is_somebodys_is_told_only_to_who_reads_its_codes(phones, people):
    actor, old = people.register()
    _, taken = people.register()
    people.pass_time(seconds=61)
    change_id = start(phones, actor)
    phones.call("prove_old_phone", {"change_id": change_id, "sms_code": phones.last_code(old)}, actor)
    assert phones.call("name_new_phone", {"change_id": change_id, "new_phone": taken}, actor)["state"] == "NEW_SENT"
    with pytest.raises(Conflict, match=r"identity\.phone_taken"):
        phones.call("complete_phone_change", {"change_id": change_id, "sms_code": phones.last_code(taken)}, actor)
    # A mistyped number costs a new code, not a new beginning.
    people.pass_time(seconds=61)
    free = new_phone()
    phones.call("name_new_phone", {"change_id": change_id, "new_phone": free}, actor)
    done = phones.call("complete_phone_change", {"change_id": change_id, "sms_code": phones.last_code(free)}, actor)
    assert done["state"] == "DONE"


@pytest.mark.parametrize("new", ["12345678901", "", "+1 202 555 0100", None, 13800138000])
def test_bad_phones_are_refused_with_their_field(phones, people, new):
    actor, _ = people.register()
    with pytest.raises(InvalidInput) as refusal:
        phones.call("name_new_phone", {"change_id": str(uuid.uuid4()), "new_phone": new}, actor)
    assert refusal.value.field == "new_phone"


def test_the_present_phone_is_no_new_one(phones, people):
    actor, old = people.register()
    change_id = start(phones, actor)
    phones.call("prove_old_phone", {"change_id": change_id, "sms_code": phones.last_code(old)}, actor)
    people.pass_time(seconds=61)
    with pytest.raises(InvalidInput, match=r"identity\.phone_same"):
        phones.call("name_new_phone", {"change_id": change_id, "new_phone": f"+86 {old}"}, actor)


def test_two_who_take_one_free_phone_at_the_same_moment(phones, people, in_parallel):
    new, ready = new_phone(), []
    for _ in range(2):
        actor, old = people.register()
        change_id = start(phones, actor)
        phones.call("prove_old_phone", {"change_id": change_id, "sms_code": phones.last_code(old)}, actor)
        people.pass_time(seconds=61)
        phones.call("name_new_phone", {"change_id": change_id, "new_phone": new}, actor)
        ready.append((actor, change_id, phones.last_code(new)))
    waiting = list(ready)

    def complete():
        actor, change_id, code = waiting.pop()
        return phones.call("complete_phone_change", {"change_id": change_id, "sms_code": code}, actor)

    outcomes = in_parallel(2, complete)
    assert sum(isinstance(outcome, dict) for outcome in outcomes) == 1
    assert (
        people.scalar(
            "SELECT count(*) FROM account WHERE phone_index = :index", index=people.service.vault.phone_index(new)
        )
        == 1
    )


def test_a_repeated_command_swaps_once(phones, people):
    actor, old = people.register()
    new = new_phone()
    change_id = start(phones, actor)
    phones.call("prove_old_phone", {"change_id": change_id, "sms_code": phones.last_code(old)}, actor)
    phones.call("name_new_phone", {"change_id": change_id, "new_phone": new}, actor)
    arguments = {"change_id": change_id, "sms_code": phones.last_code(new)}
    answers = [phones.call("complete_phone_change", arguments, actor, "one-key-1") for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    assert len(people.events("identity.phone_changed", actor.account_id)) == 1


def test_a_locked_account_stays_locked_and_its_password_the_same(phones, people):
    actor, old = people.register()
    new = new_phone()
    change(phones, actor, old, new)
    assert people.sign_in(new, PASSWORD)["account"]["locked"] is False
