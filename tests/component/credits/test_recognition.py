"""Recognition over a real database: what evidence becomes, in whatever order and number it is delivered."""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
import threading

import pytest
import sqlalchemy as sa

from services.credits import contract
from services.shared import clock
from services.shared.bus import Event, NotYet, dispatch
from services.shared.ids import new_id
from services.shared.tables import parked
from tests.component.credits.conftest import membership
from tests.conftest import person

SIX = [("SW23.OTHER", "1.00")] * 4 + [("SW23.PARTY20", "2.00")]


def hours(credits_service, season, teacher_id):
    return credits_service.call("get_hours", {"programme_id": season.programme_id}, person(teacher_id))


def test_a_whole_season_becomes_six_hours_and_one_ledger_row_per_course(
    credits_service, season, record, teacher_id, ledger, announced
):
    record(*season.everything(teacher_id))
    shown = hours(credits_service, season, teacher_id)
    assert (shown["hours"], shown["courses_done"], shown["requirement_met"]) == ("6.00", 5, True)
    assert [course["reasons"] for course in shown["courses"]] == [[]] * 5
    assert sorted(ledger(teacher_id)) == SIX
    [event] = announced(contract.HOURS_RECOGNISED, teacher_id)
    assert (event["version"], event["hours"], event["courses_total"]) == (1, "6.00", 5)


def test_enrolment_alone_gives_a_standing_of_nothing_with_a_reason_each(
    credits_service, season, record, teacher_id, ledger, announced
):
    record(season.enrolled(teacher_id))
    shown = hours(credits_service, season, teacher_id)
    assert (shown["hours"], shown["requirement_met"]) == ("0.00", False)
    assert {reason for course in shown["courses"] for reason in course["reasons"]} == {"not_started"}
    assert {short["rule_id"] for short in shown["shortfalls"]} == {"SW23.CERT.COURSES", "SW23.CERT.HOURS"}
    assert ledger(teacher_id) == []
    assert len(announced(contract.HOURS_RECOGNISED, teacher_id)) == 1


def test_studied_and_recognised_stand_side_by_side(credits_service, season, record, teacher_id):
    # W09: the last second of the one course came after the close.
    record(season.enrolled(teacher_id), season.progressed(teacher_id, "live_safety", [(2700, 2699)]))
    course = hours(credits_service, season, teacher_id)["courses"][1]
    assert (course["studied_seconds"], course["counted_seconds"], course["hours"]) == (2700, 2699, "0.00")
    assert course["reasons"] == ["outside_window", "below_threshold"]


def test_time_under_review_has_its_reason_until_somebody_clears_it(
    credits_service, season, record, teacher_id, ledger, announced
):
    """The teacher is told why, and not that the time lay outside the window."""
    event_type, waiting = season.progressed(teacher_id, "live_safety", [(2700, 600)])
    waiting["videos"][0]["held"] = [[600, 2700]]
    record(season.enrolled(teacher_id), (event_type, waiting))
    course = hours(credits_service, season, teacher_id)["courses"][1]
    assert (course["counted_seconds"], course["reasons"]) == (600, ["under_review", "below_threshold"])
    assert ledger(teacher_id) == []
    record(season.progressed(teacher_id, "live_safety", [(2700, 2700)], version=2))
    course = hours(credits_service, season, teacher_id)["courses"][1]
    assert (course["hours"], course["reasons"]) == ("1.00", [])
    told = announced(contract.HOURS_RECOGNISED, teacher_id)
    assert [event["courses"][1]["reasons"] for event in told] == [["under_review", "below_threshold"], []]


def test_delivering_everything_twice_changes_nothing(season, record, teacher_id, ledger, announced):
    events = [(*event, new_id()) for event in season.everything(teacher_id)]
    record(*events)
    record(*events)  # the same event ids: the inbox drops them
    record(*season.everything(teacher_id))  # the same facts under new ids: their versions are known
    for event in season.everything(teacher_id):
        record(event)
    assert sorted(ledger(teacher_id)) == SIX
    assert len(announced(contract.HOURS_RECOGNISED, teacher_id)) == 1


def test_an_older_version_after_a_newer_one_changes_nothing(credits_service, season, record, teacher_id, ledger):
    record(season.progressed(teacher_id, "course_c", 1, version=3))
    record(season.progressed(teacher_id, "course_c", [(60, 60)], version=2))
    assert ledger(teacher_id) == [("SW23.OTHER", "1.00")]
    assert hours(credits_service, season, teacher_id)["courses"][2]["counted_seconds"] == 2700


def test_of_two_versions_in_one_batch_the_newer_counts(season, record, teacher_id, ledger):
    record(
        season.progressed(teacher_id, "course_c", 1, version=2),
        season.progressed(teacher_id, "course_c", [(60, 60)], version=1),
    )
    assert ledger(teacher_id) == [("SW23.OTHER", "1.00")]


@pytest.mark.parametrize("seed", range(4))
def test_order_and_batching_make_no_difference(season, record, ledger, credits_service, seed):
    teacher_id, chance = new_id(), random.Random(seed)
    events = season.everything(teacher_id)
    for course in season.programme["courses"]:
        events.append(season.progressed(teacher_id, course["key"], [(60, 60)], version=0))
    chance.shuffle(events)
    while events:
        size = chance.randint(1, 4)
        record(*events[:size])
        events = events[size:]
    assert sorted(ledger(teacher_id)) == SIX
    assert hours(credits_service, season, teacher_id)["hours"] == "6.00"


def test_study_that_changes_no_hours_is_shown_but_not_announced(credits_service, season, record, teacher_id, announced):
    record(season.progressed(teacher_id, "live_safety", [(600, 600)], version=1))
    record(season.progressed(teacher_id, "live_safety", [(700, 700)], version=2))
    assert hours(credits_service, season, teacher_id)["studied_seconds"] == 700
    assert len(announced(contract.HOURS_RECOGNISED, teacher_id)) == 1
    record(season.progressed(teacher_id, "live_safety", [(2700, 2700)], version=3))
    assert [event["version"] for event in announced(contract.HOURS_RECOGNISED, teacher_id)] == [1, 2]


def test_hours_are_of_the_day_of_the_study_and_not_of_the_telling(recognition, season, record, teacher_id, fixed_clock):
    fixed_clock.instant = clock.parse_instant("2023-02-11T00:04:00+08:00")
    event_type, payload = season.progressed(teacher_id, "course_c", 1)
    record((event_type, {**payload, "studied_at": "2023-02-10T15:59:30.000000Z"}))
    with recognition.database.work() as db:
        [day] = db.scalars(sa.text("SELECT effective_on FROM ledger WHERE teacher_id = :id"), {"id": teacher_id})
    assert day == dt.date(2023, 2, 10)


def test_evidence_that_shrinks_is_corrected_by_a_reversing_entry(recognition, season, record, teacher_id, ledger):
    # Learning never takes time back; a repaired fault or a changed pack may.
    record(season.progressed(teacher_id, "course_c", 1, version=1))
    record(season.progressed(teacher_id, "course_c", [(60, 60)], version=2))
    assert ledger(teacher_id) == [("SW23.OTHER", "1.00"), ("SW23.OTHER", "-1.00")]
    with recognition.database.work() as db:
        rows = db.execute(
            sa.text("SELECT entry_id, source_kind, reversal_of FROM ledger WHERE teacher_id = :id ORDER BY entry_id"),
            {"id": teacher_id},
        ).all()
    assert [row.source_kind for row in rows] == ["SEASON", "CORRECTION"]
    assert rows[1].reversal_of == rows[0].entry_id


def test_a_move_changes_the_school_of_new_entries_only(recognition, season, record, teacher_id, credits_service):
    # W11: hours stay as they are when the teacher moves from "other" to her school.
    recognition.deliver("on_membership_changed", *membership(teacher_id, "CN/440000/440100/440103/other", 1))
    record(season.progressed(teacher_id, "course_c", 1))
    recognition.deliver("on_membership_changed", *membership(teacher_id, version=2))
    record(season.progressed(teacher_id, "course_d", 1))
    with recognition.database.work() as db:
        places = db.execute(
            sa.text("SELECT place FROM ledger WHERE teacher_id = :id ORDER BY entry_id"), {"id": teacher_id}
        ).scalars()
        assert list(places) == ["CN/440000/440100/440103/other", "CN/440000/440100/440103/s1"]
    assert hours(credits_service, season, teacher_id)["hours"] == "2.00"


def test_the_hour_belongs_to_the_year_in_which_the_season_ends(recognition, season, record, teacher_id, fixed_clock):
    fixed_clock.instant = clock.parse_instant("2022-12-10T10:00:00+08:00")
    record(season.progressed(teacher_id, "live_safety", [(2700, 2700)]))
    with recognition.database.work() as db:
        row = db.execute(
            sa.text("SELECT year, effective_on FROM ledger WHERE teacher_id = :id"), {"id": teacher_id}
        ).one()
    assert (row.year, row.effective_on.isoformat()) == (2023, "2022-12-10")


def test_two_writers_of_one_teacher_at_once_add_up(season, recognition, ledger, credits_service):
    """Each round two threads bring different courses of the same teacher; whoever is second must see the first."""
    for _ in range(5):
        teacher_id, start = new_id(), threading.Barrier(2)
        events = season.everything(teacher_id)

        def deliver(part, start=start):
            start.wait()
            recognition.deliver_batch("record_progress", part, events=True)

        threads = [threading.Thread(target=deliver, args=(part,)) for part in (events[:3], events[3:])]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(ledger(teacher_id)) == SIX
        assert hours(credits_service, season, teacher_id)["hours"] == "6.00"


def test_evidence_waits_for_its_programme_and_holds_up_nobody_else(recognition, season, record, teacher_id, ledger):
    event_type, known = season.progressed(new_id(), "course_c", 1)
    early, event_id = {**known, "programme_id": str(new_id())}, new_id()
    record(season.progressed(teacher_id, "course_c", 1), (event_type, early, event_id))
    assert ledger(teacher_id) == [("SW23.OTHER", "1.00")]
    with recognition.database.work() as db:
        row = db.execute(sa.select(parked.c.error).where(parked.c.event_id == event_id)).one()
    assert row.error == "NotYet"


def test_closing_waits_for_the_last_snapshot_and_is_announced_once(recognition, season, record, teacher_id, announced):
    record(*season.everything(teacher_id)[:-1])
    closed = season.study_closed(enrolments=1, snapshots=5, version_sum=5)
    with pytest.raises(NotYet):
        recognition.deliver("on_study_closed", *closed)
    assert announced(contract.RECOGNITION_CLOSED, season.programme_id) == []
    record(season.everything(teacher_id)[-1])
    recognition.deliver("on_study_closed", *closed)
    recognition.deliver("on_study_closed", *closed)
    assert announced(contract.RECOGNITION_CLOSED, season.programme_id) == [
        {"programme_id": season.programme_id, "standings": 1, "version_sum": 2}
    ]


def test_closing_waits_for_every_enrolment(recognition, season, record, teacher_id):
    record(season.progressed(teacher_id, "course_c", 1))
    with pytest.raises(NotYet):
        recognition.deliver("on_study_closed", *season.study_closed(1, 1, 1))
    record(season.enrolled(teacher_id))
    recognition.deliver("on_study_closed", *season.study_closed(1, 1, 1))


def test_a_poisoned_snapshot_is_parked_alone(recognition, season, record, teacher_id, ledger):
    event_type, payload = season.progressed(new_id(), "course_c", 1)
    payload["videos"][0]["seen"] = "everything"
    event_id = new_id()
    recognition.deliver_batch(
        "record_progress",
        [season.progressed(teacher_id, "course_c", 1), (event_type, payload, event_id)],
        events=True,
    )
    assert ledger(teacher_id) == [("SW23.OTHER", "1.00")]
    with recognition.database.work() as db:
        assert db.execute(sa.select(parked.c.id).where(parked.c.event_id == event_id)).one()


def test_an_older_publication_does_not_overwrite_a_newer_one(recognition, season):
    recognition.deliver(
        "on_programme_published", season.published()[0], {**season.programme, "version": 3, "rule_pack": "new"}
    )
    recognition.deliver(
        "on_programme_published", season.published()[0], {**season.programme, "version": 2, "rule_pack": "old"}
    )
    with recognition.database.work() as db:
        row = db.execute(
            sa.text("SELECT rule_pack, courses FROM programme WHERE programme_id = :id"), {"id": season.programme_id}
        ).one()
    assert row.rule_pack == "new"
    # Neither quiz nor answer leaves the catalogue for here.
    assert set(row.courses[0]) == {"course_id", "key", "title"}


def test_parked_evidence_counts_once_its_programme_has_come(recognition, season, record, teacher_id, ledger):
    """Evidence and the word of the close overtake the catalogue; the sweeper brings all to the same end."""
    whole = {**season.programme, "programme_id": str(new_id())}
    early = dataclasses.replace(season, programme=whole)
    record(*early.everything(teacher_id))
    event_type, payload = early.study_closed(enrolments=1, snapshots=5, version_sum=5)
    closed = Event(new_id(), event_type, new_id(), clock.now(), payload)
    dispatch.apply_event_or_park(recognition.database, recognition.service, "on_study_closed", closed)
    assert ledger(teacher_id) == []

    recognition.deliver("on_programme_published", *early.published())
    consumers = {"record_progress": False, "on_study_closed": True}
    for _ in range(2):  # the close may come up before the evidence it waits for
        _make_due(recognition)
        dispatch.sweep(recognition.database, recognition.service, consumers)
    assert sorted(ledger(teacher_id)) == SIX
    about = [
        event
        for event in recognition.outbox(contract.RECOGNITION_CLOSED)
        if event["programme_id"] == early.programme_id
    ]
    assert [event["standings"] for event in about] == [1]


def _make_due(recognition):
    with recognition.database.work() as db:
        db.execute(sa.update(parked).values(next_attempt_at=sa.func.now()))
