"""Holds (`domain.md` §3.13): placing, lifting against evidence (W36), lifting for many, who sees which."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from services.org.contract.transfers import HOLD_CHANGED
from services.shared.actor import Actor, Role
from services.shared.errors import Conflict, InvalidInput, NotAllowed, NotFound, ServiceError
from services.shared.tables import audit
from tests.component.org.conftest import GUANGZHOU, HAIZHU, YUEXIU, Org
from tests.component.org.test_transfers import number

pytestmark = pytest.mark.postgres


@pytest.fixture
def centre(org: Org) -> Actor:
    return org.person(None, (Role.CITY_CENTRE, GUANGZHOU))


@pytest.fixture
def district(org: Org) -> Actor:
    return org.person(None, (Role.DISTRICT_INSTITUTION, YUEXIU))


def place(org: Org, teacher: Actor, keeper: Actor, kind: str = "SPECIAL_USER") -> dict[str, Any]:
    body = {"teacher_id": str(teacher.account_id), "kind": kind, "reason": "第2期未缴费"}
    return org.call("place_hold", body, keeper)


def lift(org: Org, hold: dict[str, Any], keeper: Actor, *evidence: str) -> dict[str, Any]:
    return org.call("lift_hold", {"hold_id": hold["hold_id"], "evidence": list(evidence), "reason": "已处理"}, keeper)


def test_w36_the_id_clears_the_first_time_id_and_letter_the_second(org: Org, centre: Actor) -> None:
    teacher = org.member(org.school(), "VERIFIED")
    first = place(org, teacher, centre)
    assert (first["occurrence"], first["state"], first["place"]) == (1, "ACTIVE", GUANGZHOU)
    with pytest.raises(InvalidInput, match=r"org\.hold_evidence"):
        lift(org, first, centre)
    lifted = lift(org, first, centre, "ID_DOCUMENT")
    assert (lifted["state"], lifted["evidence"]) == ("LIFTED", ["ID_DOCUMENT"])
    second = place(org, teacher, centre)
    assert second["occurrence"] == 2
    for evidence in (["ID_DOCUMENT"], ["STAMPED_LETTER"], []):
        with pytest.raises(InvalidInput, match=r"org\.hold_evidence"):
            lift(org, second, centre, *evidence)
    assert lift(org, second, centre, "STAMPED_LETTER", "ID_DOCUMENT")["state"] == "LIFTED"
    told = org.announced(HOLD_CHANGED, teacher_id=str(teacher.account_id))
    assert [(event["occurrence"], event["version"], event["state"]) for event in told] == [
        (1, 1, "ACTIVE"),
        (1, 2, "LIFTED"),
        (2, 1, "ACTIVE"),
        (2, 2, "LIFTED"),
    ]


def test_each_step_is_recorded_with_what_was_shown(org: Org, centre: Actor) -> None:
    teacher = org.member(org.school(), "VERIFIED")
    lift(org, place(org, teacher, centre), centre, "ID_DOCUMENT")
    with org.component.database.work() as db:
        rows = db.execute(sa.select(audit).where(audit.c.subject == teacher.account_id).order_by(audit.c.at)).all()
    recorded = {row.action: row for row in rows if row.actor == str(centre.account_id)}
    assert recorded["place_hold"].after["state"] == "ACTIVE"
    assert recorded["lift_hold"].before == {"state": "ACTIVE"}
    assert recorded["lift_hold"].after["evidence"] == "ID_DOCUMENT"


def test_every_refused_step(org: Org, centre: Actor, district: Actor) -> None:
    teacher = org.member(org.school(), "VERIFIED")
    hold = place(org, teacher, centre)
    with pytest.raises(Conflict, match=r"org\.hold_exists"):
        place(org, teacher, centre)
    lift(org, hold, centre, "ID_DOCUMENT")
    with pytest.raises(Conflict, match=r"org\.hold_lifted"):
        lift(org, hold, centre, "ID_DOCUMENT")
    with pytest.raises(NotAllowed, match=r"org\.hold_elsewhere"):
        place(org, teacher, district)
    with pytest.raises(NotAllowed, match=r"org\.hold_elsewhere"):
        place(org, teacher, centre, "DISTRICT_ARREARS")
    owed = place(org, teacher, district, "DISTRICT_ARREARS")
    with pytest.raises(NotAllowed, match=r"org\.hold_elsewhere"):
        lift(org, owed, centre)
    assert lift(org, owed, district)["state"] == "LIFTED"


def test_the_district_does_not_see_what_the_city_centre_holds(org: Org, centre: Actor, district: Actor) -> None:
    hold = place(org, org.member(org.school(), "VERIFIED"), centre)
    with pytest.raises(NotFound, match=r"org\.hold_unknown"):
        lift(org, hold, district)


def test_nobody_holds_or_clears_himself(org: Org) -> None:
    account = uuid.uuid4()
    himself = org.person(account, (Role.CITY_CENTRE, GUANGZHOU))
    org.member(org.school(), account_id=account)
    with pytest.raises(NotAllowed, match=r"org\.not_yourself"):
        place(org, himself, himself)
    hold = place(org, himself, org.person(None, (Role.CITY_CENTRE, GUANGZHOU)))
    with pytest.raises(NotAllowed, match=r"org\.not_yourself"):
        lift(org, hold, himself, "ID_DOCUMENT")


def test_a_teacher_elsewhere_and_one_who_does_not_exist_are_refused_alike(org: Org) -> None:
    shenzhen = org.person(None, (Role.CITY_CENTRE, "CN/440000/440300"))
    there = org.member(org.school(), "VERIFIED")
    known, unknown = number(org, there), "9000000000001"
    refusals = set()
    for body in ({"learner_no": known}, {"learner_no": unknown}):
        with pytest.raises(NotFound) as refused:
            org.call("place_hold", {**body, "kind": "SPECIAL_USER", "reason": "未缴费"}, shenzhen)
        refusals.add(refused.value.code)
    assert refusals == {"org.learner_no_unknown"}
    for teacher in (there, org.person()):
        with pytest.raises(NotFound, match=r"org\.membership_unknown"):
            place(org, teacher, shenzhen)
    hold = place(org, there, org.person(None, (Role.CITY_CENTRE, GUANGZHOU)))
    for hold_id in (hold["hold_id"], str(uuid.uuid4())):
        with pytest.raises(NotFound, match=r"org\.hold_unknown"):
            lift(org, {"hold_id": hold_id}, shenzhen, "ID_DOCUMENT")


@pytest.mark.parametrize("more", [{}, {"teacher_id": str(uuid.uuid4()), "learner_no": "9000000000001"}])
def test_a_hold_names_exactly_one_teacher(org: Org, centre: Actor, more: dict[str, str]) -> None:
    with pytest.raises(InvalidInput) as refused:
        org.call("place_hold", {"kind": "SPECIAL_USER", "reason": "未缴费", **more}, centre)
    assert refused.value.field == "teacher_id"


@pytest.mark.parametrize("role", [Role.SCHOOL_ADMIN, Role.COUNTY_ADMIN, Role.CITY_ADMIN, Role.NATIONAL_OPERATOR])
def test_only_the_institutions_hold(org: Org, role: Role) -> None:
    teacher = org.member(org.school(), "VERIFIED")
    with pytest.raises(NotAllowed, match=r"shared\.not_allowed"):
        place(org, teacher, org.person(None, (role, "CN")))


def test_a_school_clears_many_with_its_own_papers_each_by_itself(org: Org, centre: Actor) -> None:
    school = org.school()
    holds = [place(org, org.member(school, "VERIFIED"), centre) for _ in range(2)]
    done = place(org, org.member(school, "VERIFIED"), centre)
    lift(org, done, centre, "ID_DOCUMENT")
    body = {
        "hold_ids": [each["hold_id"] for each in (*holds, done)] + [str(uuid.uuid4())],
        "evidence": ["STAFF_ID", "STAMPED_APPLICATION"],
        "period": "2022年下半年",
        "course": "班级管理",
        "reason": "学校统一缴费",
    }
    short = org.call("lift_holds", {**body, "evidence": ["STAFF_ID"]}, centre)["rows"]
    assert [row["code"] for row in short] == [
        "org.hold_evidence",
        "org.hold_evidence",
        "org.hold_lifted",
        "org.hold_unknown",
    ]
    rows = org.call("lift_holds", body, centre)["rows"]
    assert [(row["outcome"], row["code"]) for row in rows] == [
        ("DONE", ""),
        ("DONE", ""),
        ("REFUSED", "org.hold_lifted"),
        ("REFUSED", "org.hold_unknown"),
    ]
    for missing in ("period", "course", "reason"):
        with pytest.raises(InvalidInput) as refused:
            org.call("lift_holds", {key: value for key, value in body.items() if key != missing}, centre)
        assert refused.value.field == missing


def test_the_list_shows_an_institution_its_own_and_a_school_its_special_users(
    org: Org, centre: Actor, district: Actor
) -> None:
    school = org.school()
    teacher = org.member(school, "VERIFIED")
    special, owed = place(org, teacher, centre), place(org, teacher, district, "DISTRICT_ARREARS")

    def seen(actor: Actor, where: str, **more: Any) -> set[str]:
        listed = org.call("list_holds", {"place": where, "limit": 200, **more}, actor)["items"]
        return {item["hold_id"] for item in listed}

    both = {special["hold_id"], owed["hold_id"]}
    assert seen(org.admin_of(school), school["place"]) == both
    assert seen(org.admin_of(school), school["place"], kind="SPECIAL_USER") == {special["hold_id"]}
    assert seen(org.admin_of(school), school["place"], state="LIFTED") == set()
    assert seen(centre, GUANGZHOU) >= both
    assert both & seen(district, YUEXIU) == {owed["hold_id"]}
    with pytest.raises(NotFound, match=r"org\.place_unknown"):
        seen(district, HAIZHU)
    with pytest.raises(NotFound, match=r"org\.place_unknown"):
        seen(org.admin_of(org.school()), school["place"])
    desk = org.call("get_school_desk", {"school_id": school["school_id"]}, org.admin_of(school))
    assert desk["special_users"] == 1
    own = org.call("list_own_holds", actor=teacher)["items"]
    assert {item["hold_id"] for item in own} == both


def test_two_who_press_at_once_hold_her_once(org: Org) -> None:
    teacher = org.member(org.school(), "VERIFIED")
    outcomes: list[str] = []

    def press() -> None:
        try:
            outcomes.append(place(org, teacher, org.person(None, (Role.CITY_CENTRE, GUANGZHOU)))["state"])
        except ServiceError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=press) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["ACTIVE"] + ["org.hold_exists"] * 3
