"""A school adds a teacher who is new to it."""

import pytest

from services.shared.actor import Role
from services.shared.errors import Conflict, InvalidInput, LimitReached, NotAllowed
from tests.component.identity.stories import COUNTY, administrator, new_id_no, new_phone


@pytest.fixture
def admin():
    return administrator(Role.SCHOOL_ADMIN, f"{COUNTY}/s1")


def add(people, admin, **changes):
    good = {"name": "王小明", "id_no": new_id_no(), "phone": new_phone(), "segment": "小学", "subject": "语文"}
    return people.call("add_teacher", {**good, **changes}, admin)


def test_a_new_teacher_has_an_account_and_a_number_and_signs_in_by_code(people, admin):
    phone = new_phone()
    added = add(people, admin, phone=phone)
    assert added["created"]
    assert len(added["learner_no"]) == 13
    from tests.component.identity.person.test_merging import sign_in_by_code

    assert sign_in_by_code(people, phone)["account"]["account_id"] == added["account_id"]


def test_who_is_known_by_all_three_is_found(people, admin):
    id_no, phone = new_id_no(), new_phone()
    first = add(people, admin, id_no=id_no, phone=phone)
    second = add(people, admin, id_no=id_no.lower(), phone=phone, name=" 王 小明 ")
    assert second == {**first, "created": False}


def test_whoever_else_is_known_gets_one_answer(people, admin, a_teacher):
    _, phone, id_no = a_teacher()
    for changes in ({"phone": phone}, {"id_no": id_no}, {"id_no": id_no, "phone": phone, "name": "别人"}):
        with pytest.raises(Conflict, match="person_known") as caught:
            add(people, admin, **changes)
        assert caught.value.field == ""


def test_who_tries_many_is_stopped_until_tomorrow(people, admin, a_teacher):
    _, phone, _ = a_teacher()
    for _ in range(20):
        with pytest.raises(Conflict, match="person_known"):
            add(people, admin, phone=phone)
    with pytest.raises(LimitReached, match="add_limit"):
        add(people, admin)


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"id_no": "440524188001010015"}, "identity.id_no_check_digit", "id_no"),
        ({"id_no": "440524880101001"}, "identity.id_no_fifteen_digits", "id_no"),
        ({"phone": "1"}, "identity.phone_form", "phone"),
        ({"segment": "大学"}, "identity.segment_unknown", "segment"),
        ({"name": "张3"}, "identity.name_form", "name"),
        ({"grants": []}, "shared.invalid", "grants"),
    ],
)
def test_bad_values_name_the_field(people, admin, changes, code, field):
    with pytest.raises(InvalidInput) as caught:
        add(people, admin, **changes)
    assert (caught.value.code, caught.value.field) == (code, field)


@pytest.mark.parametrize("role", [Role.PRINCIPAL, Role.COUNTY_ADMIN, Role.NATIONAL_OPERATOR])
def test_only_schools_add(people, role):
    with pytest.raises(NotAllowed):
        add(people, administrator(role, COUNTY))
