"""A person with two accounts: after the merge both studies count together, after the undoing each by itself."""

from __future__ import annotations

from typing import Any

from services.shared.actor import Actor
from tests.component.learning.conftest import Programme, World


def merge(world: World, kept: Actor, merged: Actor, version: int = 2) -> None:
    payload = {"kept_id": str(kept.account_id), "merged_id": str(merged.account_id), "version": version}
    world.learning.deliver("on_persons_merged", "identity.persons_merged", payload)


def undo(world: World, kept: Actor, merged: Actor, version: int = 3) -> None:
    payload = {"kept_id": str(kept.account_id), "merged_id": str(merged.account_id), "version": version}
    world.learning.deliver("on_merge_undone", "identity.merge_undone", payload)


def two_studies(world: World) -> tuple[Programme, Actor, Actor, str]:
    """Both watched of the free course: the kept account 0-600, the former one 300-900."""
    programme = world.publish_programme()
    kept, former = world.enrolled(programme), world.enrolled(programme)
    video = programme.activity_id("free", "v1")
    world.play(world.open(kept, video), 1, 0, 600)
    world.play(world.open(former, video), 1, 300, 900)
    return programme, kept, former, video


def newest(world: World, actor: Actor, course_id: str) -> dict[str, Any]:
    found = [snapshot for snapshot in world.snapshots(actor) if snapshot["course_id"] == course_id]
    return max(found, key=lambda snapshot: snapshot["version"])


def test_after_the_merge_the_union_counts_once_and_the_former_account_has_nothing(world: World) -> None:
    programme, kept, former, _ = two_studies(world)
    merge(world, kept, former)
    course = programme.course_id("free")
    (video,) = newest(world, kept, course)["videos"]
    assert (video["seen"], video["countable"]) == ([[0, 900]], [[0, 900]])
    assert newest(world, former, course)["videos"] == []


def test_undoing_restores_both_as_they_were(world: World) -> None:
    programme, kept, former, _ = two_studies(world)
    course = programme.course_id("free")
    before = [newest(world, actor, course)["videos"] for actor in (kept, former)]
    merge(world, kept, former)
    undo(world, kept, former)
    assert [newest(world, actor, course)["videos"] for actor in (kept, former)] == before


def test_what_comes_twice_late_or_out_of_order_changes_nothing(world: World) -> None:
    programme, kept, former, _ = two_studies(world)
    undo(world, kept, former, version=3)
    merge(world, kept, former, version=2)  # older than the undoing that is known
    course = programme.course_id("free")
    assert [part["seen"] for part in newest(world, former, course)["videos"]] == [[[300, 900]]]
    merge(world, kept, former, version=4)
    announced = len(world.snapshots(kept))
    merge(world, kept, former, version=4)
    assert len(world.snapshots(kept)) == announced


def test_a_late_report_of_the_former_account_counts_for_the_person(world: World) -> None:
    programme, kept, former, video = two_studies(world)
    opened = world.open(former, video)
    merge(world, kept, former)
    world.play(opened, 1, 900, 960)
    world.tell_noted(kept, programme)
    course = programme.course_id("free")
    assert newest(world, kept, course)["videos"][0]["seen"] == [[0, 960]]
    assert newest(world, former, course)["videos"] == []


def test_a_quiz_answered_under_the_former_account_stays_answered(world: World) -> None:
    programme = world.publish_programme()
    kept, former = world.enrolled(programme), world.enrolled(programme)
    video = programme.activity_id("gated", "v1")
    opened = world.open(former, video)
    world.play(opened, 1, 0, 600)
    world.answer(former, opened, programme.quiz_id("gated", "v1"))
    merge(world, kept, former)
    reopened = world.open(kept, video)
    assert reopened["answered"] == [programme.quiz_id("gated", "v1")]
    world.play(reopened, 1, 600, 900)
    (shown,) = newest(world, kept, programme.course_id("gated"))["videos"]
    assert shown["countable"] == [[0, 900]]


def test_the_person_sees_both_studies_and_nobody_else_does(world: World) -> None:
    programme, kept, former, _ = two_studies(world)
    stranger = world.enrolled(programme)
    merge(world, kept, former)

    def free_seconds(actor: Actor) -> int:
        shown = world.learning.call("get_progress", {"programme_id": programme.programme_id}, actor)
        return next(course["studied_seconds"] for course in shown["courses"] if course["key"] == "free")

    assert free_seconds(kept) == 900
    assert free_seconds(stranger) == 0


def test_the_person_is_enrolled_in_what_the_former_account_studied(world: World) -> None:
    programme = world.publish_programme()
    kept, former = world.teacher(), world.enrolled(programme)
    merge(world, kept, former)
    enrolled = world.learning.call("list_enrolments", {}, kept)["items"]
    assert [item["programme_id"] for item in enrolled] == [programme.programme_id]
    announced = world.learning.outbox("learning.enrolled")
    assert [str(kept.account_id)] == [p["teacher_id"] for p in announced if p["teacher_id"] == str(kept.account_id)]
