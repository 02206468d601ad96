"""Credits is told of study at once where it matters and at most every five minutes otherwise, and nothing is forgotten."""

from __future__ import annotations

import datetime as dt
import random
import threading
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from services.learning.models import CourseEvidence
from services.learning.study import ingest
from services.learning.study.actions import evidence
from services.learning.study.rules import telling
from services.shared import clock, outbox
from services.shared.actor import Actor
from tests.component.learning.conftest import CLOSES, Programme, World
from tests.component.learning.test_closing import close, closed, let_settle, markers_of, send

MINUTE = 60
EVERY = telling.TOLD_WITHIN.total_seconds()


@pytest.fixture(autouse=True)
def _nothing_waits(world: World) -> Iterator[None]:
    """What other tests left to be told is none of these tests' business, and the other way round."""

    def forget() -> None:
        with world.ingest.database.work() as db:
            db.execute(sa.update(CourseEvidence).values(due_at=None))

    forget()
    yield
    forget()


def study(world: World, key: str = "free", **terms: Any) -> tuple[Programme, Actor, Any]:
    programme = world.publish_programme(**terms)
    teacher = world.enrolled(programme)
    return programme, teacher, world.open(teacher, programme.activity_id(key, "v1"))


def note(world: World, teacher: Actor) -> Any:
    """When what was studied has to be told; None when nothing waits."""
    with world.ingest.database.work() as db:
        return db.scalars(
            sa.select(CourseEvidence.due_at).where(CourseEvidence.teacher_id == teacher.account_id)
        ).one_or_none()


def heard(world: World, teacher: Actor) -> list[tuple[int, Any]]:
    """(version, seconds seen of the first video) of each snapshot, in the order in which they were told."""
    return [(one["version"], one["videos"][0]["seen"]) for one in world.snapshots(teacher)]


def test_the_first_report_is_told_at_once_and_then_one_in_five_minutes(world: World) -> None:
    _, teacher, opened = study(world)
    for seq in range(1, 12):
        world.play(opened, seq, MINUTE * (seq - 1), MINUTE * seq)
    assert heard(world, teacher) == [(1, [[0, 60]]), (2, [[0, 360]]), (3, [[0, 660]])]


def test_who_stops_studying_is_told_of_when_the_five_minutes_are_over(world: World) -> None:
    _, teacher, opened = study(world)
    world.play(opened, 1, 0, 60)
    world.play(opened, 2, 60, 120)
    studied_at = world.clock.instant
    world.wait(EVERY - MINUTE - 1)
    world.tell_due()
    assert len(heard(world, teacher)) == 1
    world.wait(1)
    world.tell_due()
    assert heard(world, teacher)[1:] == [(2, [[0, 120]])]
    # The day of the study, not of the telling, is the day of the hours.
    assert world.snapshots(teacher)[-1]["studied_at"] == clock.format_instant(studied_at)
    world.tell_due()
    assert len(heard(world, teacher)) == 2


def test_a_whole_video_is_told_at_once(world: World) -> None:
    _, teacher, opened = study(world)
    for seq in range(1, 45):
        world.play(opened, seq, MINUTE * (seq - 1), MINUTE * seq)
    world.play(opened, 45, 2640, 2699)
    before = heard(world, teacher)
    assert before[-1][1] == [[0, 2460]]
    world.play(opened, 46, 2699, 2700)
    assert heard(world, teacher) == [*before, (len(before) + 1, [[0, 2700]])]
    assert note(world, teacher) is None


def test_a_right_answer_tells_all_that_waits(world: World) -> None:
    programme, teacher, opened = study(world, "gated")
    world.play(opened, 1, 0, 540)
    world.play(opened, 2, 540, 600)
    world.answer(teacher, opened, programme.quiz_id("gated", "v1"))
    assert heard(world, teacher)[1:] == [(2, [[0, 600]])]
    assert note(world, teacher) is None


def test_the_end_of_a_sitting_is_told_next_and_so_is_its_late_report(world: World) -> None:
    programme, teacher, opened = study(world)
    world.play(opened, 1, 0, 60)
    world.play(opened, 2, 60, 120)
    world.wait(MINUTE)
    late = world.report(opened, 3, (120, 180))
    world.open(teacher, programme.activity_id("gated", "v1"))
    world.tell_due()
    assert heard(world, teacher)[1:] == [(2, [[0, 120]])]
    world.record(late)
    assert heard(world, teacher)[2:] == [(3, [[0, 180]])]


def test_who_looks_at_the_hours_is_told_of_at_once_and_nobody_else_is(world: World) -> None:
    programme, teacher, opened = study(world)
    other = world.enrolled(programme)
    world.play(opened, 1, 0, 60)
    world.play(opened, 2, 60, 120)
    assert world.tell_noted(other, programme) == 0
    assert world.tell_noted(teacher, world.publish_programme()) == 0
    assert len(heard(world, teacher)) == 1
    assert world.tell_noted(teacher, programme) == 1
    assert world.tell_noted(teacher, programme) == 0
    assert heard(world, teacher)[1:] == [(2, [[0, 120]])]


def test_the_day_is_told_when_it_ends(world: World) -> None:
    world.clock.instant = clock.parse_instant("2023-01-10T23:57:00+08:00")
    _, teacher, opened = study(world)
    world.play(opened, 1, 0, 60)
    world.play(opened, 2, 60, 120)
    assert note(world, teacher) == clock.parse_instant("2023-01-11T00:00:00+08:00")


def test_nothing_waits_longer_than_the_season(world: World) -> None:
    closes_at = clock.parse_instant("2023-01-10T18:00:00+08:00")
    world.clock.instant = closes_at - dt.timedelta(minutes=3)
    _programme, teacher, opened = study(world, closes_at=closes_at.isoformat())
    world.play(opened, 1, 0, 60)
    world.play(opened, 2, 60, 120)
    assert note(world, teacher) == closes_at
    world.wait(59)
    accepted_before = world.report(opened, 3, (120, 179))
    world.wait(10)
    world.record(accepted_before)  # a season's last report is told at once, however lately something was told
    assert heard(world, teacher)[1:] == [(2, [[0, 179]])]


def test_the_close_waits_for_what_is_not_told_yet(world: World) -> None:
    world.clock.instant = CLOSES - dt.timedelta(minutes=3)
    programme, _teacher, opened = study(world)
    world.play(opened, 1, 0, 60)
    world.play(opened, 2, 60, 120)
    world.clock.instant = CLOSES
    close(world, programme)
    with world.learning.database.work() as db:
        db.execute(sa.text("UPDATE closing_marker SET due_at = now()"))
    send(world)
    assert markers_of(world, programme) == []
    let_settle(world)
    send(world)
    world.record(*markers_of(world, programme))
    assert [(one["snapshots"], one["version_sum"]) for one in closed(world, programme)] == [(1, 2)]


def test_a_programme_closed_before_its_day_is_counted_with_all_that_was_studied(world: World) -> None:
    programme, teacher, opened = study(world)
    world.play(opened, 1, 0, 60)
    world.play(opened, 2, 60, 120)
    close(world, programme)
    let_settle(world)
    send(world)
    world.record(*markers_of(world, programme))
    assert heard(world, teacher)[1:] == [(2, [[0, 120]])]
    assert [one["version_sum"] for one in closed(world, programme)] == [2]


def test_a_process_that_dies_telling_has_told_nothing_and_forgotten_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, teacher, opened = study(world)
    world.play(opened, 1, 0, 60)
    world.play(opened, 2, 60, 120)
    world.wait(EVERY)

    class Died(BaseException):
        pass

    def die(*_: Any) -> None:
        raise Died

    with monkeypatch.context() as dying:
        dying.setattr(outbox, "announce_many", die)
        with pytest.raises(Died):
            world.tell_due()
    assert len(heard(world, teacher)) == 1
    world.tell_due()
    assert heard(world, teacher)[1:] == [(2, [[0, 120]])]


def test_what_cannot_be_told_holds_up_nothing_else(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    programme, broken, opened = study(world)
    well = world.enrolled(programme)
    other = world.open(well, programme.activity_id("free", "v1"))
    for seq in (1, 2):
        world.wait(MINUTE)
        part = (MINUTE * (seq - 1), MINUTE * seq)
        world.record(world.report(opened, seq, part), world.report(other, seq, part))
    world.wait(EVERY)
    announce = outbox.announce_many

    def refuse(db: Any, event_type: str, events: Any) -> None:
        if any(key == broken.account_id for key, _ in events):
            raise ValueError("breaks its contract")
        announce(db, event_type, events)

    with monkeypatch.context() as refusing:
        refusing.setattr(outbox, "announce_many", refuse)
        world.tell_due()
    assert (len(heard(world, broken)), len(heard(world, well))) == (1, 2)
    assert note(world, broken) == world.clock.instant + ingest.PUT_OFF
    world.wait(ingest.PUT_OFF.total_seconds())
    world.tell_due()
    assert heard(world, broken)[1:] == [(2, [[0, 120]])]


def play_at_random(world: World, seed: int) -> tuple[Programme, list[Actor]]:
    """Twenty minutes of reports in any order and batch, with the job running beside them."""
    chance = random.Random(seed)
    programme = world.publish_programme()
    teachers = [world.enrolled(programme) for _ in range(3)]
    sessions = [world.open(teacher, programme.activity_id("free", "v1")) for teacher in teachers]
    kept: list[Any] = []
    for seq in range(1, 21):
        world.wait(MINUTE)
        kept += [world.report(opened, seq, (MINUTE * (seq - 1), MINUTE * seq)) for opened in sessions]
        batch = chance.sample(kept, chance.randrange(len(kept) + 1))
        beside = threading.Thread(target=world.tell_due)
        beside.start()
        world.record(*batch)
        beside.join()
        kept = [body for body in kept if body not in batch or chance.random() < 0.2]
    world.record(*kept)
    world.wait(EVERY)
    world.tell_due()
    return programme, teachers


def all_was_told(world: World, programme: Programme, teachers: list[Actor]) -> bool:
    for teacher in teachers:
        told = heard(world, teacher)
        assert [version for version, _ in told] == list(range(1, len(told) + 1))
        seen, _ = world.watched(teacher, programme.activity_id("free", "v1"))
        if told[-1][1] != [list(part) for part in seen]:
            return False
    return True


@pytest.mark.parametrize("seed", range(5))
def test_in_the_end_credits_knows_all_that_was_watched(world: World, seed: int) -> None:
    programme, teachers = play_at_random(world, seed)
    assert all_was_told(world, programme, teachers)


def test_without_its_note_study_would_be_forgotten(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sabotage twin of the test above: a note that is not kept is found out."""
    kept = evidence._NEXT_VERSIONS
    broken = kept.replace(
        "due_at = CASE WHEN excluded.due_at IS NOT NULL THEN least(kept.due_at, excluded.due_at) END", "due_at = NULL"
    )
    broken = broken.replace("due_at IS NULL AS is_told", "announced_at = %(now)s AS is_told")
    assert broken != kept
    monkeypatch.setattr(evidence, "_NEXT_VERSIONS", broken)
    assert not all(all_was_told(world, *play_at_random(world, seed)) for seed in range(3))


def test_another_programmes_rows_are_left_alone(world: World) -> None:
    programme, teacher, opened = study(world)
    world.play(opened, 1, 0, 60)
    world.play(opened, 2, 60, 120)
    with world.ingest.database.work() as db:
        assert evidence.tell_programme(db, uuid.uuid4()) == 0
        assert evidence.tell_programme(db, uuid.UUID(programme.programme_id)) == 1
    assert heard(world, teacher)[1:] == [(2, [[0, 120]])]
