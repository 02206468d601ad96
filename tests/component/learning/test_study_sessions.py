"""One live study session per teacher: opening, taking over, renewing; what a token says."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.learning.models import StudySession
from services.shared import clock
from services.shared.errors import Conflict, NotFound
from services.shared.ids import new_id


def test_opening_hands_out_a_token_for_this_video_and_shard(world):
    programme = world.publish_programme()
    teacher = world.enrolled(programme)
    opened = world.open(teacher, programme.activity_id("gated", "v1"))
    token = world.token(opened)
    assert str(token.study_session_id) == opened["study_session_id"]
    assert token.teacher_id == teacher.account_id
    assert (token.duration_seconds, opened["counts"], opened["reasons"]) == (900, True, [])
    assert (token.expires_at - world.clock.instant).total_seconds() == 600
    assert 0 <= token.shard < world.learning.service.settings.study_shards


def test_study_before_enrolment_is_refused(world):
    programme = world.publish_programme()
    with pytest.raises(Conflict) as refusal:
        world.open(world.teacher(), programme.activity_id("gated", "v1"))
    assert refusal.value.code == "learning.not_enrolled"


def test_a_course_that_opens_later_cannot_be_opened_yet(world):
    programme = world.publish_programme()
    teacher = world.enrolled(programme)
    with pytest.raises(Conflict) as refusal:
        world.open(teacher, programme.activity_id("later", "v1"))
    assert refusal.value.code == "learning.course_not_open"
    world.clock.instant = clock.parse_instant("2023-02-01T00:00:00+08:00")
    assert world.open(teacher, programme.activity_id("later", "v1"))["counts"]


def test_after_the_close_one_may_watch_but_it_does_not_count(world):
    programme = world.publish_programme()
    teacher = world.enrolled(programme)
    world.clock.instant = clock.parse_instant("2023-03-01T00:00:00+08:00")
    opened = world.open(teacher, programme.activity_id("free", "v1"))
    assert (opened["counts"], opened["reasons"]) == (False, ["learning.programme_closed"])
    world.play(opened, 1, 0, 60)
    assert world.watched(teacher, programme.activity_id("free", "v1")) == (((0, 60),), ())
    assert world.snapshots(teacher) == []


def test_an_unknown_video_is_not_found(world):
    with pytest.raises(NotFound):
        world.open(world.teacher(), str(new_id()))


def test_a_second_device_must_say_that_it_takes_over(world):
    programme = world.publish_programme()
    teacher = world.enrolled(programme)
    first = world.open(teacher, programme.activity_id("gated", "v1"))
    world.wait(60)
    with pytest.raises(Conflict) as refusal:
        world.open(teacher, programme.activity_id("free", "v1"), "device-two")
    assert refusal.value.code == "learning.session_elsewhere"
    second = world.open(teacher, programme.activity_id("free", "v1"), "device-two", take_over=True)
    assert second["fence"] > first["fence"]
    renewed = world.learning.call("renew_play_token", {"study_session_id": first["study_session_id"]}, teacher)
    assert (renewed["state"], renewed["play_token"], renewed["expires_in_seconds"]) == ("TAKEN_OVER", None, 0)


def test_a_device_that_fell_silent_is_replaced_without_a_question(world):
    programme = world.publish_programme()
    teacher = world.enrolled(programme)
    world.open(teacher, programme.activity_id("gated", "v1"))
    world.wait(600)
    world.open(teacher, programme.activity_id("gated", "v1"), "device-two")


def test_the_same_device_moves_on_to_the_next_video(world):
    programme = world.publish_programme()
    teacher = world.enrolled(programme)
    world.open(teacher, programme.activity_id("gated", "v1"))
    world.open(teacher, programme.activity_id("gated", "v2"))


def test_take_over_stops_the_first_session_and_their_times_never_overlap(world):
    programme = world.publish_programme()
    teacher = world.enrolled(programme)
    one, two = programme.activity_id("free", "v1"), programme.activity_id("gated", "v2")
    first = world.open(teacher, one)
    world.wait(100)
    second = world.open(teacher, two, "device-two", take_over=True)
    world.wait(100)
    # Both devices claim 200 seconds of one person's time.
    world.record(world.report(first, 1, (0, 200)), world.report(second, 1, (0, 200)))
    seconds = [sum(end - begin for begin, end in world.watched(teacher, video)[0]) for video in (one, two)]
    assert seconds == [100, 100]


def test_time_that_a_fast_gateway_clock_already_gave_is_not_given_twice(world):
    programme = world.publish_programme()
    teacher = world.enrolled(programme)
    first = world.open(teacher, programme.activity_id("free", "v1"))
    world.wait(100)
    world.record(world.report(first, 1, (0, 100)))
    world.wait(-10)  # the process that opens the next session has a slower clock
    second = world.open(teacher, programme.activity_id("gated", "v2"), "device-two", take_over=True)
    world.wait(60)
    world.record(world.report(second, 1, (0, 60)))
    seen, _ = world.watched(teacher, programme.activity_id("gated", "v2"))
    assert sum(end - begin for begin, end in seen) == 50


def test_of_many_devices_at_once_one_session_is_live(world):
    programme = world.publish_programme()
    teacher = world.enrolled(programme)
    activity_id = programme.activity_id("free", "v1")
    threads = [
        threading.Thread(target=world.open, args=(teacher, activity_id, f"device-{number}"), kwargs={"take_over": True})
        for number in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with Session(world.learning.database.worker) as db:
        live = sa.select(StudySession).where(
            StudySession.teacher_id == teacher.account_id, StudySession.ended_at.is_(None)
        )
        rows = db.scalars(sa.select(StudySession).where(StudySession.teacher_id == teacher.account_id)).all()
        assert sorted(row.fence for row in rows) == [1, 2, 3, 4, 5, 6]
        assert db.scalars(live).one().fence == 6


def test_renewing_tells_what_is_durable(world):
    programme = world.publish_programme()
    teacher = world.enrolled(programme)
    opened = world.open(teacher, programme.activity_id("free", "v1"))
    arguments = {"study_session_id": opened["study_session_id"]}
    assert world.learning.call("renew_play_token", arguments, teacher)["durable_seq"] == 0
    world.play(opened, 1, 0, 60)
    world.play(opened, 3, 120, 180)
    assert world.learning.call("renew_play_token", arguments, teacher)["durable_seq"] == 1
    world.record(world.report(opened, 2, (60, 120)))
    renewed = world.learning.call("renew_play_token", arguments, teacher)
    assert (renewed["durable_seq"], renewed["state"]) == (3, "LIVE")
    assert world.token(renewed).study_session_id == world.token(opened).study_session_id


def test_a_session_lasts_a_day_at_most(world):
    programme = world.publish_programme()
    teacher = world.enrolled(programme)
    opened = world.open(teacher, programme.activity_id("free", "v1"))
    world.wait(24 * 3600)
    renewed = world.learning.call("renew_play_token", {"study_session_id": opened["study_session_id"]}, teacher)
    assert (renewed["state"], renewed["play_token"]) == ("EXPIRED", None)


def test_anothers_session_looks_unknown(world, a_person):
    programme = world.publish_programme()
    teacher, stranger = world.enrolled(programme), a_person()
    opened = world.open(teacher, programme.activity_id("gated", "v1"))
    for method, arguments in [
        ("renew_play_token", {}),
        ("answer_quiz", {"quiz_id": programme.quiz_id("gated", "v1"), "answers": ["第二门"]}),
    ]:
        given = {"study_session_id": opened["study_session_id"], **arguments}
        with pytest.raises(NotFound) as refusal:
            world.learning.call(method, given, stranger)
        assert refusal.value.code == "learning.session_unknown"
