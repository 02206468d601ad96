"""Study reports by the batch: repeated, reordered, late, from two consumers at once; quizzes; snapshots; progress."""

from __future__ import annotations

import datetime as dt
import random
import threading

import pytest
import sqlalchemy as sa

from services.shared import clock
from services.shared.errors import Conflict, InvalidInput, NotFound
from services.shared.ids import new_id
from services.shared.tables import parked


def parked_bodies(world):
    with world.ingest.database.work() as db:
        return [row.body for row in db.execute(sa.select(parked))]


def test_the_same_batch_twice_changes_nothing(world):
    programme = world.publish_programme()
    teacher = world.enrolled(programme)
    activity_id = programme.activity_id("free", "v1")
    opened = world.open(teacher, activity_id)
    batch = []
    for seq in range(1, 6):
        world.wait(60)
        batch.append(world.report(opened, seq, (60 * (seq - 1), 60 * seq)))
    world.record(*batch)
    before, snapshots = world.watched(teacher, activity_id), world.snapshots(teacher)
    world.record(*batch)
    world.record(*batch[:2], *batch)
    assert before == (((0, 300),), ((0, 300),))
    assert world.watched(teacher, activity_id) == before
    assert world.snapshots(teacher) == snapshots


def test_any_order_and_any_cut_into_batches_gives_the_same(world):
    programme = world.publish_programme()
    shuffle = random.Random(23)
    activity_id = programme.activity_id("free", "v1")
    for _ in range(5):
        teacher = world.enrolled(programme)
        opened = world.open(teacher, activity_id)
        bodies = []
        for seq in range(1, 9):
            world.wait(60)
            bodies.append(world.report(opened, seq, (60 * (seq - 1), 60 * seq)))
        bodies += shuffle.sample(bodies, 4)
        shuffle.shuffle(bodies)
        cut = shuffle.randrange(len(bodies))
        world.record(*bodies[:cut])
        world.record(*bodies[cut:])
        assert world.watched(teacher, activity_id) == (((0, 480),), ((0, 480),))


def test_two_consumers_with_the_same_messages_record_them_once(world):
    programme = world.publish_programme()
    teachers = [world.enrolled(programme) for _ in range(4)]
    activity_id = programme.activity_id("free", "v1")
    sessions = [world.open(teacher, activity_id) for teacher in teachers]
    world.wait(300)
    bodies = [world.report(opened, seq, (60 * (seq - 1), 60 * seq)) for opened in sessions for seq in range(1, 6)]
    errors = []

    def consume(seed):
        mine = list(bodies)
        random.Random(seed).shuffle(mine)
        try:
            for start in range(0, len(mine), 7):
                world.record(*mine[start : start + 7])
        except Exception as error:  # noqa: BLE001  a thread's error must reach the test
            errors.append(error)

    threads = [threading.Thread(target=consume, args=(seed,)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    for teacher in teachers:
        world.tell_noted(teacher, programme)
        assert world.watched(teacher, activity_id) == (((0, 300),), ((0, 300),))
        versions = [snapshot["version"] for snapshot in world.snapshots(teacher)]
        assert sorted(versions) == list(range(1, len(versions) + 1))
        newest = max(world.snapshots(teacher), key=lambda snapshot: snapshot["version"])
        assert newest["videos"][0]["seen"] == [[0, 300]]


def test_one_batch_announces_one_snapshot_per_teacher_and_course(world):
    programme = world.publish_programme()
    teacher = world.enrolled(programme)
    first = world.open(teacher, programme.activity_id("gated", "v1"))
    world.wait(120)
    batch = [world.report(first, 1, (0, 60)), world.report(first, 2, (60, 120))]
    second = world.open(teacher, programme.activity_id("gated", "v2"))
    world.wait(60)
    world.record(*batch, world.report(second, 1, (0, 60)))
    [snapshot] = world.snapshots(teacher)
    assert (snapshot["version"], snapshot["course_id"]) == (1, programme.course_id("gated"))
    assert [video["seen"] for video in snapshot["videos"]] == [[[0, 120]], [[0, 60]]]
    assert [quiz["answered_at"] for video in snapshot["videos"] for quiz in video["quizzes"]] == [None, None, None]


def test_a_report_from_the_future_earns_only_what_has_passed(world):
    programme = world.publish_programme()
    teacher = world.enrolled(programme)
    opened = world.open(teacher, programme.activity_id("free", "v1"))
    world.wait(60)
    ahead = world.clock.instant + dt.timedelta(days=1)
    world.record(world.report(opened, 1, (0, 600), received_at=ahead))
    seen, _ = world.watched(teacher, programme.activity_id("free", "v1"))
    assert sum(end - begin for begin, end in seen) == 60


def test_a_bad_message_is_parked_alone(world):
    programme = world.publish_programme()
    teacher = world.enrolled(programme)
    opened = world.open(teacher, programme.activity_id("free", "v1"))
    world.wait(60)
    bad = [
        {**world.report(opened, 2, (0, 60)), "study_session_id": str(new_id())},
        world.report(opened, 3, (2690, 2701)),
        {**world.report(opened, 4, (0, 1)), "kind": "neither"},
    ]
    before = len(parked_bodies(world))
    world.record(bad[0], bad[1], world.report(opened, 1, (0, 60)), bad[2])
    assert world.watched(teacher, programme.activity_id("free", "v1"))[0] == ((0, 60),)
    assert len(parked_bodies(world)) == before + 3


def test_w09_a_second_after_the_close_does_not_count(world):
    # domain.md W09: 44:59 by 28 Feb 23:59:59, the last second on 1 Mar 00:00:01.
    programme = world.publish_programme()
    teacher = world.enrolled(programme)
    closes_at = clock.parse_instant("2023-03-01T00:00:00+08:00")
    world.clock.instant = closes_at
    world.wait(-2700)
    opened = world.open(teacher, programme.activity_id("free", "v1"))
    for seq in range(1, 45):
        world.play(opened, seq, 60 * (seq - 1), 60 * seq)
    world.play(opened, 45, 2640, 2699)
    assert world.clock.instant == closes_at - dt.timedelta(seconds=1)
    world.wait(2)
    world.record(world.report(opened, 46, (2699, 2700)))
    seen, countable = world.watched(teacher, programme.activity_id("free", "v1"))
    assert (seen, countable) == (((0, 2700),), ((0, 2699),))
    reply = world.learning.call("get_progress", {"programme_id": programme.programme_id}, teacher)
    course = next(course for course in reply["courses"] if course["key"] == "free")
    assert (course["studied_seconds"], course["countable_seconds"]) == (2700, 2699)
    assert course["reasons"] == ["learning.programme_closed", "learning.outside_window"]


def test_a_report_accepted_before_the_close_keeps_its_time_however_late_it_comes(world):
    programme = world.publish_programme()
    teacher = world.enrolled(programme)
    world.clock.instant = clock.parse_instant("2023-02-28T23:50:00+08:00")
    opened = world.open(teacher, programme.activity_id("free", "v1"))
    world.wait(300)
    saved = world.report(opened, 1, (0, 300))
    world.wait(86_400)
    world.record(saved)
    assert world.watched(teacher, programme.activity_id("free", "v1"))[1] == ((0, 300),)
    assert len(world.snapshots(teacher)) == 1


def test_quizzes_open_the_part_after_them(world):
    programme = world.publish_programme()
    teacher = world.enrolled(programme)
    activity_id = programme.activity_id("gated", "v1")
    opened = world.open(teacher, activity_id)
    world.play(opened, 1, 0, 600)
    world.play(opened, 2, 600, 660)  # seeks past the quiz
    assert world.watched(teacher, activity_id) == (((0, 660),), ((0, 600),))
    judged = world.answer(teacher, opened, programme.quiz_id("gated", "v1"), ["第一门"])
    assert (judged["right"], judged["attempts"], judged["answered_at"]) == (False, 1, None)
    judged = world.answer(teacher, opened, programme.quiz_id("gated", "v1"))
    assert (judged["right"], judged["attempts"]) == (True, 2)
    assert judged["answered_at"] == clock.format_instant(world.clock.instant)
    world.play(opened, 3, 600, 900)
    assert world.watched(teacher, activity_id) == (((0, 900),), ((0, 900),))
    newest = world.snapshots(teacher)[-1]
    assert newest["videos"][0]["quizzes"][0]["answered_at"] == judged["answered_at"]


def test_quizzes_of_a_video_go_in_order(world):
    programme = world.publish_programme()
    teacher = world.enrolled(programme)
    opened = world.open(teacher, programme.activity_id("gated", "v2"))
    with pytest.raises(Conflict) as refusal:
        world.answer(teacher, opened, programme.quiz_id("gated", "v2", 1))
    assert refusal.value.code == "learning.quiz_order"
    world.answer(teacher, opened, programme.quiz_id("gated", "v2", 0))
    assert world.answer(teacher, opened, programme.quiz_id("gated", "v2", 1))["right"]


def test_an_answered_quiz_stays_answered(world):
    programme = world.publish_programme()
    teacher = world.enrolled(programme)
    opened = world.open(teacher, programme.activity_id("gated", "v1"))
    first = world.answer(teacher, opened, programme.quiz_id("gated", "v1"))
    world.wait(60)
    assert world.answer(teacher, opened, programme.quiz_id("gated", "v1"), ["第一门"]) == first


def test_answers_that_make_no_sense_are_refused(world):
    programme = world.publish_programme()
    teacher = world.enrolled(programme)
    opened = world.open(teacher, programme.activity_id("gated", "v1"))
    with pytest.raises(InvalidInput) as refusal:
        world.answer(teacher, opened, programme.quiz_id("gated", "v1"), ["第二门", "第九门"])
    assert (refusal.value.code, refusal.value.field) == ("learning.option_unknown", "answers.1")
    with pytest.raises(NotFound):
        world.answer(teacher, opened, programme.quiz_id("gated", "v2"))


def test_a_session_that_was_taken_over_answers_nothing(world):
    programme = world.publish_programme()
    teacher = world.enrolled(programme)
    opened = world.open(teacher, programme.activity_id("gated", "v1"))
    world.open(teacher, programme.activity_id("gated", "v1"), "device-two", take_over=True)
    with pytest.raises(Conflict) as refusal:
        world.answer(teacher, opened, programme.quiz_id("gated", "v1"))
    assert refusal.value.code == "learning.session_ended"


def test_an_answer_after_the_close_completes_nothing(world):
    programme = world.publish_programme()
    teacher = world.enrolled(programme)
    world.clock.instant = clock.parse_instant("2023-03-01T00:00:00+08:00")
    opened = world.open(teacher, programme.activity_id("gated", "v1"))
    judged = world.answer(teacher, opened, programme.quiz_id("gated", "v1"))
    assert (judged["right"], judged["answered_at"], judged["reasons"]) == (True, None, ["learning.programme_closed"])
    assert world.snapshots(teacher) == []


def test_progress_tells_states_and_reasons(world):
    programme = world.publish_programme()
    teacher = world.enrolled(programme)
    opened = world.open(teacher, programme.activity_id("gated", "v2"))
    world.play(opened, 1, 0, 600)
    world.answer(teacher, opened, programme.quiz_id("gated", "v2"))
    world.play(opened, 2, 600, 700)
    reply = world.learning.call("get_progress", {"programme_id": programme.programme_id}, teacher)
    gated, free, later = reply["courses"]
    assert [course["key"] for course in (gated, free, later)] == ["gated", "free", "later"]
    assert (gated["studied_seconds"], gated["countable_seconds"]) == (700, 700)
    assert gated["reasons"] == ["learning.quiz_unanswered"]
    untouched, watched = gated["videos"]
    assert (untouched["seen"], untouched["reasons"]) == ([], [])
    assert [quiz["state"] for quiz in watched["quizzes"]] == ["ANSWERED", "OPEN"]
    assert (free["studied_seconds"], free["reasons"]) == (0, [])
    assert later["reasons"] == ["learning.course_not_open"]


def test_progress_is_for_the_enrolled(world):
    programme = world.publish_programme()
    with pytest.raises(Conflict):
        world.learning.call("get_progress", {"programme_id": programme.programme_id}, world.teacher())


def test_the_database_itself_refuses_what_the_rules_forbid(world):
    programme = world.publish_programme()
    teacher = world.enrolled(programme)
    world.open(teacher, programme.activity_id("gated", "v1"))
    with pytest.raises(sa.exc.IntegrityError), world.ingest.database.work() as db:
        db.execute(
            sa.text("UPDATE study_session SET spent = '{[0,100000000)}' WHERE teacher_id = :id"),
            {"id": teacher.account_id},
        )
    with pytest.raises(sa.exc.ProgrammingError), world.ingest.database.work() as db:
        db.execute(sa.text("DELETE FROM quiz_attempt"))


def test_shards_follow_the_partitions_of_watched_time(world):
    with world.ingest.database.work() as db:
        teachers = [new_id() for _ in range(200)]
        for teacher in teachers:
            db.execute(sa.text("INSERT INTO watched VALUES (:id, gen_random_uuid(), '{}', '{}')"), {"id": teacher})
        rows = db.execute(
            sa.text(
                "SELECT tableoid::regclass::text, watched_partition(teacher_id) FROM watched WHERE teacher_id = ANY(:ids)"
            ),
            {"ids": teachers},
        ).all()
    assert len(rows) == 200
    assert all(table == f"watched_{partition:02}" for table, partition in rows)
