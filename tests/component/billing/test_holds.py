"""Holds (`domain.md` §3.13): placing, lifting against evidence (W36), lifting for many, who sees which."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from services.billing.contract.holds import HOLD_CHANGED
from services.identity.contract.person import PERSON_ERASED
from services.shared.actor import Actor, Role, service_actor
from services.shared.errors import Conflict, InvalidInput, NotAllowed, NotFound, ServiceError
from services.shared.tables import audit
from tests.component.billing.conftest import GUANGZHOU, HAIZHU, YUEXIU, Billing

pytestmark = pytest.mark.postgres


@pytest.fixture
def centre(billing: Billing) -> Actor:
    return billing.person(None, (Role.CITY_CENTRE, GUANGZHOU))


@pytest.fixture
def district(billing: Billing) -> Actor:
    return billing.person(None, (Role.DISTRICT_INSTITUTION, YUEXIU))


def place(billing: Billing, teacher: Actor, keeper: Actor, kind: str = "SPECIAL_USER") -> dict[str, Any]:
    body = {"teacher_id": str(teacher.account_id), "kind": kind, "reason": "第2期未缴费"}
    return billing.call("place_hold", body, keeper)


def lift(billing: Billing, hold: dict[str, Any], keeper: Actor, *evidence: str) -> dict[str, Any]:
    return billing.call(
        "lift_hold", {"hold_id": hold["hold_id"], "evidence": list(evidence), "reason": "已处理"}, keeper
    )


def test_w36_the_id_clears_the_first_time_id_and_letter_the_second(billing: Billing, centre: Actor) -> None:
    teacher = billing.teacher()
    first = place(billing, teacher, centre)
    assert (first["occurrence"], first["state"], first["place"]) == (1, "ACTIVE", GUANGZHOU)
    with pytest.raises(InvalidInput, match=r"billing\.hold_evidence"):
        lift(billing, first, centre)
    lifted = lift(billing, first, centre, "ID_DOCUMENT")
    assert (lifted["state"], lifted["evidence"]) == ("LIFTED", ["ID_DOCUMENT"])
    second = place(billing, teacher, centre)
    assert second["occurrence"] == 2
    for evidence in (["ID_DOCUMENT"], ["STAMPED_LETTER"], []):
        with pytest.raises(InvalidInput, match=r"billing\.hold_evidence"):
            lift(billing, second, centre, *evidence)
    assert lift(billing, second, centre, "STAMPED_LETTER", "ID_DOCUMENT")["state"] == "LIFTED"
    told = billing.announced(HOLD_CHANGED, teacher_id=str(teacher.account_id))
    assert [(event["occurrence"], event["version"], event["active"]) for event in told] == [
        (1, 1, True),
        (1, 2, False),
        (2, 1, True),
        (2, 2, False),
    ]


def test_each_step_is_recorded_with_what_was_shown(billing: Billing, centre: Actor) -> None:
    teacher = billing.teacher()
    lift(billing, place(billing, teacher, centre), centre, "ID_DOCUMENT")
    with billing.component.database.work() as db:
        rows = db.execute(sa.select(audit).where(audit.c.subject == teacher.account_id).order_by(audit.c.at)).all()
    recorded = {row.action: row for row in rows if row.actor == str(centre.account_id)}
    assert recorded["place_hold"].after["state"] == "ACTIVE"
    assert recorded["lift_hold"].before == {"state": "ACTIVE"}
    assert recorded["lift_hold"].after["evidence"] == "ID_DOCUMENT"


def test_every_refused_step(billing: Billing, centre: Actor, district: Actor) -> None:
    teacher = billing.teacher()
    hold = place(billing, teacher, centre)
    with pytest.raises(Conflict, match=r"billing\.hold_exists"):
        place(billing, teacher, centre)
    lift(billing, hold, centre, "ID_DOCUMENT")
    with pytest.raises(Conflict, match=r"billing\.hold_lifted"):
        lift(billing, hold, centre, "ID_DOCUMENT")
    with pytest.raises(NotAllowed, match=r"billing\.hold_elsewhere"):
        place(billing, teacher, district)
    with pytest.raises(NotAllowed, match=r"billing\.hold_elsewhere"):
        place(billing, teacher, centre, "DISTRICT_ARREARS")
    owed = place(billing, teacher, district, "DISTRICT_ARREARS")
    with pytest.raises(NotAllowed, match=r"billing\.hold_elsewhere"):
        lift(billing, owed, centre)
    assert lift(billing, owed, district)["state"] == "LIFTED"


def test_the_district_does_not_see_what_the_city_centre_holds(billing: Billing, centre: Actor, district: Actor) -> None:
    hold = place(billing, billing.teacher(), centre)
    with pytest.raises(NotFound, match=r"billing\.hold_unknown"):
        lift(billing, hold, district)


def test_nobody_holds_or_clears_himself(billing: Billing) -> None:
    account = uuid.uuid4()
    himself = billing.person(account, (Role.CITY_CENTRE, GUANGZHOU))
    billing.teacher(account_id=account)
    with pytest.raises(NotAllowed, match=r"billing\.not_yourself"):
        place(billing, himself, himself)
    hold = place(billing, himself, billing.person(None, (Role.CITY_CENTRE, GUANGZHOU)))
    with pytest.raises(NotAllowed, match=r"billing\.not_yourself"):
        lift(billing, hold, himself, "ID_DOCUMENT")


def test_a_teacher_elsewhere_and_one_who_does_not_exist_are_refused_alike(billing: Billing) -> None:
    shenzhen = billing.person(None, (Role.CITY_CENTRE, "CN/440000/440300"))
    there = billing.teacher()
    known, unknown = billing.number(there), "9000000000001"
    refusals = set()
    for body in ({"learner_no": known}, {"learner_no": unknown}):
        with pytest.raises(NotFound) as refused:
            billing.call("place_hold", {**body, "kind": "SPECIAL_USER", "reason": "未缴费"}, shenzhen)
        refusals.add(refused.value.code)
    assert refusals == {"billing.learner_no_unknown"}
    for teacher in (there, billing.person()):
        with pytest.raises(NotFound, match=r"billing\.teacher_unknown"):
            place(billing, teacher, shenzhen)
    hold = place(billing, there, billing.person(None, (Role.CITY_CENTRE, GUANGZHOU)))
    for hold_id in (hold["hold_id"], str(uuid.uuid4())):
        with pytest.raises(NotFound, match=r"billing\.hold_unknown"):
            lift(billing, {"hold_id": hold_id}, shenzhen, "ID_DOCUMENT")


@pytest.mark.parametrize("more", [{}, {"teacher_id": str(uuid.uuid4()), "learner_no": "9000000000001"}])
def test_a_hold_names_exactly_one_teacher(billing: Billing, centre: Actor, more: dict[str, str]) -> None:
    with pytest.raises(InvalidInput) as refused:
        billing.call("place_hold", {"kind": "SPECIAL_USER", "reason": "未缴费", **more}, centre)
    assert refused.value.field == "teacher_id"


@pytest.mark.parametrize("role", [Role.SCHOOL_ADMIN, Role.COUNTY_ADMIN, Role.CITY_ADMIN, Role.NATIONAL_OPERATOR])
def test_only_the_institutions_hold(billing: Billing, role: Role) -> None:
    teacher = billing.teacher()
    with pytest.raises(NotAllowed, match=r"shared\.not_allowed"):
        place(billing, teacher, billing.person(None, (role, "CN")))


def test_a_school_clears_many_with_its_own_papers_each_by_itself(billing: Billing, centre: Actor) -> None:
    school = billing.school()
    holds = [place(billing, billing.teacher(school), centre) for _ in range(2)]
    done = place(billing, billing.teacher(school), centre)
    lift(billing, done, centre, "ID_DOCUMENT")
    body = {
        "hold_ids": [each["hold_id"] for each in (*holds, done)] + [str(uuid.uuid4())],
        "evidence": ["STAFF_ID", "STAMPED_APPLICATION"],
        "period": "2022年下半年",
        "course": "班级管理",
        "reason": "学校统一缴费",
    }
    short = billing.call("lift_holds", {**body, "evidence": ["STAFF_ID"]}, centre)["rows"]
    assert [row["code"] for row in short] == [
        "billing.hold_evidence",
        "billing.hold_evidence",
        "billing.hold_lifted",
        "billing.hold_unknown",
    ]
    rows = billing.call("lift_holds", body, centre)["rows"]
    assert [(row["outcome"], row["code"]) for row in rows] == [
        ("DONE", ""),
        ("DONE", ""),
        ("REFUSED", "billing.hold_lifted"),
        ("REFUSED", "billing.hold_unknown"),
    ]
    for missing in ("period", "course", "reason"):
        with pytest.raises(InvalidInput) as refused:
            billing.call("lift_holds", {key: value for key, value in body.items() if key != missing}, centre)
        assert refused.value.field == missing


def test_the_list_shows_an_institution_its_own_and_a_school_its_special_users(
    billing: Billing, centre: Actor, district: Actor
) -> None:
    school = billing.school()
    teacher = billing.teacher(school)
    special, owed = place(billing, teacher, centre), place(billing, teacher, district, "DISTRICT_ARREARS")

    def seen(actor: Actor, where: str, **more: Any) -> set[str]:
        listed = billing.call("list_holds", {"place": where, "limit": 200, **more}, actor)["items"]
        return {item["hold_id"] for item in listed}

    both = {special["hold_id"], owed["hold_id"]}
    assert seen(billing.admin_of(school), school["place"]) == both
    assert seen(billing.admin_of(school), school["place"], kind="SPECIAL_USER") == {special["hold_id"]}
    assert seen(billing.admin_of(school), school["place"], state="LIFTED") == set()
    assert seen(centre, GUANGZHOU) >= both
    assert both & seen(district, YUEXIU) == {owed["hold_id"]}
    with pytest.raises(NotFound, match=r"billing\.place_unknown"):
        seen(district, HAIZHU)
    with pytest.raises(NotFound, match=r"billing\.place_unknown"):
        seen(billing.admin_of(billing.school()), school["place"])
    assert billing.call("count_special_users", {"place": school["place"]}, billing.admin_of(school)) == {
        "special_users": 1
    }
    own = billing.call("list_own_holds", actor=teacher)["items"]
    assert {item["hold_id"] for item in own} == both


def test_two_who_press_at_once_hold_her_once(billing: Billing) -> None:
    teacher = billing.teacher()
    outcomes: list[str] = []

    def press() -> None:
        try:
            outcomes.append(place(billing, teacher, billing.person(None, (Role.CITY_CENTRE, GUANGZHOU)))["state"])
        except ServiceError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=press) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["ACTIVE"] + ["billing.hold_exists"] * 3


def test_others_are_told_whom_what_holds_and_from_what_it_keeps(
    billing: Billing, centre: Actor, district: Actor
) -> None:
    special, owing, free = (billing.teacher() for _ in range(3))
    place(billing, special, centre)
    place(billing, owing, district, "DISTRICT_ARREARS")
    asked = {"teacher_ids": [str(each.account_id) for each in (special, owing, free)]}
    for service in ("org", "learning"):
        told = billing.call("find_holds", asked, service_actor(service))["holds"]
        assert {
            hold["teacher_id"]: (hold["kind"], hold["blocks"], hold["occurrence"], hold["place_id"]) for hold in told
        } == {
            str(special.account_id): ("SPECIAL_USER", ["SELECTION", "TRANSFER"], 1, GUANGZHOU),
            str(owing.account_id): ("DISTRICT_ARREARS", ["TRANSFER"], 1, YUEXIU),
        }
    for stranger in (centre, special, service_actor("catalog"), service_actor("gateway")):
        with pytest.raises(NotAllowed):
            billing.call("find_holds", asked, stranger)
    for ids in ([], [str(uuid.uuid4())] * 1001):
        with pytest.raises(InvalidInput):
            billing.call("find_holds", {"teacher_ids": ids}, service_actor("org"))


def test_a_merge_of_accounts_settles_no_debt_and_forgets_no_occurrence(billing: Billing, centre: Actor) -> None:
    merged, kept = billing.teacher(), billing.teacher()
    hold = place(billing, merged, centre)
    billing.merge(merged, kept)
    [told] = billing.call("find_holds", {"teacher_ids": [str(kept.account_id)]}, service_actor("org"))["holds"]
    assert told["teacher_id"] == str(kept.account_id)
    with pytest.raises(Conflict, match=r"billing\.hold_exists"):
        place(billing, kept, centre)
    assert [each["hold_id"] for each in billing.call("list_own_holds", actor=kept)["items"]] == [hold["hold_id"]]
    lift(billing, hold, centre, "ID_DOCUMENT")
    assert place(billing, kept, centre)["occurrence"] == 2
    billing.merge(merged, kept, version=2, live=False)
    assert billing.call("find_holds", {"teacher_ids": [str(merged.account_id)]}, service_actor("org"))["holds"] == []


def test_of_an_erased_person_no_word_is_left_and_the_number_leads_nowhere(billing: Billing, centre: Actor) -> None:
    teacher = billing.teacher()
    learner_no = billing.number(teacher)
    hold = place(billing, teacher, centre)
    billing.component.deliver("on_person_erased", PERSON_ERASED, {"account_id": str(teacher.account_id)})
    [kept] = [
        each
        for each in billing.call("list_holds", {"place": GUANGZHOU, "limit": 200}, centre)["items"]
        if each["hold_id"] == hold["hold_id"]
    ]
    assert (kept["reason"], kept["state"]) == ("", "ACTIVE")
    body = {"learner_no": learner_no, "kind": "CITY_ARREARS", "reason": "未缴费"}
    with pytest.raises(NotFound, match=r"billing\.learner_no_unknown"):
        billing.call("place_hold", body, centre)
