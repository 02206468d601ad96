"""Passwords that others reset, that the phone recovers, and what an administrator's may not do."""

import re
import uuid

import pytest

from services.shared.actor import Role, service_actor
from services.shared.errors import Conflict, InvalidInput, NotAllowed, NotFound
from tests.component.identity.stories import COUNTY, PASSWORD, administrator, anonymous, new_phone

NEW = "battery-staple-7"
SCHOOL = f"{COUNTY}/s1"
CITY = "CN/440000/440100"


def reset(people, actor, by=None):
    return people.call("reset_password", {"account_id": str(actor.account_id)}, by or administrator(place=SCHOOL))


def sign_in(people, phone, password, **more):
    return people.call("sign_in", {"phone": phone, "password": password, **more}, anonymous())


@pytest.fixture
def teacher(people):
    actor, phone = people.register()
    people.place(actor, SCHOOL)
    return actor, phone


# --- given out by an administrator ----------------------------------------------------------------------------------------


def test_a_one_time_password_opens_nothing_but_its_own_change(people, teacher):
    actor, phone = teacher
    before = people.sign_in(phone)
    given = reset(people, actor)
    assert re.fullmatch(r"[A-Z2-9]{4}-[A-Z2-9]{4}-[A-Z2-9]{4}", given["one_time_password"])
    with pytest.raises(NotAllowed, match="sign_in_refused"):
        sign_in(people, phone, PASSWORD)
    with pytest.raises(NotAllowed, match="sign_in_again"):
        people.call("refresh_session", {"refresh_token": before["refresh_token"]}, anonymous())
    with pytest.raises(Conflict, match="password_must_change"):
        sign_in(people, phone, given["one_time_password"])
    with pytest.raises(InvalidInput, match="password_same"):
        sign_in(people, phone, given["one_time_password"], new_password=given["one_time_password"])
    with pytest.raises(InvalidInput, match="password_simple"):
        sign_in(people, phone, given["one_time_password"], new_password="12345678")
    assert sign_in(people, phone, given["one_time_password"], new_password=NEW)["access_token"]
    with pytest.raises(NotAllowed, match="sign_in_refused"):
        sign_in(people, phone, given["one_time_password"], new_password=NEW)
    assert sign_in(people, phone, NEW)


def test_it_is_over_after_a_day_and_a_newer_one_replaces_it(people, teacher):
    actor, phone = teacher
    first, second = (reset(people, actor)["one_time_password"] for _ in range(2))
    with pytest.raises(NotAllowed, match="sign_in_refused"):
        sign_in(people, phone, first, new_password=NEW)
    people.pass_time(hours=24)
    with pytest.raises(NotAllowed, match="sign_in_refused"):
        sign_in(people, phone, second, new_password=NEW)
    assert sign_in(people, phone, reset(people, actor)["one_time_password"], new_password=NEW)


def test_an_own_password_is_not_changed_by_a_new_one_that_comes_with_it(people, teacher):
    _, phone = teacher
    assert sign_in(people, phone, PASSWORD, new_password=NEW)
    assert sign_in(people, phone, PASSWORD)
    with pytest.raises(NotAllowed):
        sign_in(people, phone, NEW)


def test_a_reset_opens_a_locked_account(people, teacher):
    actor, phone = teacher
    for number in range(10):
        if number % 5 == 0:
            people.pass_time(minutes=16)
        with pytest.raises(NotAllowed):
            people.sign_in(phone, "wrong-horse-9")
    assert people.call("get_account", {}, actor)["locked"]
    given = reset(people, actor)
    assert sign_in(people, phone, given["one_time_password"], new_password=NEW)["account"]["locked"] is False


def test_it_may_be_changed_at_the_desk_of_who_is_signed_in_by_phone(people, teacher):
    actor, phone = teacher
    given = reset(people, actor)["one_time_password"]
    reply = people.call("sign_in", {"phone": phone, "sms_code": people.code(phone, "SIGN_IN")}, anonymous())
    people.call("set_password", {"password": NEW, "current_password": given}, people.session(reply))
    assert sign_in(people, phone, NEW)


def test_a_repeated_command_gives_another_one_because_none_is_kept(people, teacher):
    actor, phone = teacher
    by, wanted = administrator(place=SCHOOL), {"account_id": str(actor.account_id)}
    first, second = (people.call("reset_password", wanted, by, command_id="reset-0001") for _ in range(2))
    assert first["one_time_password"] != second["one_time_password"]
    assert sign_in(people, phone, second["one_time_password"], new_password=NEW)
    with people.database.work() as db:
        import sqlalchemy as sa

        kept = db.execute(sa.text("SELECT coalesce(string_agg(reply::text, ' '), '') FROM idempotency")).scalar_one()
    assert first["one_time_password"] not in kept
    assert second["one_time_password"] not in kept


def test_the_teacher_is_told_once_and_without_the_password(people, teacher):
    actor, phone = teacher
    by, wanted = administrator(place=SCHOOL), {"account_id": str(actor.account_id)}
    given = [people.call("reset_password", wanted, by, command_id="reset-0002")["one_time_password"] for _ in range(2)]
    people.service.send_notices(people.clock.instant)
    messages = people.call("list_development_messages", {"phone": phone}, anonymous())["items"]
    told = [message["text"] for message in messages if "重置您的登录密码" in message["text"]]
    assert len(told) == 1
    assert not any(password in told[0] for password in given)


def test_it_is_audited_without_the_password(people, teacher):
    actor, _ = teacher
    given = reset(people, actor)
    row = people.scalar(
        "SELECT audit::text FROM audit WHERE action = 'reset_password' AND subject = :id", id=actor.account_id
    )
    assert SCHOOL in row
    assert given["one_time_password"] not in row


@pytest.mark.parametrize("method", ["reset_password", "unlock_account"])
@pytest.mark.parametrize(
    ("role", "place", "held"),
    [
        (Role.SCHOOL_ADMIN, f"{COUNTY}/s2", []),
        (Role.SCHOOL_ADMIN, SCHOOL, [("SCHOOL_ADMIN", SCHOOL)]),
        (Role.SCHOOL_ADMIN, SCHOOL, [("PRINCIPAL", SCHOOL)]),
        (Role.SCHOOL_ADMIN, SCHOOL, [("AUDITOR", "CN")]),
        (Role.COUNTY_ADMIN, COUNTY, [("COUNTY_ADMIN", COUNTY)]),
        (Role.COUNTY_ADMIN, COUNTY, [("SCHOOL_ADMIN", SCHOOL), ("CITY_ADMIN", CITY)]),
        (Role.COUNTY_ADMIN, "CN/440000/440100/440104", []),
        (Role.NATIONAL_OPERATOR, "CN", [("NATIONAL_OPERATOR", "CN")]),
    ],
)
def test_out_of_reach_looks_like_nobody(people, teacher, method, role, place, held):
    actor, _ = teacher
    if held:
        people.grant(actor, *held)
    errors = []
    for account_id in (actor.account_id, uuid.uuid4()):
        with pytest.raises(NotFound) as caught:
            people.call(method, {"account_id": str(account_id)}, administrator(role, place))
        errors.append(caught.value.args)
    assert errors[0] == errors[1]


@pytest.mark.parametrize(
    ("role", "place", "held"),
    [
        (Role.SCHOOL_ADMIN, SCHOOL, []),
        (Role.COUNTY_ADMIN, COUNTY, []),
        (Role.COUNTY_ADMIN, COUNTY, [("SCHOOL_ADMIN", SCHOOL)]),
        (Role.SUPER_ADMIN, COUNTY, [("PRINCIPAL", SCHOOL)]),
        (Role.CITY_ADMIN, CITY, [("COUNTY_ADMIN", COUNTY)]),
        (Role.NATIONAL_OPERATOR, "CN", [("PROVINCE_ADMIN", "CN/440000")]),
    ],
)
def test_within_reach_a_password_is_reset(people, teacher, role, place, held):
    actor, phone = teacher
    if held:
        people.grant(actor, *held)
    given = reset(people, actor, administrator(role, place))
    assert sign_in(people, phone, given["one_time_password"], new_password=NEW)


@pytest.mark.parametrize("method", ["reset_password", "unlock_account"])
def test_an_administrator_without_a_school_is_helped_by_the_region_of_the_grant(people, method):
    actor, phone = people.register()
    people.grant(actor, ("SCHOOL_ADMIN", SCHOOL))
    wanted = {"account_id": str(actor.account_id)}
    if method == "unlock_account":
        with pytest.raises(Conflict, match="not_locked"):
            people.call(method, wanted, administrator(Role.COUNTY_ADMIN, COUNTY))
    else:
        given = people.call(method, wanted, administrator(Role.COUNTY_ADMIN, COUNTY))
        assert sign_in(people, phone, given["one_time_password"], new_password=NEW)


def test_nobody_resets_themselves_and_visitors_teachers_and_services_nobody(people, teacher, a_service):
    actor, _ = teacher
    own = administrator(place=SCHOOL)
    with pytest.raises(NotAllowed):
        people.call("reset_password", {"account_id": str(own.account_id)}, own)
    for caller in (anonymous(), actor, administrator(Role.PRINCIPAL, SCHOOL), a_service("org")):
        with pytest.raises(NotAllowed):
            reset(people, actor, caller)


def test_the_operators_command_line_resets_the_national_operator(people):
    actor, phone = people.register()
    people.grant(actor, ("NATIONAL_OPERATOR", "CN"))
    given = reset(people, actor, service_actor("cli"))
    assert sign_in(people, phone, given["one_time_password"], new_password=NEW)


# --- recovered by phone -----------------------------------------------------------------------------------------------


def recover(people, phone, code, password=NEW):
    return people.call("recover_password", {"phone": phone, "sms_code": code, "password": password}, anonymous())


def test_the_phone_recovers_a_forgotten_password_and_ends_every_sign_in(people, teacher):
    _, phone = teacher
    before = people.sign_in(phone)
    assert recover(people, phone, people.code(phone, "RECOVER")) == {}
    with pytest.raises(NotAllowed):
        people.call("refresh_session", {"refresh_token": before["refresh_token"]}, anonymous())
    assert sign_in(people, phone, NEW)
    with pytest.raises(NotAllowed):
        sign_in(people, phone, PASSWORD)


def test_recovering_opens_a_locked_account_at_once(people, teacher):
    _, phone = teacher
    for number in range(10):
        if number % 5 == 0:
            people.pass_time(minutes=16)
        with pytest.raises(NotAllowed):
            people.sign_in(phone, "wrong-horse-9")
    recover(people, phone, people.code(phone, "RECOVER"))
    assert sign_in(people, phone, NEW)


def test_before_the_code_is_right_nothing_tells_of_an_account(people, teacher):
    _, phone = teacher
    refusals = []
    for tried in (phone, new_phone()):
        with pytest.raises(InvalidInput) as caught:
            recover(people, tried, "000000")
        refusals.append(caught.value.args)
    assert refusals[0] == refusals[1]
    unknown = new_phone()
    with pytest.raises(NotFound, match="account_unknown"):
        recover(people, unknown, people.code(unknown, "RECOVER"))


@pytest.mark.parametrize("purpose", ["SIGN_IN", "REGISTER"])
def test_a_code_for_something_else_recovers_nothing(people, teacher, purpose):
    _, phone = teacher
    code = people.code(phone, purpose)
    with pytest.raises(InvalidInput, match="sms_code_refused"):
        recover(people, phone, code)


def test_a_poor_new_password_is_refused_before_the_code_is_used(people, teacher):
    _, phone = teacher
    code = people.code(phone, "RECOVER")
    with pytest.raises(InvalidInput, match="password_simple"):
        recover(people, phone, code, phone)
    assert recover(people, phone, code) == {}


# --- administrators ---------------------------------------------------------------------------------------------------


def test_the_phone_alone_never_replaces_an_administrators_password(people, teacher):
    """Else the two factors of the desk would be one: whoever holds the phone."""
    actor, phone = teacher
    people.grant(actor, ("SCHOOL_ADMIN", SCHOOL))
    with pytest.raises(Conflict, match="password_by_administrator"):
        recover(people, phone, people.code(phone, "RECOVER"))
    reply = people.call("sign_in", {"phone": phone, "sms_code": people.code(phone, "SIGN_IN")}, anonymous())
    me = people.session(reply)
    for proof in ({}, {"sms_code": people.code(phone, "SIGN_IN")}):
        with pytest.raises(Conflict, match="password_by_administrator"):
            people.call("set_password", {"password": NEW, **proof}, me)
    assert people.call("set_password", {"password": NEW, "current_password": PASSWORD}, me) == {}


def test_the_first_password_of_an_administrator_is_set_by_phone(people):
    actor, phone = people.register(password=None)
    people.grant(actor, ("SCHOOL_ADMIN", SCHOOL))
    reply = people.call("sign_in", {"phone": phone, "sms_code": people.code(phone, "SIGN_IN")}, anonymous())
    assert people.call("set_password", {"password": NEW}, people.session(reply)) == {}


def test_an_administrators_one_time_password_opens_the_desk_with_its_change(people, teacher):
    actor, phone = teacher
    people.fill_profile(actor)
    people.grant(actor, ("SCHOOL_ADMIN", SCHOOL))
    given = reset(people, actor, administrator(Role.COUNTY_ADMIN, COUNTY))["one_time_password"]
    code = people.code(phone, "SIGN_IN")
    desk = {"desk": "ADMINISTRATOR", "sms_code": code}
    with pytest.raises(Conflict, match="password_must_change"):
        sign_in(people, phone, given, captcha=people.captcha(), **desk)
    # The code was not used up by that.
    opened = sign_in(people, phone, given, captcha=people.captcha(), new_password=NEW, **desk)
    assert opened["desk"] == "ADMINISTRATOR"
