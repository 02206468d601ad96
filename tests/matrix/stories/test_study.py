"""Stories of study: a season from enrolment to the paper, what is declared beside it, and a year that is closed and complained about."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from services.catalog.rules import stable_id
from services.learning.models import Activity
from services.shared.actor import Actor, Role
from tests.component.learning.test_exams import publish
from tests.component.resync.selling import sell_courses
from tests.conftest import person
from tests.matrix.telling import story, telling
from tests.matrix.world import (
    CITY,
    COUNTY,
    NATION,
    OFFER_WINDOW,
    Spot,
    World,
    find_conspicuous,
    member,
    teacher,
)

WHY = {"reason": "情况属实"}
BEGINS_AT = "2022-11-20T10:00:00+08:00"
DEPARTMENT = person(None, (Role.COUNTY_ADMIN, COUNTY))


# --- a season -----------------------------------------------------------------------------------------------------------------


@story(
    "learning.enrol",
    "learning.get_progress",
    "learning.open_study_session",
    "learning.renew_play_token",
    "learning.confirm_presence",
    "learning.answer_quiz",
)
def test_a_teacher_enrols_opens_a_video_and_answers(world: World, here: Spot, at: Callable[[str], None]) -> None:
    at("2023-01-10T10:00:00+08:00")
    her = teacher(here.people["verified"])
    programme = {"programme_id": world.programme_id}
    world.call("learning", "enrol", programme, her)
    with world.process["learning"].database.work() as db:
        video = next(one for one in db.scalars(sa.select(Activity)) if one.quizzes)
        quiz = video.quizzes[0]
    opened = world.call(
        "learning", "open_study_session", {"activity_id": str(video.activity_id), "client_id": "device-one"}, her
    )
    session = {"study_session_id": opened["study_session_id"]}
    assert world.call("learning", "renew_play_token", session, her)["play_token"]
    world.call("learning", "confirm_presence", session, her)
    given = {**session, "quiz_id": quiz["quiz_id"], "answers": quiz["answers"]}
    world.call("learning", "answer_quiz", given, her)
    assert world.call("learning", "get_progress", programme, her)["courses"]


@story(
    "learning.list_exams",
    "learning.start_exam_attempt",
    "learning.list_exam_attempts",
    "learning.get_exam_attempt",
    "learning.save_exam_answers",
    "learning.submit_exam_attempt",
)
def test_a_teacher_sits_an_exam(world: World, here: Spot, at: Callable[[str], None]) -> None:
    at("2023-01-11T10:00:00+08:00")
    her = teacher(member(world, here))
    programme = SimpleNamespace(programme_id=world.programme_id)
    world.call("learning", "enrol", {"programme_id": world.programme_id}, her)
    exam: Any = publish(SimpleNamespace(learning=world.process["learning"]), programme)  # type: ignore[arg-type]
    attempt = exam.start(her)
    exam.answer_all(her, attempt)
    exam.submit(her, attempt)
    shown = world.call("learning", "get_exam_attempt", {"attempt_id": attempt["attempt_id"]}, her)
    assert shown["score"] == "100.00"
    assert exam.show(her)["exam_id"] == exam.exam_id
    assert world.call("learning", "list_exam_attempts", {"exam_id": exam.exam_id}, her)["items"]


@story("learning.appeal_study_review")
def test_a_teacher_appeals_against_what_the_county_upheld(world: World, here: Spot) -> None:
    find_conspicuous(world, here)
    review = {"review_id": here.things["review"]}
    [(suspect,)] = world.sql("learning", "SELECT teacher_id::text FROM study_review")
    world.call("learning", "decide_study_review", {**review, "upheld": True, **WHY}, DEPARTMENT)
    appealed = world.call("learning", "appeal_study_review", {**review, "reason": "本人学习"}, teacher(suspect))
    assert appealed["state"] == "APPEALED"


# --- in a course --------------------------------------------------------------------------------------------------------------

COURSE = {"course_id": str(stable_id("2023-winter", "party20"))}
TEXT = {"text": "怎样设计分层作业？"}


@pytest.fixture
def classmates(world: World, here: Spot, at: Callable[[str], None]) -> tuple[Actor, Actor]:
    at("2023-01-12T10:00:00+08:00")
    both = teacher(member(world, here)), teacher(member(world, here))
    for one in both:
        world.call("learning", "enrol", {"programme_id": world.programme_id}, one)
    return both


@story("learning.add_bookmark", "learning.list_bookmarks", "learning.remove_bookmark")
def test_a_teacher_marks_a_place_in_a_video(world: World, classmates: tuple[Actor, Actor]) -> None:
    her, _ = classmates
    [(video,)] = world.sql(
        "learning", f"SELECT activity_id::text FROM activity WHERE course_id = '{COURSE['course_id']}' LIMIT 1"
    )
    world.call("learning", "add_bookmark", {"activity_id": video, "at_seconds": 60}, her)
    [kept] = world.call("learning", "list_bookmarks", COURSE, her)["items"]
    world.call("learning", "remove_bookmark", {"bookmark_id": kept["bookmark_id"]}, her)
    assert world.call("learning", "list_bookmarks", COURSE, her)["items"] == []


@story("learning.write_note", "learning.edit_note", "learning.report_course_text", "learning.delete_note")
def test_a_note_is_written_shared_reported_and_deleted(world: World, classmates: tuple[Actor, Actor]) -> None:
    author, reader = classmates
    note = {"text_id": world.call("learning", "write_note", {**COURSE, **TEXT}, author)["text_id"]}
    world.call("learning", "edit_note", {**note, "text": "加微信领资料", "shared": True}, author)
    world.call("learning", "report_course_text", {**note, "reason": "广告"}, reader)
    world.call("learning", "delete_note", note, author)
    assert world.call("learning", "list_notes", {**COURSE, "whose": "SHARED"}, reader)["items"] == []


@story("learning.ask_tutor", "learning.read_course_notice")
def test_a_teacher_asks_the_tutor_and_reads_a_notice(world: World, classmates: tuple[Actor, Actor]) -> None:
    her, _ = classmates
    tutor = person(None, (Role.NATIONAL_OPERATOR, NATION))
    asked = world.call("learning", "ask_tutor", {**COURSE, **TEXT}, her)
    waiting = world.call("learning", "list_course_questions", {**COURSE, "which": "UNANSWERED"}, tutor)["items"]
    assert asked["text_id"] in {each["text_id"] for each in waiting}
    notice = world.call("learning", "publish_course_notice", {**COURSE, "title": "答疑", "text": "周五答疑"}, tutor)
    world.call("learning", "read_course_notice", {"text_id": notice["text_id"]}, her)
    assert world.call("learning", "list_course_notices", COURSE, her)["items"][0]["is_read"]


# --- what a city offers -----------------------------------------------------------------------------------------------------------


@story("catalog.rate_offering")
def test_who_has_passed_a_course_says_what_it_was_worth(world: World, here: Spot) -> None:
    her = teacher(here.people["second"])
    sell_courses(world, her, teacher(member(world, here)))
    [(offering,)] = world.sql("learning", "SELECT offering_id::text FROM choice WHERE state = 'PASSED'")
    rated = world.call("catalog", "rate_offering", {"offering_id": offering, "stars": 5}, her)
    assert rated["stars"] == 5


@story("catalog.take_back_study_application")
def test_an_application_for_further_study_is_taken_back(world: World, here: Spot, at: Callable[[str], None]) -> None:
    at("2023-04-01T10:00:00+08:00")
    offer = {"kind": "DEGREE", "title": "教育硕士", "institution": "某师范大学", **OFFER_WINDOW}
    centre = person(None, (Role.CITY_CENTRE, CITY))
    offered = world.call("catalog", "create_study_offer", {"place": CITY, **offer}, centre)
    her = dataclasses.replace(teacher(here.people["second"]), place=here.place)
    applied = world.call("catalog", "apply_for_study", {"offer_id": offered["offer_id"]}, her)
    application = {"application_id": applied["application_id"]}
    assert world.call("catalog", "take_back_study_application", application, her)["state"] == "TAKEN_BACK"


def test_a_story_that_does_not_bring_about_what_it_names_fails(world: World, request: pytest.FixtureRequest) -> None:
    """The twin: naming is not enough, nor is a refusal."""
    empty = telling(world, request)
    nested = next(empty)
    nested.tells = frozenset({"learning.enrol"})
    nobody = {"programme_id": str(uuid.uuid4())}
    with pytest.raises(Exception, match="person_unknown"):
        world.call("learning", "enrol", nobody, person())
    with pytest.raises(AssertionError, match=r"not brought about.*learning\.enrol"):
        next(empty)
