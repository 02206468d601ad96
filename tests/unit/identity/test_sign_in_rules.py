"""Locks, passwords, SMS codes and their limits."""

import dataclasses
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.identity.rules.sign_in import (
    ADDRESS_PER_HOUR,
    COMMON_PASSWORDS,
    PHONE_PER_DAY,
    PHONE_PER_DAY_ELSEWHERE,
    PHONE_PER_HOUR,
    SendHistory,
    code_in,
    code_text,
    is_code_alive,
    is_locking_failure,
    password_problem,
    proves_phone,
    refresh_expiry,
    send_problem,
)

NOW = dt.datetime(2023, 1, 12, 8, 0, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)
PHONE = "13800138000"


def test_the_tenth_wrong_password_locks_and_the_ninth_does_not():
    assert not is_locking_failure(9)
    assert is_locking_failure(10)
    assert is_locking_failure(11)


@pytest.mark.parametrize("password", ["correct-horse", "研修2023密码!", "Aa1!Aa1!x", "x" * 32 + "1234" * 8])
def test_passwords_that_may_be_chosen(password):
    assert password_problem(password, PHONE) == ""


@pytest.mark.parametrize(
    ("password", "problem"),
    [
        ("Aa1!Aa1", "password_length"),
        ("a1" * 33, "password_length"),
        ("12345678901", "password_simple"),
        ("abcdefghij", "password_simple"),
        ("a1a1a1a1a1", "password_simple"),
        ("pw13800138000", "password_simple"),
        ("Password123", "password_simple"),
        ("1QAZ2wsx", "password_simple"),
    ],
)
def test_passwords_that_may_not(password, problem):
    assert password_problem(password, PHONE) == f"identity.{problem}"


def test_the_list_of_common_passwords_holds_only_what_the_other_rules_let_through():
    others = {word for word in COMMON_PASSWORDS if word != word.casefold() or not 8 <= len(word) <= 64}
    assert others == set()


def history(unused_sent_at=None, phone_last_hour=0, phone_last_day=0, address_last_hour=0):
    return SendHistory(unused_sent_at, phone_last_hour, phone_last_day, address_last_hour)


@pytest.mark.parametrize(
    ("past", "problem"),
    [
        (history(), ""),
        (history(NOW - 60 * SECOND, 1, 1, 1), ""),
        (history(NOW - 59 * SECOND, 1, 1, 1), "identity.sms_too_soon"),
        (history(NOW - 61 * SECOND, PHONE_PER_HOUR - 1, PHONE_PER_DAY_ELSEWHERE - 1), ""),
        (history(NOW - 7200 * SECOND, 0, PHONE_PER_DAY_ELSEWHERE), "identity.sms_limit"),
        (dataclasses.replace(history(NOW - 61 * SECOND, 4, PHONE_PER_DAY - 1), from_known_network=True), ""),
        (history(NOW - 61 * SECOND, PHONE_PER_HOUR, PHONE_PER_HOUR), "identity.sms_limit"),
        (
            dataclasses.replace(history(NOW - 7200 * SECOND, 0, PHONE_PER_DAY), from_known_network=True),
            "identity.sms_limit",
        ),
        (history(address_last_hour=ADDRESS_PER_HOUR - 1), ""),
        (history(address_last_hour=ADDRESS_PER_HOUR), "identity.sms_limit"),
    ],
)
def test_how_often_a_code_may_be_asked_for(past, problem):
    assert send_problem(past, NOW) == problem


@pytest.mark.parametrize(
    ("attempts", "used", "age", "alive"),
    [
        (0, False, 0, True),
        (4, False, 0, True),
        (5, False, 0, False),
        (0, True, 0, False),
        (0, False, 299, True),
        (0, False, 300, False),
    ],
)
def test_a_code_lives_five_minutes_five_tries_and_one_use(attempts, used, age, alive):
    expires_at = NOW + 300 * SECOND
    assert is_code_alive(attempts, used, expires_at, NOW + age * SECOND) is alive


@given(st.integers(0, 999_999))
def test_codes_have_six_digits_whatever_the_number(number):
    assert len(code_text(number)) == 6
    assert int(code_text(number)) == number


def test_a_refresh_token_lives_ninety_days_but_never_past_its_sign_in():
    day = dt.timedelta(days=1)
    assert refresh_expiry(NOW, NOW) == NOW + 90 * day
    assert refresh_expiry(NOW, NOW + 170 * day) == NOW + 180 * day


@pytest.mark.parametrize(
    ("by_code", "age", "proved"), [(True, 0, True), (True, 599, True), (True, 600, False), (False, 0, False)]
)
def test_a_sign_in_by_code_proves_the_phone_for_ten_minutes(by_code, age, proved):
    assert proves_phone(by_code, NOW, NOW + age * SECOND) is proved


@pytest.mark.parametrize(("text", "code"), [("【研修】验证码 012345，5 分钟内有效。", "012345"), ("没有", "")])
def test_the_code_in_a_message(text, code):
    assert code_in(text) == code
