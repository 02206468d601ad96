"""Changing what is known of a school: who, which fields, what becomes of the code, and who learns of it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from services.org import contract
from services.org.actions import contacts
from services.org.contract.units import SCHOOL_CHANGED
from services.org.models import SchoolContact
from services.shared import clock
from services.shared.actor import Actor, Role
from services.shared.errors import Conflict, InvalidInput, NotAllowed, NotFound
from services.shared.tables import audit
from tests.component.org.conftest import CLI, GUANGDONG, GUANGZHOU, HAIZHU, YUEXIU, Org

pytestmark = pytest.mark.postgres


def code_of(kind: str = "21", province: str = "44") -> str:
    return f"{kind}{province}{uuid.uuid4().int % 1_000_000:06d}"


def keeper(org: Org, place: str = YUEXIU) -> Actor:
    return org.person(None, (Role.COUNTY_ADMIN, place))


def edit(org: Org, school: dict[str, Any], actor: Actor, **changes: Any) -> dict[str, Any]:
    arguments = {"school_id": school["school_id"], "version": school["version"], **changes}
    reply: dict[str, Any] = org.call("edit_school", arguments, actor)
    return reply


def contact_of(org: Org, school: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = org.call("get_school", {"school_id": school["school_id"]}, keeper(org))["contact"]
    return shown


def test_the_keeper_changes_all_seven_fields_and_one_version_is_told(org: Org) -> None:
    school = org.school(code=code_of())
    name = f"改名小学{uuid.uuid4().hex[:6]}"
    changed = edit(
        org,
        school,
        keeper(org),
        name=name,
        school_type="PRIMARY_FIVE",
        seal_name="公章名",
        town="新街道",
        nature="PRIVATE",
        head_name="赵玉兰",
        head_mobile="13912345678",
    )
    assert (changed["name"], changed["school_type"], changed["town"], changed["nature"]) == (
        name,
        "PRIMARY_FIVE",
        "新街道",
        "PRIVATE",
    )
    assert (changed["version"], changed["code"]) == (2, school["code"])
    assert contact_of(org, school) == {
        "seal_name": "公章名",
        "head_name": "赵**",
        "head_mobile": "139****5678",
        "notice_name": None,
        "notice_mobile": None,
    }
    _, told = org.announced(SCHOOL_CHANGED, school_id=school["school_id"])
    assert (told["version"], told["name"], told["seal_name"], told["place"]) == (2, name, "公章名", school["place"])
    assert "赵" not in str(told)
    found = org.component.call("list_schools", {"division": "440104", "q": name})["items"]
    assert [item["school_id"] for item in found] == [school["school_id"]]


@pytest.mark.parametrize("role", [Role.SCHOOL_ADMIN, Role.PRINCIPAL])
def test_the_schools_own_staff_keeps_its_own_record(org: Org, role: Role) -> None:
    school = org.school()
    staff = org.person(None, (role, school["place"]))
    changed = edit(
        org, school, staff, town="新街道", seal_name="新公章", notice_name="李干事", notice_mobile="13700000001"
    )
    assert changed["town"] == "新街道"
    shown = contact_of(org, school)
    assert (shown["notice_name"], shown["notice_mobile"]) == ("李**", "137****0001")
    edit(org, changed, staff, notice_name=None, notice_mobile=None)
    assert contact_of(org, school)["notice_mobile"] is None


@pytest.mark.parametrize("changes", [{"kind": "RESEARCH_OFFICE"}, {"code": "2144000000"}])
def test_kind_and_code_are_the_keepers(org: Org, changes: dict[str, Any]) -> None:
    school = org.school()
    with pytest.raises(NotAllowed, match=r"org\.keeper_only") as refused:
        edit(org, school, org.admin_of(school), **changes)
    assert refused.value.field in changes


def test_a_schools_staff_does_not_make_it_another_kind_of_school(org: Org) -> None:
    school = org.school(code=code_of())
    with pytest.raises(NotAllowed, match=r"org\.keeper_only"):
        edit(org, school, org.admin_of(school), school_type="NINE_YEAR")
    # Without a code there is nothing to be coded anew.
    temporary = org.school()
    assert edit(org, temporary, org.admin_of(temporary), school_type="NINE_YEAR")["school_type"] == "NINE_YEAR"


@pytest.mark.parametrize(
    ("role", "place", "error"),
    [
        (Role.COUNTY_ADMIN, HAIZHU, NotFound),
        (Role.CITY_ADMIN, GUANGZHOU, NotAllowed),
        (Role.PROVINCE_ADMIN, GUANGDONG, NotAllowed),
        (Role.SUPER_ADMIN, GUANGZHOU, NotAllowed),
        (Role.SCHOOL_ADMIN, f"{YUEXIU}/s{'0' * 32}", NotFound),
        (Role.AUDITOR, "CN", NotAllowed),
        (Role.DISTRICT_INSTITUTION, YUEXIU, NotAllowed),
        (Role.SUPPORT_AGENT, "CN", NotAllowed),
    ],
)
def test_nobody_else_changes_it(org: Org, role: Role, place: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        edit(org, org.school(), org.person(None, (role, place)), town="别处")


def test_a_city_keeps_its_direct_units_and_the_operator_all(org: Org) -> None:
    direct = org.school("440100")
    assert edit(org, direct, org.person(None, (Role.CITY_ADMIN, GUANGZHOU)), town="市属")["town"] == "市属"
    school = org.school()
    assert edit(org, school, org.person(None, (Role.NATIONAL_OPERATOR, "CN")), town="改")["town"] == "改"


def test_the_same_again_changes_nothing_and_tells_nothing(org: Org) -> None:
    school = org.school(town="原街道", head_name="测试校长")
    same = edit(org, school, keeper(org), town="原街道", head_name="测试校长", name=school["name"])
    assert same["version"] == school["version"]
    assert len(org.announced(SCHOOL_CHANGED, school_id=school["school_id"])) == 1  # of its creation


def test_an_outdated_look_is_refused(org: Org) -> None:
    school = org.school()
    edit(org, school, keeper(org), town="一")
    with pytest.raises(Conflict, match=r"org\.school_version"):
        edit(org, school, keeper(org), town="二")


def test_a_change_names_something(org: Org) -> None:
    with pytest.raises(InvalidInput):
        edit(org, org.school(), keeper(org))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": None}, "name"),
        ({"head_mobile": "1391234567"}, "head_mobile"),
        ({"head_mobile": None}, "head_mobile"),
        ({"head_name": None}, "head_name"),
        ({"notice_mobile": "110"}, "notice_mobile"),
        ({"state": "CLOSED"}, "state"),
        ({"attachment": "CITY_DIRECT"}, "attachment"),
        ({"place": HAIZHU}, "place"),
        ({"kind": "UNIVERSITY"}, "kind"),
        ({"code": "21440000012"}, "code"),
    ],
)
def test_a_bad_value_is_refused_by_its_name(org: Org, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        edit(org, org.school(), keeper(org), **changes)
    assert refused.value.field == field


def test_a_name_is_taken_once_and_a_suspended_school_keeps_its_own(org: Org) -> None:
    other, school = org.school(), org.school()
    with pytest.raises(Conflict, match=r"org\.name_taken"):
        edit(org, school, keeper(org), name=other["name"])
    reason = {"school_id": other["school_id"], "version": 1, "reason": "整改"}
    org.call("suspend_school", reason, keeper(org))
    with pytest.raises(Conflict, match=r"org\.name_taken"):
        edit(org, school, keeper(org), name=other["name"])
    with pytest.raises(Conflict, match=r"org\.name_taken"):
        org.school(name=other["name"])


def test_a_rename_is_told_to_everybody_who_carries_the_name(org: Org) -> None:
    school = org.school(code=code_of())
    verified, waiting = org.member(school, "VERIFIED"), org.member(school)
    elsewhere = org.member(org.school())
    before = {
        str(teacher.account_id): org.announced(contract.MEMBERSHIP_CHANGED, teacher_id=str(teacher.account_id))[-1]
        for teacher in (verified, waiting, elsewhere)
    }
    renamed = edit(org, school, keeper(org), name=f"改名{uuid.uuid4().hex[:8]}")
    assert renamed["code"] == school["code"]
    for teacher in (verified, waiting):
        told = org.announced(contract.MEMBERSHIP_CHANGED, teacher_id=str(teacher.account_id))[-1]
        was = before[str(teacher.account_id)]
        assert (told["school_name"], told["version"]) == (renamed["name"], was["version"] + 1)
        # Since when she is there, and how sure that is, did not change.
        assert (told["effective_at"], told["state"]) == (was["effective_at"], was["state"])
    key = str(elsewhere.account_id)
    assert org.announced(contract.MEMBERSHIP_CHANGED, teacher_id=key)[-1] == before[key]


# --- codes ----------------------------------------------------------------------------------------------------------


def history(org: Org, school: dict[str, Any]) -> list[tuple[str, str | None]]:
    reply = org.call("get_school_history", {"school_id": school["school_id"]}, keeper(org))
    return [(each["code"], each["void_reason"]) for each in reply["codes"]]


def test_a_temporary_school_gets_its_code_and_keeps_it(org: Org) -> None:
    school, code = org.school(), code_of()
    coded = edit(org, school, keeper(org), code=code)
    assert coded["code"] == code
    with pytest.raises(Conflict, match=r"org\.code_kept"):
        edit(org, coded, keeper(org), code=code_of())
    with pytest.raises(Conflict, match=r"org\.code_kept"):
        edit(org, coded, keeper(org), code=None)
    assert history(org, school) == [(code, None)]


@pytest.mark.parametrize(
    ("code", "refusal"),
    [
        ("9944000001", "org.school_code_invalid"),
        ("2145000001", "org.school_code_elsewhere"),
        ("1144000001", "org.school_code_kind"),
    ],
)
def test_a_code_fits_form_province_and_kind(org: Org, code: str, refusal: str) -> None:
    with pytest.raises(InvalidInput, match=refusal):
        edit(org, org.school(), keeper(org), code=code)
    with pytest.raises(InvalidInput, match=refusal):
        org.school(code=code)


def test_a_change_of_kind_is_coded_anew_and_the_old_code_is_void_for_ever(org: Org) -> None:
    old, new = code_of("21"), code_of("31")
    school = org.school(code=old)
    with pytest.raises(Conflict, match=r"org\.recode_needed"):
        edit(org, school, keeper(org), school_type="NINE_YEAR")
    with pytest.raises(InvalidInput, match=r"org\.school_code_kind"):
        edit(org, school, keeper(org), school_type="NINE_YEAR", code=code_of("11"))
    changed = edit(org, school, keeper(org), school_type="NINE_YEAR", code=new)
    assert changed["code"] == new
    assert history(org, school) == [(old, "RECODED"), (new, None)]
    for taker in (lambda: org.school(code=old), lambda: org.school("440105", code=old)):
        with pytest.raises(Conflict, match=r"org\.code_taken"):
            taker()
    # Not even its own school takes it again.
    with pytest.raises(Conflict, match=r"org\.code_taken"):
        edit(org, changed, keeper(org), school_type="PRIMARY", code=old)


def test_the_new_code_may_come_later(org: Org) -> None:
    school = org.school(code=code_of())
    waiting = edit(org, school, keeper(org), kind="RESEARCH_OFFICE", code=None)
    assert (waiting["kind"], waiting["code"]) == ("RESEARCH_OFFICE", None)
    assert edit(org, waiting, keeper(org), code=code_of("91"))["version"] == 3


def correct(org: Org, school: dict[str, Any], code: str | None, actor: Actor) -> dict[str, Any]:
    arguments = {"school_id": school["school_id"], "version": school["version"], "code": code, "reason": "录入错误"}
    reply: dict[str, Any] = org.call("correct_school_code", arguments, actor)
    return reply


def test_a_code_typed_wrong_goes_to_its_rightful_school_even_in_another_county(org: Org) -> None:
    wrong, right = code_of(), code_of()
    school = org.school(code=wrong)
    assert correct(org, school, right, keeper(org))["code"] == right
    assert history(org, school) == [(right, None), (wrong, "CORRECTED")] or history(org, school) == [
        (wrong, "CORRECTED"),
        (right, None),
    ]
    rightful = org.school("440105", code=wrong)
    assert rightful["code"] == wrong
    assert history(org, school) == [(right, None)]
    with pytest.raises(Conflict, match=r"org\.code_taken"):
        org.school(code=wrong)


def test_correcting_takes_a_code_that_is_free(org: Org) -> None:
    school, other = org.school(code=code_of()), org.school(code=code_of())
    with pytest.raises(Conflict, match=r"org\.code_taken"):
        correct(org, school, other["code"], keeper(org))
    with pytest.raises(NotAllowed):
        correct(org, school, code_of(), org.admin_of(school))
    with pytest.raises(NotAllowed, match=r"org\.not_directly_attached"):
        correct(org, school, code_of(), org.person(None, (Role.CITY_ADMIN, GUANGZHOU)))
    assert correct(org, school, school["code"], keeper(org))["version"] == 1
    freed = correct(org, school, None, keeper(org))
    assert freed["code"] is None
    with pytest.raises(Conflict, match=r"org\.no_code_to_correct"):
        correct(org, freed, code_of(), keeper(org))


# --- the people of a school -----------------------------------------------------------------------------------------


def elevated(actor: Actor) -> Actor:
    return dataclasses.replace(actor, elevated_until=clock.now() + dt.timedelta(minutes=10))


def test_names_and_numbers_are_sealed_at_rest(org: Org) -> None:
    school = org.school(head_name="赵玉兰", head_mobile="13812345678")
    edit(org, school, keeper(org), notice_name="李干事", notice_mobile="13700000001")
    with org.component.database.work() as db:
        row = db.get_one(SchoolContact, uuid.UUID(school["school_id"]))
    held = " ".join(str(value) for value in vars(row).values())
    for secret in ("赵玉兰", "13812345678", "李干事", "13700000001"):
        assert secret not in held


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.SUPPORT_AGENT])
def test_whoever_has_no_business_with_the_school_sees_nobody_of_it(org: Org, role: Role) -> None:
    shown = org.call("get_school", {"school_id": org.school()["school_id"]}, org.person(None, (role, "CN")))
    assert shown["contact"] is None


def test_who_has_to_call_the_school_sees_the_number_after_a_fresh_code_and_is_recorded(org: Org) -> None:
    school = org.school(head_name="赵玉兰", head_mobile="13812345678")
    caller = keeper(org)
    arguments = {"school_id": school["school_id"], "reason": "开学检查"}
    with pytest.raises(NotAllowed, match=r"shared\.step_up_needed"):
        org.call("reveal_school_contact", arguments, caller)
    shown = org.call("reveal_school_contact", arguments, elevated(caller))
    assert (shown["head_name"], shown["head_mobile"], shown["notice_mobile"]) == ("赵玉兰", "13812345678", None)
    with org.component.database.work() as db:
        rows = db.execute(sa.select(audit).where(audit.c.actor == str(caller.account_id))).all()
        kept = db.execute(sa.text("SELECT count(*) FROM idempotency WHERE method = 'reveal_school_contact'")).scalar()
    # The refusal before the code was typed is on record too, as a denied attempt.
    assert [(row.action, row.reason) for row in rows if row.subject] == [("reveal_school_contact", "开学检查")]
    assert "138" not in str(rows)
    assert kept == 0
    with pytest.raises(NotFound):
        org.call("reveal_school_contact", arguments, elevated(keeper(org, HAIZHU)))
    with pytest.raises(NotAllowed):
        org.call("reveal_school_contact", arguments, elevated(org.person(None, (Role.AUDITOR, "CN"))))


def test_names_from_before_they_were_sealed_are_still_shown_and_then_sealed(org: Org) -> None:
    school = org.school()
    school_id = uuid.UUID(school["school_id"])
    with org.component.database.work() as db:
        row = db.get_one(SchoolContact, school_id)
        row.head_name, row.head_name_sealed = "旧校长", None
    assert contact_of(org, school)["head_name"] == "旧**"
    org.component.service.seal_contacts(clock.now())
    with org.component.database.work() as db:
        row = db.get_one(SchoolContact, school_id)
        assert row.head_name == ""
        assert contacts.open_contact(org.component.service.cipher, row)["head_name"] == "旧校长"


def test_the_operators_machine_changes_no_school(org: Org) -> None:
    with pytest.raises(NotAllowed):
        org.call("edit_school", {"school_id": org.school()["school_id"], "version": 1, "town": "某"}, CLI)


def test_the_pseudo_school_is_not_changed(org: Org) -> None:
    teacher = org.person()
    other = org.call("choose_school", {"other_of": "440104"}, teacher)
    with pytest.raises(Conflict, match=r"org\.other_is_fixed"):
        edit(org, {"school_id": other["school_id"], "version": 1}, keeper(org), town="改")
