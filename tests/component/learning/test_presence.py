"""Presence prompts, where a programme asks for them: answered, late, refused in advance, not to be escaped."""

from __future__ import annotations

import pytest

from services.shared.errors import Conflict
from tests.component.learning.conftest import World

ASKED_EVERY = 1200
WITHIN = 120


def seconds(ranges):
    return sum(end - begin for begin, end in ranges)


@pytest.fixture
def asked(world: World):
    """(programme that asks, an enrolled teacher, her open session of the free course)"""
    programme = world.publish_programme(presence_prompt_seconds=ASKED_EVERY)
    teacher = world.enrolled(programme)
    return programme, teacher, world.open(teacher, programme.activity_id("free", "v1"))


def watch(world, opened, seconds_, start_seq=1, begin=0):
    """Play for so long, a report each minute."""
    for seq in range(seconds_ // 60):
        at = begin + 60 * seq
        world.play(opened, start_seq + seq, at, at + 60)


def test_a_programme_that_does_not_ask_prompts_nobody(world):
    programme = world.publish_programme()
    teacher = world.enrolled(programme)
    opened = world.open(teacher, programme.activity_id("free", "v1"))
    assert opened["prompt_in_seconds"] is None
    assert world.confirm(teacher, opened)["prompt_in_seconds"] is None


def test_the_prompt_comes_at_a_moment_within_the_interval(asked):
    _, _, opened = asked
    assert ASKED_EVERY / 2 <= opened["prompt_in_seconds"] <= ASKED_EVERY
    assert opened["answer_within_seconds"] == WITHIN


def test_whoever_does_not_answer_earns_no_more(world, asked):
    programme, teacher, opened = asked
    watch(world, opened, 2700)
    seen, _ = world.watched(teacher, programme.activity_id("free", "v1"))
    assert abs(seconds(seen) - (opened["prompt_in_seconds"] + WITHIN)) <= 1


def test_whoever_answers_in_time_loses_nothing(world, asked):
    programme, teacher, opened = asked
    left = opened["prompt_in_seconds"]
    for seq in range(45):
        world.play(opened, seq + 1, 60 * seq, 60 * seq + 60)
        left -= 60
        if left <= 0:
            left = world.confirm(teacher, opened)["prompt_in_seconds"]
    assert world.watched(teacher, programme.activity_id("free", "v1"))[0] == ((0, 2700),)


def test_an_answer_in_advance_is_refused(world, asked):
    _, teacher, opened = asked
    world.wait(opened["prompt_in_seconds"] - 2)
    with pytest.raises(Conflict) as refusal:
        world.confirm(teacher, opened)
    assert refusal.value.code == "learning.presence_not_asked"
    world.wait(2)
    world.confirm(teacher, opened)


def test_opening_again_is_no_way_around_the_prompt(world, asked):
    programme, teacher, opened = asked
    video = programme.activity_id("free", "v1")
    total = opened["prompt_in_seconds"] + WITHIN
    at = 0
    for _ in range(6):  # every five minutes a fresh session
        watch(world, opened, 300, begin=at)
        at += 300
        opened = world.open(teacher, video)
    assert seconds(world.watched(teacher, video)[0]) <= total
    assert opened["prompt_in_seconds"] == 0


def test_a_prompt_of_yesterday_is_forgotten(world, asked):
    programme, teacher, _ = asked
    world.wait(86_400)
    opened = world.open(teacher, programme.activity_id("free", "v1"))
    assert opened["prompt_in_seconds"] >= ASKED_EVERY / 2


def test_renewing_tells_the_prompt_again(world, asked):
    _, teacher, opened = asked
    world.wait(100)
    renewed = world.learning.call("renew_play_token", {"study_session_id": opened["study_session_id"]}, teacher)
    assert renewed["prompt_in_seconds"] == opened["prompt_in_seconds"] - 100
