"""Two desks of one account: the administrator's asks for captcha, password and phone, and only its tokens tell grants."""

import dataclasses
import datetime as dt
import uuid

import pytest
import sqlalchemy as sa

from services.identity.access.actions import proving
from services.shared.actor import Desk, Role
from services.shared.errors import Conflict, InvalidInput, NotAllowed
from tests.component.identity.stories import COUNTY, PASSWORD, anonymous

GRANT = ("SCHOOL_ADMIN", f"{COUNTY}/s1")


@pytest.fixture
def administrator(people):
    """(actor, phone) of somebody with a true name, a password and a grant."""
    actor, phone = people.register()
    people.fill_profile(actor)
    people.grant(actor, GRANT)
    return actor, phone


def proofs(people, phone, **changes):
    given = {
        "password": PASSWORD, "sms_code": people.code(phone, "SIGN_IN"), "captcha": people.captcha(), "desk": "ADMINISTRATOR"
    }  # fmt: skip
    return {name: value for name, value in {**given, **changes}.items() if value is not None}


def sign_in(people, phone, **changes):
    return people.call("sign_in", {"phone": phone, **proofs(people, phone, **changes)}, anonymous())


def refusal(call, *arguments, **options):
    with pytest.raises((InvalidInput, NotAllowed, Conflict)) as caught:
        call(*arguments, **options)
    return caught.value.code


def test_with_everything_the_token_tells_the_grants(people, administrator):
    _, phone = administrator
    reply = sign_in(people, phone)
    assert reply["desk"] == "ADMINISTRATOR"
    claims = people.claims(reply["access_token"])
    assert (claims["dsk"], claims["grants"]) == ("ADMINISTRATOR", [list(GRANT)])


def test_without_a_desk_it_is_the_teachers_and_tells_none(people, administrator):
    _, phone = administrator
    for reply in (
        people.sign_in(phone),
        people.call("sign_in", {"phone": phone, "sms_code": people.code(phone, "SIGN_IN")}, anonymous()),
    ):
        claims = people.claims(reply["access_token"])
        assert (reply["desk"], claims["dsk"], claims["grants"]) == ("TEACHER", "TEACHER", [])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"password": "wrong-horse-9"}, "identity.sign_in_refused"),
        ({"sms_code": "000000"}, "identity.sign_in_refused"),
        ({"captcha": None}, "identity.captcha_needed"),
        ({"captcha": "e30="}, "identity.captcha_refused"),
        ({"password": None}, "identity.two_secrets"),
        ({"sms_code": None}, "identity.two_secrets"),
    ],
)
def test_each_missing_or_wrong_proof_keeps_it_closed(people, administrator, changes, code):
    _, phone = administrator
    assert refusal(sign_in, people, phone, **changes) == code


def test_a_wrong_second_factor_looks_like_a_wrong_password_and_counts_like_one(people, administrator):
    actor, phone = administrator
    wrong = [refusal(sign_in, people, phone, sms_code="000000") for _ in range(3)]
    assert set(wrong) == {"identity.sign_in_refused"}
    assert people.scalar("SELECT failed_count FROM account WHERE id = :id", id=actor.account_id) == 3


def test_a_wrong_password_does_not_use_up_the_code(people, administrator):
    _, phone = administrator
    code = people.code(phone, "SIGN_IN")
    assert refusal(sign_in, people, phone, password="wrong-horse-9", sms_code=code) == "identity.sign_in_refused"
    wanted = {"phone": phone, "password": PASSWORD, "sms_code": people.newest_code(phone), "desk": "ADMINISTRATOR"}
    assert people.call("sign_in", {**wanted, "captcha": people.captcha()}, anonymous())["desk"] == "ADMINISTRATOR"


def test_a_code_for_something_else_is_no_second_factor(people, administrator):
    _, phone = administrator
    people.pass_time(minutes=2)
    people.request_code(phone, "RECOVER")
    assert refusal(sign_in, people, phone, sms_code=people.newest_code(phone)) == "identity.sign_in_refused"


def test_sabotage_a_factor_that_is_not_looked_at_opens_the_desk(people, administrator, monkeypatch):
    """The twin of the tests above: without the second factor they must fail."""
    monkeypatch.setattr(proving, "_spend_second_factor", lambda *_: True)
    _, phone = administrator
    assert sign_in(people, phone, sms_code="000000")["desk"] == "ADMINISTRATOR"


def test_who_holds_no_grant_or_tells_no_name_has_no_desk(people):
    actor, phone = people.register()
    assert refusal(sign_in, people, phone) == "identity.no_desk"
    people.grant(actor, GRANT)
    assert refusal(sign_in, people, phone) == "identity.name_missing"
    people.fill_profile(actor)
    assert sign_in(people, phone)["desk"] == "ADMINISTRATOR"


def test_a_locked_account_opens_no_desk_and_a_code_alone_does_not_open_one(people, administrator):
    actor, phone = administrator
    with people.database.work() as db:
        db.execute(sa.text("UPDATE account SET locked_at = now() WHERE id = :id"), {"id": actor.account_id})
    assert refusal(sign_in, people, phone) == "identity.sign_in_refused"


def test_refreshing_keeps_the_desk_until_the_working_day_is_over(people, administrator):
    _, phone = administrator
    reply = sign_in(people, phone)
    people.pass_time(hours=11)
    reply = people.call("refresh_session", {"refresh_token": reply["refresh_token"]}, anonymous())
    assert (reply["desk"], people.claims(reply["access_token"])["grants"]) == ("ADMINISTRATOR", [list(GRANT)])
    people.pass_time(hours=1)
    reply = people.call("refresh_session", {"refresh_token": reply["refresh_token"]}, anonymous())
    assert (reply["desk"], people.claims(reply["access_token"])["grants"]) == ("TEACHER", [])


def test_with_the_last_grant_the_desk_is_gone_and_the_tokens_are_void(people, administrator):
    actor, phone = administrator
    reply = sign_in(people, phone)
    people.grant(actor, version=2)
    assert people.events("identity.access_revoked", actor.account_id)[-1]["session_id"] is None
    assert people.call("refresh_session", {"refresh_token": reply["refresh_token"]}, anonymous())["desk"] == "TEACHER"


# --- changing the desk within a sign-in ---------------------------------------------------------------------------------


def choose(people, actor, phone, **changes):
    return people.call("choose_desk", proofs(people, phone, **changes), actor)


def test_the_desk_is_opened_and_closed_within_one_sign_in(people, administrator):
    _, phone = administrator
    signed_in = people.sign_in(phone)
    me = people.session(signed_in)
    opened = choose(people, me, phone)
    at_desk = people.session(opened)
    assert (at_desk.session_id, at_desk.desk, at_desk.places(frozenset({Role.SCHOOL_ADMIN}))) == (
        me.session_id, Desk.ADMINISTRATOR, (GRANT[1],)
    )  # fmt: skip
    closed = people.session(people.call("choose_desk", {"desk": "TEACHER"}, at_desk))
    assert (closed.session_id, closed.desk, closed.grants) == (me.session_id, Desk.TEACHER, ())
    assert (
        people.call("refresh_session", {"refresh_token": signed_in["refresh_token"]}, anonymous())["desk"] == "TEACHER"
    )


def test_closing_the_desk_voids_the_tokens_that_tell_grants_and_no_newer_one(people, administrator):
    actor, phone = administrator
    me = people.session(people.sign_in(phone))
    opened = choose(people, me, phone)
    closed = people.call("choose_desk", {"desk": "TEACHER"}, people.session(opened))
    revoked = people.events("identity.access_revoked", actor.account_id)[-1]
    assert revoked["session_id"] == str(me.session_id)
    not_before = dt.datetime.fromisoformat(revoked["not_before"]).timestamp()
    assert people.claims(opened["access_token"])["iat"] <= not_before < people.claims(closed["access_token"])["iat"]
    # The clock stands still: also the next one is newer than what was revoked.
    reopened = people.session(choose(people, people.session(closed), phone))
    again = people.call("choose_desk", {"desk": "TEACHER"}, reopened)
    revoked = people.events("identity.access_revoked", actor.account_id)[-1]["not_before"]
    assert dt.datetime.fromisoformat(revoked).timestamp() < people.claims(again["access_token"])["iat"]


def test_closing_twice_changes_nothing(people, administrator):
    actor, phone = administrator
    me = people.session(people.sign_in(phone))
    for _ in range(2):
        assert people.call("choose_desk", {"desk": "TEACHER"}, me)["desk"] == "TEACHER"
    assert people.events("identity.access_revoked", actor.account_id)[1:] == []  # only the grants' own


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"password": "wrong-horse-9"}, "identity.desk_refused"),
        ({"sms_code": "000000"}, "identity.desk_refused"),
        ({"captcha": None}, "identity.captcha_needed"),
        ({"captcha": "e30="}, "identity.captcha_refused"),
        ({"password": None}, "identity.two_secrets"),
        ({"sms_code": None}, "identity.two_secrets"),
    ],
)
def test_each_missing_or_wrong_proof_keeps_it_closed_within_a_sign_in_too(people, administrator, changes, code):
    _, phone = administrator
    me = people.session(people.sign_in(phone))
    assert refusal(choose, people, me, phone, **changes) == code
    assert people.scalar("SELECT desk FROM sign_in WHERE id = :id", id=me.session_id) == "TEACHER"


def test_guessing_at_the_desk_is_limited_and_locks_like_any_guessing(people, administrator):
    actor, phone = administrator
    me = people.session(people.sign_in(phone))
    wrong = {"desk": "ADMINISTRATOR", "password": "wrong-horse-9", "sms_code": "000000"}
    for _ in range(5):
        assert (
            refusal(people.call, "choose_desk", {**wrong, "captcha": people.captcha()}, me) == "identity.desk_refused"
        )
    with pytest.raises(Exception, match="sign_in_limit"):
        people.call("choose_desk", {**wrong, "captcha": people.captcha()}, me)
    people.pass_time(minutes=17)
    for _ in range(5):
        refusal(people.call, "choose_desk", {**wrong, "captcha": people.captcha()}, me)
    assert people.scalar("SELECT locked_at IS NOT NULL FROM account WHERE id = :id", id=actor.account_id)


def test_without_a_password_the_phone_alone_opens_no_desk(people):
    actor, phone = people.register(password=None)
    people.fill_profile(actor)
    people.grant(actor, GRANT)
    reply = people.call("sign_in", {"phone": phone, "sms_code": people.code(phone, "SIGN_IN")}, anonymous())
    assert refusal(choose, people, people.session(reply), phone) == "identity.password_missing"


def test_an_ended_or_foreign_sign_in_has_no_desk(people, administrator):
    _actor, phone = administrator
    me = people.session(people.sign_in(phone))
    foreign = dataclasses.replace(me, session_id=uuid.uuid4())
    people.call("sign_out", {}, me)
    for caller in (me, foreign):
        assert refusal(choose, people, caller, phone) == "identity.sign_in_again"
        assert refusal(people.call, "choose_desk", {"desk": "TEACHER"}, caller) == "identity.sign_in_again"


def test_opening_a_desk_is_audited(people, administrator):
    actor, phone = administrator
    sign_in(people, phone)
    people.pass_time(minutes=2)
    choose(people, people.session(people.sign_in(phone)), phone)
    rows = "SELECT count(*) FROM audit WHERE subject = :id AND after ->> 'desk' = 'ADMINISTRATOR'"
    assert people.scalar(rows, id=actor.account_id) == 2


# --- the own record as an administrator ---------------------------------------------------------------------------------


def test_an_administrator_sees_the_own_record_masked(people, administrator):
    _actor, phone = administrator
    at_desk = people.session(sign_in(people, phone))
    shown = people.call("get_administrator", {}, at_desk)
    assert shown["name"] == "张**"
    assert shown["phone"] == f"{phone[:3]}****{phone[-4:]}"
    assert (shown["missing"], shown["desk"], shown["elevated_until"]) == ([], "ADMINISTRATOR", None)
    assert shown["grants"] == [{"role": GRANT[0], "place": GRANT[1]}]
    closes_at = dt.datetime.fromisoformat(shown["desk_closes_at"])
    assert closes_at - people.clock.instant == dt.timedelta(hours=12)
    me = people.session(people.sign_in(phone))
    assert people.call("get_administrator", {}, me)["desk_closes_at"] is None


def test_what_is_missing_for_the_desk_is_told_and_teachers_have_no_such_record(people):
    actor, _phone = people.register(password=None)
    assert refusal(people.call, "get_administrator", {}, actor) == "identity.no_desk"
    people.grant(actor, GRANT)
    missing = people.call("get_administrator", {}, actor)["missing"]
    assert missing == ["identity.name_missing", "identity.password_missing"]
