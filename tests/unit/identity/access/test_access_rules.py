"""Guessing limits, logins, desks, authority over others' access, one-time passwords, the list of sign-ins, waiting."""

import datetime as dt
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.identity.access.rules import authority, desks, guesses, passwords, sign_ins, waiting
from services.identity.access.rules.guesses import Guesses
from services.identity.access.rules.logins import Login, LoginKind, read_login
from services.identity.rules.sign_in import password_problem
from services.shared.actor import Desk, Role
from tests.conftest import person

NOW = dt.datetime(2023, 1, 12, 8, 0, 30, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)


# --- guessing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counted", "reached"),
    [
        (Guesses(), False),
        (Guesses(typed=4, address_minute=29, address=500), False),
        (Guesses(typed=5), True),
        (Guesses(address_minute=30), True),
        (Guesses(account=50), False),  # told by nothing but a wrong password, or it would tell that the account exists
    ],
)
def test_five_guesses_of_one_login_and_thirty_of_an_address_are_judged(counted, reached):
    assert guesses.is_limit_reached(counted) is reached


def test_an_account_has_five_guesses_under_all_its_names():
    assert not guesses.is_account_spent(Guesses(account=4))
    assert guesses.is_account_spent(Guesses(account=5))


@pytest.mark.parametrize(
    ("counted", "desk", "needed"),
    [
        (Guesses(), Desk.TEACHER, False),
        (Guesses(), Desk.ADMINISTRATOR, True),
        (Guesses(typed=2, address=19), Desk.TEACHER, False),
        (Guesses(typed=3), Desk.TEACHER, True),
        (Guesses(address=20), Desk.TEACHER, True),
    ],
)
def test_when_a_captcha_comes_before_the_password(counted, desk, needed):
    assert guesses.needs_captcha(counted, desk, signed_in=False) is needed
    assert guesses.needs_captcha(counted, desk, signed_in=True) is (desk is Desk.ADMINISTRATOR)


@pytest.mark.parametrize(
    ("purpose", "unused", "needed"),
    [("REGISTER", 0, True), ("SIGN_IN", 1, False), ("SIGN_IN", 2, True), ("RECOVER", 2, True), ("RECOVER", 0, False)],
)
def test_when_a_captcha_comes_before_an_sms_code(purpose, unused, needed):
    assert guesses.code_needs_captcha(purpose, unused) is needed


# --- what is typed -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("13800138000", Login(LoginKind.PHONE, "13800138000")),
        ("+86 138-0013-8000", Login(LoginKind.PHONE, "13800138000")),
        ("１３８００１３８０００", Login(LoginKind.PHONE, "13800138000")),
        ("11010519491231002x", Login(LoginKind.ID_NO, "11010519491231002X")),
        ("110105 19491231 002X", Login(LoginKind.ID_NO, "11010519491231002X")),
        ("11010519491231002Y", None),
        ("110105491231002", None),
        ("", None),
        ("zhang.san@example.com", None),
    ],
)
def test_a_login_is_read_as_people_type_it(typed, read):
    assert read_login(typed) == read


@given(st.text(max_size=40))
def test_whatever_is_typed_is_read_without_a_fault(typed):
    read = read_login(typed)
    assert read is None or read_login(read.text) == read


# --- desks -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("desk", "opened_at", "has_grants", "stands"),
    [
        (Desk.ADMINISTRATOR, NOW, True, Desk.ADMINISTRATOR),
        (Desk.ADMINISTRATOR, NOW - desks.DESK_OPEN_FOR + SECOND, True, Desk.ADMINISTRATOR),
        (Desk.ADMINISTRATOR, NOW - desks.DESK_OPEN_FOR, True, Desk.TEACHER),
        (Desk.ADMINISTRATOR, NOW + desks.DESK_OPEN_FOR, True, Desk.TEACHER),
        (Desk.ADMINISTRATOR, NOW, False, Desk.TEACHER),
        (Desk.ADMINISTRATOR, None, True, Desk.TEACHER),
        (Desk.TEACHER, NOW, True, Desk.TEACHER),
    ],
)
def test_the_administrators_desk_closes_after_a_working_day_and_with_the_last_grant(
    desk, opened_at, has_grants, stands
):
    assert desks.desk_at(desk, opened_at, has_grants, NOW) is stands


def test_the_desk_needs_a_grant_and_a_true_name():
    grants = [["SCHOOL_ADMIN", "CN/440000/440100/440103/s1"]]
    assert desks.desk_problem([], "张三") == "identity.no_desk"
    assert desks.desk_problem(grants, "") == "identity.name_missing"
    assert desks.desk_problem(grants, "张三") == ""


def test_w38_a_step_up_lasts_thirty_minutes():
    verified_at = dt.datetime(2023, 1, 12, 1, 0, tzinfo=dt.UTC)  # 09:00:00 in Beijing
    until = desks.elevated_until(verified_at)
    assert desks.elevation_at(until, verified_at + dt.timedelta(minutes=29, seconds=59)) == until
    assert desks.elevation_at(until, verified_at + dt.timedelta(minutes=30, seconds=1)) is None
    assert desks.elevation_at(until, until) is None
    assert desks.elevation_at(None, verified_at) is None
    # A simulated clock that was set back must not make it last longer.
    assert desks.elevation_at(until, verified_at - SECOND) is None


# --- whose access -------------------------------------------------------------------------------------------------------

PROVINCE, CITY, COUNTY = "CN/440000", "CN/440000/440100", "CN/440000/440100/440103"
SCHOOL = f"{COUNTY}/s1"


@pytest.mark.parametrize(
    ("role", "at", "place", "held", "may"),
    [
        (Role.SCHOOL_ADMIN, SCHOOL, SCHOOL, [], True),
        (Role.SCHOOL_ADMIN, SCHOOL, f"{COUNTY}/s2", [], False),
        (Role.SCHOOL_ADMIN, SCHOOL, f"{SCHOOL}1", [], False),
        (Role.SCHOOL_ADMIN, SCHOOL, COUNTY, [], False),  # 其他: the county's
        (Role.SCHOOL_ADMIN, SCHOOL, "", [], False),
        (Role.SCHOOL_ADMIN, SCHOOL, SCHOOL, [SCHOOL], False),  # a colleague with a grant
        (Role.SCHOOL_ADMIN, SCHOOL, SCHOOL, [PROVINCE], False),
        (Role.PRINCIPAL, SCHOOL, SCHOOL, [], False),
        (Role.AUDITOR, "CN", SCHOOL, [], False),
        (Role.SUPPORT_AGENT, "CN", SCHOOL, [], False),
        (Role.COUNTY_ADMIN, COUNTY, SCHOOL, [], True),
        (Role.COUNTY_ADMIN, COUNTY, COUNTY, [], True),
        (Role.COUNTY_ADMIN, COUNTY, SCHOOL, [SCHOOL], True),
        (Role.COUNTY_ADMIN, COUNTY, "", [SCHOOL], True),  # belongs to no school, but administers one of ours
        (Role.COUNTY_ADMIN, COUNTY, SCHOOL, [COUNTY], False),  # an equal
        (Role.COUNTY_ADMIN, COUNTY, SCHOOL, [SCHOOL, CITY], False),
        (Role.CITY_ADMIN, CITY, SCHOOL, [SCHOOL, COUNTY], True),
        (Role.SUPER_ADMIN, COUNTY, SCHOOL, [SCHOOL], True),
        (Role.NATIONAL_OPERATOR, "CN", SCHOOL, [PROVINCE], True),
        (Role.NATIONAL_OPERATOR, "CN", SCHOOL, ["CN"], False),
        (Role.NATIONAL_OPERATOR, "CN", "", [], False),
    ],
)
def test_who_may_unlock_and_reset_whom(role, at, place, held, may):
    assert authority.may_manage_access(person(None, (role, at)), place, held) is may


# --- passwords ---------------------------------------------------------------------------------------------------------


@given(st.integers())
def test_one_time_passwords_can_be_read_out_and_meet_the_rule_for_passwords(seed):
    made = passwords.one_time_password(random.Random(seed).choice)
    assert len(made) == 14
    assert not set(made) & set("01OIL")
    assert password_problem(made, "13800138000") == ""


def test_a_one_time_password_is_over_after_a_day_and_an_own_one_never():
    until = NOW + passwords.ONE_TIME_LASTS
    assert not passwords.is_one_time_over(until, until - SECOND)
    assert passwords.is_one_time_over(until, until)
    assert not passwords.is_one_time_over(None, NOW)


@pytest.mark.parametrize(
    ("has_password", "has_grants", "may"),
    [(False, False, True), (True, False, True), (False, True, True), (True, True, False)],
)
def test_an_administrators_password_is_never_replaced_by_the_phone_alone(has_password, has_grants, may):
    assert passwords.may_prove_by_phone(has_password, has_grants) is may


# --- the list of sign-ins ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("user_agent", "label"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120 Safari/537.36",
            "Chrome · Windows",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/120.0 Safari/537.36 Edg/120.0",
            "Edge · Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1",
            "Safari · iPhone",
        ),
        ("Mozilla/5.0 (Linux; Android 13) AppleWebKit/537.36 Chrome/107 Mobile MicroMessenger/8.0", "微信 · Android"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0", "Firefox · Linux"),
        ("curl/8.0", ""),
        ("", ""),
    ],
)
def test_a_device_is_told_by_program_and_system_only(user_agent, label):
    assert sign_ins.device_label(user_agent) == label


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("203.0.113.7", "203.0.*.*"),
        ("2001:db8::1", "2001:db8:*"),
        ("::1", "0:0:*"),
        ("::ffff:203.0.113.7", "203.0.*.*"),
        ("", ""),
        ("unix:", ""),
    ],
)
def test_an_address_is_masked(address, shown):
    assert sign_ins.masked_address(address) == shown


# --- waiting -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "state", "mode", "waits"),
    [
        (SCHOOL, "PENDING", "GATED", True),
        (SCHOOL, "REJECTED", "GATED", True),
        (SCHOOL, "VERIFIED", "GATED", False),
        (SCHOOL, "PENDING", "OPEN", False),
        (SCHOOL, "PENDING", "", False),
        ("", "RELEASED", "", False),
        ("", "", "", False),
    ],
)
def test_who_waits_for_the_school(place, state, mode, waits):
    assert waiting.is_waiting(place, state, mode) is waits


def test_the_nearest_policy_is_looked_for_upwards():
    assert waiting.places_above(COUNTY) == [COUNTY, CITY, PROVINCE, "CN"]
    assert waiting.places_above("") == []
