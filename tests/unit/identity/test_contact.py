"""Phones and names."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.identity.rules.contact import is_mainland_mobile, is_name, masked_name, masked_phone, normalised_phone


@pytest.mark.parametrize(
    "typed", ["13800138000", " 138 0013 8000 ", "138-0013-8000", "+8613800138000", "86 13800138000", "008613800138000"]
)
def test_the_usual_ways_to_type_a_phone(typed):
    assert normalised_phone(typed) == "13800138000"
    assert is_mainland_mobile(normalised_phone(typed))


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "1380013800",
        "138001380000",
        "12800138000",
        "02083330000",
        "+85291234567",
        "１３８00138000",
        "13800138000x",
        "8613800",
    ],
)
def test_what_is_no_mainland_mobile(typed):
    assert not is_mainland_mobile(normalised_phone(typed))


@given(st.integers(13000000000, 19999999999))
def test_what_the_numbering_plan_calls_mobile_is_accepted(number):
    plan = phonenumbers.parse(f"+86{number}")
    # The plan leaves some blocks unassigned that operators open from year to year: ours is the wider one.
    if phonenumbers.is_valid_number(plan) and phonenumbers.number_type(plan) == phonenumbers.PhoneNumberType.MOBILE:
        assert is_mainland_mobile(str(number))


@given(st.text(max_size=20))
def test_normalising_never_fails_and_is_stable(text):
    assert normalised_phone(normalised_phone(text)) == normalised_phone(text) or text.startswith(("86", "0086", "+86"))


def test_phone_mask():
    assert masked_phone("13800138000") == "138****8000"


@pytest.mark.parametrize(
    "name",
    [
        "张三",
        "欧阳娜娜",
        "阿依古丽·买买提",
        "𠮷野家",
        "䶮䶮",
        "Anne-Marie O'Neil Jr.",
        "ཚེ་རིང".replace("་", " "),
        "𱍐𰻝",
    ],
)
def test_names_of_many_peoples(name):
    assert is_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "张",
        "张三1",
        "=cmd",
        "+张三",
        "@张",
        "张\u0000三",
        "张\n三",
        "张\u202e三",
        "<b>张</b>",
        "·张三",
        "张三·",
        " 张三",
        "张" * 61,
        "张;三",
    ],
)
def test_what_no_name_is(name):
    assert not is_name(name)


@pytest.mark.parametrize(
    ("name", "shown"), [("张三", "张*"), ("张小三", "张**"), ("阿依古丽·买买提", "阿***"), ("𠮷野", "𠮷*"), ("", "")]
)
def test_name_mask(name, shown):
    assert masked_name(name) == shown
