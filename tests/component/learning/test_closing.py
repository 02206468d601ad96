"""Closing a season: a marker behind the last report of every shard, then one announcement with counts."""

from __future__ import annotations

import threading

import sqlalchemy as sa

from services.learning import contract
from services.learning.models import ClosingMarker
from services.shared import clock

CLOSES = clock.parse_instant("2023-03-01T00:00:00+08:00")


def close(world, programme):
    payload = {"programme_id": programme.programme_id, "version": 2, "closes_at": clock.format_instant(CLOSES)}
    world.learning.deliver("on_programme_closed", "catalog.programme_closed", payload)


def let_settle(world):
    """Real time passes: markers wait until every gateway has published what it accepted, and all that is due was told."""
    world.tell_due()
    with world.learning.database.work() as db:
        db.execute(sa.update(ClosingMarker).values(due_at=sa.func.now()))


def markers_of(world, programme):
    return [body for _, _, body in world.publisher.sent if body["programme_id"] == programme.programme_id]


def closed(world, programme):
    announced = world.learning.outbox("learning.study_closed")
    return [payload for payload in announced if payload["programme_id"] == programme.programme_id]


def send(world):
    world.learning.service.send_closing_markers(world.clock.instant)


def test_a_marker_goes_into_every_shard_once_gateways_have_settled(world):
    programme = world.publish_programme()
    close(world, programme)
    send(world)
    assert markers_of(world, programme) == []
    let_settle(world)
    send(world)
    send(world)
    shards = world.learning.service.settings.study_shards
    assert sorted(body["shard"] for body in markers_of(world, programme)) == list(range(shards))
    routes = {(exchange, key) for exchange, key, body in world.publisher.sent if body in markers_of(world, programme)}
    assert routes == {(contract.STUDY_EXCHANGE, str(shard)) for shard in range(shards)}


def test_markers_that_the_broker_refused_are_sent_later(world):
    programme = world.publish_programme()
    close(world, programme)
    let_settle(world)
    world.publisher.down = True
    send(world)
    world.publisher.down = False
    send(world)
    assert len(markers_of(world, programme)) == world.learning.service.settings.study_shards


def test_the_last_marker_announces_the_counts(world):
    programme = world.publish_programme()
    teachers = [world.enrolled(programme) for _ in range(3)]
    for teacher in teachers[:2]:
        opened = world.open(teacher, programme.activity_id("free", "v1"))
        world.play(opened, 1, 0, 60)
        world.play(opened, 2, 60, 120)
    close(world, programme)
    let_settle(world)
    send(world)
    *earlier, final = markers_of(world, programme)
    world.record(*earlier)
    assert closed(world, programme) == []
    last_report = world.report(opened, 3, (0, 1))
    world.record(last_report, final)
    expected = {
        "programme_id": programme.programme_id,
        "enrolments": 3,
        "snapshots": 2,
        "version_sum": 4,
        "exam_results": 0,
        "exam_version_sum": 0,
    }
    assert closed(world, programme) == [expected]
    world.record(final, *earlier)
    assert closed(world, programme) == [expected]


def test_a_report_before_the_marker_in_its_batch_is_counted(world):
    programme = world.publish_programme()
    teacher = world.enrolled(programme)
    opened = world.open(teacher, programme.activity_id("free", "v1"))
    world.wait(60)
    close(world, programme)
    let_settle(world)
    send(world)
    *earlier, final = markers_of(world, programme)
    world.record(*earlier)
    world.record(world.report(opened, 1, (0, 60)), final)
    assert closed(world, programme)[0]["version_sum"] == 1


def test_two_shards_that_finish_at_once_announce_once(world):
    programme = world.publish_programme()
    close(world, programme)
    let_settle(world)
    send(world)
    threads = [threading.Thread(target=world.record, args=(body,)) for body in markers_of(world, programme)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(closed(world, programme)) == 1


def test_the_closing_told_twice_plans_once(world):
    programme = world.publish_programme()
    close(world, programme)
    close(world, programme)
    let_settle(world)
    send(world)
    assert len(markers_of(world, programme)) == world.learning.service.settings.study_shards
