"""The trail of reports: kept by the day, enough to rebuild every counter, dropped by partition."""

from __future__ import annotations

import datetime as dt
import random

import pytest
import sqlalchemy as sa

from services.learning.study import trail
from services.shared.actor import service_actor
from services.shared.clock import BEIJING


def reconcile(world, limit=500):
    differences, after = [], None
    while True:
        page = world.learning.call("reconcile_study", {"after": after, "limit": limit}, service_actor("cli"))
        differences += page["differences"]
        after = page["after"]
        if after is None:
            return differences


def of(differences, teacher):
    return sorted({each["counter"] for each in differences if each["teacher_id"] == str(teacher.account_id)})


@pytest.fixture
def studied(world):
    """(programme, a teacher who has studied honestly, clipped, repeated and behind an open quiz)"""
    programme = world.publish_programme()
    teacher = world.enrolled(programme)
    opened = world.open(teacher, programme.activity_id("gated", "v1"))
    shuffle = random.Random(7)
    bodies = []
    for seq in range(1, 12):
        world.wait(60)
        bodies.append(world.report(opened, seq, (60 * (seq - 1), 60 * seq + shuffle.randrange(40))))
    shuffle.shuffle(bodies)
    world.record(*bodies[:4])
    world.record(*bodies[2:])
    world.record(*bodies)
    world.answer(teacher, opened, programme.quiz_id("gated", "v1"))
    world.play(opened, 20, 600, 900)
    opened = world.open(teacher, programme.activity_id("free", "v1"))
    world.play(opened, 1, 0, 300)
    opened = world.open(teacher, programme.activity_id("free", "v1"))
    world.play(opened, 1, 200, 500)
    return programme, teacher


def test_every_counter_follows_from_the_reports(world, studied):
    assert of(reconcile(world), studied[1]) == []
    assert of(reconcile(world, limit=1), studied[1]) == []


@pytest.mark.parametrize(
    ("damage", "counters"),
    [
        (
            "UPDATE watched SET seen = seen + '{[850,899)}', countable = countable + '{[890,895)}'",
            ["countable", "seen"],
        ),
        ("DELETE FROM watched", ["countable", "seen"]),
        ("UPDATE study_session SET seqs = seqs + '{[90,91)}'", ["sitting.seqs"]),
        ("UPDATE study_session SET claimed_seconds = claimed_seconds + 1", ["sitting.claimed_seconds"]),
        ("UPDATE study_session SET spent = '{}'", ["sitting.spent"]),
        ("UPDATE study_session SET countable = '{}'", ["countable", "sitting.countable"]),
    ],
)
def test_a_counter_that_was_changed_is_found(world, studied, damage, counters):
    _, teacher = studied
    if "850" in damage:
        damage = damage.replace("850,899", "8000,8099").replace("890,895", "8000,8005")
    with world.ingest.database.work() as db:
        db.execute(sa.text(f"{damage} WHERE teacher_id = :id"), {"id": teacher.account_id})
    assert of(reconcile(world), teacher) == counters


def test_days_are_dropped_whole_when_their_time_is_over(world, studied):
    _, teacher = studied
    world.clock.instant += dt.timedelta(days=1)
    programme = world.publish_programme()
    later = world.enrolled(programme)
    world.play(world.open(later, programme.activity_id("free", "v1")), 1, 0, 60)
    today = world.clock.instant.astimezone(BEIJING).date()
    with world.ingest.database.work() as db:
        assert trail.drop_days(db, today) >= 1
        assert trail.oldest_day(db) == today
        rest = db.scalar(
            sa.text("SELECT count(*) FROM study_report WHERE teacher_id = :id"), {"id": teacher.account_id}
        )
    assert rest == 0
    # What is left still agrees: sittings of before are compared with watched time only.
    assert of(reconcile(world), teacher) == of(reconcile(world), later) == []


def test_the_job_keeps_as_many_days_as_the_settings_say(world, studied):
    keep = world.learning.service.settings.study_trail_days
    day = world.clock.instant.astimezone(BEIJING).date()
    world.learning.service.drop_study_trail(world.clock.instant + dt.timedelta(days=keep))
    with world.ingest.database.work() as db:
        assert trail.oldest_day(db) == day
    world.learning.service.drop_study_trail(world.clock.instant + dt.timedelta(days=keep + 1))
    with world.ingest.database.work() as db:
        assert trail.oldest_day(db) != day


def test_the_worker_may_neither_change_nor_delete_the_trail(world, studied):
    for statement in ("DELETE FROM study_report", "UPDATE study_report SET seq = 1", "DROP TABLE study_report"):
        with pytest.raises(sa.exc.ProgrammingError), world.ingest.database.work() as db:
            db.execute(sa.text(statement))
