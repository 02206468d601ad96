"""The ledger only grows, and nothing is credited twice: each wall by itself, and what happens without any."""

from __future__ import annotations

import dataclasses
import threading
import uuid
from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, ProgrammingError

from services.credits import actions, bulk, pack_files, queries
from services.credits.recognition import RecognitionService
from services.shared import clock, migrations
from services.shared.bus.providers import Environment, instantiate
from services.shared.ids import new_id
from services.shared.tables import inbox
from tests.conftest import Component, person


@pytest.fixture
def credited(season, record, teacher_id):
    record(season.progressed(teacher_id, "course_c", 1))
    return teacher_id


@pytest.mark.parametrize("engine", ["app", "worker"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger SET amount = 99 WHERE teacher_id = :id",
        "DELETE FROM ledger WHERE teacher_id = :id",
        "TRUNCATE ledger",
        "UPDATE ledger_00 SET amount = 99",
        "DELETE FROM ledger_00",
        "ALTER TABLE ledger DISABLE ROW LEVEL SECURITY",
        (
            "INSERT INTO ledger SELECT * FROM ledger WHERE teacher_id = :id"
            " ON CONFLICT (teacher_id, source_ref, turn) DO UPDATE SET amount = 99"
        ),
    ],
)
def test_no_role_that_logs_in_can_change_or_remove_an_entry(recognition, credited, ledger, engine, statement):
    with getattr(recognition.database, engine).connect() as connection:
        connection.execute(sa.text("SELECT set_config('app.person', :id, false)"), {"id": str(credited)})
        with pytest.raises(ProgrammingError) as refused:
            connection.execute(sa.text(statement), {"id": credited} if ":id" in statement else {})
        assert refused.value.orig.sqlstate == "42501"  # insufficient privilege
    assert ledger(credited) == [("SW23.OTHER", "1.00")]


def test_an_entry_that_takes_away_must_name_what_it_takes_back(recognition, credited):
    with pytest.raises(IntegrityError, match="ledger_reversal"), recognition.database.work() as db:
        db.execute(
            sa.text(
                "INSERT INTO ledger SELECT (jsonb_populate_record(ledger, jsonb_build_object("
                "'entry_id', CAST(:new AS text), 'turn', 2, 'amount', -1))).* FROM ledger WHERE teacher_id = :id"
            ),
            {"id": credited, "new": str(new_id())},
        )


def test_judging_again_without_inbox_versions_or_standings_adds_nothing(recognition, season, record, credited, ledger):
    """Every projection lost, the ledger alone kept: the differences are taken from the ledger itself."""
    with recognition.database.work() as db:
        db.execute(sa.delete(inbox))
        for table in ("evidence", "standing"):
            db.execute(sa.text(f"DELETE FROM {table} WHERE teacher_id = :id"), {"id": credited})
    record(season.progressed(credited, "course_c", 1))
    record(season.progressed(credited, "course_c", 1, version=2))
    assert ledger(credited) == [("SW23.OTHER", "1.00")]


def test_hours_that_a_changed_pack_took_back_can_be_given_again_under_the_same_evidence(
    recognition, season, record, credited, ledger, monkeypatch
):
    """The course's threshold goes up and comes down again while nobody studies."""
    shipped = pack_files.load_season_pack(season.programme["rule_pack"])
    stricter = dataclasses.replace(
        shipped,
        version="stricter",
        rules=tuple(
            dataclasses.replace(rule, threshold=Decimal(9999)) if rule.rule_id == "SW23.OTHER" else rule
            for rule in shipped.rules
        ),
    )

    def judge_again():
        with recognition.database.work() as db:
            study = (credited, uuid.UUID(season.programme_id))
            actions.recognise(db, {study}, queries.find_programmes(db, {study[1]}), {}, clock.now())

    monkeypatch.setattr(pack_files, "load_season_pack", lambda _id: stricter)
    judge_again()
    assert sum(Decimal(amount) for _, amount in ledger(credited)) == 0
    monkeypatch.setattr(pack_files, "load_season_pack", lambda _id: shipped)
    judge_again()
    judge_again()
    assert sorted(amount for _, amount in ledger(credited)) == ["-1.00", "1.00", "1.00"]


@pytest.fixture
def naive(monkeypatch):
    """A recogniser with its other walls torn down: any snapshot is news, and the ledger is taken for empty."""
    keep_newer = bulk.keep_newer_evidence

    def keep_any(db, snapshots, passed):
        keep_newer(db, snapshots, passed)
        return {(snapshot.teacher_id, snapshot.programme_id) for snapshot in snapshots}

    monkeypatch.setattr(bulk, "keep_newer_evidence", keep_any)
    monkeypatch.setattr(queries, "sum_ledger", lambda _db, _studies: {})


@pytest.fixture
def keyless(settings, keyring, monkeypatch):
    """Recognition over a database of its own whose ledger has lost its natural key."""
    own = dataclasses.replace(settings, database_prefix=f"{settings.database_prefix}_keyless")
    migrations.migrate_service(own, keyring, "credits")
    name = own.database_name("credits")
    url = sa.make_url(own.database_url).set(drivername="postgresql+psycopg", database=name)
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE ledger DROP CONSTRAINT ledger_natural_key"))
    monkeypatch.setattr(bulk, "_APPEND", sa.text(str(bulk._APPEND).replace(KEY, " ")))
    component = Component(instantiate(RecognitionService, Environment(own, keyring, lambda: None)))
    yield component
    component.database.dispose()
    migrations.drop_all(own, ("credits",))


KEY = " ON CONFLICT (teacher_id, source_ref, turn) DO NOTHING "


def entries_after_three_deliveries(component, season, teacher_id):
    """The same facts three times under new event ids, so that the inbox is no help."""
    component.deliver("on_programme_published", *season.published())
    for _ in range(3):
        component.deliver_batch("record_progress", [season.progressed(teacher_id, "course_c", 1)], events=True)
    with component.database.work() as db:
        rows = db.execute(sa.text("SELECT amount FROM ledger WHERE teacher_id = :id"), {"id": teacher_id})
        return [str(amount) for amount in rows.scalars()]


def test_without_the_other_walls_the_natural_key_still_holds(recognition, season, naive, teacher_id):
    assert entries_after_three_deliveries(recognition, season, teacher_id) == ["1.00"]


def test_sabotage_without_the_natural_key_as_well_hours_multiply(keyless, season, naive, teacher_id):
    assert entries_after_three_deliveries(keyless, season, teacher_id) == ["1.00"] * 3


def test_without_the_natural_key_the_other_walls_still_hold(keyless, season, teacher_id):
    assert entries_after_three_deliveries(keyless, season, teacher_id) == ["1.00"]


def test_sabotage_without_the_year_lock_parallel_writers_lose_hours(
    recognition, season, credits_service, monkeypatch, teacher_id
):
    """The twin of `test_two_writers_of_one_teacher_at_once_add_up`: each judges only its own half of the evidence."""
    both_have_read, list_courses = threading.Barrier(2), queries.list_courses

    def list_then_wait(db, teachers, passed_by):
        found = list_courses(db, teachers, passed_by)
        both_have_read.wait(timeout=20)
        return found

    monkeypatch.setattr(queries, "lock_teacher_years", lambda _db, _keys: None)
    monkeypatch.setattr(queries, "list_courses", list_then_wait)
    events = season.everything(teacher_id)
    threads = [
        threading.Thread(target=recognition.deliver_batch, args=("record_progress", part), kwargs={"events": True})
        for part in (events[:3], events[3:])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    shown = credits_service.call("get_hours", {"programme_id": season.programme_id}, person(teacher_id))
    assert shown["hours"] != "6.00"
