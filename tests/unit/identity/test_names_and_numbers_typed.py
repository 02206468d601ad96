"""What people type for names and ID numbers: normalised by a stated rule, or refused; never changed beyond that."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.identity.rules.contact import is_name, name_key, normalised_name
from services.identity.rules.documents import IdType, id_no_problem, normalised_id_no

TODAY = dt.date(2023, 1, 10)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("张三", "张三"),
        ("  张三 ", "张三"),
        ("张三\u3000", "张三"),
        ("张\u3000三", "张三"),  # rosters pad names of two characters
        ("张 三", "张三"),
        ("张\u00a0三", "张三"),
        ("阿依古丽·买买提", "阿依古丽·买买提"),
        ("阿依古丽•买买提", "阿依古丽·买买提"),
        ("阿依古丽・买买提", "阿依古丽·买买提"),
        ("阿依古丽･买买提", "阿依古丽·买买提"),
        ("阿依古丽‧买买提", "阿依古丽·买买提"),
        ("阿依古丽∙买买提", "阿依古丽·买买提"),
        ("阿依古丽 · 买买提", "阿依古丽·买买提"),
        ("Anne-Marie   O'Neil", "Anne-Marie O'Neil"),
        ("Anne Marie", "Anne Marie"),
        ("𠮷野家", "𠮷野家"),  # extension B
        ("𪜀𫝀", "𪜀𫝀"),  # extensions C and D
        ("𫠠𬺰", "𫠠𬺰"),  # extensions E and F
        ("𰀀𱍐", "𰀀𱍐"),  # extensions G and H
        ("𠮷 三", "𠮷三"),
    ],
)
def test_a_name_as_it_is_kept(typed, kept):
    assert normalised_name(typed) == kept
    assert is_name(kept)


@pytest.mark.parametrize("name", ["臧雕", "\ufa0c\ufa0d", "ﾊﾝ", "ée\u0301"])
def test_look_alikes_and_compatibility_characters_stay_as_they_are(name):
    assert normalised_name(name) == name


@given(st.text(max_size=40))
def test_a_kept_name_stays_as_it_is(typed):
    kept = normalised_name(typed)
    assert normalised_name(kept) == kept


@pytest.mark.parametrize(
    "typed", ["", " ", "·", "张", "张3", "张\u202e三", "张\u0000三", "·张三", "张三·", "=SUM(A1)", "张\n三"]
)
def test_what_is_no_name(typed):
    assert not is_name(normalised_name(typed))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("阿依古丽·买买提", "阿依古丽买买提"),
        ("Anne-Marie O'Neil", "ANNE MARIE ONEIL"),
        ("Ａnne", "anne"),
        ("张三", "张三"),
    ],
)
def test_names_are_looked_for_without_joints_width_and_case(one, other):
    assert name_key(one) == name_key(other)


def test_different_names_have_different_keys():
    assert name_key("张三") != name_key("张叁")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("11010519491231002x", "11010519491231002X"),
        (" 11010519491231002X ", "11010519491231002X"),
        ("11010519491231002X\u3000", "11010519491231002X"),
        ("１１０１０５１９４９１２３１００２Ｘ", "11010519491231002X"),
        ("１１０１０５１９４９１２３１００２ｘ", "11010519491231002X"),
        ("110105 19491231 002X", "11010519491231002X"),
        ("e1234567", "E1234567"),
    ],
)
def test_an_id_number_as_it_is_kept(typed, kept):
    assert normalised_id_no(typed) == kept


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("11010519491231002X", ""),
        ("440524188001010015", "identity.id_no_check_digit"),
        ("110105194912310021", "identity.id_no_check_digit"),
        ("440524880101001", "identity.id_no_fifteen_digits"),
        ("４４０５２４８８０１０１００１", "identity.id_no_fifteen_digits"),
        ("11010519491231002Х", "identity.id_no_form"),  # a Cyrillic letter
        ("11010519491231002×", "identity.id_no_form"),  # the multiplication sign
        ("11010519491231002*", "identity.id_no_form"),
        ("1101051949123100２X", ""),
        ("①10105194912310020", "identity.id_no_form"),
        ("١١٠١٠٥١٩٤٩١٢٣١٠٠٢X", "identity.id_no_form"),  # Arabic digits are no full-width ones
        ("110105-19491231-002X", "identity.id_no_form"),
        ("", "identity.id_no_form"),
    ],
)
def test_a_typed_number_is_taken_or_refused(typed, problem):
    assert id_no_problem(IdType.RESIDENT_ID, normalised_id_no(typed), TODAY) == problem


@given(st.text(max_size=40))
def test_a_kept_number_stays_as_it_is(typed):
    kept = normalised_id_no(typed)
    assert normalised_id_no(kept) == kept
