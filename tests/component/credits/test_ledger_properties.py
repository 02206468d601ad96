"""What holds of the ledger after any history of evidence, one writer or thirty-two at once."""

from __future__ import annotations

import copy
import dataclasses
import threading
import uuid
from decimal import Decimal

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.credits import pack_files, queries
from services.credits.rules.pack import Kind
from services.shared.ids import new_id
from tests.component.credits.conftest import Season

WRITERS = 32
# Courses whose caps meet: each alone stays below its own, together they pass what all may earn.
SHARED = "smartedu-2026-summer"


@pytest.fixture
def summer(season, recognition):
    """The season under a pack of hours in proportion, capped by the course and in all."""
    pack = pack_files.load_season_pack(SHARED)
    content = copy.deepcopy(season.programme)
    content |= {"programme_id": str(new_id()), "code": f"{content['code']}-summer", "rule_pack": SHARED}
    content["courses"] = [
        {**course, "course_id": str(uuid.uuid4()), "key": key}
        for course, key in zip(content["courses"], pack.courses, strict=False)
    ]
    assert len(content["courses"]) == len(pack.courses)
    made = Season(content)
    recognition.deliver("on_programme_published", *made.published())
    return made


def studied(season, teacher_id, key, seconds, version):
    """One long video of the course, of which so many seconds count."""
    event_type, payload = season.progressed(teacher_id, key, [(1, 1)], version)
    video = {**payload["videos"][0], "duration_seconds": 40_000, "quizzes": []}
    video |= {"seen": [[0, seconds]] if seconds else [], "countable": [[0, seconds]] if seconds else []}
    return event_type, {**payload, "videos": [video]}


def entries_of(recognition, teacher_id):
    with recognition.database.work() as db:
        rows = db.execute(
            sa.text(
                "SELECT entry_id, source_ref, turn, amount, reversal_of FROM ledger WHERE teacher_id = :id"
                " ORDER BY source_ref, turn"
            ),
            {"id": teacher_id},
        )
        return rows.all()


def standing_of(recognition, season, teacher_id):
    with recognition.database.work() as db:
        standing, _ = queries.get_standing(db, teacher_id, uuid.UUID(season.programme_id))
        courses = {f"course:{course['course_id']}": Decimal(course["hours"]) for course in standing.courses}
        return standing.hours, courses


def amounts(entries):
    found: dict[str, Decimal] = {}
    for entry in entries:
        found[entry.source_ref] = found.get(entry.source_ref, Decimal(0)) + entry.amount
    return found


history = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 14_000)),  # (course, seconds that count): more, less, or nothing again
    min_size=1,
    max_size=8,
)


@settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history, st.booleans())
def test_entries_add_up_to_what_is_recognised_and_reversal_is_exact(recognition, summer, record, history, together):
    """After every step of any history; what shrank was taken back by entries that each name an award of their source."""
    teacher_id = new_id()
    keys = [course["key"] for course in summer.programme["courses"]]
    events = [
        studied(summer, teacher_id, keys[course], seconds, version)
        for version, (course, seconds) in enumerate(history, start=1)
    ]
    for batch in [events] if together else [[event] for event in events]:
        record(*batch)
        _require_exact(recognition, summer, teacher_id)

    # Everything taken back: each source comes to exactly nothing, and nothing of the history is lost.
    before = entries_of(recognition, teacher_id)
    record(*(studied(summer, teacher_id, key, 0, len(history) + 1) for key in keys))
    after = entries_of(recognition, teacher_id)
    assert set(amounts(after).values()) <= {Decimal(0)}
    assert {entry.entry_id for entry in before} <= {entry.entry_id for entry in after}


def _require_exact(recognition, summer, teacher_id):
    """Entries add up to the standing, source by source, and each that takes away names an award of its own source."""
    entries = entries_of(recognition, teacher_id)
    hours, courses = standing_of(recognition, summer, teacher_id)
    written = amounts(entries)
    assert sum(written.values()) == hours <= 10
    assert {ref: amount for ref, amount in courses.items() if amount} == {
        ref: amount for ref, amount in written.items() if amount
    }
    awards = {entry.entry_id: entry.source_ref for entry in entries if entry.amount > 0}
    for entry in entries:
        assert (entry.reversal_of is None) == (entry.amount > 0)
        assert entry.reversal_of is None or awards[entry.reversal_of] == entry.source_ref


def test_sabotage_differences_from_nothing_do_not_add_up(recognition, summer, record, monkeypatch):
    """Each judgement written whole, as if the ledger were empty but for the numbers of its turns."""
    sum_ledger = queries.sum_ledger

    def forget_amounts(db, studies):
        found = sum_ledger(db, studies)
        return {
            study: {ref: dataclasses.replace(each, amount=Decimal(0)) for ref, each in sources.items()}
            for study, sources in found.items()
        }

    monkeypatch.setattr(queries, "sum_ledger", forget_amounts)
    teacher_id, key = new_id(), summer.programme["courses"][0]["key"]
    for version, seconds in enumerate((2_700, 5_400), start=1):
        record(studied(summer, teacher_id, key, seconds, version))
    with pytest.raises(AssertionError):
        _require_exact(recognition, summer, teacher_id)


def test_sabotage_what_is_taken_back_from_another_source_is_noticed(recognition, summer, record, monkeypatch):
    """A correction that names an award of another course is no reversal of anything."""
    first, second = (course["key"] for course in summer.programme["courses"][:2])
    teacher_id = new_id()
    record(studied(summer, teacher_id, first, 5_400, 1), studied(summer, teacher_id, second, 5_400, 1))
    _require_exact(recognition, summer, teacher_id)
    other = {entry.source_ref: entry.entry_id for entry in entries_of(recognition, teacher_id)}
    monkeypatch.setattr(
        queries,
        "find_last_awards",
        lambda _db, sources: {
            (teacher, ref): next(entry for source, entry in other.items() if source != ref) for teacher, ref in sources
        },
    )
    record(studied(summer, teacher_id, first, 0, 2))
    with pytest.raises(AssertionError):
        _require_exact(recognition, summer, teacher_id)


@settings(deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history, st.randoms(use_true_random=False))
def test_the_order_in_which_evidence_is_delivered_is_irrelevant(recognition, summer, record, history, shuffler):
    """The newest version of each course decides, whenever it comes and however the deliveries are cut into batches."""
    keys = [course["key"] for course in summer.programme["courses"]]
    outcomes = []
    for mix in (False, True):
        teacher_id = new_id()
        events = [
            studied(summer, teacher_id, keys[course], seconds, version)
            for version, (course, seconds) in enumerate(history, start=1)
        ]
        if mix:
            shuffler.shuffle(events)
            cut = shuffler.randint(0, len(events))
            for batch in (events[:cut], events[cut:]):
                if batch:
                    record(*batch)
        else:
            record(*events)
        hours, courses = standing_of(recognition, summer, teacher_id)
        assert sum(amounts(entries_of(recognition, teacher_id)).values()) == hours
        outcomes.append((hours, courses))
    assert outcomes[0] == outcomes[1]


def _write_from_everywhere(recognition, summer, teacher_id):
    """All writers at once, each with its own version of its own course; returns the sums that were seen meanwhile."""
    keys = [course["key"] for course in summer.programme["courses"]]
    events = [
        studied(summer, teacher_id, keys[number % len(keys)], 2_700 + 400 * number, version=number + 1)
        for number in range(WRITERS)
    ]
    start, failures, done = threading.Barrier(WRITERS), [], threading.Event()

    def write(event):
        start.wait()
        try:
            recognition.deliver_batch("record_progress", [event], events=True)
        except Exception as error:  # noqa: BLE001  whatever it is, the test shows it
            failures.append(error)

    seen = []

    def watch():
        while not done.is_set():
            seen.append(amounts(entries_of(recognition, teacher_id)))

    threads = [threading.Thread(target=write, args=(event,)) for event in events]
    watcher = threading.Thread(target=watch)
    watcher.start()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    watcher.join()
    assert failures == []
    return [*seen, amounts(entries_of(recognition, teacher_id))]


def _caps(summer):
    pack = pack_files.load_season_pack(SHARED)
    ids = {course["key"]: f"course:{course['course_id']}" for course in summer.programme["courses"]}
    single = {
        ids[key]: rule.cap for rule in pack.of_kind(Kind.ITEM_CAP) for key in rule.courses if rule.cap is not None
    }
    [total] = [rule.cap for rule in pack.of_kind(Kind.TOTAL_CAP)]
    return single, total


def test_caps_are_never_passed_under_thirty_two_parallel_writers(recognition, summer):
    single, total = _caps(summer)
    for _ in range(3):
        teacher_id = new_id()
        seen = _write_from_everywhere(recognition, summer, teacher_id)
        for written in seen:
            assert sum(written.values()) <= total
            assert all(amount <= single.get(ref, total) for ref, amount in written.items())
        hours, courses = standing_of(recognition, summer, teacher_id)
        assert sum(seen[-1].values()) == hours == total  # there was more than enough for all of it
        assert {ref: amount for ref, amount in seen[-1].items() if amount} == courses


def test_sabotage_without_the_year_lock_a_cap_is_passed(recognition, summer, monkeypatch):
    """The twin: with two writers who both have read before either writes, a common cap is used up twice."""
    both_have_read, sum_ledger = threading.Barrier(2), queries.sum_ledger

    def sum_then_wait(db, studies):
        found = sum_ledger(db, studies)
        both_have_read.wait(timeout=20)
        return found

    _, total = _caps(summer)
    teacher_id = new_id()
    keys = [course["key"] for course in summer.programme["courses"]]
    monkeypatch.setattr(queries, "lock_teacher_years", lambda _db, _keys: None)
    monkeypatch.setattr(queries, "sum_ledger", sum_then_wait)
    threads = [
        threading.Thread(
            target=recognition.deliver_batch,
            args=("record_progress", [studied(summer, teacher_id, key, 40_000, 1) for key in part]),
            kwargs={"events": True},
        )
        for part in (keys[:3], keys[3:])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(amounts(entries_of(recognition, teacher_id)).values()) > total
