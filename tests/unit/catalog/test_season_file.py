"""The season file: what ships is sound, and each kind of fault is refused with its place."""

from __future__ import annotations

import copy
from decimal import Decimal

import pytest
from marshmallow import ValidationError

from services.catalog import schemas, season_file
from services.credits.pack_files import load_season_pack
from services.credits.rules.pack import Kind
from services.shared.bus.calls import first_fault
from services.shared.yaml_files import YamlError

SHIPPED = season_file.read_shipped_season("2023-winter")


def minutes(season, key):
    course = next(course for course in season["courses"] if course["key"] == key)
    return [video["seconds"] // 60 for video in course["videos"]]


def test_winter_2023_can_carry_every_worked_example():
    assert [course["key"] for course in SHIPPED["courses"]] == [
        "party20", "live_safety", "course_c", "course_d", "course_e",
    ]  # fmt: skip
    assert sum(minutes(SHIPPED, "party20")) >= 300  # W06
    for key in ("course_c", "course_d", "course_e"):
        assert {15, 20, 30, 45, 60} <= set(minutes(SHIPPED, key))
        course = next(course for course in SHIPPED["courses"] if course["key"] == key)
        assert [v["seconds"] for v in course["videos"] if v["quizzes"][0]["at_seconds"] == 600].count(
            900
        ) == 2  # W03, W04
    assert sum(minutes(SHIPPED, "live_safety")) >= 60
    live_safety = SHIPPED["courses"][1]
    assert not live_safety["quiz_required"]
    assert any(video["quizzes"] for video in live_safety["videos"])  # W05: quizzes are there, and need no answer


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda s: s.update(closes_at="2022-12-01T00:00:00+08:00"), "closes_at"),
        (lambda s: s.update(opens_at="2022-12-02T00:00:00"), "opens_at"),
        (lambda s: s.update(opens_at="0001-01-01T00:00:00+14:00"), "opens_at"),
        (lambda s: s.update(closes_at="9999-12-31T23:59:59-14:00"), "closes_at"),
        (lambda s: s["titles"].update(en=""), "titles.en"),
        (lambda s: s.update(surprise=1), "surprise"),
        (lambda s: s.update(code="Winter"), "code"),
        (lambda s: s.update(silence_limit_seconds="600"), "silence_limit_seconds"),
        (lambda s: s["courses"][0].update(opens_at="2023-03-01T00:00:00+08:00"), "courses.0.opens_at"),
        (lambda s: s["courses"][0].update(videos=[]), "courses.0.videos"),
        (lambda s: s["courses"][1].update(key="party20"), "courses.1.key"),
        (lambda s: s["courses"][2]["videos"][1].update(key="v1"), "courses.2.videos.1.key"),
        (lambda s: s["courses"][2]["videos"][1].update(seconds=0), "courses.2.videos.1.seconds"),
        (lambda s: s["courses"][2]["videos"][1].update(seconds=True), "courses.2.videos.1.seconds"),
        (lambda s: s["courses"][2]["videos"][1].update(quizzes=[]), "courses.2.videos.1.quizzes"),
        (
            lambda s: s["courses"][2]["videos"][1]["quizzes"][0].update(at_seconds=3600),
            "courses.2.videos.1.quizzes.0.at_seconds",
        ),
        (
            lambda s: s["courses"][2]["videos"][1]["quizzes"][0].update(answers=["none of them"]),
            "courses.2.videos.1.quizzes.0.answers",
        ),
        (
            lambda s: s["courses"][2]["videos"][1]["quizzes"][0].update(options=["a", "a"], answers=["a"]),
            "courses.2.videos.1.quizzes.0.options",
        ),
    ],
)
def test_a_faulty_season_is_refused_at_its_place(change, field):
    season = copy.deepcopy(SHIPPED)
    change(season)
    with pytest.raises(ValidationError) as refused:
        schemas.Season().load(season)
    assert first_fault(refused.value.messages)[0] == field


def test_broken_files_name_the_fault(tmp_path):
    path = tmp_path / "season.yaml"
    path.write_text("code: 2023-winter\ncode: 2024-winter\n")
    with pytest.raises(YamlError, match=r"'code' stands twice .* \(line 2\)"):
        season_file.read_season(path)
    path.write_text("code: [")
    with pytest.raises(YamlError, match=r"season\.yaml"):
        season_file.read_season(path)
    path.write_text("- nothing\n")
    with pytest.raises(YamlError):
        season_file.read_season(path)
    with pytest.raises(YamlError, match="2023-winter"):
        season_file.read_shipped_season("2099-winter")


def part(key, **more):
    return {"key": key, "titles": {"zh": key, "en": key}, **more}


def in_parts(season, name, parts, key):
    season[name] = parts
    for course in season["courses"]:
        course[name.removesuffix("s")] = key


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda s: in_parts(s, "modules", [part("a"), part("a")], "a"), "modules.1.key"),
        (lambda s: in_parts(s, "modules", [part("a"), part("b")], "a"), "modules.1.key"),
        (lambda s: in_parts(s, "modules", [part("a")], "b"), "courses.0.module"),
        (lambda s: in_parts(s, "modules", [part("a", hour_cap="16.001")], "a"), "modules.0.hour_cap"),
        (lambda s: in_parts(s, "modules", [part("a", hour_cap="0")], "a"), "modules.0.hour_cap"),
        (lambda s: in_parts(s, "phases", [part("a", hour_cap="16")], "a"), "phases.0.hour_cap"),
        (lambda s: s.update(modules=[part("a")]), "courses.0.module"),
        (lambda s: s["courses"][2].update(phase="first"), "courses.2.phase"),
        (lambda s: s.update(modules=[]), "modules"),
        (lambda s: s.update(visibility="SECRET"), "visibility"),
        (lambda s: s.update(visibility="PLACES"), "audience.place_ids"),
        (lambda s: s.update(visibility="PLACES", audience={"subjects": ["数学"]}), "audience.place_ids"),
        (lambda s: s.update(audience={"stages": ["HIGHER"]}), "audience.stages.0"),
        (lambda s: s.update(audience={"stages": ["VOCATIONAL"], "segments": ["PRIMARY"]}), "audience.segments"),
        (lambda s: s.update(audience={"segments": ["小学"]}), "audience.segments.0"),
        (lambda s: s.update(audience={"place_ids": ["CN/350000/350300/s1"]}), "audience.place_ids.0"),
        (lambda s: s.update(audience={"school_ids": ["x"]}), "audience.school_ids.0"),
    ],
)
def test_a_faulty_outline_is_refused_at_its_place(change, field):
    season = copy.deepcopy(SHIPPED)
    change(season)
    with pytest.raises(ValidationError) as refused:
        schemas.Season().load(season)
    assert first_fault(refused.value.messages)[0] == field


def test_modules_of_the_shipped_season_show_what_its_pack_recognises():
    season = season_file.read_shipped_season("2026-putian-50h")
    pack = load_season_pack(season["rule_pack"])
    caps = {course: rule.cap for rule in pack.rules if rule.kind is Kind.ITEM_CAP for course in rule.courses}
    shown = {module["key"]: Decimal(module["hour_cap"]) for module in season["modules"]}
    assert {course["key"]: shown[course["module"]] for course in season["courses"]} == caps
