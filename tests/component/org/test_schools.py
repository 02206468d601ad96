"""Creating, finding and showing schools."""

from __future__ import annotations

import uuid

import pytest
import sqlalchemy as sa

from services.org import contract
from services.org.models import SchoolContact
from services.shared.actor import Role
from services.shared.errors import Conflict, InvalidInput, NotAllowed, NotFound
from services.shared.tables import audit
from tests.component.org.conftest import GUANGDONG, GUANGZHOU, HAIZHU, YUEXIU, Org, new_school

pytestmark = pytest.mark.postgres


def code_of(kind: str = "21", province: str = "44") -> str:
    return f"{kind}{province}{uuid.uuid4().int % 1_000_000:06d}"


def test_the_county_creates_a_school_in_its_own_place_and_announces_it(org: Org) -> None:
    keeper = org.person(None, (Role.COUNTY_ADMIN, YUEXIU))
    school = org.call("create_school", new_school(code=code_of()), keeper)
    assert school["place"] == f"{YUEXIU}/s{uuid.UUID(school['school_id']).hex}"
    assert school["attachment"] == "COUNTY"
    assert school["state"] == "ACTIVE"
    announced = org.announced(contract.SCHOOL_CREATED, school_id=school["school_id"])
    assert [event["place"] for event in announced] == [school["place"]]


def test_creating_leaves_an_audit_row(org: Org) -> None:
    keeper = org.person(None, (Role.COUNTY_ADMIN, YUEXIU))
    school = org.call("create_school", new_school(), keeper)
    with org.component.database.work() as db:
        row = db.execute(sa.select(audit).where(audit.c.place == school["place"])).one()
    assert (row.action, row.actor) == ("create_school", str(keeper.account_id))


def test_the_same_command_creates_one_school(org: Org) -> None:
    keeper, body = org.person(None, (Role.COUNTY_ADMIN, YUEXIU)), new_school()
    first = org.call("create_school", body, keeper, command_id="create-once")
    assert org.call("create_school", body, keeper, command_id="create-once") == first


@pytest.mark.parametrize(
    ("role", "place", "division_code", "attachment"),
    [
        (Role.CITY_ADMIN, GUANGZHOU, "440100", "CITY_DIRECT"),
        (Role.PROVINCE_ADMIN, GUANGDONG, "440000", "PROVINCE_DIRECT"),
        (Role.SUPER_ADMIN, YUEXIU, "440104", "COUNTY"),
        (Role.CITY_ADMIN, "CN/440000/441900", "441900", "CITY_DIRECT"),
        (Role.NATIONAL_OPERATOR, "CN", "440104", "COUNTY"),
    ],
)
def test_each_level_keeps_the_units_attached_to_it(
    org: Org, role: Role, place: str, division_code: str, attachment: str
) -> None:
    school = org.call("create_school", new_school(division_code), org.person(None, (role, place)))
    assert school["attachment"] == attachment


@pytest.mark.parametrize(("role", "place"), [(Role.CITY_ADMIN, GUANGZHOU), (Role.PROVINCE_ADMIN, GUANGDONG)])
def test_a_higher_level_does_not_create_the_countys_schools(org: Org, role: Role, place: str) -> None:
    with pytest.raises(NotAllowed, match=r"org\.not_directly_attached"):
        org.call("create_school", new_school(), org.person(None, (role, place)))


def test_another_countys_admin_learns_nothing(org: Org) -> None:
    with pytest.raises(NotFound, match=r"org\.division_unknown"):
        org.call("create_school", new_school(), org.person(None, (Role.COUNTY_ADMIN, HAIZHU)))


@pytest.mark.parametrize("role", [Role.SCHOOL_ADMIN, Role.PRINCIPAL])
def test_school_staff_creates_no_schools(org: Org, role: Role) -> None:
    with pytest.raises(NotAllowed):
        org.call("create_school", new_school(), org.person(None, (role, YUEXIU)))


@pytest.mark.parametrize(
    ("code", "refusal"),
    [
        ("9944000001", "org.school_code_invalid"),
        ("2145000001", "org.school_code_elsewhere"),
        ("214400000", "shared.invalid"),
    ],
)
def test_a_wrong_code_is_refused_by_name(org: Org, code: str, refusal: str) -> None:
    with pytest.raises(InvalidInput, match=refusal) as refused:
        org.call("create_school", new_school(code=code), org.person(None, (Role.COUNTY_ADMIN, YUEXIU)))
    assert refused.value.field == "code"


def test_a_code_and_a_name_are_taken_once(org: Org) -> None:
    school = org.school(code=code_of())
    with pytest.raises(Conflict, match=r"org\.code_taken"):
        org.school("440105", code=school["code"])
    with pytest.raises(Conflict, match=r"org\.name_taken"):
        org.school(name=school["name"])
    assert org.school("440105", name=school["name"])["name"] == school["name"]


@pytest.mark.parametrize("missing", ["name", "school_type", "seal_name", "town", "nature", "head_name", "head_mobile"])
def test_the_seven_mandatory_fields_are_mandatory(org: Org, missing: str) -> None:
    body = new_school()
    del body[missing]
    with pytest.raises(InvalidInput) as refused:
        org.call("create_school", body, org.person(None, (Role.COUNTY_ADMIN, YUEXIU)))
    assert refused.value.field == missing


@pytest.mark.parametrize("name", ["", "   ", "校\x00", "校\u2028门", "校" * 101, 5, None])
def test_a_name_that_is_no_name_is_refused(org: Org, name: object) -> None:
    with pytest.raises(InvalidInput) as refused:
        org.call("create_school", new_school(name=name), org.person(None, (Role.COUNTY_ADMIN, YUEXIU)))
    assert refused.value.field == "name"


def test_anyone_finds_a_school_by_any_part_of_its_name(org: Org) -> None:
    name = f"朝天{uuid.uuid4().hex[:6]}实验小学"
    school = org.school(name=name)
    for part in (name, name[2:6], "实验"):
        items = org.component.call("list_schools", {"division": "440104", "q": part, "limit": 200})["items"]
        assert school["school_id"] in [item["school_id"] for item in items]
    # Both pairs stand in the name, but not side by side.
    assert org.component.call("list_schools", {"division": "440104", "q": f"小学{name[:2]}"})["items"] == []


def test_a_list_stays_below_its_division_and_pages_without_gaps(org: Org) -> None:
    made = {org.school("440105")["school_id"] for _ in range(5)}
    org.school("440104")
    seen: list[str] = []
    cursor = None
    while True:
        page = org.component.call("list_schools", {"division": "440105", "limit": 2, "cursor": cursor})
        assert all(item["place"].startswith(f"{HAIZHU}/") for item in page["items"])
        seen += [item["school_id"] for item in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert made <= set(seen)
    assert len(seen) == len(set(seen))


def test_other_is_not_in_the_list(org: Org) -> None:
    items = org.component.call("list_schools", {"division": "110101", "limit": 200})["items"]
    assert "其他" not in {item["name"] for item in items}


def test_the_contact_is_for_those_who_manage_the_school_and_masked(org: Org) -> None:
    school = org.school(head_mobile="13812345678")
    argument = {"school_id": school["school_id"]}
    for outsider in (org.person(), org.person(None, (Role.COUNTY_ADMIN, HAIZHU))):
        assert org.call("get_school", argument, outsider)["contact"] is None
    assert org.component.call("get_school", argument)["contact"] is None
    shown = org.call("get_school", argument, org.person(None, (Role.COUNTY_ADMIN, YUEXIU)))["contact"]
    assert shown["head_mobile"] == "138****5678"


def test_the_number_is_sealed_at_rest(org: Org) -> None:
    school = org.school(head_mobile="13812345678")
    with org.component.database.work() as db:
        sealed = db.get_one(SchoolContact, uuid.UUID(school["school_id"])).head_mobile_sealed
    assert "13812345678" not in sealed
