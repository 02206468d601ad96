"""A programme and its teachers, as the events of catalogue, org and learning tell of them."""

from __future__ import annotations

import copy
import dataclasses
import itertools
import secrets
import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from services.catalog import contract as catalog
from services.catalog import rules as catalog_rules
from services.catalog import schemas as catalog_schemas
from services.catalog import season_file
from services.credits.recognition import RecognitionService
from services.credits.service import CreditsService
from services.learning import contract as learning
from services.org import contract as org
from services.org.contract.staffing import EMPLOYMENT_CHANGED
from services.shared import clock
from services.shared.actor import Role
from services.shared.ids import new_id
from tests.conftest import person

_numbers = itertools.count(1)
_CONTRACTS = {**catalog.EVENTS, **learning.EVENTS, **org.EVENTS}
ANSWERED = "2023-02-01T12:00:00+08:00"
SCHOOL_PLACE = "CN/440000/440100/440103/s1"


def told(event_type: str, payload: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The event, if its owner's contract allows it: what is tested here is what the others really send."""
    assert not _CONTRACTS[event_type]().validate(payload), _CONTRACTS[event_type]().validate(payload)
    return event_type, payload


@dataclasses.dataclass
class Season:
    """A programme of the test's own, with the content of the shipped season."""

    programme: dict[str, Any]

    @property
    def programme_id(self) -> str:
        return self.programme["programme_id"]

    def course(self, key: str) -> dict[str, Any]:
        return next(course for course in self.programme["courses"] if course["key"] == key)

    def published(self, version: int = 1) -> tuple[str, dict[str, Any]]:
        return told(catalog.PROGRAMME_PUBLISHED, {**self.programme, "version": version})

    def enrolled(self, teacher_id: uuid.UUID) -> tuple[str, dict[str, Any]]:
        return told(
            learning.ENROLLED,
            {
                "teacher_id": str(teacher_id),
                "programme_id": self.programme_id,
                "version": 1,
                "enrolled_at": "2023-01-06T08:00:00+08:00",
            },
        )

    def progressed(
        self, teacher_id: uuid.UUID, key: str, videos: int | list[tuple[int, int]], version: int = 1
    ) -> tuple[str, dict[str, Any]]:
        """The first `videos` videos of a course watched whole, or (seconds seen, seconds that count) of each; quizzes done."""
        course = self.course(key)
        if isinstance(videos, int):
            watched = [(video["seconds"], video["seconds"]) for video in course["videos"][:videos]]
        else:
            watched = videos
        return told(
            learning.COURSE_PROGRESSED,
            {
                "teacher_id": str(teacher_id),
                "programme_id": self.programme_id,
                "course_id": course["course_id"],
                "version": version,
                "videos": [
                    {
                        "activity_id": video["activity_id"],
                        "duration_seconds": video["seconds"],
                        "seen": [[0, seen]] if seen else [],
                        "countable": [[0, countable]] if countable else [],
                        "quizzes": [
                            {"quiz_id": quiz["quiz_id"], "at_seconds": quiz["at_seconds"], "answered_at": ANSWERED}
                            for quiz in video["quizzes"]
                        ],
                    }
                    for video, (seen, countable) in zip(course["videos"], watched, strict=False)
                ],
            },
        )

    def study_closed(self, enrolments: int, snapshots: int, version_sum: int) -> tuple[str, dict[str, Any]]:
        return told(
            learning.STUDY_CLOSED,
            {
                "programme_id": self.programme_id,
                "enrolments": enrolments,
                "snapshots": snapshots,
                "version_sum": version_sum,
            },
        )

    def everything(self, teacher_id: uuid.UUID) -> list[tuple[str, dict[str, Any]]]:
        """Enough of each course for six hours."""
        return [
            self.enrolled(teacher_id),
            *(
                self.progressed(teacher_id, course["key"], 2 if course["key"] == "party20" else 1)
                for course in self.programme["courses"]
            ),
        ]


def membership(teacher_id: uuid.UUID, place: str = SCHOOL_PLACE, version: int = 1) -> tuple[str, dict[str, Any]]:
    return told(
        org.MEMBERSHIP_CHANGED,
        {
            "teacher_id": str(teacher_id),
            "version": version,
            "state": "VERIFIED",
            "school_id": str(uuid.UUID(int=version)),
            "school_name": f"第{version}小学",
            "place": place,
            "effective_at": "2023-01-06T08:00:00+08:00",
        },
    )


def employed(teacher_id: uuid.UUID, status: str, version: int) -> tuple[str, dict[str, Any]]:
    payload = {"teacher_id": str(teacher_id), "version": version, "status": status, "place": SCHOOL_PLACE}
    return told(EMPLOYMENT_CHANGED, payload)


@pytest.fixture
def recognition(component, fixed_clock):
    return component(RecognitionService)


@pytest.fixture
def credits_service(component, fixed_clock):
    return component(CreditsService)


@pytest.fixture
def season(recognition):
    content = {
        **copy.deepcopy(season_file.read_shipped_season("2023-winter")),
        "code": f"2023-test-{next(_numbers)}-{uuid.uuid4().hex[:6]}",
    }
    found = Season(catalog_rules.programme_of(catalog_schemas.Season().load(content)))
    recognition.deliver("on_programme_published", *found.published())
    return found


@pytest.fixture
def record(recognition):
    """`record(event, event, …)`: deliver one batch of (type, payload) or (type, payload, event id)."""
    return lambda *events: recognition.deliver_batch("record_progress", list(events), events=True)


@pytest.fixture
def teacher_id():
    return new_id()


@pytest.fixture
def ledger(recognition):
    """`ledger(teacher_id)`: [(rule, amount)] in the order of recording."""
    from services.credits.models import LedgerEntry

    def rows(teacher_id):
        with recognition.database.work() as db:
            query = db.query(LedgerEntry).filter_by(teacher_id=teacher_id).order_by(LedgerEntry.entry_id)
            return [(entry.rule_id, str(entry.amount)) for entry in query]

    return rows


@pytest.fixture
def announced(recognition):
    """`announced(type, teacher_id or programme_id)`: payloads about it, oldest first."""

    def payloads(event_type, about):
        return [
            payload
            for payload in recognition.outbox(event_type)
            if str(about) in (payload.get("teacher_id"), payload["programme_id"])
        ]

    return payloads


# --- a year in Guangxi -----------------------------------------------------------------------------------------------------


@pytest.fixture
def county():
    """A county of Guangxi of the test's own, also when the databases are those of an earlier run."""
    return f"CN/450000/450100/{secrets.randbelow(900_000) + 100_000}"


@pytest.fixture
def at(fixed_clock):
    def move(text):
        fixed_clock.instant = clock.parse_instant(text)

    move("2023-11-20T10:00:00+08:00")
    return move


@pytest.fixture
def teacher(recognition, county, at):
    actor = person()
    recognition.deliver("on_membership_changed", *membership(actor.account_id, f"{county}/s1"))
    return actor


@pytest.fixture
def handler(county):
    return person(None, (Role.COUNTY_ADMIN, county))


@pytest.fixture
def earn(credits_service, county):
    """Credits by way of a declaration that both reviewers approve."""

    def give(teacher, hours, form="校本研修", year=2023):
        text = {
            "year": year,
            "kind": "DECLARATION",
            "title": "教研",
            "institution": "县教研室",
            "hours": hours,
            "started_on": f"{year}-10-01",
            "ended_on": f"{year}-10-03",
            "training_form": form,
        }
        made = {"declaration_id": credits_service.call("create_declaration", text, teacher)["declaration_id"]}
        credits_service.call("submit_declaration", made, teacher)
        credits_service.call("pass_declaration", made, person(None, (Role.SCHOOL_ADMIN, f"{county}/s1")))
        credits_service.call("approve_declaration", made, person(None, (Role.COUNTY_ADMIN, county)))
        return made

    return give


@pytest.fixture
def verification(credits_service):
    def read(teacher, year=2023, actor=None, **more):
        arguments = {"year": year, "teacher_id": str(teacher.account_id), **more}
        return credits_service.call("get_year_verification", arguments, actor or teacher)

    return read


@pytest.fixture
def freeze(credits_service, at):
    def run(instant="2024-02-01T00:00:00+08:00"):
        at(instant)
        # Other tests closed the same year of the same scheme.
        with credits_service.database.work() as db:
            db.execute(sa.text("DELETE FROM year_closing"))
        credits_service.service.freeze_years(clock.now())

    return run
