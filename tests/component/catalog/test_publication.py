"""The catalogue over its real database: publishing, closing, and never telling an answer."""

from __future__ import annotations

import copy
import dataclasses
import json
import threading

import pytest

from services.catalog import contract, season_file
from services.catalog.service import CatalogService
from services.shared import clock
from services.shared.actor import Role, service_actor
from services.shared.errors import Conflict, InvalidInput, NotAllowed, NotFound
from services.shared.ids import new_id
from tests.conftest import person

CLI = service_actor("cli")
OPERATOR = (Role.NATIONAL_OPERATOR, "CN")


@pytest.fixture
def catalog(component, fixed_clock):
    fixed_clock.instant = clock.parse_instant("2022-11-20T10:00:00+08:00")
    return component(CatalogService)


def season(code, **changes):
    """The shipped season under a code of the test's own, so that tests share a database in peace."""
    return {**copy.deepcopy(season_file.read_shipped_season("2023-winter")), "code": code, **changes}


def announced(catalog, event_type, programme_id):
    return [event for event in catalog.outbox(event_type) if event["programme_id"] == programme_id]


def test_publishing_the_same_file_twice_changes_nothing(catalog):
    first = catalog.call("publish_programme", season("2023-twice"), CLI)
    again = catalog.call("publish_programme", season("2023-twice"), CLI)
    assert (first["published"], first["version"]) == (True, 1)
    assert again == {**first, "published": False}
    assert len(announced(catalog, contract.PROGRAMME_PUBLISHED, first["programme_id"])) == 1


def test_a_changed_file_becomes_a_new_version_under_the_same_ids(catalog):
    first = catalog.call("publish_programme", season("2023-change"), CLI)
    second = catalog.call("publish_programme", season("2023-change", silence_limit_seconds=300), CLI)
    assert second["programme_id"] == first["programme_id"]
    assert second["version"] == 2
    assert second["content_hash"] != first["content_hash"]
    events = announced(catalog, contract.PROGRAMME_PUBLISHED, first["programme_id"])
    assert [(event["version"], event["silence_limit_seconds"]) for event in events] == [(1, 600), (2, 300)]
    assert events[0]["courses"] == events[1]["courses"]


def test_parallel_first_publications_make_one_version(catalog):
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(catalog.call("publish_programme", season("2023-race"), CLI)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(result["published"] for result in results) == [False, False, False, True]
    assert {result["version"] for result in results} == {1}


def test_what_teachers_see_holds_no_answer(catalog):
    published = catalog.call("publish_programme", season("2023-shown"), CLI)
    programme = catalog.call("get_programme", {"programme_id": published["programme_id"]})
    quiz = programme["courses"][0]["videos"][0]["quizzes"][0]
    assert set(quiz) == {"quiz_id", "at_seconds", "prompt", "options"}
    assert "answers" not in json.dumps(programme)
    assert programme["content_hash"] == published["content_hash"]
    # Learning, the judge, does get them.
    event = announced(catalog, contract.PROGRAMME_PUBLISHED, published["programme_id"])[0]
    assert event["courses"][0]["videos"][0]["quizzes"][0]["answers"]


def test_an_open_programme_takes_additions_only(catalog, fixed_clock):
    catalog.call("publish_programme", season("2023-open"), CLI)
    fixed_clock.instant = clock.parse_instant("2023-01-10T10:00:00+08:00")
    shorter = season("2023-open")
    shorter["courses"][0]["videos"].pop()
    with pytest.raises(Conflict) as refused:
        catalog.call("publish_programme", shorter, CLI)
    assert refused.value.code == "catalog.would_change_study"
    longer = season("2023-open")
    video = {**longer["courses"][0]["videos"][0], "key": "extra"}
    longer["courses"][0]["videos"].append(video)
    assert catalog.call("publish_programme", longer, CLI)["version"] == 2


def test_closing_is_announced_once_and_ends_publication(catalog, fixed_clock):
    published = catalog.call("publish_programme", season("2023-close"), CLI)

    def closings():
        catalog.service.close_due_programmes(clock.now())
        return announced(catalog, contract.PROGRAMME_CLOSED, published["programme_id"])

    fixed_clock.instant = clock.parse_instant("2023-02-28T23:59:59+08:00")
    assert closings() == []
    fixed_clock.instant = clock.parse_instant("2023-03-01T00:00:00+08:00")
    assert [event["version"] for event in closings()] == [2]
    assert len(closings()) == 1
    shown = catalog.call("get_programme", {"programme_id": published["programme_id"]})
    assert (shown["state"], shown["version"]) == ("CLOSED", 2)
    with pytest.raises(Conflict) as refused:
        catalog.call("publish_programme", season("2023-close", silence_limit_seconds=300), CLI)
    assert refused.value.code == "catalog.programme_closed"
    # The very same content is still no change, so an operator's script may run again.
    assert not catalog.call("publish_programme", season("2023-close"), CLI)["published"]


def test_pages_follow_each_other_without_gap_or_repeat(catalog):
    for number in range(3):
        catalog.call("publish_programme", season(f"1999-page-{number}"), CLI)
    seen, cursor = [], "1999-z"
    while cursor:
        page = catalog.call("list_programmes", {"cursor": cursor, "limit": 2})
        seen += [item["code"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert seen == ["1999-page-2", "1999-page-1", "1999-page-0"]


def test_who_may_publish(catalog):
    assert catalog.call("publish_programme", season("2023-operator"), person(None, OPERATOR))["published"]
    with pytest.raises(NotAllowed):
        catalog.call("publish_programme", season("2023-refused"), person())
    with pytest.raises(NotAllowed):
        catalog.call("publish_programme", season("2023-refused"), person(None, (Role.PROVINCE_ADMIN, "CN/440000")))
    with pytest.raises(NotFound):  # the right role, but not at the root of the nation
        catalog.call("publish_programme", season("2023-refused"), person(None, (Role.NATIONAL_OPERATOR, "CN/440000")))
    with pytest.raises(InvalidInput) as refused:
        catalog.call("publish_programme", season("2023-refused", courses=[]), CLI)
    assert refused.value.field == "courses"


def test_an_unknown_programme_is_not_found(catalog):
    with pytest.raises(NotFound) as refused:
        catalog.call("get_programme", {"programme_id": "00000000-0000-0000-0000-000000000000"})
    assert refused.value.code == "catalog.programme_not_found"


PUTIAN = "CN/350000/350300"


def outlined(code, **changes):
    """The season in two modules and two phases, of a city and for its teachers of mathematics."""
    made = season(code, place=PUTIAN, visibility="PLACES", audience={"subjects": ["数学"], "place_ids": [PUTIAN]})
    made["modules"] = [
        {"key": "public", "titles": {"zh": "公共模块", "en": "Public"}, "hour_cap": "16.00"},
        {"key": "practice", "titles": {"zh": "实践模块", "en": "Practice"}},
    ]
    made["phases"] = [
        {"key": "second", "titles": {"zh": "第二阶段", "en": "Phase two"}},
        {"key": "first", "titles": {"zh": "第一阶段", "en": "Phase one"}},
    ]
    for course in made["courses"]:
        early = course["key"] == "live_safety"
        course.update(module="practice" if early else "public", phase="first" if early else "second")
    return {**made, **changes}


def test_modules_phases_and_audience_are_shown_and_told(catalog):
    published = catalog.call("publish_programme", outlined("2023-outline"), CLI)
    # Whoever has the address sees it, whatever the lists say.
    shown = catalog.call("get_programme", {"programme_id": published["programme_id"]})
    assert [(each["key"], each["hour_cap"]) for each in shown["modules"]] == [("public", "16.00"), ("practice", None)]
    assert [(each["key"], each["opens_at"]) for each in shown["phases"]] == [
        ("second", "2023-01-05T00:00:00+08:00"),
        ("first", "2022-12-02T00:00:00+08:00"),
    ]
    assert {(each["key"], each["module"], each["phase"]) for each in shown["courses"]} >= {
        ("party20", "public", "second"),
        ("live_safety", "practice", "first"),
    }
    meant = {"stages": [], "segments": [], "subjects": ["数学"], "place_ids": [PUTIAN], "school_ids": []}
    assert (shown["place"], shown["visibility"], shown["audience"]) == (PUTIAN, "PLACES", meant)
    [told] = announced(catalog, contract.PROGRAMME_PUBLISHED, published["programme_id"])
    assert (told["audience"], told["visibility"]) == (meant, "PLACES")
    assert [each["key"] for each in told["modules"]] == ["public", "practice"]


def test_a_programme_of_one_piece_is_for_everybody(catalog):
    published = catalog.call("publish_programme", season("2023-plain"), CLI)
    shown = catalog.call("get_programme", {"programme_id": published["programme_id"]})
    assert (shown["visibility"], shown["modules"], shown["phases"]) == ("PUBLIC", [], [])
    assert not any(shown["audience"].values())
    assert shown["courses"][0]["module"] is None
    [told] = announced(catalog, contract.PROGRAMME_PUBLISHED, published["programme_id"])
    assert not {"visibility", "audience", "modules", "phases"} & set(told)


def listed(catalog, actor=None):
    page = catalog.call("list_programmes", {"cursor": "2023-seen-z", "limit": 3}, *([actor] if actor else []))
    return {item["code"].removeprefix("2023-seen-") for item in page["items"] if item["code"].startswith("2023-seen-")}


def test_on_whose_list_a_programme_stands(catalog):
    catalog.call("publish_programme", season("2023-seen-all"), CLI)
    catalog.call("publish_programme", outlined("2023-seen-places"), CLI)
    catalog.call("publish_programme", outlined("2023-seen-unlisted", visibility="UNLISTED"), CLI)
    inside = dataclasses.replace(person(), place=f"{PUTIAN}/350302/s1")
    beside = dataclasses.replace(person(), place="CN/350000/350301/s1")
    assert listed(catalog) == {"all"}
    assert listed(catalog, inside) == {"all", "places"}
    assert listed(catalog, beside) == {"all"}
    assert listed(catalog, person(None, (Role.COUNTY_ADMIN, f"{PUTIAN}/350302"))) == {"all", "places"}
    assert listed(catalog, person(None, (Role.PROVINCE_ADMIN, "CN/350000"))) == {"all", "places", "unlisted"}
    assert listed(catalog, person(None, (Role.PROVINCE_ADMIN, "CN/440000"))) == {"all"}
    assert listed(catalog, person(None, OPERATOR)) == {"all", "places", "unlisted"}


def test_an_audience_lies_inside_the_organisers_place(catalog):
    for code, wrong, field in (
        ("catalog.audience_outside", {"place_ids": ["CN/350000"]}, "audience.place_ids"),
        ("catalog.unit_unknown", {"place_ids": [PUTIAN], "school_ids": [str(new_id())]}, "audience.school_ids"),
    ):
        with pytest.raises(InvalidInput) as refused:
            catalog.call("publish_programme", outlined("2023-beyond", audience=wrong), CLI)
        assert (refused.value.code, refused.value.field) == (code, field)


def test_a_stage_stands_for_its_segments(catalog):
    everybody = catalog.call("publish_programme", season("2023-stage", audience={"stages": ["BASIC"]}), CLI)
    shown = catalog.call("get_programme", {"programme_id": everybody["programme_id"]})
    assert shown["audience"]["segments"] == ["HIGH", "KINDERGARTEN", "MIDDLE", "PRIMARY", "SPECIAL"]
    narrowed = season("2023-stage", audience={"stages": ["BASIC"], "segments": ["PRIMARY"]})
    catalog.call("publish_programme", narrowed, CLI)
    shown = catalog.call("get_programme", {"programme_id": everybody["programme_id"]})
    assert shown["audience"]["segments"] == ["PRIMARY"]
