"""Stable ids, states of a programme, and what a new version may change."""

from __future__ import annotations

import copy
import datetime as dt

import pytest
from marshmallow import ValidationError

from services.catalog import rules, schemas, season_file
from services.shared.clock import BEIJING
from services.shared.yaml_files import content_hash

DECEMBER = dt.datetime(2022, 12, 2, tzinfo=BEIJING)
JANUARY = dt.datetime(2023, 1, 5, tzinfo=BEIJING)
MARCH = dt.datetime(2023, 3, 1, tzinfo=BEIJING)
A_MICROSECOND = dt.timedelta(microseconds=1)


@pytest.fixture
def season():
    return schemas.Season().load(season_file.read_shipped_season("2023-winter"))


@pytest.mark.parametrize(
    ("now", "state"),
    [
        (DECEMBER - A_MICROSECOND, "PLANNED"),
        (DECEMBER, "PARTIAL_OPEN"),
        (JANUARY - A_MICROSECOND, "PARTIAL_OPEN"),
        (JANUARY, "OPEN"),
        (MARCH - A_MICROSECOND, "OPEN"),
        (MARCH, "CLOSED"),
    ],
)
def test_state_follows_the_clock_with_half_open_windows(now, state):
    assert rules.state_at(now, DECEMBER, JANUARY, MARCH) == state


@pytest.mark.parametrize(
    ("now", "days"),
    [
        (MARCH, 0),
        (MARCH + dt.timedelta(days=300), 0),
        (MARCH - A_MICROSECOND, 1),
        (MARCH - dt.timedelta(days=1), 1),
        (MARCH - dt.timedelta(days=1) - A_MICROSECOND, 2),
        (dt.datetime(2023, 1, 10, 23, 59, tzinfo=dt.UTC), 49),  # already the 11th in Beijing
    ],
)
def test_today_is_among_the_days_that_are_left(now, days):
    assert rules.days_left(now, MARCH) == days


@pytest.mark.parametrize("media", ["winter/v1.webm", "v1.mp4"])
def test_a_video_may_name_its_file(media):
    loaded = schemas.Video().load({"key": "v1", "title": "t", "seconds": 9, "quizzes": [], "media": media})
    assert loaded["media"] == media


@pytest.mark.parametrize(
    "media",
    ["", "../v1.webm", "/v1.webm", "a//v1.webm", "https://cdn.example/v1.webm", "v1.html", "v1.webm\n", "a/../v1.webm"],
)
def test_a_file_is_a_name_below_the_media_folder(media):
    with pytest.raises(ValidationError):
        schemas.Video().load({"key": "v1", "title": "t", "seconds": 9, "quizzes": [], "media": media})


def test_a_season_without_files_keeps_its_hash(season):
    assert all("media" not in video for course in rules.programme_of(season)["courses"] for video in course["videos"])


def test_same_keys_give_the_same_ids_on_every_installation(season):
    # A literal: if this id ever changes, every installation would publish the season a second time.
    assert rules.programme_of(season)["programme_id"] == "66157ef6-d54c-532a-9e67-12de0e5aee19"
    assert rules.stable_id("2023-winter", "party20") != rules.stable_id("2023-winter", "live_safety")


def test_content_is_plain_json_and_its_hash_depends_on_nothing_but_content(season):
    content = rules.programme_of(season)
    reordered = dict(reversed(content.items()))
    assert content_hash(content) == content_hash(reordered)
    assert content_hash(content) != content_hash({**content, "silence_limit_seconds": 601})


def test_a_new_version_may_add_but_not_disturb(season):
    old = rules.programme_of(season)

    def changed(change):
        new = copy.deepcopy(old)
        change(new["courses"])
        return new

    added = {"activity_id": "new", "key": "v99", "title": "x", "seconds": 60, "quizzes": []}
    assert rules.keeps_study_intact(old, changed(lambda courses: courses[0]["videos"].append(added)))
    assert rules.keeps_study_intact(old, changed(lambda courses: courses[0].update(title="a better title")))
    assert not rules.keeps_study_intact(old, changed(lambda courses: courses.pop()))
    assert not rules.keeps_study_intact(old, changed(lambda courses: courses[0]["videos"].pop()))
    assert not rules.keeps_study_intact(old, changed(lambda courses: courses[0]["videos"][0].update(seconds=1)))
    assert not rules.keeps_study_intact(
        old, changed(lambda courses: courses[0]["videos"][0]["quizzes"][0].update(at_seconds=1))
    )
    assert not rules.keeps_study_intact(old, changed(lambda courses: courses[0].update(quiz_required=False)))
