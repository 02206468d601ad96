"""A season in certs: programme, teachers, standings, and identity answering for names."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from services.catalog import contract as catalog
from services.certs.render import CertsRenderService
from services.certs.service import CertsService
from services.credits.contract import EVENTS as CREDITS_EVENTS
from services.credits.contract import HOURS_RECOGNISED, RECOGNITION_CLOSED
from services.identity import contract as identity
from services.org import contract as org
from services.shared import clock
from services.shared.errors import Unavailable
from services.shared.ids import new_id
from tests.clients.independent import independent_verifier  # noqa: F401  a fixture

EVENTS = {**catalog.EVENTS, **org.EVENTS, **identity.EVENTS, **CREDITS_EVENTS}
COUNTY = "CN/440000/440100/440103"


class Directory:
    """Identity as certs sees it: names by account, nothing for accounts without one."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.asked: list[list[str]] = []
        self.down = False

    def call(self, service: str, method: str, arguments: dict[str, Any], **_options: Any) -> dict[str, Any]:
        assert (service, method) == ("identity", "get_holders")
        if self.down:
            raise Unavailable("shared.deadline")
        ids = arguments["account_ids"]
        assert 0 < len(ids) <= 200
        self.asked.append(ids)
        return {"items": [{"account_id": one, "name": self.names[one]} for one in ids if one in self.names]}


@dataclasses.dataclass
class Season:
    """One programme and its teachers, played through events as the bus would deliver them."""

    certs: Any
    directory: Directory
    programme_id: uuid.UUID = dataclasses.field(default_factory=new_id)
    versions: dict[uuid.UUID, int] = dataclasses.field(default_factory=dict)
    memberships: dict[uuid.UUID, int] = dataclasses.field(default_factory=dict)

    def publish(self, **changes: Any) -> None:
        payload = {
            "programme_id": str(self.programme_id),
            "version": 1,
            "code": "2023-winter",
            "titles": {"zh": "2023年寒假教师研修", "en": "Winter training for teachers, 2023"},
            "opens_at": "2022-12-01T16:00:00.000000Z",
            "closes_at": "2023-02-28T16:00:00.000000Z",
            "rule_pack": "smartedu-2023-winter",
            "silence_limit_seconds": 60,
            "certificate_template": "learning-certificate",
            "courses": [],
            **changes,
        }
        self.deliver("on_programme_published", catalog.PROGRAMME_PUBLISHED, payload)

    def deliver(self, handler: str, event_type: str, payload: dict[str, Any]) -> None:
        """Deliver an event that its owner's contract allows."""
        assert EVENTS[event_type]().validate(payload) == {}
        self.certs.deliver(handler, event_type, payload)

    def teacher(
        self,
        hours: str = "6.00",
        *,
        done: int = 5,
        met: bool | None = None,
        state: str = "VERIFIED",
        name: str = "张小明",
    ) -> uuid.UUID:
        """A teacher with a name, a membership and recognised hours."""
        teacher_id = new_id()
        self.directory.names[str(teacher_id)] = name
        self.place(teacher_id, state)
        self.recognise(teacher_id, hours, done=done, met=hours == "6.00" if met is None else met)
        return teacher_id

    def place(
        self, teacher_id: uuid.UUID, state: str, school_name: str = "广州市第一小学", place: str = f"{COUNTY}/s1"
    ) -> None:
        version = self.memberships[teacher_id] = self.memberships.get(teacher_id, 0) + 1
        payload = {
            "teacher_id": str(teacher_id),
            "version": version,
            "state": state,
            "school_id": str(new_id()),
            "school_name": school_name,
            "place": place,
            "effective_at": "2023-01-01T00:00:00.000000Z",
        }
        self.deliver("on_membership_changed", org.MEMBERSHIP_CHANGED, payload)

    def recognise(self, teacher_id: uuid.UUID, hours: str, *, done: int = 5, met: bool = True) -> None:
        self.versions[teacher_id] = self.versions.get(teacher_id, 0) + 1
        payload = self.standing(teacher_id, hours, done, met=met)
        assert EVENTS[HOURS_RECOGNISED]().validate(payload) == {}
        self.certs.deliver_batch("record_standings", [(HOURS_RECOGNISED, payload)], events=True)

    def standing(self, teacher_id: uuid.UUID, hours: str, done: int, *, met: bool) -> dict[str, Any]:
        return {
            "teacher_id": str(teacher_id),
            "programme_id": str(self.programme_id),
            "version": self.versions[teacher_id],
            "hours": hours,
            "courses_done": done,
            "courses_total": 5,
            "requirement_met": met,
            "courses": [],
        }

    def close(self, **changes: Any) -> None:
        """Credits says that all is recognised."""
        payload = {
            "programme_id": str(self.programme_id),
            "standings": len(self.versions),
            "version_sum": sum(self.versions.values()),
            **changes,
        }
        self.deliver("on_recognition_closed", RECOGNITION_CLOSED, payload)

    def decide(self) -> None:
        self.certs.service.decide_certificates(clock.now())

    def standing_of(self, teacher_id: uuid.UUID, a_person: Callable[..., Any]) -> dict[str, Any]:
        return self.certs.call("get_standing", {"programme_id": str(self.programme_id)}, a_person(teacher_id))

    def events(self, event_type: str) -> list[dict[str, Any]]:
        return [event for event in self.certs.outbox(event_type) if event["programme_id"] == str(self.programme_id)]


@pytest.fixture
def directory() -> Directory:
    return Directory()


@pytest.fixture
def certs(component: Callable[..., Any], directory: Directory) -> Any:
    return component(CertsService, bus=directory)


@pytest.fixture
def render(component: Callable[..., Any]) -> Any:
    return component(CertsRenderService)


@pytest.fixture
def season(certs: Any, directory: Directory, fixed_clock: Any) -> Season:
    fixed_clock.instant = clock.parse_instant("2023-03-01T00:05:00+08:00")
    season = Season(certs, directory)
    season.publish()
    return season
