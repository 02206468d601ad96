"""Identity documents: the vectors of GB 11643-1999, and everything around the check digit."""

import datetime as dt
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric

from services.identity import contract
from services.identity.rules.documents import (
    WEIGHTS,
    Gender,
    IdType,
    birth_date,
    check_character,
    gender_of,
    id_no_problem,
    masked_id_no,
    normalised_id_no,
)

TODAY = dt.date(2023, 1, 12)
RESIDENT = IdType.RESIDENT_ID


def resident_ids():
    regions = st.sampled_from(["110105", "440524", "340524", "659001", "460400", "710000"])
    days = st.dates(dt.date(1900, 1, 1), TODAY)
    return st.builds(
        lambda region, day, sequence: with_check(f"{region}{day:%Y%m%d}{sequence:03d}"),
        regions,
        days,
        st.integers(0, 999),
    )


def with_check(first_seventeen):
    return first_seventeen + check_character(first_seventeen)


# domain.md §2.6
@pytest.mark.parametrize("id_no", ["11010519491231002X", "440524188001010014", "34052419800101001X"])
def test_valid_vectors(id_no):
    assert id_no_problem(RESIDENT, id_no, TODAY) == ""


@pytest.mark.parametrize(
    ("id_no", "problem"),
    [
        ("440524188001010015", "id_no_check_digit"),  # domain.md §2.6
        ("110105491231002", "id_no_fifteen_digits"),
        ("11010519491231002", "id_no_form"),
        ("11010519491231002XX", "id_no_form"),
        ("1101051949123100X2", "id_no_form"),
        ("１１０１０５19491231002X", "id_no_form"),  # full-width digits
        ("", "id_no_form"),
        (with_check("99010519491231002"), "id_no_region"),
        (with_check("00010519491231002"), "id_no_region"),
        (with_check("16010519491231002"), "id_no_region"),
        (with_check("11010519490229002"), "id_no_birth_date"),  # no leap year
        (with_check("11010519491301002"), "id_no_birth_date"),
        (with_check("11010500000101002"), "id_no_birth_date"),
        (with_check("11010520230113002"), "id_no_birth_date"),  # tomorrow
    ],
)
def test_refused_numbers_say_why(id_no, problem):
    assert id_no_problem(RESIDENT, id_no, TODAY) == f"identity.{problem}"
    assert f"identity.{problem}" in contract.ERRORS


def test_born_today_and_a_leap_day_are_real_days():
    assert id_no_problem(RESIDENT, with_check("11010520230112002"), TODAY) == ""
    assert id_no_problem(RESIDENT, with_check("11010520000229002"), TODAY) == ""


def test_a_typed_lower_case_x_and_blanks_are_normalised():
    assert normalised_id_no(" 11010519491231002x ") == "11010519491231002X"


@given(resident_ids())
def test_whatever_we_accept_an_independent_implementation_accepts_too(id_no):
    assert id_no_problem(RESIDENT, id_no, TODAY) == ""
    assert ric.calc_check_digit(id_no) == id_no[17]


@given(resident_ids(), st.integers(0, 17), st.sampled_from("0123456789X"))
def test_any_single_wrong_character_is_noticed(id_no, place, other):
    damaged = id_no[:place] + other + id_no[place + 1 :]
    assert (id_no_problem(RESIDENT, damaged, TODAY) == "") == (damaged == id_no)


@given(resident_ids(), st.integers(0, 15))
def test_two_swapped_neighbours_are_noticed(id_no, place):
    first, second = id_no[place], id_no[place + 1]
    swapped = id_no[:place] + second + first + id_no[place + 2 :]
    same_weight = WEIGHTS[place] == WEIGHTS[place + 1]
    assert swapped == id_no or same_weight or id_no_problem(RESIDENT, swapped, TODAY) != ""


@given(st.text(max_size=25))
def test_no_text_at_all_makes_the_check_fail_with_an_exception(text):
    for id_type in IdType:
        problem = id_no_problem(id_type, normalised_id_no(text), TODAY)
        assert problem == "" or problem in contract.ERRORS


def test_residence_permits_have_their_own_regions():
    permit = with_check("81000019900307001")
    assert id_no_problem(IdType.RESIDENCE_PERMIT, permit, TODAY) == ""
    assert id_no_problem(IdType.RESIDENCE_PERMIT, "11010519491231002X", TODAY) == "identity.id_no_region"
    assert id_no_problem(RESIDENT, with_check("83000019900307001"), TODAY) == "identity.id_no_region"


@pytest.mark.parametrize(
    ("number", "problem"), [("E12345678", ""), ("E1", "identity.id_no_form"), ("E-12345", "identity.id_no_form")]
)
def test_passports_are_letters_and_digits(number, problem):
    assert id_no_problem(IdType.PASSPORT, number, TODAY) == problem


def test_gender_and_birth_date_are_read_from_the_number():
    assert gender_of(RESIDENT, "11010519491231002X") is Gender.FEMALE
    assert gender_of(RESIDENT, "440524188001010014") is Gender.MALE
    assert gender_of(IdType.PASSPORT, "E12345678") is Gender.UNKNOWN
    assert birth_date("11010519491231002X") == dt.date(1949, 12, 31)


def test_masking_as_the_domain_shows_it():
    assert masked_id_no("440101199001010014") == "4401**********0014"


@given(resident_ids())
def test_a_mask_hides_the_birth_date_and_most_of_the_sequence(id_no):
    assert re.fullmatch(r"[0-9]{4}\*{10}[0-9]{3}[0-9X]", masked_id_no(id_no))


@pytest.mark.parametrize(("number", "shown"), [("E12345678", "*******78"), ("AB", "AB"), ("", "")])
def test_short_numbers_show_two_characters(number, shown):
    assert masked_id_no(number) == shown
