"""Enrolling: the guards of `domain.md` §3.21, and the owners asked when a projection says no."""

from __future__ import annotations

import dataclasses

import pytest

from services.shared import clock
from services.shared.errors import Conflict, NotAllowed, NotFound
from services.shared.ids import new_id
from tests.conftest import person


def test_a_complete_and_placed_teacher_enrols_without_any_question(world):
    programme, teacher = world.publish_programme(), world.teacher()
    reply = world.learning.call("enrol", {"programme_id": programme.programme_id}, teacher)
    assert reply["programme_state"] == "OPEN"
    assert reply["teacher_id"] == str(teacher.account_id)
    assert world.owners.asked == []
    announced = [p for p in world.learning.outbox("learning.enrolled") if p["teacher_id"] == str(teacher.account_id)]
    assert announced == [
        {
            "teacher_id": str(teacher.account_id),
            "programme_id": programme.programme_id,
            "version": 1,
            "enrolled_at": reply["enrolled_at"],
        }
    ]


def test_every_entrance_lands_on_the_same_enrolment(world):
    programme, teacher = world.publish_programme(), world.teacher()
    first = world.learning.call("enrol", {"programme_id": programme.programme_id}, teacher)
    world.wait(3600)
    assert world.learning.call("enrol", {"programme_id": programme.programme_id}, teacher) == first
    announced = [p for p in world.learning.outbox("learning.enrolled") if p["teacher_id"] == str(teacher.account_id)]
    assert len(announced) == 1


def test_a_lagging_projection_asks_the_owners(world):
    programme, teacher = world.publish_programme(), person()
    world.owners.complete.add(str(teacher.account_id))
    world.owners.places[str(teacher.account_id)] = "CN/440000/440100/440103/other"
    world.learning.call("enrol", {"programme_id": programme.programme_id}, teacher)
    assert world.owners.asked == ["identity.check_enrolment_facts", "org.get_placement_facts"]


@pytest.mark.parametrize(
    ("complete", "placed", "code"),
    [(False, True, "learning.profile_incomplete"), (True, False, "learning.school_missing")],
)
def test_owners_who_say_no_as_well_refuse(world, complete, placed, code):
    programme, teacher = world.publish_programme(), person()
    if complete:
        world.owners.complete.add(str(teacher.account_id))
    if placed:
        world.tell_membership(teacher)
    with pytest.raises(Conflict) as refusal:
        world.learning.call("enrol", {"programme_id": programme.programme_id}, teacher)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("instant", "code"),
    [
        ("2023-01-04T23:59:59+08:00", "learning.programme_not_open"),
        ("2023-03-01T00:00:00+08:00", "learning.programme_closed"),
    ],
)
def test_outside_the_window_nobody_enrols(world, instant, code):
    programme, teacher = world.publish_programme(), world.teacher()
    world.clock.instant = clock.parse_instant(instant)
    with pytest.raises(Conflict) as refusal:
        world.learning.call("enrol", {"programme_id": programme.programme_id}, teacher)
    assert refusal.value.code == code


def test_an_unknown_programme_is_not_found(world):
    with pytest.raises(NotFound):
        world.learning.call("enrol", {"programme_id": str(new_id())}, world.teacher())


def test_only_a_teacher_takes_part(world):
    programme = world.publish_programme()
    guardian = dataclasses.replace(person(), identity="GUARDIAN")
    with pytest.raises(NotAllowed) as refusal:
        world.learning.call("enrol", {"programme_id": programme.programme_id}, guardian)
    assert refusal.value.code == "learning.teachers_only"


def test_older_news_of_profile_and_place_is_ignored(world):
    programme, teacher = world.publish_programme(), person()
    world.tell_profile(teacher, complete=True, version=3)
    world.tell_profile(teacher, complete=False, version=2)
    world.tell_membership(teacher, version=3)
    world.tell_membership(teacher, place="", version=2)
    world.learning.call("enrol", {"programme_id": programme.programme_id}, teacher)
    assert world.owners.asked == []


def test_enrolments_are_listed_by_pages_and_only_ones_own(world):
    teacher, other = world.teacher(), world.teacher()
    programmes = [world.publish_programme() for _ in range(3)]
    for programme in programmes:
        world.learning.call("enrol", {"programme_id": programme.programme_id}, teacher)
        world.wait(60)
    first = world.learning.call("list_enrolments", {"limit": 2}, teacher)
    second = world.learning.call("list_enrolments", {"limit": 2, "cursor": first["next_cursor"]}, teacher)
    listed = [item["programme_id"] for item in first["items"] + second["items"]]
    assert listed == [programme.programme_id for programme in reversed(programmes)]
    assert second["next_cursor"] is None
    assert world.learning.call("list_enrolments", {}, other)["items"] == []


def test_a_newer_version_of_a_programme_replaces_the_older_one_whatever_the_order(world):
    programme = world.publish_programme()
    newer = {**programme.payload, "version": 3, "silence_limit_seconds": 60}
    world.learning.deliver("on_programme_published", "catalog.programme_published", newer)
    world.learning.deliver("on_programme_published", "catalog.programme_published", {**newer, "version": 2})
    teacher = world.enrolled(programme)
    assert world.open(teacher, programme.activity_id("gated", "v1"))["silence_limit_seconds"] == 60


AUDIENCE = {"stages": [], "segments": [], "subjects": [], "place_ids": [], "school_ids": []}


def audience(**lists):
    return {**AUDIENCE, **lists}


@pytest.mark.parametrize(
    "meant",
    [
        audience(segments=["PRIMARY", "MIDDLE"]),
        audience(subjects=["CHINESE"]),
        audience(place_ids=["CN/350000", "CN/440000/440100"]),
        audience(segments=["PRIMARY"], subjects=["CHINESE"], place_ids=["CN/440000"]),
        AUDIENCE,
    ],
)
def test_who_is_in_every_list_enrols(world, meant):
    programme = world.publish_programme(audience=meant)
    world.learning.call("enrol", {"programme_id": programme.programme_id}, world.teacher())
    assert world.owners.asked == []


@pytest.mark.parametrize(
    "meant",
    [
        audience(segments=["VOCATIONAL"]),
        audience(subjects=["MATHS"]),
        audience(place_ids=["CN/350000"]),
        audience(place_ids=["CN/440000/44010"]),  # the beginning of a code is no place
        audience(school_ids=[str(new_id())]),
        audience(segments=["PRIMARY"], place_ids=["CN/350000"]),
    ],
)
def test_who_is_not_in_the_audience_is_refused(world, meant):
    programme, teacher = world.publish_programme(audience=meant), world.teacher()
    place = "CN/440000/440100/440103/other"
    world.owners.complete.add(str(teacher.account_id))
    world.owners.teaches[str(teacher.account_id)] = {"segment": "PRIMARY", "subject": "CHINESE"}
    world.owners.places[str(teacher.account_id)] = place
    with pytest.raises(Conflict) as refusal:
        world.learning.call("enrol", {"programme_id": programme.programme_id}, teacher)
    assert refusal.value.code == "learning.not_in_audience"


def test_who_has_just_changed_her_subject_is_asked_about_at_its_owner(world):
    programme, teacher = world.publish_programme(audience=audience(subjects=["MATHS"])), world.teacher()
    world.owners.complete.add(str(teacher.account_id))
    world.owners.teaches[str(teacher.account_id)] = {"segment": "PRIMARY", "subject": "MATHS"}
    world.learning.call("enrol", {"programme_id": programme.programme_id}, teacher)
    assert world.owners.asked == ["identity.check_enrolment_facts"]


def test_a_narrower_audience_takes_nobody_out(world):
    programme = world.publish_programme()
    teacher = world.enrolled(programme)
    narrowed = {**programme.payload, "version": 2, "audience": audience(segments=["VOCATIONAL"])}
    world.learning.deliver("on_programme_published", "catalog.programme_published", narrowed)
    assert world.learning.call("enrol", {"programme_id": programme.programme_id}, teacher)["programme_state"] == "OPEN"
    assert world.open(teacher, programme.activity_id("gated", "v1"))["play_token"]
