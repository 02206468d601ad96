"""School codes, places and names."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.org.contract import Attachment, Level, SchoolState
from services.org.rules import schools as rules
from services.shared.errors import Conflict, InvalidInput
from services.shared.search_tokens import tokens_of, tokens_of_search


@pytest.mark.parametrize("code", ["2144000001", "1144999999", "5144000000", "9144123456", "9344000001"])
def test_a_code_of_known_kind_and_own_province_is_taken(code: str) -> None:
    rules.require_school_code(code, "440104")


@pytest.mark.parametrize(
    "code",
    [
        "214400001",  # nine digits
        "21440000011",
        "2344000001",  # no such kind
        "9944000001",
        "2116000001",  # no such province
        "214400000X",
        "21440000०1",  # a digit, but not an ASCII one
        "2144000001\n",
        "",
    ],
)
def test_a_code_of_wrong_form_is_refused(code: str) -> None:
    with pytest.raises(InvalidInput, match=r"org\.school_code_invalid"):
        rules.require_school_code(code, "440104")


def test_a_code_of_another_province_is_told_apart() -> None:
    with pytest.raises(InvalidInput, match=r"org\.school_code_elsewhere"):
        rules.require_school_code("2145000001", "440104")


def test_kinds_and_provinces_are_those_of_the_coding_rules() -> None:
    assert len(rules.CODE_KINDS) == 16
    # 31 of the mainland, Taiwan, Hong Kong and Macao.
    assert len(rules.CODE_PROVINCES) == 31 + 3
    assert {"11", "44", "65", "71", "81", "82"} <= rules.CODE_PROVINCES


@pytest.mark.parametrize(
    ("level", "attachment"),
    [
        (Level.PROVINCE, Attachment.PROVINCE_DIRECT),
        (Level.CITY, Attachment.CITY_DIRECT),
        (Level.COUNTY, Attachment.COUNTY),
    ],
)
def test_attachment_follows_from_where_the_school_stands(level: Level, attachment: Attachment) -> None:
    assert rules.attachment_under(level) is attachment


@pytest.mark.parametrize("level", [Level.NATION, Level.SCHOOL])
def test_a_school_stands_neither_under_the_nation_nor_under_a_school(level: Level) -> None:
    with pytest.raises(InvalidInput, match=r"org\.school_needs_county"):
        rules.attachment_under(level)


def test_places_go_down_and_up_again() -> None:
    school_id = uuid.UUID(int=5)
    place = rules.place_of_school("CN/440000/440100/440104", school_id)
    assert place == f"CN/440000/440100/440104/s{school_id.hex}"
    assert rules.parent_of(place) == "CN/440000/440100/440104"
    assert not rules.is_other(place)
    assert rules.is_other(rules.place_of_other("CN/440000/440100/440104"))


def test_other_keeps_its_id_from_import_to_import() -> None:
    assert rules.id_of_other("440104") == rules.id_of_other("440104") != rules.id_of_other("440105")


@pytest.mark.parametrize("state", [state for state in SchoolState if state is not SchoolState.ACTIVE])
def test_only_an_active_school_takes_teachers(state: SchoolState) -> None:
    rules.require_open(SchoolState.ACTIVE)
    with pytest.raises(Conflict, match=r"org\.school_closed"):
        rules.require_open(state)


@given(st.text(min_size=1, max_size=30), st.data())
def test_any_part_of_a_name_finds_it(name: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(name) - 1))
    part = name[start : data.draw(st.integers(start + 1, len(name)))]
    assert set(tokens_of_search(part)) <= set(tokens_of(name))


def test_a_masked_number_shows_its_ends_only() -> None:
    assert rules.mask_mobile("13812345678") == "138****5678"
