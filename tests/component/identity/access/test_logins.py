"""Signing in by phone, learner number or resident ID."""

import pytest

from services.identity.models import Account
from services.identity.person.rules.learner_no import learner_no
from services.shared.errors import InvalidInput, NotAllowed
from tests.component.identity.stories import PASSWORD, anonymous, new_id_no


def test_phone_learner_number_and_resident_id_lead_to_the_same_account(people):
    actor, phone = people.register()
    id_no = new_id_no()
    people.fill_profile(actor, id_no=id_no)
    people.place(actor, state="VERIFIED")
    learner_no = people.scalar("SELECT learner_no FROM account WHERE id = :id", id=actor.account_id)
    spaced = f"{id_no[:6]} {id_no[6:14]} {id_no[14:].lower()}"
    for login in (phone, f"+86 {phone}", learner_no, id_no, spaced):
        reply = people.call("sign_in", {"login": login, "password": PASSWORD}, anonymous())
        assert reply["account"]["account_id"] == str(actor.account_id)
        with pytest.raises(NotAllowed, match="sign_in_refused"):
            people.call("sign_in", {"login": login, "password": "wrong-horse-9"}, anonymous())
        people.sign_in(phone)


@pytest.mark.parametrize("login", [learner_no(440_818_012_345), "11010519491231002X", "13000000000"])
def test_what_leads_to_nobody_is_refused_like_a_wrong_password(people, login):
    with pytest.raises(NotAllowed, match="sign_in_refused"):
        people.call("sign_in", {"login": login, "password": PASSWORD}, anonymous())


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"password": PASSWORD}, "identity.one_login"),
        ({"phone": "13800138000", "login": "13800138000", "password": PASSWORD}, "identity.one_login"),
        ({"login": "zhang san", "password": PASSWORD}, "identity.login_form"),
        ({"phone": "123", "password": PASSWORD}, "identity.phone_form"),
        ({"login": "11010519491231002X", "sms_code": "012345"}, "identity.code_by_phone"),
        ({"phone": "13800138000"}, "identity.one_secret"),
        ({"phone": "13800138000", "password": PASSWORD, "sms_code": "012345"}, "identity.one_secret"),
        ({"phone": "13800138000", "password": PASSWORD, "desk": "ADMINISTRATOR"}, "identity.two_secrets"),
        ({"phone": "13800138000", "sms_code": "012345", "desk": "ADMINISTRATOR"}, "identity.two_secrets"),
    ],
)
def test_what_a_sign_in_has_to_hold(people, arguments, code):
    with pytest.raises(InvalidInput) as caught:
        people.call("sign_in", arguments, anonymous())
    assert caught.value.code == code


def test_the_account_of_a_merged_or_erased_person_opens_to_nobody(people):
    actor, phone = people.register()
    people.fill_profile(actor)
    people.place(actor, state="VERIFIED")
    refresh = people.sign_in(phone)["refresh_token"]
    with people.database.work() as db:
        account = db.get(Account, actor.account_id)
        learner_no = account.learner_no
        account.state, account.phone_sealed, account.phone_index = "ERASED", None, None
    for login in (phone, learner_no):
        with pytest.raises(NotAllowed, match="sign_in_refused"):
            people.call("sign_in", {"login": login, "password": PASSWORD}, anonymous())
    with pytest.raises(NotAllowed, match="sign_in_again"):
        people.call("refresh_session", {"refresh_token": refresh}, anonymous())
