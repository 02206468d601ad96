"""Conspicuous study: found, held as pending, decided, appealed; never deleted, and honest days are left alone."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from services.learning.contract.reviews import Anomaly
from services.shared import clock
from services.shared.actor import Role, service_actor
from services.shared.errors import Conflict, NotAllowed, NotFound
from services.shared.ids import new_id
from services.shared.tables import audit
from tests.conftest import person

COUNTY = "CN/440000/440100/440103"
WHY = {"reason": "已核实"}
DAY = clock.parse_instant("2023-01-10T00:00:00+08:00")


@pytest.fixture(autouse=True)
def fresh_days(world):
    """Days that other tests looked at are looked at again."""
    with world.ingest.database.work() as db:
        db.execute(sa.text("DELETE FROM inspected_day"))


def reviewer(place=COUNTY, role=Role.COUNTY_ADMIN):
    return person(None, (role, place))


def night_comes(world):
    world.clock.instant = max(world.clock.instant, DAY) + dt.timedelta(days=1, hours=2)
    world.learning.service.inspect_study(world.clock.instant)


def reviews(world, teacher):
    return world.learning.call("list_own_study_reviews", {}, teacher)["items"]


def course(world, programme, teacher, key="free"):
    reply = world.learning.call("get_progress", {"programme_id": programme.programme_id}, teacher)
    return next(course for course in reply["courses"] if course["key"] == key)


def told(world, teacher):
    """Countable seconds of the newest snapshot, as credits sees them."""
    newest = max(world.snapshots(teacher), key=lambda snapshot: snapshot["version"])
    return sum(end - begin for video in newest["videos"] for begin, end in video["countable"])


def rush(world, programme, teacher, client_id=""):
    """A script that claims the whole video within five minutes."""
    opened = world.open(teacher, programme.activity_id("free", "v1"), client_id or f"device-{new_id()}")
    for seq in range(1, 6):
        world.wait(60)
        world.record(world.report(opened, seq, (540 * (seq - 1), 540 * seq)))
    return opened


@pytest.fixture
def rushed(world):
    """(programme, teacher whose five minutes are held, the review)"""
    programme = world.publish_programme()
    teacher = world.enrolled(programme)
    rush(world, programme, teacher)
    assert told(world, teacher) == 300
    night_comes(world)
    [review] = reviews(world, teacher)
    return programme, teacher, review


def decide(world, review, upheld, actor=None):
    arguments = {"review_id": review["review_id"], "upheld": upheld, **WHY}
    return world.learning.call("decide_study_review", arguments, actor or reviewer())


def appeal(world, review, teacher):
    return world.learning.call("appeal_study_review", {"review_id": review["review_id"], "reason": "情况不实"}, teacher)


# --- what is found ------------------------------------------------------------------------------------------------------


def test_claiming_more_than_the_clock_is_found_and_its_time_waits(world, rushed):
    programme, teacher, review = rushed
    assert (review["anomaly"], review["state"], review["studied_on"]) == ("IMPOSSIBLE_SPEED", "PENDING", "2023-01-10")
    assert review["found"] == {"claimed_seconds": 2700, "elapsed_seconds": 300, "sittings": 1}
    assert told(world, teacher) == 0
    shown = course(world, programme, teacher)
    assert (shown["studied_seconds"], shown["countable_seconds"], shown["held_seconds"]) == (300, 0, 300)
    assert "learning.under_review" in shown["reasons"]
    # Held, not deleted.
    seen, countable = world.watched(teacher, programme.activity_id("free", "v1"))
    assert sum(end - begin for begin, end in seen) == sum(end - begin for begin, end in countable) == 300


def test_a_day_of_sixteen_hours_is_found(world):
    programme = world.publish_programme()
    teacher = world.enrolled(programme)
    world.clock.instant = DAY + dt.timedelta(minutes=5)
    for _ in range(24):
        opened = world.open(teacher, programme.activity_id("free", "v1"), f"own-{teacher.account_id}")
        for seq in range(1, 10):
            world.play(opened, seq, 300 * (seq - 1), 300 * seq)
    night_comes(world)
    [review] = reviews(world, teacher)
    assert (review["anomaly"], review["found"]) == (Anomaly.LONG_DAY, {"seconds": 24 * 2700, "sittings": 24})


def test_a_long_honest_day_is_left_alone(world):
    programme = world.publish_programme()
    teacher = world.enrolled(programme)
    world.clock.instant = DAY + dt.timedelta(hours=6)
    for number in range(16):
        opened = world.open(teacher, programme.activity_id("free", "v1"), f"own-{teacher.account_id}")
        for seq in range(1, 10):
            world.play(opened, seq, 300 * (seq - 1), 300 * seq)
        world.wait(13 * number)
    night_comes(world)
    assert reviews(world, teacher) == []
    assert told(world, teacher) == 2700


def test_many_accounts_at_one_device_are_found(world):
    programme = world.publish_programme()
    farm = [world.enrolled(programme) for _ in range(4)]
    device = f"farm-{new_id()}"
    sessions = [world.open(teacher, programme.activity_id("free", "v1"), device) for teacher in farm]
    for seq in range(1, 4):
        world.wait(300)
        world.record(*[world.report(opened, seq, (300 * (seq - 1), 300 * seq)) for opened in sessions])
    night_comes(world)
    for teacher in farm:
        [review] = reviews(world, teacher)
        assert (review["anomaly"], review["found"]) == ("SHARED_DEVICE", {"teachers": 4, "at_once": 4, "sittings": 1})
        assert told(world, teacher) == 0


def test_colleagues_who_share_a_computer_one_after_the_other_are_left_alone(world):
    programme = world.publish_programme()
    device = f"room-{new_id()}"
    for number in range(5):
        teacher = world.enrolled(programme)
        opened = world.open(teacher, programme.activity_id("free", "v1"), device)
        world.play(opened, 1, 0, 300 + number)
    night_comes(world)
    assert reviews(world, teacher) == []


def watch_in_rhythm(world, programme, teacher, pauses):
    for pause in pauses:
        opened = world.open(teacher, programme.activity_id("free", "v1"), f"own-{teacher.account_id}")
        world.play(opened, 1, 0, 240)
        world.wait(pause)


def test_the_same_rhythm_of_five_accounts_is_found(world):
    programme = world.publish_programme()
    bots = [world.enrolled(programme) for _ in range(5)]
    honest = world.enrolled(programme)
    for bot in bots:
        watch_in_rhythm(world, programme, bot, (10, 20, 30, 40))
    watch_in_rhythm(world, programme, honest, (11, 67, 25, 41))
    night_comes(world)
    for bot in bots:
        [review] = reviews(world, bot)
        assert (review["anomaly"], review["found"]) == ("SAME_RHYTHM", {"teachers": 5, "sittings": 4})
    assert reviews(world, honest) == []


def test_a_day_is_looked_at_once_it_is_over_and_finds_nothing_twice(world, rushed):
    _, teacher, _ = rushed
    with world.ingest.database.work() as db:
        db.execute(sa.text("DELETE FROM inspected_day"))
    night_comes(world)
    assert len(reviews(world, teacher)) == 1


def test_the_present_day_is_not_judged_yet(world):
    programme = world.publish_programme()
    teacher = world.enrolled(programme)
    rush(world, programme, teacher)
    world.learning.service.inspect_study(world.clock.instant)
    assert reviews(world, teacher) == []


# --- what is held -------------------------------------------------------------------------------------------------------


def test_watching_it_again_honestly_counts_at_once(world, rushed):
    programme, teacher, _ = rushed
    _, countable = world.watched(teacher, programme.activity_id("free", "v1"))
    opened = world.open(teacher, programme.activity_id("free", "v1"), "at-home-2")
    begin, end = countable[0]
    world.play(opened, 1, begin, end)
    assert told(world, teacher) == end - begin
    assert course(world, programme, teacher)["held_seconds"] == 300 - (end - begin)


def test_a_late_report_of_a_held_sitting_is_held_as_well(world):
    programme = world.publish_programme()
    teacher = world.enrolled(programme)
    opened = rush(world, programme, teacher)
    world.wait(60)
    late = world.report(opened, 9, (0, 60))
    night_comes(world)
    world.record(late)
    assert told(world, teacher) == 0
    assert course(world, programme, teacher)["held_seconds"] == 360


def test_everything_still_follows_from_the_reports(world, rushed):
    _, teacher, _ = rushed
    page = world.learning.call("reconcile_study", {"after": None, "limit": 1000}, service_actor("cli"))
    assert [each for each in page["differences"] if each["teacher_id"] == str(teacher.account_id)] == []


# --- the review ---------------------------------------------------------------------------------------------------------


def test_clearing_gives_all_of_it_back(world, rushed):
    _, teacher, review = rushed
    cleared = decide(world, review, upheld=False)
    assert (cleared["state"], told(world, teacher)) == ("CLEARED", 300)
    assert [step["act"] for step in cleared["steps"]] == ["CLEAR"]


def test_an_upheld_finding_may_be_appealed_once_and_goes_to_somebody_else(world, rushed):
    _, teacher, review = rushed
    first, second = reviewer(), reviewer(role=Role.DISTRICT_INSTITUTION)
    assert decide(world, review, True, first)["state"] == "UPHELD"
    assert appeal(world, review, teacher)["state"] == "APPEALED"
    with pytest.raises(NotAllowed) as refusal:
        decide(world, review, False, first)
    assert refusal.value.code == "learning.review_by_another"
    assert told(world, teacher) == 0
    assert decide(world, review, True, second)["state"] == "CONFIRMED"
    with pytest.raises(Conflict) as refusal:
        appeal(world, review, teacher)
    assert refusal.value.code == "learning.review_state"
    [shown] = reviews(world, teacher)
    assert [step["act"] for step in shown["steps"]] == ["UPHOLD", "APPEAL", "UPHOLD"]


def test_an_appeal_that_is_right_gives_all_of_it_back(world, rushed):
    _, teacher, review = rushed
    decide(world, review, True, reviewer())
    appeal(world, review, teacher)
    assert decide(world, review, False, reviewer())["state"] == "CLEARED"
    assert told(world, teacher) == 300


def test_two_findings_about_one_sitting_hold_it_until_both_are_cleared(world):
    programme = world.publish_programme()
    farm = [world.enrolled(programme) for _ in range(3)]
    device = f"farm-{new_id()}"
    sessions = [world.open(teacher, programme.activity_id("free", "v1"), device) for teacher in farm]
    for seq in range(1, 6):
        world.wait(60)
        world.record(*[world.report(opened, seq, (540 * (seq - 1), 540 * seq)) for opened in sessions])
    night_comes(world)
    one, two = reviews(world, farm[0])
    decide(world, one, upheld=False)
    assert told(world, farm[0]) == 0
    decide(world, two, upheld=False)
    assert told(world, farm[0]) == 300


def test_who_may_see_and_decide(world, rushed):
    _, teacher, review = rushed
    query = {"place": COUNTY, "state": "PENDING"}
    listed, cursor = [], None
    while True:  # other tests' teachers of the county are in it, the oldest first
        page = world.learning.call("list_study_reviews", {**query, "cursor": cursor}, reviewer())
        listed += [each["review_id"] for each in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert review["review_id"] in listed
    assert len(set(listed)) == len(listed)
    elsewhere = reviewer("CN/440000/440100/440104")
    with pytest.raises(NotFound):
        world.learning.call("list_study_reviews", query, elsewhere)
    with pytest.raises(NotFound):
        decide(world, review, False, elsewhere)
    with pytest.raises(NotFound):
        appeal(world, review, person())
    with pytest.raises(NotAllowed):
        decide(world, review, False, teacher)
    with pytest.raises(NotFound):
        decide(world, {"review_id": str(new_id())}, False)


def test_a_decision_leaves_an_audit_row(world, rushed):
    _, teacher, review = rushed
    decide(world, review, True)
    with world.learning.database.work() as db:
        rows = db.execute(sa.select(audit).where(audit.c.subject == teacher.account_id)).all()
    [row] = [row for row in rows if row.action == "decide_study_review" and not row.refusal]
    assert (row.before["state"], row.after["state"], row.place) == ("PENDING", "UPHELD", f"{COUNTY}/other")


def test_clearing_after_the_close_still_reaches_credits(world, rushed):
    _, teacher, review = rushed
    before = len(world.snapshots(teacher))
    world.clock.instant = clock.parse_instant("2023-03-02T00:00:00+08:00")
    decide(world, review, upheld=False)
    assert len(world.snapshots(teacher)) == before + 1
    assert told(world, teacher) == 300
