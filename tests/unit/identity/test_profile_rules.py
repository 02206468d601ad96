"""Completeness, subjects, and the switch of identities."""

import pytest

from services.identity import contract
from services.identity.rules.documents import Gender, IdType
from services.identity.rules.profile import (
    NEEDED,
    SEGMENT_NAMES,
    Identity,
    Segment,
    is_complete,
    may_become,
    segment_of,
    subject_for,
    subject_problem,
)

FULL = {
    "name": "张三",
    "id_type": "RESIDENT_ID",
    "id_no": "11010519491231002X",
    "segment": "PRIMARY",
    "subject": "语文",
}


def test_the_contract_tells_the_same_value_sets():
    assert tuple(Identity) == contract.IDENTITIES
    assert tuple(Segment) == contract.SEGMENTS
    assert tuple(IdType) == contract.ID_TYPES
    assert tuple(Gender) == contract.GENDERS
    assert tuple(SEGMENT_NAMES) == contract.SEGMENT_NAMES


def test_every_error_text_is_there_in_both_languages():
    for code, (chinese, english) in contract.ERRORS.items():
        assert code.startswith("identity.")
        assert not chinese.isascii()
        assert english.isascii() or "幼教" in english


@pytest.mark.parametrize("missing", NEEDED)
def test_a_profile_is_complete_only_with_everything(missing):
    assert is_complete(FULL)
    assert not is_complete({**FULL, missing: ""})
    assert not is_complete({**FULL, missing: None})


@pytest.mark.parametrize(
    ("segment", "subject", "problem"),
    [
        ("PRIMARY", "语文", ""),
        ("PRIMARY", "道德与法治（思政）", ""),
        ("PRIMARY", "", ""),
        ("KINDERGARTEN", "幼教", ""),
        ("KINDERGARTEN", "", ""),
        ("KINDERGARTEN", "语文", "identity.subject_kindergarten"),
        ("PRIMARY", "=1+1", "identity.subject_form"),
        ("PRIMARY", "语文\u0000", "identity.subject_form"),
        ("PRIMARY", "语" * 31, "identity.subject_form"),
    ],
)
def test_subjects(segment, subject, problem):
    assert subject_problem(segment, subject) == problem


def test_kindergarten_fills_in_its_only_subject():
    assert subject_for("KINDERGARTEN", "") == "幼教"
    assert subject_for("PRIMARY", "") == ""


@pytest.mark.parametrize("name", [*SEGMENT_NAMES, *Segment])
def test_rosters_name_segments_in_chinese_or_by_code(name):
    assert segment_of(name) in Segment


def test_an_unknown_segment_is_none():
    assert segment_of("大学") is None


@pytest.mark.parametrize(
    ("held", "wanted", "allowed"),
    [
        (["STUDENT"], Identity.TEACHER, True),
        (["GUARDIAN"], Identity.TEACHER, True),
        (["GUARDIAN", "TEACHER"], Identity.GUARDIAN, True),
        (["TEACHER"], Identity.STUDENT, False),
        (["STUDENT"], Identity.GUARDIAN, False),
        (["TEACHER"], Identity.TEACHER, True),
    ],
)
def test_which_identity_may_be_taken_on(held, wanted, allowed):
    assert may_become(held, wanted) is allowed
