"""Conspicuous study: found, held as pending, decided, appealed; never deleted, and honest days are left alone."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from services.learning.contract.reviews import Anomaly
from services.learning.review import actions
from services.learning.review.models import InspectedDay
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
        db.execute(sa.text("DELETE FROM inspected_piece"))
        # The days before hold nothing: two hundred pieces of each would be looked at for it.
        before = [{"day": (DAY - dt.timedelta(days=back)).date(), "inspected_at": DAY} for back in range(10)]
        db.execute(sa.insert(InspectedDay), before)


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
    """Countable seconds of the newest snapshot, as credits sees them once the teacher looks at the hours."""
    [programme_id] = {snapshot["programme_id"] for snapshot in world.snapshots(teacher)}
    world.learning.call("tell_progress", {"programme_id": programme_id}, teacher)
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


def test_of_what_is_cleared_credits_hears_nothing_more(world, rushed):
    _, teacher, review = rushed
    decide(world, review, upheld=False)
    newest = max(world.snapshots(teacher), key=lambda snapshot: snapshot["version"])
    assert told(world, teacher) == 300
    assert all("held" not in video for video in newest["videos"])


# --- what is found ------------------------------------------------------------------------------------------------------


def test_claiming_more_than_the_clock_is_found_and_its_time_waits(world, rushed):
    programme, teacher, review = rushed
    assert (review["anomaly"], review["state"], review["studied_on"]) == ("IMPOSSIBLE_SPEED", "PENDING", "2023-01-10")
    assert review["found"] == {"claimed_seconds": 2700, "elapsed_seconds": 300, "sittings": 1}
    assert told(world, teacher) == 0
    shown = course(world, programme, teacher)
    assert (shown["studied_seconds"], shown["countable_seconds"], shown["held_seconds"]) == (300, 0, 300)
    assert "learning.under_review" in shown["reasons"]
    # Credits hears what waits, so that a zero there has its reason.
    newest = max(world.snapshots(teacher), key=lambda snapshot: snapshot["version"])
    assert sum(end - begin for video in newest["videos"] for begin, end in video["held"]) == 300
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


# --- a national day comes in pieces ----------------------------------------------------------------------------------------


def rushes(world, count, client_id=""):
    programme = world.publish_programme()
    teachers = [world.enrolled(programme) for _ in range(count)]
    for teacher in teachers:
        rush(world, programme, teacher, client_id)
    return programme, teachers


def held(world, programme, teacher):
    return course(world, programme, teacher)["held_seconds"]


class Died(Exception):
    """The process was killed here."""


@pytest.mark.parametrize(
    ("where", "number"),
    [
        *(("keep_findings", number) for number in (1, 2, 3)),
        *(("finish_piece", number) for number in (1, 40, 64, 65, 130, 192)),
        ("finish_day", 1),
    ],
)
def test_an_inspection_may_die_before_any_commit_and_starts_again(world, monkeypatch, where, number):
    """Killed there, the next run finds the same as one that nobody disturbed."""
    monkeypatch.setattr(actions, "FINDINGS_AT_ONCE", 1)
    programme, teachers = rushes(world, 4)
    world.clock.instant = DAY + dt.timedelta(days=1, hours=2)
    act, calls = getattr(actions, where), []

    def dying(*arguments):
        done = act(*arguments)
        calls.append(arguments)
        if len(calls) == number:
            raise Died
        return done

    monkeypatch.setattr(actions, where, dying)
    with pytest.raises(Died):
        world.learning.service.inspect_study(world.clock.instant)
    world.learning.service.inspect_study(world.clock.instant)
    for teacher in teachers:
        [review] = reviews(world, teacher)
        assert (review["anomaly"], review["found"]["sittings"]) == ("IMPOSSIBLE_SPEED", 1)
        assert (held(world, programme, teacher), told(world, teacher)) == (300, 0)


def test_an_inspection_cut_off_between_finding_and_holding_holds_all_the_same(world, monkeypatch):
    _, teachers = rushes(world, 3)
    world.clock.instant = DAY + dt.timedelta(days=1, hours=2)
    announce = actions.announce_progress
    calls = []

    def cut(db, keys):
        calls.append(keys)
        if len(calls) == 2:
            raise Died
        announce(db, keys)

    monkeypatch.setattr(actions, "announce_progress", cut)
    with pytest.raises(Died):
        world.learning.service.inspect_study(world.clock.instant)
    world.learning.service.inspect_study(world.clock.instant)
    assert [told(world, teacher) for teacher in teachers] == [0, 0, 0]


def test_no_transaction_keeps_more_than_a_slice_of_findings(world, monkeypatch):
    monkeypatch.setattr(actions, "FINDINGS_AT_ONCE", 2)
    _, teachers = rushes(world, 5, "one-device-for-all")
    sizes = []
    keep = actions.keep_findings
    monkeypatch.setattr(
        actions, "keep_findings", lambda db, findings, *more: sizes.append(len(findings)) or keep(db, findings, *more)
    )
    night_comes(world)
    assert sizes
    assert max(sizes) <= 2
    assert all(reviews(world, teacher) for teacher in teachers)


def test_a_teacher_found_at_devices_of_two_pieces_has_one_review_that_holds_both(world, monkeypatch):
    programme = world.publish_programme()
    teachers = [world.enrolled(programme) for _ in range(10)]
    video = programme.activity_id("free", "v1")
    with world.learning.database.work() as db:
        pieces = {
            device: db.scalar(sa.text("SELECT hashtextextended(:device, 1) & 63"), {"device": device})
            for device in (f"device-{number:04}" for number in range(40))
        }
    one = "device-0000"
    other = next(device for device, piece in pieces.items() if piece != pieces[one])
    for device in (one, other):
        for teacher in teachers:
            opened = world.open(teacher, video, device, take_over=True)
            world.play(opened, 1, 0, 30)
    night_comes(world)
    for teacher in teachers:
        [review] = [each for each in reviews(world, teacher) if each["anomaly"] == "SHARED_DEVICE"]
        assert review["found"]["sittings"] == 2


def test_a_decided_review_takes_in_nothing_more(world, rushed):
    _, teacher, review = rushed
    decide(world, review, upheld=False)
    with world.ingest.database.work() as db:
        db.execute(sa.text("DELETE FROM inspected_day WHERE day = '2023-01-10'"))
    night_comes(world)
    assert [each["state"] for each in reviews(world, teacher)] == ["CLEARED"]
    assert told(world, teacher) == 300


def test_a_piece_reads_its_own_rows_by_an_index(world):
    with world.learning.database.work() as db:
        db.execute(sa.text("SET LOCAL enable_seqscan = off"))
        for name, expression in (
            ("study_session_teachers", "(uuid_hash_extended(teacher_id, 1) & 63) = 5"),
            ("study_session_devices", "(hashtextextended(client_id, 1) & 63) = 5"),
        ):
            plan = db.execute(sa.text(f"EXPLAIN SELECT 1 FROM study_session WHERE {expression} AND opened_at > now()"))
            assert name in " ".join(plan.scalars())
