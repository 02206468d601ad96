"""The last day to pay passes (`domain.md` §3.13): arrears, the centre's list, special users (W36), and their clearing."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest

from services.billing.contract.holds import HOLD_CHANGED
from services.shared import clock
from services.shared.actor import Actor, Role, service_actor
from services.shared.errors import Conflict, InvalidInput, NotAllowed, NotFound
from tests.component.billing.conftest import GUANGZHOU, HAIZHU, YUEXIU, Billing, Sold
from tests.conftest import FixedClock

pytestmark = pytest.mark.postgres

AFTER = clock.parse_instant("2023-03-01T00:00:00+08:00")  # the first instant after the last day to pay


def pass_the_day(sold: Sold, fixed_clock: FixedClock, at: dt.datetime = AFTER) -> None:
    fixed_clock.instant = at
    sold.billing.component.service.mark_overdue(at)


def held(billing: Billing, teacher: Actor) -> dict[str, list[str]]:
    """What holds her, as others are told: kind and what it blocks."""
    asked = {"teacher_ids": [str(teacher.account_id)]}
    found = billing.call("find_holds", asked, service_actor("learning"))["holds"]
    return {hold["kind"]: hold["blocks"] for hold in found}


def owing(billing: Billing, **period: Any) -> tuple[Sold, Actor, str, dict[str, Any]]:
    """A teacher whose only course is billed and not paid."""
    sold = Sold(billing, **period)
    school = billing.unit(billing.school())
    teacher = billing.teacher(school)
    choice_id = sold.choose(teacher, school, sold.offer())
    return sold, teacher, choice_id, sold.bill()


def confirm(sold: Sold, *teachers: Actor, keeper: Actor | None = None) -> list[str]:
    body = {"period_id": sold.period_id, "teacher_ids": [str(each.account_id) for each in teachers]}
    rows = sold.billing.call("confirm_special_users", body, keeper or sold.keeper)["rows"]
    return [row["code"] or row["outcome"] for row in rows]


def special(billing: Billing, teacher: Actor) -> dict[str, Any]:
    [hold] = [
        each
        for each in billing.call("list_own_holds", actor=teacher)["items"]
        if (each["kind"], each["state"]) == ("SPECIAL_USER", "ACTIVE")
    ]
    return hold


def lift(billing: Billing, hold: dict[str, Any], keeper: Actor, *evidence: str) -> dict[str, Any]:
    return billing.call(
        "lift_hold", {"hold_id": hold["hold_id"], "evidence": list(evidence), "reason": "已办理"}, keeper
    )


def test_unpaid_until_the_end_of_the_last_day_and_held_from_then_on(billing: Billing, fixed_clock: FixedClock) -> None:
    sold, teacher, choice_id, _ = owing(billing)
    pass_the_day(sold, fixed_clock, AFTER - dt.timedelta(seconds=1))
    assert sold.charges() == {choice_id: "BILLED"}
    assert held(billing, teacher) == {}
    pass_the_day(sold, fixed_clock)
    assert sold.charges() == {choice_id: "UNPAID"}
    # Before the centre has confirmed anything she may choose, and is not transferred (S3:167).
    assert held(billing, teacher) == {"CITY_ARREARS": ["TRANSFER"]}
    told = len(billing.announced(HOLD_CHANGED, teacher_id=str(teacher.account_id)))
    pass_the_day(sold, fixed_clock, AFTER + dt.timedelta(hours=1))
    assert len(billing.announced(HOLD_CHANGED, teacher_id=str(teacher.account_id))) == told == 1
    assert billing.call("get_own_dues", actor=teacher)["overdue"]["amount"] == "100.00"


def test_w36_special_users_are_confirmed_and_cleared_the_second_time_with_a_letter(
    billing: Billing, fixed_clock: FixedClock
) -> None:
    """Unpaid after the due date, then again next year: SPECIAL(1) is cleared by the ID, SPECIAL(2) by ID and stamped letter."""
    sold, teacher, choice_id, _ = owing(billing)
    pass_the_day(sold, fixed_clock)
    [listed] = billing.call("list_overdue", {"place": GUANGZHOU, "period_id": sold.period_id}, sold.keeper)["items"]
    assert (listed["teacher_id"], listed["courses"], listed["amount"]) == (str(teacher.account_id), 1, "100.00")
    assert confirm(sold, teacher) == ["DONE"]
    assert held(billing, teacher)["SPECIAL_USER"] == ["SELECTION", "TRANSFER"]
    wanted = {"place": GUANGZHOU, "period_id": sold.period_id}
    assert billing.call("list_overdue", wanted, sold.keeper)["items"] == []
    first = special(billing, teacher)
    assert (first["occurrence"], first["period_id"]) == (1, sold.period_id)
    with pytest.raises(InvalidInput, match=r"billing\.hold_evidence"):
        lift(billing, first, sold.keeper)
    lift(billing, first, sold.keeper, "ID_DOCUMENT")
    # Cleared: the centre deletes the record with it, so nothing holds her and nothing is owed.
    assert held(billing, teacher) == {}
    assert sold.charges() == {choice_id: "VOID"}
    assert billing.call("list_overdue", wanted, sold.keeper)["items"] == []

    fixed_clock.instant = clock.parse_instant("2024-01-10T10:00:00+08:00")
    again = Sold(billing, due_on="2024-02-28")
    school = billing.unit(billing.school())
    again.choose(teacher, school, again.offer())
    again.bill()
    pass_the_day(again, fixed_clock, clock.parse_instant("2024-02-29T00:00:00+08:00"))
    assert confirm(again, teacher) == ["DONE"]
    second = special(billing, teacher)
    assert second["occurrence"] == 2
    for evidence in (["ID_DOCUMENT"], ["STAMPED_LETTER"], ["STAFF_ID", "STAMPED_APPLICATION"]):
        with pytest.raises(InvalidInput, match=r"billing\.hold_evidence"):
            lift(billing, second, again.keeper, *evidence)
    lift(billing, second, again.keeper, "ID_DOCUMENT", "STAMPED_LETTER")
    assert held(billing, teacher) == {}


def test_district_arrears_block_a_transfer_only_until_the_district_deletes_them(
    billing: Billing, fixed_clock: FixedClock
) -> None:
    sold, teacher, choice_id, _ = owing(billing, tier="DISTRICT", place_=YUEXIU)
    pass_the_day(sold, fixed_clock)
    assert held(billing, teacher) == {"DISTRICT_ARREARS": ["TRANSFER"]}
    centre = billing.person(None, (Role.CITY_CENTRE, GUANGZHOU))
    # Only unpaid city courses make a special user (S3:398).
    with pytest.raises(Conflict, match=r"billing\.not_a_city_period"):
        confirm(sold, teacher, keeper=centre)
    [hold] = billing.call("list_own_holds", actor=teacher)["items"]
    with pytest.raises(NotAllowed, match=r"billing\.hold_elsewhere"):
        lift(billing, hold, centre)
    with pytest.raises(NotFound, match=r"billing\.hold_unknown"):
        lift(billing, hold, billing.person(None, (Role.DISTRICT_INSTITUTION, HAIZHU)))
    lift(billing, hold, sold.keeper)
    assert held(billing, teacher) == {}
    assert sold.charges() == {choice_id: "VOID"}


def test_money_that_comes_late_settles_the_debt_and_leaves_the_special_user_one(
    billing: Billing, fixed_clock: FixedClock
) -> None:
    sold, teacher, choice_id, bill = owing(billing)
    pass_the_day(sold, fixed_clock)
    confirm(sold, teacher)
    assert sold.pay(bill, "100.00")["state"] == "MATCHED"
    assert sold.charges() == {choice_id: "ADMITTED"}
    # The arrears end with the debt; the special user has to be cleared at the centre in person (S3:167).
    assert list(held(billing, teacher)) == ["SPECIAL_USER"]
    lift(billing, special(billing, teacher), sold.keeper, "ID_DOCUMENT")
    assert sold.charges() == {choice_id: "ADMITTED"}, "what was paid for is not taken away"


def test_who_owes_two_districts_is_held_by_both_and_released_by_each(billing: Billing, fixed_clock: FixedClock) -> None:
    teacher = billing.teacher()
    debts = []
    for place in (YUEXIU, HAIZHU):
        sold = Sold(billing, tier="DISTRICT", place_=place)
        school = billing.unit(billing.school(place))
        sold.choose(teacher, school, sold.offer())
        debts.append((sold, sold.bill()))
    pass_the_day(debts[0][0], fixed_clock)
    own = billing.call("list_own_holds", actor=teacher)["items"]
    assert {(hold["place"], hold["state"]) for hold in own} == {(YUEXIU, "ACTIVE"), (HAIZHU, "ACTIVE")}
    debts[0][0].pay(debts[0][1], "100.00")
    assert list(held(billing, teacher)) == ["DISTRICT_ARREARS"]
    debts[1][0].pay(debts[1][1], "100.00")
    assert held(billing, teacher) == {}


def test_a_cancelled_course_ends_its_arrears(billing: Billing, fixed_clock: FixedClock) -> None:
    sold, teacher, choice_id, bill = owing(billing)
    pass_the_day(sold, fixed_clock)
    sold.tell(choice_id, "VOID")
    assert held(billing, teacher) == {}
    assert sold.look(bill)["state"] == "VOID"


def test_a_day_that_was_moved_is_the_day(billing: Billing, fixed_clock: FixedClock) -> None:
    sold, teacher, choice_id, _ = owing(billing)
    sold.tell_period(2, due_on="2023-03-31")
    pass_the_day(sold, fixed_clock)
    assert sold.charges() == {choice_id: "BILLED"}
    pass_the_day(sold, fixed_clock, clock.parse_instant("2023-04-01T00:00:00+08:00"))
    assert sold.charges() == {choice_id: "UNPAID"}
    assert list(held(billing, teacher)) == ["CITY_ARREARS"]


def test_each_row_of_a_confirmation_has_its_own_outcome(billing: Billing, fixed_clock: FixedClock) -> None:
    sold = Sold(billing)
    school, offering = billing.unit(billing.school()), sold.offer()
    owes, pays, late = (billing.teacher(school) for _ in range(3))
    for teacher in (owes, pays):
        sold.choose(teacher, school, offering)
    bill = sold.bill()
    sold.pay(
        bill,
        "100.00",
        choice_ids=[next(key for key, each in sold.choices.items() if each["teacher_id"] == str(pays.account_id))],
    )
    assert confirm(sold, owes) == ["billing.not_overdue"], "the day has not passed"
    pass_the_day(sold, fixed_clock)
    assert confirm(sold, owes, pays, late, owes) == [
        "DONE",
        "billing.not_overdue",
        "billing.not_overdue",
        "billing.hold_exists",
    ]
    assert confirm(sold, owes) == ["billing.hold_exists"]


def test_who_confirms_and_whom_not(billing: Billing, fixed_clock: FixedClock) -> None:
    sold, teacher, _, _ = owing(billing)
    pass_the_day(sold, fixed_clock)
    shenzhen = billing.person(None, (Role.CITY_CENTRE, "CN/440000/440300"))
    with pytest.raises(NotFound, match=r"billing\.period_unknown"):
        confirm(sold, teacher, keeper=shenzhen)
    body = {"period_id": str(uuid.uuid4()), "teacher_ids": [str(teacher.account_id)]}
    with pytest.raises(NotFound, match=r"billing\.period_unknown"):
        billing.call("confirm_special_users", body, sold.keeper)
    for role in (Role.DISTRICT_INSTITUTION, Role.SCHOOL_ADMIN, Role.CITY_ADMIN):
        with pytest.raises(NotAllowed):
            confirm(sold, teacher, keeper=billing.person(None, (role, GUANGZHOU)))
    himself = billing.person(teacher.account_id, (Role.CITY_CENTRE, GUANGZHOU))
    assert confirm(sold, teacher, keeper=himself) == ["billing.not_yourself"]


def test_a_school_clears_all_of_its_special_users_with_one_application(
    billing: Billing, fixed_clock: FixedClock
) -> None:
    sold = Sold(billing)
    school, offering = billing.unit(billing.school()), sold.offer()
    teachers = [billing.teacher(school) for _ in range(3)]
    for teacher in teachers:
        sold.choose(teacher, school, offering)
    sold.bill()
    pass_the_day(sold, fixed_clock)
    assert confirm(sold, *teachers) == ["DONE"] * 3
    body = {
        "hold_ids": [special(billing, teacher)["hold_id"] for teacher in teachers],
        "evidence": ["STAFF_ID", "STAMPED_APPLICATION"],
        "period": "2023年上半年",
        "course": "课程0",
        "reason": "新学期无法选课",
    }
    rows = billing.call("lift_holds", body, sold.keeper)["rows"]
    assert [row["outcome"] for row in rows] == ["DONE"] * 3
    assert set(sold.charges().values()) == {"VOID"}
    assert all(held(billing, teacher) == {} for teacher in teachers)
