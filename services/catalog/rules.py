"""Pure rules of the catalogue: stable names, a programme's state, and what a new version may change; no I/O."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Iterable, Mapping
from typing import Any, Final

from services.catalog.contract import STAGES, Visibility
from services.catalog.periods.rules import places_above
from services.shared.actor import Actor
from services.shared.clock import BEIJING

# Our own namespace: the same keys give the same ids on every installation, so publishing a file twice changes nothing.
NAMESPACE = uuid.UUID("5f0d7b5e-6c0e-5d0c-9b0e-1b6f2a3c4d5e")


def stable_id(*keys: str) -> uuid.UUID:
    """The id of the thing with these keys, outermost first, e.g. ("2023-winter", "party20", "v3")."""
    return uuid.uuid5(NAMESPACE, "/".join(keys))


# For everybody.
EVERYBODY: Final[Mapping[str, list[str]]] = {
    "stages": [],
    "segments": [],
    "subjects": [],
    "place_ids": [],
    "school_ids": [],
}


def segments_of(stages: Iterable[str], segments: Iterable[str]) -> list[str]:
    """The segments that are meant: those named, or else all of the named stages."""
    return sorted(segments) or sorted({segment for stage in stages for segment in STAGES[stage]})


def audience_of(season: Mapping[str, Any]) -> dict[str, list[str]]:
    """Whom the season is for, as it is stored and told: sorted, with the segments of its stages."""
    given = season.get("audience", EVERYBODY)
    told = {name: sorted(str(each) for each in given[name]) for name in EVERYBODY}
    return {**told, "segments": segments_of(given["stages"], given["segments"])}


def visibility_of(season: Mapping[str, Any]) -> Visibility:
    return Visibility(season.get("visibility", Visibility.PUBLIC))


@dataclasses.dataclass(frozen=True)
class Viewpoint:
    """From where somebody looks at the list. `within`: all that the own school and the places of grants lie in, and they
    themselves; `answering`: the places of grants."""

    within: tuple[str, ...]
    answering: tuple[str, ...]

    @classmethod
    def of(cls, actor: Actor) -> Viewpoint:
        answering = sorted({grant.place for grant in actor.grants})
        own = [actor.place] if actor.place else []
        return cls(tuple(sorted({above for each in own + answering for above in places_above(each)})), tuple(answering))


def phases_of(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The programme's phases, each with the day on which the first of its courses opens."""
    opens: dict[str, str] = {}
    for course in sorted(content["courses"], key=lambda course: dt.datetime.fromisoformat(course["opens_at"])):
        opens.setdefault(course.get("phase", ""), course["opens_at"])
    return [{**phase, "opens_at": opens[phase["key"]]} for phase in content.get("phases", ())]


def programme_of(season: Mapping[str, Any]) -> dict[str, Any]:
    """The season's content with an id at each level: what is stored and announced, as plain JSON."""
    code = season["code"]
    # Only where it is asked for: the content, and so the hash, of a season without it stays what it was.
    asked = {name: season[name] for name in ("presence_prompt_seconds", "place") if name in season}
    return {
        **asked,
        "programme_id": str(stable_id(code)),
        "code": code,
        "titles": dict(season["titles"]),
        "opens_at": season["opens_at"].isoformat(),
        "closes_at": season["closes_at"].isoformat(),
        "rule_pack": season["rule_pack"],
        "silence_limit_seconds": season["silence_limit_seconds"],
        "certificate_template": season["certificate_template"],
        **_outline_of(season),
        "courses": [_course_of(code, course) for course in season["courses"]],
        **({"exams": [_exam_of(season, exam) for exam in season["exams"]]} if season.get("exams") else {}),
    }


def _outline_of(season: Mapping[str, Any]) -> dict[str, Any]:
    """As above: a season that says nothing of it keeps its hash."""
    told: dict[str, Any] = {}
    if "visibility" in season:
        told["visibility"] = str(season["visibility"])
    if "audience" in season:
        told["audience"] = audience_of(season)
    if "phases" in season:
        told["phases"] = [{"key": each["key"], "titles": dict(each["titles"])} for each in season["phases"]]
    if "modules" in season:
        told["modules"] = [
            {
                "key": each["key"],
                "titles": dict(each["titles"]),
                "hour_cap": None if each["hour_cap"] is None else f"{each['hour_cap']:.2f}",
            }
            for each in season["modules"]
        ]
    return told


def _exam_of(season: Mapping[str, Any], exam: Mapping[str, Any]) -> dict[str, Any]:
    """An exam with its window spelled out; the questions stay in their banks, whose versions never change."""
    code = season["code"]
    return {
        "exam_id": str(stable_id(code, "exam", exam["key"])),
        "course_id": str(stable_id(code, exam["course"])) if "course" in exam else None,
        "key": exam["key"],
        "titles": dict(exam["titles"]),
        "opens_at": exam.get("opens_at", season["opens_at"]).isoformat(),
        "closes_at": exam.get("closes_at", season["closes_at"]).isoformat(),
        **{name: exam[name] for name in ("minutes", "attempts", "pass_mark")},
        "after": [
            {"course_id": str(stable_id(code, each["course"])), "seconds": each["seconds"]} for each in exam["after"]
        ],
        "draw": [{name: pool[name] for name in ("bank", "version", "count", "points")} for pool in exam["draw"]],
    }


def _course_of(code: str, course: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "course_id": str(stable_id(code, course["key"])),
        "key": course["key"],
        "title": course["title"],
        "opens_at": course["opens_at"].isoformat(),
        "quiz_required": course["quiz_required"],
        **{part: course[part] for part in ("module", "phase") if part in course},
        "videos": [_video_of(code, course["key"], video) for video in course["videos"]],
    }


def _video_of(code: str, course_key: str, video: Mapping[str, Any]) -> dict[str, Any]:
    keys = (code, course_key, video["key"])
    # As above: a season without files keeps its hash.
    media = {"media": video["media"]} if "media" in video else {}
    return {
        **media,
        "activity_id": str(stable_id(*keys)),
        "key": video["key"],
        "title": video["title"],
        "seconds": video["seconds"],
        "quizzes": [
            {
                "quiz_id": str(stable_id(*keys, quiz["key"])),
                "at_seconds": quiz["at_seconds"],
                "prompt": quiz["prompt"],
                "options": list(quiz["options"]),
                "answers": list(quiz["answers"]),
            }
            for quiz in video["quizzes"]
        ],
    }


def state_at(now: dt.datetime, opens_at: dt.datetime, fully_open_at: dt.datetime, closes_at: dt.datetime) -> str:
    """A programme's state; `fully_open_at` is when the last of its courses opens. Windows are half-open."""
    if now >= closes_at:
        return "CLOSED"
    if now < opens_at:
        return "PLANNED"
    return "PARTIAL_OPEN" if now < fully_open_at else "OPEN"


def days_left(now: dt.datetime, closes_at: dt.datetime) -> int:
    """How many Beijing days still count, today among them; 0 when the programme has closed."""
    if now >= closes_at:
        return 0
    last = (closes_at - dt.timedelta(microseconds=1)).astimezone(BEIJING).date()
    return (last - now.astimezone(BEIJING).date()).days + 1


def keeps_study_intact(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether a new version leaves everything that teachers may already have studied where it was.

    Evidence is seconds of a video of a known length with quizzes at known points; removing or moving any of them would
    change what past study is worth.
    """
    return _timeline(old) <= _timeline(new) and _gates(old).items() <= _gates(new).items()


def _timeline(programme: Mapping[str, Any]) -> set[tuple[str, int, tuple[tuple[str, int], ...]]]:
    """Each video with its length and its quiz points."""
    return {
        (
            video["activity_id"],
            video["seconds"],
            tuple((quiz["quiz_id"], quiz["at_seconds"]) for quiz in video["quizzes"]),
        )
        for course in programme["courses"]
        for video in course["videos"]
    }


def _gates(programme: Mapping[str, Any]) -> dict[str, bool]:
    return {course["course_id"]: course["quiz_required"] for course in programme["courses"]}


# What an attempt is measured by. Questions may be replaced: whoever has begun keeps those that were drawn.
_EXAM_TERMS = ("course_id", "minutes", "attempts", "pass_mark")


def keeps_exams_intact(old: Mapping[str, Any], new: Mapping[str, Any], now: dt.datetime) -> bool:
    """Whether no exam disappears, and none that has opened is measured otherwise than before."""
    after = {exam["exam_id"]: exam for exam in new.get("exams", ())}
    for exam in old.get("exams", ()):
        changed = after.get(exam["exam_id"])
        if changed is None:
            return False
        if dt.datetime.fromisoformat(exam["opens_at"]) <= now and any(
            exam[name] != changed[name] for name in _EXAM_TERMS
        ):
            return False
    return True
