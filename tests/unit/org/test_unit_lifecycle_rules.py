"""A school's life: which act is possible when, and what becomes of its code."""

from __future__ import annotations

import itertools

import pytest

from services.org.contract import SchoolKind, SchoolState, SchoolType
from services.org.contract.units import KeepCodeOf
from services.org.rules import schools
from services.org.units.rules import lifecycle as rules
from services.org.units.rules.lifecycle import Act
from services.shared.errors import Conflict, InvalidInput, NotAllowed

BASIC, RESEARCH = SchoolKind.BASIC_EDUCATION, SchoolKind.RESEARCH_OFFICE
# Written out here once more, not taken from the rules.
ALLOWED = {
    ("ACTIVE", "EDIT"): "ACTIVE",
    ("SUSPENDED", "EDIT"): "SUSPENDED",
    ("ACTIVE", "MOVE"): "ACTIVE",
    ("SUSPENDED", "MOVE"): "SUSPENDED",
    ("ACTIVE", "SUSPEND"): "SUSPENDED",
    ("SUSPENDED", "RESUME"): "ACTIVE",
    ("ACTIVE", "MERGE"): "MERGED",
    ("SUSPENDED", "MERGE"): "MERGED",
    ("ACTIVE", "CLOSE"): "CLOSED",
    ("SUSPENDED", "CLOSE"): "CLOSED",
    ("MERGED", "REOPEN"): "ACTIVE",
    ("CLOSED", "REOPEN"): "ACTIVE",
}
EVERY = list(itertools.product(SchoolState, Act))


@pytest.mark.parametrize(("state", "act"), EVERY)
def test_each_act_leads_where_the_machine_says_or_is_refused_by_its_own_code(state: SchoolState, act: Act) -> None:
    if (state, act) in ALLOWED:
        assert rules.next_state(state, act) == ALLOWED[state, act]
    else:
        with pytest.raises(Conflict) as refused:
            rules.next_state(state, act)
        assert refused.value.code == rules.REFUSALS[act]


def test_every_act_has_a_refusal() -> None:
    assert set(rules.REFUSALS) == set(Act)


@pytest.mark.parametrize(
    ("code", "before", "after", "new_code"),
    [
        ("2144000001", (BASIC, SchoolType.PRIMARY), (BASIC, SchoolType.PRIMARY_FIVE), False),
        ("3144000001", (BASIC, SchoolType.MIDDLE), (BASIC, SchoolType.NINE_YEAR), False),
        ("3344000001", (BASIC, SchoolType.MIDDLE), (BASIC, SchoolType.NINE_YEAR), True),  # adult junior
        ("2144000001", (BASIC, SchoolType.PRIMARY), (BASIC, SchoolType.NINE_YEAR), True),
        ("2144000001", (BASIC, SchoolType.PRIMARY), (BASIC, SchoolType.OTHER), False),
        ("2144000001", (BASIC, SchoolType.PRIMARY), (RESEARCH, SchoolType.PRIMARY), True),
        ("9144000001", (RESEARCH, SchoolType.OTHER), (SchoolKind.TECHNOLOGY_CENTRE, SchoolType.OTHER), True),
        (None, (BASIC, SchoolType.PRIMARY), (RESEARCH, SchoolType.OTHER), False),
    ],
)
def test_a_change_of_kind_asks_for_a_new_code_and_nothing_else_does(
    code: str | None,
    before: tuple[SchoolKind, SchoolType],
    after: tuple[SchoolKind, SchoolType],
    new_code: bool,
) -> None:
    assert rules.needs_new_code(code, before[0], *after) is new_code


@pytest.mark.parametrize("school_type", list(SchoolType))
def test_each_type_has_its_kinds_of_code(school_type: SchoolType) -> None:
    kinds = schools.code_kinds_of(BASIC, school_type)
    assert kinds
    for kind in schools.CODE_KINDS:
        if kind in kinds:
            schools.require_code_fits(f"{kind}44000001", BASIC, school_type)
        else:
            with pytest.raises(InvalidInput, match=r"org\.school_code_kind"):
                schools.require_code_fits(f"{kind}44000001", BASIC, school_type)
    assert schools.code_kinds_of(RESEARCH, school_type) == schools.CODE_KINDS


def test_a_merger_keeps_one_of_the_old_codes() -> None:
    assert rules.code_after_merger("a", "b", KeepCodeOf.SURVIVING) == "b"
    assert rules.code_after_merger("a", "b", KeepCodeOf.MERGED) == "a"
    assert rules.code_after_merger("a", None, KeepCodeOf.SURVIVING) is None
    with pytest.raises(Conflict, match=r"org\.no_code_to_keep"):
        rules.code_after_merger(None, "b", KeepCodeOf.MERGED)


def test_schools_of_one_keeper_merge_and_not_with_themselves() -> None:
    rules.require_other_school("a", "b")
    rules.require_neighbours("CN/1", "CN/1")
    with pytest.raises(InvalidInput, match=r"org\.merge_into_itself"):
        rules.require_other_school("a", "a")
    with pytest.raises(Conflict, match=r"org\.merge_elsewhere"):
        rules.require_neighbours("CN/1", "CN/2")


def test_the_schools_own_staff_changes_the_seven_fields_and_who_gets_notices() -> None:
    rules.require_own_fields(
        frozenset({"name", "school_type", "seal_name", "town", "nature", "head_name", "head_mobile", "notice_mobile"})
    )
    for foreign in ("kind", "code", "state", "attachment"):
        with pytest.raises(NotAllowed, match=r"org\.keeper_only") as refused:
            rules.require_own_fields(frozenset({"name", foreign}))
        assert refused.value.field == foreign


def test_a_school_with_teachers_is_not_closed() -> None:
    rules.require_no_teachers(0)
    with pytest.raises(Conflict, match=r"org\.school_has_teachers"):
        rules.require_no_teachers(1)


def test_a_change_needs_the_version_it_was_made_of() -> None:
    rules.require_version(3, 3)
    with pytest.raises(Conflict, match=r"org\.school_version"):
        rules.require_version(4, 3)


def test_the_pseudo_school_is_no_school() -> None:
    rules.require_real(other=False)
    with pytest.raises(Conflict, match=r"org\.other_is_fixed"):
        rules.require_real(other=True)


@pytest.mark.parametrize(
    ("name", "masked"),
    [("王", "王"), ("王芳", "王*"), ("欧阳建国", "欧***"), ("迪丽热巴·迪力木拉提", "迪***"), ("", "")],
)
def test_a_heads_name_is_masked(name: str, masked: str) -> None:
    assert schools.mask_name(name) == masked
