"""Where a captcha is asked for, that each opens one door once, and that it tells nothing of who has an account."""

import pytest
import sqlalchemy as sa

from services.identity.access.actions import guarding
from services.shared.errors import InvalidInput, NotAllowed
from services.shared.ids import new_id
from tests.component.identity.stories import PASSWORD, anonymous, new_phone
from yanxiu.client.captcha import solve


def refusal(call, *arguments, **options):
    with pytest.raises((InvalidInput, NotAllowed)) as caught:
        call(*arguments, **options)
    return caught.value.code


def guess(people, phone, address=None, **more):
    return refusal(people.call, "sign_in", {"phone": phone, "password": "wrong-horse-9", **more}, anonymous(address))


def test_a_code_to_register_is_sent_only_for_a_captcha(people):
    phone = new_phone()
    wanted = {"phone": phone, "purpose": "REGISTER"}
    assert refusal(people.call, "request_sms_code", wanted, anonymous()) == "identity.captcha_needed"
    assert refusal(people.call, "request_sms_code", {**wanted, "captcha": "e30="}, anonymous()) == (
        "identity.captcha_refused"
    )
    solution = solve(people.call("issue_captcha", {}, anonymous())["challenge"])
    assert people.call("request_sms_code", {**wanted, "captcha": solution}, anonymous())


def test_a_captcha_opens_one_door_once_even_in_parallel(people, in_parallel):
    solution = people.captcha()

    def ask():
        return people.call(
            "request_sms_code", {"phone": new_phone(), "purpose": "REGISTER", "captcha": solution}, anonymous()
        )

    outcomes = in_parallel(5, ask)
    assert [type(outcome) for outcome in outcomes].count(dict) == 1
    assert {outcome.code for outcome in outcomes if not isinstance(outcome, dict)} == {"identity.captcha_refused"}
    # And not as something else either.
    phone = new_phone()
    for _ in range(3):
        guess(people, phone)
    assert guess(people, phone, captcha=solution) == "identity.captcha_refused"


def test_sabotage_captchas_that_are_not_remembered_open_many_doors(people, monkeypatch):
    """The twin of the test above."""
    monkeypatch.setattr(guarding, "spend_captcha", lambda *_: True)
    solution = people.captcha()
    for _ in range(2):
        wanted = {"phone": new_phone(), "purpose": "REGISTER", "captcha": solution}
        assert people.call("request_sms_code", wanted, anonymous())


def test_a_refused_request_keeps_its_captcha_and_a_repeated_command_needs_no_second(people):
    phone, solution, who, key = new_phone(), people.captcha(), anonymous(), str(new_id())
    people.request_code(phone)
    wanted = {"phone": phone, "purpose": "REGISTER", "captcha": solution}
    for _ in range(2):  # too soon: the captcha is not used up by that
        with pytest.raises(Exception, match="sms_too_soon"):
            people.call("request_sms_code", wanted, who, command_id=str(new_id()))
    people.pass_time(seconds=61)
    for _ in range(2):
        assert people.call("request_sms_code", wanted, who, command_id=key)


@pytest.mark.parametrize("known", [True, False])
def test_after_three_wrong_passwords_a_captcha_is_asked_whether_or_not_there_is_an_account(people, known):
    phone = people.register()[1] if known else new_phone()
    for _ in range(3):
        assert guess(people, phone) == "identity.sign_in_refused"
    assert guess(people, phone) == "identity.captcha_needed"
    assert guess(people, phone, captcha=people.captcha()) == "identity.sign_in_refused"


def test_a_right_password_ends_the_asking(people):
    _, phone = people.register()
    for _ in range(3):
        guess(people, phone)
    people.sign_in(phone)
    assert guess(people, phone) == "identity.sign_in_refused"


def test_twenty_failures_of_an_address_ask_everybody_there(people):
    address = anonymous().address
    for _ in range(20):
        guess(people, new_phone(), address)
    people.pass_time(minutes=2)
    _, phone = people.register()
    right = {"phone": phone, "password": PASSWORD}
    assert refusal(people.call, "sign_in", right, anonymous(address)) == "identity.captcha_needed"
    assert people.call("sign_in", {**right, "captcha": people.captcha()}, anonymous(address))
    assert people.call("sign_in", right, anonymous())


def test_the_password_is_not_hashed_for_who_owes_a_captcha(people, monkeypatch):
    _, phone = people.register()
    for _ in range(3):
        guess(people, phone)
    monkeypatch.setattr(people.service.passwords, "verify", lambda *_: pytest.fail("hashed"))
    assert guess(people, phone) == "identity.captcha_needed"


def test_a_third_unused_code_of_a_phone_costs_a_captcha(people):
    """Else a stranger could cheaply use up what the phone may get in a day, and with it the way around a lock."""
    phone = new_phone()
    wanted = {"phone": phone, "purpose": "SIGN_IN"}
    for _ in range(2):
        assert people.call("request_sms_code", wanted, anonymous())
        people.pass_time(minutes=2)
    assert refusal(people.call, "request_sms_code", wanted, anonymous()) == "identity.captcha_needed"
    assert people.call("request_sms_code", {**wanted, "captcha": people.captcha()}, anonymous())


def test_spent_captchas_are_forgotten_after_their_end(people):
    people.request_code(new_phone())
    with people.database.work() as db:
        db.execute(sa.text("UPDATE spent_captcha SET expires_at = now() - interval '1 minute'"))
    people.request_code(new_phone())
    people.service.forget_captchas(None)
    assert people.scalar("SELECT count(*) FROM spent_captcha WHERE expires_at < now()") == 0
    assert people.scalar("SELECT count(*) FROM spent_captcha") >= 1
