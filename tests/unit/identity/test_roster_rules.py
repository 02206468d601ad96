"""Short ways through the judging of a roster's row: they give what the long ways give."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from services.identity.actions.profiles import checked_changes
from services.identity.actions.refusals import checked_phone
from services.identity.rules.contact import is_name, normalised_name, normalised_phone
from services.identity.rules.documents import normalised_id_no
from services.identity.rules.profile import EMPTY
from services.identity.rules.roster import FormFault, read_person
from services.identity.schemas import ImportRow, load_import_row
from services.shared.errors import ServiceError

TODAY = dt.date(2026, 9, 1)
GOOD = {
    "row": 2,
    "name": "王小明",
    "id_no": "440524188001010014",
    "phone": "13800138000",
    "segment": "小学",
    "subject": "语文",
}
TEXTS = st.one_of(
    st.text(max_size=70),
    st.sampled_from(
        ["", " 王 小明 ", "王\u3000明", "阿依古丽·买买提", "a\nb", "\u202e张三", "\ud800", "x" * 61, " " * 40 + "x"]
    ),
)
VALUES = st.one_of(TEXTS, st.none(), st.booleans(), st.integers(), st.lists(st.text(max_size=2), max_size=2))


def outcome_of(load, row):
    try:
        return load(row)
    except ValidationError as error:
        return error.messages


@given(st.dictionaries(st.sampled_from([*GOOD, "id_type", "salary"]), VALUES))
def test_a_row_is_loaded_as_its_schema_loads_it(changes):
    row = {**GOOD, **changes}
    assert outcome_of(load_import_row, row) == outcome_of(ImportRow().load, row)


@pytest.mark.parametrize("missing", GOOD)
def test_a_row_without_a_field_too(missing):
    row = {key: value for key, value in GOOD.items() if key != missing}
    assert outcome_of(load_import_row, row) == outcome_of(ImportRow().load, row)


@given(st.text(max_size=30))
def test_plain_texts_are_normalised_like_padded_ones(text):
    """A blank in front takes the long way."""
    assert normalised_name(text) == normalised_name(f" {text}")
    assert normalised_id_no(text) == normalised_id_no(f" {text}")
    assert normalised_phone(text) == normalised_phone(f" {text}")


@given(st.text(st.characters(categories=["Lu", "Ll", "Lo", "Lm", "Lt", "Mn", "Nd", "Pd", "Zs"]), max_size=8))
def test_a_name_of_letters_is_a_name_as_one_with_a_joint_is(text):
    assert is_name(f"王{text}明") == is_name(f"王·{text}明") or len(text) > 56


CASES = [
    {},
    {"id_no": "44052418800101001４"},
    {"id_no": "11010519491231002x"},
    {"id_type": "PASSPORT", "id_no": "e 1234567"},
    {"id_type": "RESIDENCE_PERMIT", "id_no": "440524188001010014"},
    {"id_no": "440524880101001"},
    {"id_no": "440524188001010015"},
    {"phone": "+86 138-0013-8000"},
    {"phone": "123"},
    {"name": "=1+1"},
    {"segment": "幼儿园", "subject": ""},
    {"segment": "幼儿园", "subject": "语文"},
    {"segment": "大学"},
    {"subject": "=1+1"},
    {"phone": "123", "name": "=1", "id_no": "1", "segment": "?", "subject": "=1"},
]


def as_the_profile_judges(values):
    fields = ("name", "id_type", "id_no", "segment", "subject")
    try:
        phone = checked_phone(values["phone"])
        changes = checked_changes(EMPTY, {field: values[field] for field in fields}, TODAY)
    except ServiceError as error:
        return FormFault(error.code, error.field)
    return {**EMPTY, **changes, "phone": phone}


@pytest.mark.parametrize("changes", CASES, ids=str)
def test_a_roster_judges_a_person_as_the_profile_does(changes):
    values = {"id_type": "RESIDENT_ID", **GOOD, **changes}
    expected, read = as_the_profile_judges(values), read_person(values, TODAY)
    assert (EMPTY | vars(read) if not isinstance(read, FormFault) else read) == expected
