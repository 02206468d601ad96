"""The fields of a teacher's profile beyond name, number and subject (`domain.md` §2.1)."""

import datetime as dt

import pytest

from services.identity import contract
from services.identity.rules.teacher import (
    ETHNICITIES,
    POST_CATEGORIES,
    TITLES,
    birth_date_of,
    birth_date_problem,
    email_problem,
    employed_since_problem,
    ethnicity_of,
    is_on_probation,
    parse_day,
)

TODAY = dt.date(2023, 1, 10)


def test_the_contract_tells_the_same_value_sets():
    assert tuple(TITLES) == contract.person.TITLES
    assert tuple(POST_CATEGORIES) == contract.person.POST_CATEGORIES
    assert tuple(ETHNICITIES) == contract.person.ETHNICITIES


def test_there_are_fifty_six_ethnicities_and_two_more():
    assert len(ETHNICITIES) == 58
    assert [*ETHNICITIES][:2] == ["01", "02"]
    assert len(set(ETHNICITIES.values())) == 58


@pytest.mark.parametrize(
    ("typed", "code"),
    [("01", "01"), ("汉族", "01"), ("汉", "01"), ("维吾尔", "05"), ("其他", "97"), ("外星", None), ("57", None)],
)
def test_an_ethnicity_by_code_or_by_name(typed, code):
    assert ethnicity_of(typed) == code


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2022-09-01", dt.date(2022, 9, 1)),
        ("2022-9-1", None),
        ("2022-02-30", None),
        ("２０２２-09-01", None),
        ("20220901", None),
        ("", None),
    ],
)
def test_days(text, day):
    assert parse_day(text) == day


@pytest.mark.parametrize(
    ("since", "on_probation"),
    [("2023-01-10", True), ("2022-01-11", True), ("2022-01-10", False), ("2012-02-29", False), ("", False)],
)
def test_the_first_year_is_probation(since, on_probation):
    assert is_on_probation(since, TODAY) is on_probation


def test_who_began_on_a_leap_day_is_through_on_the_first_of_march():
    assert is_on_probation("2024-02-29", dt.date(2025, 2, 28))
    assert not is_on_probation("2024-02-29", dt.date(2025, 3, 1))


@pytest.mark.parametrize(
    ("id_type", "id_no", "born_on"),
    [
        ("RESIDENT_ID", "11010519491231002X", "1949-12-31"),
        ("RESIDENCE_PERMIT", "810000199001010017", "1990-01-01"),
        ("PASSPORT", "E1234567", ""),
        ("", "", ""),
    ],
)
def test_the_birth_date_is_in_the_number(id_type, id_no, born_on):
    assert birth_date_of(id_type, id_no) == born_on


@pytest.mark.parametrize(
    ("born_on", "in_number", "problem"),
    [
        ("1949-12-31", "1949-12-31", ""),
        ("1949-12-30", "1949-12-31", "identity.birth_date_differs"),
        ("1949-12-30", "", ""),
        ("", "", ""),
        ("", "1949-12-31", "identity.birth_date_differs"),
        ("2023-01-11", "", "identity.birth_date_form"),
        ("1949-13-30", "", "identity.birth_date_form"),
        ("1849-12-30", "", "identity.birth_date_form"),
    ],
)
def test_birth_dates(born_on, in_number, problem):
    assert birth_date_problem(born_on, in_number, TODAY) == problem


@pytest.mark.parametrize(
    ("since", "born_on", "problem"),
    [
        ("2022-09-01", "1990-01-01", ""),
        ("2022-09-01", "", ""),
        ("", "1990-01-01", ""),
        ("2023-01-10", "1990-01-01", ""),
        ("2023-01-11", "1990-01-01", "identity.employed_since_form"),
        ("2004-01-01", "1990-01-01", "identity.employed_since_form"),
        ("2022-09", "1990-01-01", "identity.employed_since_form"),
    ],
)
def test_employment_starts_in_a_working_life(since, born_on, problem):
    assert employed_since_problem(since, born_on, TODAY) == problem


@pytest.mark.parametrize(
    ("email", "problem"),
    [
        ("", ""),
        ("zhang@example.com", ""),
        ("zhang.san+jx@mail.example.edu.cn", ""),
        ("张三@例子.中国", ""),
        ("zhang", "identity.email_form"),
        ("zhang@example", "identity.email_form"),
        ("zhang@@example.com", "identity.email_form"),
        ("zhang san@example.com", "identity.email_form"),
        ("zhang@example..com", "identity.email_form"),
        ("@example.com", "identity.email_form"),
        ("a@b.c\n", "identity.email_form"),
        ("a" * 250 + "@example.com", "identity.email_form"),
    ],
)
def test_addresses_of_mail(email, problem):
    assert email_problem(email) == problem
