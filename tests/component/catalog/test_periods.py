"""Periods and offerings: every state, every refused transition, what is announced, and who keeps which tier."""

from __future__ import annotations

import threading
import uuid

import pytest

from services.billing.contract.bills import PERIOD_BILLED
from services.catalog.periods.actions import periods as actions
from services.shared.actor import Role, service_actor
from services.shared.bus.calls import NotYet
from services.shared.errors import Conflict, InvalidInput, NotAllowed, NotFound
from tests.component.catalog.conftest import CITY, HAIZHU, SHENZHEN, YUEXIU, Ground
from tests.conftest import person

STATES = ["PLANNED", "PUBLISHED", "SELECTING", "CLOSED", "BILLED", "TEACHING", "GRADED", "ARCHIVED"]
KEEPERS_STEPS = {
    "publish_period": "PLANNED",
    "begin_teaching": "BILLED",
    "finish_grading": "TEACHING",
    "archive_period": "GRADED",
}


def bill(ground: Ground, period) -> None:
    ground.component.deliver("on_period_billed", PERIOD_BILLED, {"period_id": period["period_id"]})


def bring_to(ground: Ground, state: str):
    """A period in that state, with one offering, by the way that leads there."""
    ground.at("2026-01-10T10:00:00+08:00")
    period = ground.plan()
    [offering] = ground.offer(period, ground.course())
    steps = {
        "PUBLISHED": lambda: ground.publish(period),
        "SELECTING": lambda: (ground.at("2026-03-01T00:00:00+08:00"), ground.tick()),
        "CLOSED": lambda: (ground.at("2026-03-16T00:00:00+08:00"), ground.tick()),
        "BILLED": lambda: bill(ground, period),
        "TEACHING": lambda: ground.advance(ground.present(period), "begin_teaching"),
        "GRADED": lambda: ground.advance(ground.present(period), "finish_grading"),
        "ARCHIVED": lambda: ground.advance(ground.present(period), "archive_period"),
    }
    for each in STATES[1 : STATES.index(state) + 1]:
        steps[each]()
    shown = ground.present(period)
    assert shown["state"] == state
    return shown, offering


def test_a_period_goes_through_all_its_states_and_tells_each_once(ground: Ground) -> None:
    period, _ = bring_to(ground, "ARCHIVED")
    told = ground.told_period(period)
    assert [each["state"] for each in told] == STATES
    assert [each["version"] for each in told] == list(range(1, 9))
    assert {each["place_id"] for each in told} == {CITY}
    assert {each["tier"] for each in told} == {"CITY"}
    acts = [row.action for row in ground.audited(period["period_id"])]
    assert acts == ["plan_period", "publish_period", "begin_teaching", "finish_grading", "archive_period"]


@pytest.mark.parametrize("state", STATES)
def test_no_step_is_taken_out_of_turn(ground: Ground, state: str) -> None:
    period, _ = bring_to(ground, state)
    for method, begins in KEEPERS_STEPS.items():
        if begins == state:
            continue
        with pytest.raises(Conflict, match=r"catalog\.period_state"):
            ground.advance(period, method)
    ground.tick()
    assert ground.present(period)["version"] == period["version"]


def test_bills_of_a_period_that_is_not_ours_change_nothing(ground: Ground) -> None:
    bill(ground, {"period_id": "00000000-0000-7000-8000-000000000001"})


@pytest.mark.parametrize("state", STATES)
def test_bills_move_a_closed_period_only(ground: Ground, state: str) -> None:
    period, _ = bring_to(ground, state)
    if state in ("PLANNED", "PUBLISHED", "SELECTING"):
        with pytest.raises(NotYet):
            bill(ground, period)
    else:
        bill(ground, period)
    assert ground.present(period)["state"] == ("BILLED" if state == "CLOSED" else state)


def test_the_clock_opens_and_closes_at_midnight_in_beijing(ground: Ground) -> None:
    period = ground.plan()
    ground.offer(period, ground.course())
    ground.publish(period)
    for instant, state in (
        ("2026-02-28T23:59:59.999999+08:00", "PUBLISHED"),
        ("2026-03-01T00:00:00+08:00", "SELECTING"),
        ("2026-03-15T23:59:59.999999+08:00", "SELECTING"),
        ("2026-03-16T00:00:00+08:00", "CLOSED"),
    ):
        ground.at(instant)
        ground.tick()
        ground.tick()
        assert ground.present(period)["state"] == state
    assert [each["version"] for each in ground.told_period(period)] == [1, 2, 3, 4]


def test_a_planned_period_is_not_opened_by_the_clock(ground: Ground) -> None:
    period = ground.plan()
    ground.at("2026-03-02T00:00:00+08:00")
    ground.tick()
    assert ground.present(period)["state"] == "PLANNED"


def test_after_a_standstill_both_steps_are_told(ground: Ground) -> None:
    period = ground.plan()
    ground.offer(period, ground.course())
    ground.publish(period)
    ground.at("2026-05-01T00:00:00+08:00")
    ground.tick()
    assert [each["state"] for each in ground.told_period(period)] == ["PLANNED", "PUBLISHED", "SELECTING", "CLOSED"]


def test_two_instances_move_a_period_once(ground: Ground) -> None:
    period = ground.plan()
    ground.offer(period, ground.course())
    ground.publish(period)
    ground.at("2026-03-01T00:00:00+08:00")
    threads = [threading.Thread(target=ground.tick) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ground.tick()
    assert [each["state"] for each in ground.told_period(period)] == ["PLANNED", "PUBLISHED", "SELECTING"]


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"selects_from": "2026-03-01T08:00:00+08:00"}, "catalog.window_midnight", "selects_from"),
        ({"selects_until": "2026-03-16T00:00:00Z"}, "catalog.window_midnight", "selects_until"),
        ({"selects_until": "2026-03-01T00:00:00+08:00"}, "catalog.window_order", "selects_until"),
        ({"due_on": "2026-03-15"}, "catalog.window_order", "due_on"),
        (
            {"selects_from": "2025-01-01T00:00:00+08:00", "selects_until": "2025-02-01T00:00:00+08:00"},
            "catalog.window_past",
            "selects_until",
        ),
        ({"selects_from": "2026-03-01"}, "shared.invalid", "selects_from"),
        ({"code": "上半年"}, "shared.invalid", "code"),
        ({"year": 1900}, "shared.invalid", "year"),
    ],
)
def test_a_window_that_makes_no_sense_is_refused(ground: Ground, changes, code: str, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        ground.plan(**changes)
    assert (refused.value.code, refused.value.field) == (code, field)


def test_a_code_stands_once_at_a_place(ground: Ground) -> None:
    period = ground.plan()
    with pytest.raises(Conflict, match=r"catalog\.period_code_taken"):
        ground.plan(code=period["code"])
    assert ground.plan(YUEXIU, code=period["code"])["tier"] == "DISTRICT"


def test_nothing_offered_is_not_published(ground: Ground) -> None:
    period = ground.plan()
    with pytest.raises(Conflict, match=r"catalog\.nothing_offered"):
        ground.publish(period)
    [offering] = ground.offer(period, ground.course())
    away = {"offering_id": offering["offering_id"], "version": 1, "reason": "不开了"}
    ground.call("withdraw_offering", away, ground.centre)
    with pytest.raises(Conflict, match=r"catalog\.nothing_offered"):
        ground.publish(period)


def test_a_window_that_passed_while_planned_is_not_published(ground: Ground) -> None:
    period = ground.plan()
    ground.offer(period, ground.course())
    ground.at("2026-03-16T00:00:00+08:00")
    with pytest.raises(InvalidInput, match=r"catalog\.window_past"):
        ground.publish(period)


def revise(ground: Ground, period, **changes):
    wanted = {name: period[name] for name in (*actions.CONTENT, "period_id", "version")}
    return ground.call("revise_period", {**wanted, **changes}, ground.centre)


@pytest.mark.parametrize("state", STATES)
def test_what_of_a_period_can_still_change(ground: Ground, state: str) -> None:
    period, _ = bring_to(ground, state)
    assert revise(ground, period)["version"] == period["version"], "the same again is no change"
    begun, over = state not in ("PLANNED", "PUBLISHED"), state not in ("PLANNED", "PUBLISHED", "SELECTING")
    if over:
        with pytest.raises(Conflict, match=r"catalog\.period_state"):
            revise(ground, period, due_on="2026-04-30")
        return
    longer = revise(ground, period, selects_until="2026-03-21T00:00:00+08:00", reason="台风")
    assert ground.told_period(period)[-1]["selects_until"] == "2026-03-20T16:00:00.000000Z"
    if begun:
        for change in ({"title": "改名"}, {"selects_from": "2026-02-01T00:00:00+08:00"}, {"year": 2027}):
            with pytest.raises(Conflict, match=r"catalog\.window_begun"):
                revise(ground, longer, **change)
    else:
        assert revise(ground, longer, title="改名")["title"] == "改名"


def test_a_window_cannot_be_made_to_have_begun_or_ended_in_the_past(ground: Ground) -> None:
    published, _ = bring_to(ground, "PUBLISHED")
    with pytest.raises(InvalidInput, match=r"catalog\.window_past"):
        revise(ground, published, selects_from="2026-01-05T00:00:00+08:00")
    selecting, _ = bring_to(ground, "SELECTING")
    ground.at("2026-03-10T10:00:00+08:00")
    with pytest.raises(InvalidInput, match=r"catalog\.window_past"):
        revise(ground, selecting, selects_until="2026-03-09T00:00:00+08:00")


def test_outdated_versions_are_refused(ground: Ground) -> None:
    period = ground.plan()
    revise(ground, period, title="新题目")
    with pytest.raises(Conflict, match=r"catalog\.period_version"):
        revise(ground, period, title="旧题目")


# --- tiers --------------------------------------------------------------------------------------------------------------


def test_each_tier_is_its_keepers(ground: Ground) -> None:
    city, district = ground.plan(), ground.plan(YUEXIU)
    assert (city["tier"], district["tier"]) == ("CITY", "DISTRICT")
    for period, stranger in (
        (city, ground.district),
        (district, ground.centre),  # above it, but not its keeper
        (district, person(None, (Role.DISTRICT_INSTITUTION, HAIZHU))),
        (city, person(None, (Role.CITY_CENTRE, SHENZHEN))),
    ):
        key = {"period_id": period["period_id"], "version": 1}
        with pytest.raises(NotFound, match=r"catalog\.period_unknown"):
            ground.call("publish_period", key, stranger)
        with pytest.raises(NotFound, match=r"catalog\.period_unknown"):
            ground.call("get_kept_period", {"period_id": period["period_id"]}, stranger)
        with pytest.raises(NotFound):
            ground.call("list_kept_offerings", {"period_id": period["period_id"]}, stranger)
    for actor in (person(), person(None, (Role.CITY_ADMIN, CITY)), person(None, (Role.SUPER_ADMIN, CITY))):
        with pytest.raises(NotAllowed):
            ground.call("get_kept_period", {"period_id": city["period_id"]}, actor)


def test_nobody_opens_a_period_for_a_place_below_the_own(ground: Ground) -> None:
    wanted = {
        "place": YUEXIU,
        "code": "2026-1",
        "title": "越秀",
        "year": 2026,
        "due_on": "2026-03-31",
        "selects_from": "2026-03-01T00:00:00+08:00",
        "selects_until": "2026-03-16T00:00:00+08:00",
    }
    with pytest.raises(NotAllowed, match=r"catalog\.period_place"):
        ground.call("plan_period", wanted, ground.centre)
    with pytest.raises(NotFound):
        ground.call("plan_period", {**wanted, "place": CITY}, ground.district)


def test_planned_periods_are_shown_to_their_keeper_only(ground: Ground) -> None:
    planned, _ = bring_to(ground, "PLANNED")
    published, _ = bring_to(ground, "PUBLISHED")
    with pytest.raises(NotFound):
        ground.call("get_course_period", {"period_id": planned["period_id"]}, person())
    assert ground.call("get_course_period", {"period_id": published["period_id"]}, person())["state"] == "PUBLISHED"
    shown = ground.call("list_course_periods", {"place": YUEXIU, "limit": 200}, person())["items"]
    ids = {each["period_id"] for each in shown}
    assert published["period_id"] in ids
    assert planned["period_id"] not in ids
    with pytest.raises(InvalidInput):
        ground.call("list_course_periods", {"place": CITY, "state": "PLANNED"}, person())
    kept = ground.call("list_kept_periods", {"place": CITY, "limit": 200}, ground.centre)["items"]
    assert {planned["period_id"], published["period_id"]} <= {each["period_id"] for each in kept}


# --- offerings ------------------------------------------------------------------------------------------------------------


def test_an_offering_is_told_whole(ground: Ground) -> None:
    course = ground.course(hour_type="PUBLIC", fee="50", material_fee="12.50", capability_class="ELECTIVE")
    period = ground.plan()
    audience = {"segments": ["PRIMARY"], "subjects": [], "place_ids": [HAIZHU], "school_ids": []}
    [offering] = ground.offer(period, course, capacity=500, audience=audience)
    [told] = ground.told_offering(offering)
    assert told == {
        "offering_id": offering["offering_id"],
        "version": 1,
        "period_id": period["period_id"],
        "tier": "CITY",
        "place_id": CITY,
        "course_id": course["course_id"],
        "course_no": course["course_no"],
        "title": "小学语文阅读教学",
        "hour_type": "PUBLIC",
        "course_type": "REMOTE",
        "hours": "18.00",
        "fee": "50.00",
        "material_fee": "12.50",
        "public_course": True,
        "applicant_unit_id": ground.college["unit_id"],
        "applicant_place": ground.college["place"],
        "charging_unit_id": ground.college["unit_id"],
        "charging_place": ground.college["place"],
        "capacity": 500,
        "audience": audience,
        "capability": True,
        "capability_class": "ELECTIVE",
        "state": "OPEN",
    }


def change(ground: Ground, offering, version: int = 1, **changes):
    key = {"offering_id": offering["offering_id"], "version": version}
    wanted = {"capacity": offering["capacity"], "audience": offering["audience"], **changes}
    return ground.call("change_offering", {**key, **wanted}, ground.centre)


@pytest.mark.parametrize("state", STATES)
def test_when_what_is_offered_can_change(ground: Ground, state: str) -> None:
    period, offering = bring_to(ground, state)
    another = ground.course()
    if state in ("PLANNED", "PUBLISHED", "SELECTING"):
        assert len(ground.offer(period, another)) == 1
        if state == "SELECTING":
            with pytest.raises(Conflict, match=r"catalog\.offering_narrowed"):
                change(ground, offering, capacity=3)
            with pytest.raises(Conflict, match=r"catalog\.offering_narrowed"):
                change(ground, offering, audience={"segments": ["HIGH"]})
        else:
            assert change(ground, offering, capacity=3, audience={"segments": ["HIGH"]})["version"] == 2
        key = {"offering_id": offering["offering_id"], "reason": "讲师生病"}
        version = ground.told_offering(offering)[-1]["version"]
        gone = ground.call("withdraw_offering", {**key, "version": version}, ground.centre)
        assert gone["state"] == "WITHDRAWN"
        with pytest.raises(Conflict, match=r"catalog\.offering_withdrawn"):
            change(ground, offering, version + 1, capacity=9)
        with pytest.raises(Conflict, match=r"catalog\.offering_withdrawn"):
            ground.call("withdraw_offering", {**key, "version": version + 1}, ground.centre)
        return
    with pytest.raises(Conflict, match=r"catalog\.period_state"):
        ground.offer(period, another)
    with pytest.raises(Conflict, match=r"catalog\.period_state"):
        change(ground, offering, capacity=3)
    with pytest.raises(Conflict, match=r"catalog\.period_state"):
        ground.call(
            "withdraw_offering",
            {"offering_id": offering["offering_id"], "version": 1, "reason": "讲师生病"},
            ground.centre,
        )


def test_while_teachers_choose_seats_are_only_added(ground: Ground) -> None:
    period = ground.plan()
    [offering] = ground.offer(period, ground.course(), capacity=10)
    ground.publish(period)
    ground.at("2026-03-01T00:00:00+08:00")
    ground.tick()
    assert change(ground, offering, capacity=20)["capacity"] == 20
    assert change(ground, offering, 2, capacity=None)["capacity"] is None
    with pytest.raises(Conflict, match=r"catalog\.offering_narrowed"):
        change(ground, offering, 3, capacity=1000)
    with pytest.raises(Conflict, match=r"catalog\.offering_version"):
        change(ground, offering, 2, capacity=None)


def test_all_are_added_or_none(ground: Ground) -> None:
    period = ground.plan()
    good, again = ground.course(), ground.course()
    ground.offer(period, again)
    for second, error, code in (
        ({"course_id": again["course_id"]}, Conflict, "catalog.offering_exists"),
        ({"course_id": good["course_id"]}, Conflict, "catalog.offering_exists"),
        ({"course_id": "00000000-0000-0000-0000-000000000000"}, NotFound, "catalog.course_unknown"),
    ):
        wanted = {"period_id": period["period_id"], "offerings": [{"course_id": good["course_id"]}, second]}
        with pytest.raises(error) as refused:
            ground.call("add_offerings", wanted, ground.centre)
        assert (refused.value.code, refused.value.field) == (code, "offerings.1.course_id")
    kept = ground.call("list_kept_offerings", {"period_id": period["period_id"]}, ground.centre)["items"]
    assert [each["course_id"] for each in kept] == [again["course_id"]]


def test_a_withdrawn_course_does_not_come_back_in_the_same_period(ground: Ground) -> None:
    period, course = ground.plan(), ground.course()
    [offering] = ground.offer(period, course)
    away = {"offering_id": offering["offering_id"], "version": 1, "reason": "不开了"}
    ground.call("withdraw_offering", away, ground.centre)
    with pytest.raises(Conflict, match=r"catalog\.offering_exists"):
        ground.offer(period, course)


def test_which_courses_a_period_may_offer(ground: Ground) -> None:
    citys, own = ground.course(), ground.course(YUEXIU)
    elsewhere = ground.course(HAIZHU)
    assert len(ground.offer(ground.plan(YUEXIU), citys, own)) == 2
    assert len(ground.offer(ground.plan(), citys, own, elsewhere)) == 3
    with pytest.raises(NotFound, match=r"catalog\.course_unknown"):
        ground.offer(ground.plan(YUEXIU), elsewhere)


def test_an_audience_lies_inside_the_place(ground: Ground) -> None:
    near, far = ground.unit(f"{YUEXIU}/near"), ground.unit(f"{HAIZHU}/far")
    period, course = ground.plan(YUEXIU), ground.course(YUEXIU)
    for audience, code, field in (
        ({"place_ids": [HAIZHU]}, "catalog.audience_outside", "audience.place_ids"),
        ({"school_ids": [far["unit_id"]]}, "catalog.audience_outside", "audience.school_ids"),
        (
            {"school_ids": ["00000000-0000-0000-0000-000000000000"]},
            "catalog.unit_unknown",
            "offerings.0.audience.school_ids",
        ),
        ({"segments": ["大学"]}, "shared.invalid", "offerings.0.audience.segments.0"),
    ):
        with pytest.raises(InvalidInput) as refused:
            ground.offer(period, course, audience=audience)
        assert (refused.value.code, refused.value.field) == (code, field)
    [offering] = ground.offer(period, course, audience={"school_ids": [near["unit_id"]], "place_ids": [YUEXIU]})
    assert offering["audience"]["school_ids"] == [near["unit_id"]]


def test_every_state_of_an_offering_is_kept(ground: Ground) -> None:
    [offering] = ground.offer(ground.plan(), ground.course(), capacity=10)
    change(ground, offering, capacity=20)
    items = ground.call("list_offering_versions", {"offering_id": offering["offering_id"]}, ground.centre)["items"]
    assert [(each["version"], each["content"]["capacity"]) for each in items] == [(2, 20), (1, 10)]
    with pytest.raises(NotFound):
        ground.call("list_offering_versions", {"offering_id": offering["offering_id"]}, ground.district)


def test_snapshots_tell_what_the_events_told(ground: Ground) -> None:
    period, offering = bring_to(ground, "SELECTING")
    billing = service_actor("billing")
    for event_type, key, told in (
        ("catalog.period_changed", period["period_id"], ground.told_period(period)[-1]),
        ("catalog.offering_changed", offering["offering_id"], ground.told_offering(offering)[-1]),
    ):
        before = str(uuid.UUID(int=uuid.UUID(key).int - 1))
        page = ground.call("read_snapshot", {"type": event_type, "after": [before], "limit": 1}, billing)
        assert page["items"][0]["payload"] == told
        assert page["items"][0]["version"] == told["version"]
