"""Course events of a season's evening, as they lie in the queue, with what they must come to."""

from __future__ import annotations

import dataclasses
import json
import random
import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

PACK = "smartedu-2023-winter"
ANSWERED = "2023-02-01T04:00:00.000000Z"
TOLD = "2023-02-01T12:00:00.000000Z"
SORTS = 40  # so many different ways to have studied a course: making each event's own would take longer than judging it
# The season's rules in the words of the manual, apart from the pack: seconds that count, and what they earn.
NEEDED = {"party20": (5400, Decimal(2))}
OTHERS = (2700, Decimal(1))
UNGATED = "live_safety"


@dataclasses.dataclass(frozen=True)
class Study:
    """One way to have studied a course: as learning tells it, and what it earns."""

    videos: list[dict[str, Any]]
    hours: Decimal


@dataclasses.dataclass(frozen=True)
class Told:
    """One course event: its body, what it is about, and what it earns."""

    body: bytes
    teacher_id: uuid.UUID
    course: str
    study: Study


def programme() -> dict[str, Any]:
    """The shipped season, as the catalogue tells of it."""
    from services.catalog import rules, schemas, season_file

    season: dict[str, Any] = rules.programme_of(schemas.Season().load(season_file.read_shipped_season("2023-winter")))
    return season


class Evenings:
    """Makes evenings of teachers who are new each time."""

    def __init__(self, season: Mapping[str, Any]) -> None:
        self._programme_id = season["programme_id"]
        self._chance = random.Random(2023)  # noqa: S311  the same evenings in each run
        self._ids = {course["key"]: course["course_id"] for course in season["courses"]}
        self._studies = {
            course["key"]: [self._study(course["key"], course["videos"]) for _ in range(SORTS)]
            for course in season["courses"]
        }

    def make(self, events: int) -> list[Told]:
        """Each teacher brings her courses one after the other, in her own order; everybody's first comes first."""
        from services.shared.ids import new_id

        courses = list(self._ids)
        teachers = [new_id() for _ in range(-(-events // len(courses)))]
        orders = [self._chance.sample(courses, len(courses)) for _ in teachers]
        return [
            self._told(teacher_id, order[turn], self._chance.choice(self._studies[order[turn]]))
            for turn in range(len(courses))
            for teacher_id, order in zip(teachers, orders, strict=True)
        ][:events]

    def _study(self, key: str, videos: Sequence[Mapping[str, Any]]) -> Study:
        found, counted = [], 0
        for video in videos:
            duration, whole = video["seconds"], self._chance.random() < 0.6
            cuts = sorted(self._chance.sample(range(1, duration), 6))
            pieces = [[0, duration]] if whole else [list(pair) for pair in zip(cuts[::2], cuts[1::2], strict=True)]
            seconds = sum(end - begin for begin, end in pieces)
            counted += seconds if whole or key == UNGATED else 0
            quizzes = [
                {"quiz_id": quiz["quiz_id"], "at_seconds": quiz["at_seconds"], "answered_at": ANSWERED}
                for quiz in video["quizzes"]
            ]
            found.append(
                {
                    "activity_id": video["activity_id"],
                    "duration_seconds": duration,
                    "seen": pieces,
                    "countable": pieces,
                    "quizzes": quizzes,
                }
            )
        threshold, hours = NEEDED.get(key, OTHERS)
        return Study(found, hours if counted >= threshold else Decimal(0))

    def _told(self, teacher_id: uuid.UUID, key: str, study: Study) -> Told:
        from services.learning import contract
        from services.shared.bus.link import encode
        from services.shared.ids import new_id

        payload = {
            "teacher_id": str(teacher_id),
            "programme_id": self._programme_id,
            "course_id": self._ids[key],
            "version": 1,
            "videos": study.videos,
        }
        body = {
            "id": str(new_id()),
            "type": contract.COURSE_PROGRESSED,
            "aggregate_id": str(teacher_id),
            "occurred_at": TOLD,
            "payload": payload,
        }
        return Told(encode(body), teacher_id, key, study)


def retold(told: Told) -> Told:
    """The same event under a new id, which no inbox knows."""
    from services.shared.bus.link import encode
    from services.shared.ids import new_id

    return dataclasses.replace(told, body=encode({**json.loads(told.body), "id": str(new_id())}))
