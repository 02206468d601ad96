"""Recognition by the batch: what is kept of a snapshot is used only under its own gates, a batch that dies leaves nothing,
and its work does not grow statement by statement with its rows."""

from __future__ import annotations

import dataclasses
import uuid
from decimal import Decimal

import pytest
import sqlalchemy as sa

from services.credits import actions, bulk, contract, judgement, pack_files, queries
from services.credits.rules.pack import Kind
from services.credits.statistics import counting
from services.shared import clock, outbox
from services.shared.actor import service_actor
from services.shared.ids import new_id
from tests.component.credits.conftest import SCHOOL_PLACE, membership

TABLES = ("evidence", "ledger", "standing", "teacher_year", "counted")


def rows_of(recognition, teacher_id, tables=TABLES):
    with recognition.database.work() as db:
        return {
            table: db.scalar(sa.text(f"SELECT count(*) FROM {table} WHERE teacher_id = :id"), {"id": teacher_id})
            for table in tables
        }


def judge_again(recognition, season, teacher_id):
    with recognition.database.work() as db:
        study = (teacher_id, uuid.UUID(season.programme_id))
        actions.recognise(db, {study}, queries.find_programmes(db, {study[1]}), {}, clock.now())


# --- what passed the gates before --------------------------------------------------------------------------------------------


@pytest.fixture
def another_gate(season, monkeypatch):
    """From now on the pack lets only whole videos through."""
    shipped = pack_files.load_season_pack(season.programme["rule_pack"])
    whole = dataclasses.replace(
        next(iter(pack_files.load_season_pack("putian-2026-50h").of_kind(Kind.GATE))), courses=shipped.courses
    )
    rules = (*(rule for rule in shipped.rules if rule.kind is not Kind.GATE), whole)
    changed = dataclasses.replace(shipped, version="whole-videos", rules=rules)

    def adopt():
        monkeypatch.setattr(pack_files, "load_season_pack", lambda _id: changed)

    return adopt


def hours_of(ledger, teacher_id):
    return sum(Decimal(amount) for _, amount in ledger(teacher_id))


def test_a_course_that_nobody_touched_is_judged_by_what_it_came_to_before(
    recognition, season, record, teacher_id, ledger, monkeypatch
):
    """The other courses' videos are not even read."""
    read = []
    videos_of = judgement.study_evidence.videos_of
    monkeypatch.setattr(judgement.study_evidence, "videos_of", lambda videos: read.append(1) or videos_of(videos))
    for event in season.everything(teacher_id):
        record(event)
    assert len(read) == 5  # once for each course, whose events came one by one
    assert hours_of(ledger, teacher_id) == 6


def test_what_passed_other_gates_passes_the_present_ones_anew(
    recognition, season, record, teacher_id, ledger, another_gate
):
    record(season.progressed(teacher_id, "live_safety", [(2699, 2699), (1, 1)]))  # ungated, and neither video whole
    assert hours_of(ledger, teacher_id) == 1
    another_gate()
    judge_again(recognition, season, teacher_id)
    assert hours_of(ledger, teacher_id) == 0


def test_sabotage_without_the_gates_name_a_changed_pack_is_not_noticed(
    recognition, season, record, teacher_id, ledger, another_gate, monkeypatch
):
    monkeypatch.setattr(judgement, "passed_by", lambda _pack: "any")
    record(season.progressed(teacher_id, "live_safety", [(2699, 2699), (1, 1)]))
    another_gate()
    judge_again(recognition, season, teacher_id)
    assert hours_of(ledger, teacher_id) == 1


def test_snapshots_from_before_anything_was_kept_are_judged_as_well(recognition, season, record, teacher_id, ledger):
    record(*season.everything(teacher_id)[:-1])
    with recognition.database.work() as db:
        db.execute(sa.text("UPDATE evidence SET passed = NULL WHERE teacher_id = :id"), {"id": teacher_id})
    record(season.everything(teacher_id)[-1])
    assert hours_of(ledger, teacher_id) == 6


def test_the_proof_goes_through_all_evidence_and_finds_what_was_kept_wrongly(
    recognition, season, record, teacher_id, credits_service
):
    record(*season.everything(teacher_id))

    def differences():
        page = credits_service.call("reconcile_ledger", {"after": None, "limit": 500}, service_actor("cli"))
        return [each for each in page["differences"] if each["teacher_id"] == str(teacher_id)]

    assert differences() == []
    with recognition.database.work() as db:
        db.execute(
            sa.text(
                "UPDATE evidence SET passed = jsonb_set(passed, '{counted}', '0')"
                " WHERE teacher_id = :id AND course_id = :course"
            ),
            {"id": teacher_id, "course": season.course("course_c")["course_id"]},
        )
    judge_again(recognition, season, teacher_id)
    assert [each["course"] for each in differences() if each["course"]] == ["course_c"]


# --- death in the middle -----------------------------------------------------------------------------------------------------


class Death(BaseException):
    """The process is gone: nothing of ours catches it."""


@pytest.mark.parametrize(
    ("module", "step"),
    [
        (bulk, "append_entries"),
        (bulk, "put_standings"),
        (counting, "count"),
        (outbox, "announce_many"),
    ],
)
def test_a_batch_that_dies_leaves_nothing_and_counts_once_when_it_comes_again(
    recognition, season, record, teacher_id, ledger, monkeypatch, module, step
):
    """Whichever write was the last one: inbox, evidence, entries, standing, counts and news are one transaction."""
    recognition.deliver("on_membership_changed", *membership(teacher_id))
    before = rows_of(recognition, teacher_id)
    events = [(*event, new_id()) for event in season.everything(teacher_id)]
    work = getattr(module, step)

    def die(*given):
        work(*given)
        raise Death

    with monkeypatch.context() as patched:
        patched.setattr(module, step, die)
        with pytest.raises(Death):
            record(*events)
    assert rows_of(recognition, teacher_id) == before
    record(*events)
    record(*events)
    assert hours_of(ledger, teacher_id) == 6
    told = [each for each in recognition.outbox(contract.HOURS_RECOGNISED) if each["teacher_id"] == str(teacher_id)]
    assert [each["hours"] for each in told] == ["6.00"]


def test_sabotage_with_entries_in_a_transaction_of_their_own_a_death_leaves_them(
    recognition, season, record, teacher_id, ledger, monkeypatch
):
    append = bulk.append_entries

    def append_and_commit(_db, entries):
        with recognition.database.work() as own:
            return append(own, entries)

    def die(*_given):
        raise Death

    monkeypatch.setattr(bulk, "append_entries", append_and_commit)
    monkeypatch.setattr(bulk, "put_standings", die)
    with pytest.raises(Death):
        record(*season.everything(teacher_id))
    assert hours_of(ledger, teacher_id) == 6
    assert rows_of(recognition, teacher_id, ("standing", "evidence")) == {"standing": 0, "evidence": 0}


# --- the work on a batch -----------------------------------------------------------------------------------------------------


def statements(recognition, act):
    """How many statements the worker sends while `act` runs."""
    sent = []

    def count(_connection, _cursor, statement, *_):
        sent.append(statement)

    sa.event.listen(recognition.database.worker, "before_cursor_execute", count)
    try:
        act()
    finally:
        sa.event.remove(recognition.database.worker, "before_cursor_execute", count)
    return len(sent)


def test_a_batch_of_many_sends_as_many_statements_as_a_batch_of_one(recognition, season, record):
    """Also where hours are taken back, which must name what they take."""

    def batch(size):
        teachers = [new_id() for _ in range(size)]
        first = [season.progressed(each, "course_c", 1, version=1) for each in teachers]
        shrunk = [season.progressed(each, "course_c", [(60, 60)], version=2) for each in teachers]
        return statements(recognition, lambda: record(*first)), statements(recognition, lambda: record(*shrunk))

    assert batch(1) == batch(40)


def test_an_administrators_look_at_one_teacher_finds_her_place_by_its_key(credits_service, season, record, teacher_id):
    """The plan of the ledger's rows holds no list of everybody in the territory."""
    record(season.progressed(teacher_id, "course_c", 1))
    with credits_service.database.app.connect() as connection:
        connection.execute(sa.text("SELECT set_config('app.places', 'CN/440000', false)"))
        plan = connection.execute(
            sa.text("EXPLAIN SELECT amount FROM ledger WHERE teacher_id = :id"), {"id": teacher_id}
        )
        told = "\n".join(plan.scalars())
    assert "placement" in told
    assert "hashed SubPlan" not in told


@pytest.mark.parametrize(("place", "sees"), [(SCHOOL_PLACE, True), ("CN/440000", True), ("CN/44", False)])
def test_rows_are_shown_to_whom_the_teachers_place_lies_below(
    recognition, credits_service, season, record, teacher_id, place, sees
):
    recognition.deliver("on_membership_changed", *membership(teacher_id))
    record(season.progressed(teacher_id, "course_c", 1))
    with credits_service.database.app.connect() as connection:
        connection.execute(sa.text("SELECT set_config('app.places', :place, false)"), {"place": place})
        for table in ("ledger", "standing", "evidence"):
            found = connection.scalar(
                sa.text(f"SELECT count(*) FROM {table} WHERE teacher_id = :id"), {"id": teacher_id}
            )
            assert found == sees
