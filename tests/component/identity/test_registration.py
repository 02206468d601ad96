"""Registration: codes, duplicates, first tokens, and nothing that tells whether a phone is known."""

import pytest

from services.shared.errors import Conflict, InvalidInput, LimitReached, NotAllowed, NotFound, Unavailable
from services.shared.ids import new_id
from tests.component.identity.stories import PASSWORD, anonymous, new_phone


def refusal(kind, call, *arguments, **options):
    with pytest.raises(kind) as caught:
        call(*arguments, **options)
    return caught.value


def test_a_teacher_registers_and_is_announced_without_personal_data(people):
    phone = new_phone()
    reply = people.call(
        "register_account", {"phone": phone, "sms_code": people.code(phone), "password": PASSWORD}, anonymous()
    )
    assert reply["account"]["phone"] == f"{phone[:3]}****{phone[-4:]}"
    assert reply["account"]["identities"] == ["TEACHER"]
    assert set(reply["tokens"]) == {"access_token", "refresh_token", "expires_in_seconds", "desk"}
    announced = people.events("identity.account_registered", reply["account"]["account_id"])
    assert announced == [{"account_id": reply["account"]["account_id"], "version": 1, "identity": "TEACHER"}]


def test_a_lost_answer_is_given_again_without_a_second_account(people):
    phone = new_phone()
    arguments, who, key = {"phone": phone, "sms_code": people.code(phone)}, anonymous(), str(new_id())
    first = people.call("register_account", arguments, who, command_id=key)
    again = people.call("register_account", arguments, who, command_id=key)
    assert again["account"] == first["account"]
    assert again["tokens"]["refresh_token"] != first["tokens"]["refresh_token"]
    people.pass_time(minutes=11)
    assert (
        refusal(NotAllowed, people.call, "register_account", arguments, who, command_id=key).code
        == "identity.sign_in_again"
    )


def test_a_known_phone_is_told_with_the_way_out_only_to_who_reads_its_messages(people):
    _, phone = people.register()
    wrong = refusal(InvalidInput, people.call, "register_account", {"phone": phone, "sms_code": "000000"}, anonymous())
    unknown = refusal(
        InvalidInput, people.call, "register_account", {"phone": new_phone(), "sms_code": "000000"}, anonymous()
    )
    assert wrong.args == unknown.args
    error = refusal(
        Conflict, people.call, "register_account", {"phone": phone, "sms_code": people.code(phone)}, anonymous()
    )
    assert (error.code, error.field) == ("identity.phone_taken", "phone")


def test_asking_for_a_code_answers_alike_for_known_and_unknown_phones(people):
    _, known = people.register()
    people.pass_time(minutes=2)
    replies = [
        people.call("request_sms_code", {"phone": phone, "purpose": "SIGN_IN"}, anonymous())
        for phone in (known, new_phone())
    ]
    assert replies[0] == replies[1] == {"expires_in_seconds": 300, "resend_after_seconds": 60}


def test_a_code_works_once(people):
    phone = new_phone()
    code = people.code(phone)
    people.call("register_account", {"phone": phone, "sms_code": code}, anonymous())
    error = refusal(InvalidInput, people.call, "register_account", {"phone": phone, "sms_code": code}, anonymous())
    assert error.code == "identity.sms_code_refused"


def test_after_five_wrong_tries_the_right_code_is_dead_too(people):
    phone = new_phone()
    code = people.code(phone)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    for _ in range(5):
        refusal(InvalidInput, people.call, "register_account", {"phone": phone, "sms_code": wrong}, anonymous())
    error = refusal(InvalidInput, people.call, "register_account", {"phone": phone, "sms_code": code}, anonymous())
    assert error.code == "identity.sms_code_refused"


def test_four_wrong_tries_leave_the_fifth(people):
    phone = new_phone()
    code = people.code(phone)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    for _ in range(4):
        refusal(InvalidInput, people.call, "register_account", {"phone": phone, "sms_code": wrong}, anonymous())
    assert people.call("register_account", {"phone": phone, "sms_code": code}, anonymous())["account"]


def test_a_code_ends_after_five_minutes_and_when_a_newer_one_is_sent(people):
    phone = new_phone()
    old = people.code(phone)
    new = people.code(phone)
    if old != new:
        refusal(InvalidInput, people.call, "register_account", {"phone": phone, "sms_code": old}, anonymous())
    people.pass_time(minutes=5)
    refusal(InvalidInput, people.call, "register_account", {"phone": phone, "sms_code": new}, anonymous())


def test_a_code_of_another_purpose_or_phone_does_not_register(people):
    phone, other = new_phone(), new_phone()
    sign_in_code = people.code(phone, "SIGN_IN")
    refusal(InvalidInput, people.call, "register_account", {"phone": phone, "sms_code": sign_in_code}, anonymous())
    code = people.code(phone)
    refusal(InvalidInput, people.call, "register_account", {"phone": other, "sms_code": code}, anonymous())


def test_codes_are_limited_per_phone(people):
    phone = new_phone()
    people.request_code(phone)
    too_soon = refusal(LimitReached, people.request_code, phone)
    assert (too_soon.code, too_soon.detail) == ("identity.sms_too_soon", "retry_after_seconds=60")
    for _ in range(4):
        people.pass_time(seconds=60)
        people.request_code(phone)
    people.pass_time(seconds=60)
    assert refusal(LimitReached, people.request_code, phone).code == "identity.sms_limit"


def test_who_has_used_a_code_may_ask_for_the_next_at_once(people):
    _, phone = people.register()
    assert people.call("request_sms_code", {"phone": phone, "purpose": "SIGN_IN"}, anonymous())
    with pytest.raises(LimitReached, match="sms_too_soon"):
        people.call("request_sms_code", {"phone": phone, "purpose": "SIGN_IN"}, anonymous())


def test_parallel_requests_send_one_message(people, in_parallel):
    phone = new_phone()
    outcomes = in_parallel(6, lambda: people.request_code(phone))
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["LimitReached"] * 5 + ["dict"]
    assert len(people.call("list_development_messages", {"phone": phone})["items"]) == 1


def test_parallel_registrations_of_one_phone_make_one_account(people, in_parallel):
    phone = new_phone()
    arguments = {"phone": phone, "sms_code": people.code(phone)}
    outcomes = in_parallel(4, lambda: people.call("register_account", arguments, anonymous()))
    assert [type(outcome) for outcome in outcomes].count(dict) == 1


def test_a_provider_out_of_order_is_unavailable_and_the_same_command_sends_later(people, monkeypatch):
    from services.shared import senders

    phone, key, who = new_phone(), str(new_id()), anonymous()
    request = {"phone": phone, "purpose": "REGISTER", "captcha": people.captcha()}
    with monkeypatch.context() as broken:
        broken.setattr(senders, "open_sender", lambda *_: senders.NoProvider(senders.Channel.SMS))
        error = refusal(Unavailable, people.call, "request_sms_code", request, who, command_id=key)
        assert error.code == "identity.sms_unavailable"
    for _ in range(2):
        people.call("request_sms_code", request, who, command_id=key)
    assert len(people.call("list_development_messages", {"phone": phone})["items"]) == 1


def test_once_sent_the_code_itself_is_forgotten(people):
    phone = new_phone()
    people.code(phone)
    index = people.service.vault.phone_index(phone)
    assert (
        people.scalar("SELECT count(*) FROM sms_code WHERE phone_index = :index AND code_sealed IS NULL", index=index)
        == 1
    )


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"phone": "12345"}, "identity.phone_form", "phone"),
        ({"phone": "138\x0000138000"}, "shared.invalid", "phone"),
        ({"phone": 13800138000}, "shared.invalid", "phone"),
        ({"password": "short1!"}, "identity.password_length", "password"),
        ({"password": "12345678901"}, "identity.password_simple", "password"),
        ({"password": "\ud800ssssssss1"}, "shared.invalid", "password"),
        ({"identity": "ADMIN"}, "shared.invalid", "identity"),
        ({"role": "ADMIN"}, "shared.invalid", "role"),
        ({"sms_code": None}, "shared.invalid", "sms_code"),
        ({"sms_code": ["1"]}, "shared.invalid", "sms_code"),
        ({"sms_code": "１２３４５６"}, "identity.sms_code_refused", "sms_code"),
    ],
)
def test_bad_input_names_the_field(people, changes, code, field):
    arguments = {"phone": new_phone(), "sms_code": "123456", "password": PASSWORD, **changes}
    error = refusal(InvalidInput, people.call, "register_account", arguments, anonymous())
    assert (error.code, error.field) == (code, field)


def test_in_production_there_is_no_mailbox(people, monkeypatch):
    import dataclasses

    monkeypatch.setattr(people.service, "settings", dataclasses.replace(people.service.settings, development=False))
    assert refusal(NotFound, people.call, "list_development_messages").code == "identity.mailbox_absent"
