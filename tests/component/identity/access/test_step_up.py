"""Stepping up by a code from the own phone: half an hour, in one sign-in (W38)."""

import dataclasses
import datetime as dt
import uuid

import pytest

from services.shared import clock
from services.shared.actor import Grant, Role
from services.shared.errors import InvalidInput, LimitReached, NotAllowed
from services.shared.policy import granted
from tests.component.identity.stories import COUNTY, anonymous

EXPORT = granted(Role.SCHOOL_ADMIN).with_step_up()
GRANT = Grant(Role.SCHOOL_ADMIN, f"{COUNTY}/s1")
NINE = clock.parse_instant("2023-01-11T09:00:00+08:00")


@pytest.fixture
def signed_in(people):
    """(reply of the sign-in, phone)"""
    _, phone = people.register()
    return people.sign_in(phone), phone


def code_for(people, actor, phone):
    people.pass_time(seconds=61)
    people.call("request_step_up_code", {}, actor)
    return people.newest_code(phone)


def may_export(people, reply):
    try:
        EXPORT.admit(dataclasses.replace(people.session(reply), grants=(GRANT,)))
    except NotAllowed as error:
        return error.code != "shared.step_up_needed"
    return True


def test_w38_stepped_up_at_nine_exporting_until_half_past(people, signed_in):
    reply, phone = signed_in
    assert not may_export(people, reply)
    people.clock.instant = NINE - dt.timedelta(seconds=61)
    code = code_for(people, people.session(reply), phone)
    assert people.clock.instant == NINE
    stepped = people.call("step_up", {"sms_code": code}, people.session(reply))
    assert stepped["elevated_until"] == clock.format_instant(NINE + dt.timedelta(minutes=30))
    people.clock.instant = NINE + dt.timedelta(minutes=29, seconds=59)
    assert may_export(people, stepped)
    people.clock.instant = NINE + dt.timedelta(minutes=30, seconds=1)
    assert not may_export(people, stepped)


def test_refreshing_keeps_the_step_up_and_a_new_sign_in_does_not(people, signed_in):
    reply, phone = signed_in
    me = people.session(reply)
    people.call("step_up", {"sms_code": code_for(people, me, phone)}, me)
    people.pass_time(minutes=20)
    refreshed = people.call("refresh_session", {"refresh_token": reply["refresh_token"]}, anonymous())
    assert may_export(people, refreshed)
    assert not may_export(people, people.sign_in(phone))
    people.pass_time(minutes=10)
    refreshed = people.call("refresh_session", {"refresh_token": refreshed["refresh_token"]}, anonymous())
    assert not may_export(people, refreshed)


def test_the_code_goes_to_the_bound_phone_and_the_caller_cannot_name_another(people, signed_in):
    reply, _ = signed_in
    with pytest.raises(InvalidInput, match=r"shared\.invalid"):
        people.call("request_step_up_code", {"phone": "13800138000"}, people.session(reply))


@pytest.mark.parametrize("purpose", ["SIGN_IN", "RECOVER"])
def test_a_code_for_something_else_steps_nobody_up(people, signed_in, purpose):
    reply, phone = signed_in
    code = people.code(phone, purpose)
    with pytest.raises(InvalidInput, match="sms_code_refused"):
        people.call("step_up", {"sms_code": code}, people.session(reply))


def test_a_code_steps_up_once_has_five_tries_and_five_minutes(people, signed_in):
    reply, phone = signed_in
    me = people.session(reply)
    code = code_for(people, me, phone)
    people.call("step_up", {"sms_code": code}, me)
    with pytest.raises(InvalidInput, match="sms_code_refused"):
        people.call("step_up", {"sms_code": code}, me)
    code = code_for(people, me, phone)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    for typed in [*[wrong] * 5, code]:
        with pytest.raises(InvalidInput, match="sms_code_refused"):
            people.call("step_up", {"sms_code": typed}, me)
    code = code_for(people, me, phone)
    people.pass_time(minutes=5)
    with pytest.raises(InvalidInput, match="sms_code_refused"):
        people.call("step_up", {"sms_code": code}, me)


def test_codes_to_step_up_are_limited_like_all_others(people, signed_in):
    reply, _ = signed_in
    me = people.session(reply)
    people.pass_time(seconds=61)
    people.call("request_step_up_code", {}, me)
    with pytest.raises(LimitReached, match="sms_too_soon"):
        people.call("request_step_up_code", {}, me)


def test_an_ended_or_foreign_sign_in_is_not_stepped_up(people, signed_in):
    reply, phone = signed_in
    me = people.session(reply)
    code = code_for(people, me, phone)
    with pytest.raises(NotAllowed, match="sign_in_again"):
        people.call("step_up", {"sms_code": code}, dataclasses.replace(me, session_id=uuid.uuid4()))
    people.call("sign_out", {}, me)
    with pytest.raises(NotAllowed, match="sign_in_again"):
        people.call("step_up", {"sms_code": code}, me)


def test_a_repeated_command_steps_up_once_and_answers_again(people, signed_in):
    reply, phone = signed_in
    me = people.session(reply)
    wanted = {"sms_code": code_for(people, me, phone)}
    first = people.call("step_up", wanted, me, command_id="step-up-1")
    people.pass_time(minutes=5)
    again = people.call("step_up", wanted, me, command_id="step-up-1")
    assert again["elevated_until"] == first["elevated_until"]
    assert people.claims(again["access_token"])["elv"] == people.claims(first["access_token"])["elv"]


def test_stepping_up_is_audited(people, signed_in):
    reply, phone = signed_in
    me = people.session(reply)
    people.call("step_up", {"sms_code": code_for(people, me, phone)}, me)
    assert people.scalar("SELECT count(*) FROM audit WHERE action = 'step_up' AND subject = :id", id=me.account_id) == 1
