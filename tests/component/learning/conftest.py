"""Learning over its real database: a small programme, teachers who may enrol, and a hand to play with."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from typing import Any

import pytest
from sqlalchemy.orm import Session

from services.learning.contract.tokens import PlayToken, read_play_token
from services.learning.models import Watched
from services.learning.service import LearningService
from services.learning.study.ingest import LearningIngest
from services.shared import clock
from services.shared.actor import Actor
from services.shared.errors import NotFound
from services.shared.ids import new_id
from tests.conftest import Component, FixedClock, person

OPENS = clock.parse_instant("2023-01-05T00:00:00+08:00")
CLOSES = clock.parse_instant("2023-03-01T00:00:00+08:00")
SILENCE_SECONDS = 600
RIGHT, WRONG = ["第二门"], ["第一门"]


class FakeOwners:
    """Identity and org as learning asks them; what nobody told them is not there."""

    def __init__(self) -> None:
        self.complete: set[str] = set()
        self.places: dict[str, str] = {}
        self.teaches: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []

    def call(self, service: str, method: str, arguments: dict[str, Any], **_: Any) -> dict[str, Any]:
        self.asked.append(f"{service}.{method}")
        if (service, method) == ("identity", "check_enrolment_facts"):
            told = {"complete": arguments["account_id"] in self.complete, "segment": "", "subject": ""}
            return {**told, **self.teaches.get(arguments["account_id"], {})}
        if (service, method) == ("org", "get_placement_facts") and arguments["teacher_id"] in self.places:
            return {"place": self.places[arguments["teacher_id"]], "school_id": None}
        raise NotFound("shared.not_found")


class RecordingPublisher:
    """Keeps what is published; `down` refuses it as a broker that is away does."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, dict[str, Any]]] = []
        self.down = False

    def publish(self, exchange: str, routing_key: str, body: dict[str, Any], message_id: str, timeout: float) -> None:
        if self.down:
            from services.shared.errors import Unavailable

            raise Unavailable("shared.broker_unavailable")
        self.sent.append((exchange, routing_key, body))


@dataclasses.dataclass(frozen=True)
class Programme:
    """Ids of one published programme: a gated course of two videos, and one whose time counts without its quiz."""

    payload: dict[str, Any]

    @property
    def programme_id(self) -> str:
        return self.payload["programme_id"]

    def course_id(self, key: str) -> str:
        return self._course(key)["course_id"]

    def activity_id(self, course: str, video: str) -> str:
        return self._video(course, video)["activity_id"]

    def quiz_id(self, course: str, video: str, index: int = 0) -> str:
        return self._video(course, video)["quizzes"][index]["quiz_id"]

    def _course(self, key: str) -> dict[str, Any]:
        return next(course for course in self.payload["courses"] if course["key"] == key)

    def _video(self, course: str, video: str) -> dict[str, Any]:
        return next(found for found in self._course(course)["videos"] if found["key"] == video)


def programme_payload() -> dict[str, Any]:
    return {
        "programme_id": str(new_id()),
        "version": 1,
        "code": "2023-winter",
        "titles": {"zh": "寒假教师研修", "en": "Winter training"},
        "opens_at": OPENS.isoformat(),
        "closes_at": CLOSES.isoformat(),
        "rule_pack": "smartedu-2023-winter",
        "silence_limit_seconds": SILENCE_SECONDS,
        "certificate_template": "smartedu-study",
        "courses": [
            _course("gated", True, [_video("v1", 900, [600]), _video("v2", 1800, [600, 1200])]),
            _course("free", False, [_video("v1", 2700, [1200])]),
            _course("later", True, [_video("v1", 900, [600])], opens_at="2023-02-01T00:00:00+08:00"),
        ],
    }


def _course(key: str, quiz_required: bool, videos: list[dict[str, Any]], opens_at: str = "") -> dict[str, Any]:
    return {
        "course_id": str(new_id()),
        "key": key,
        "title": key,
        "opens_at": opens_at or OPENS.isoformat(),
        "quiz_required": quiz_required,
        "videos": videos,
    }


def _video(key: str, seconds: int, quiz_points: list[int]) -> dict[str, Any]:
    return {
        "activity_id": str(new_id()),
        "key": key,
        "title": key,
        "seconds": seconds,
        "quizzes": [
            {
                "quiz_id": str(new_id()),
                "at_seconds": at,
                "prompt": "哪一门?",
                "options": ["第一门", "第二门"],
                "answers": RIGHT,
            }
            for at in quiz_points
        ],
    }


class World:
    """Learning's two processes, the clock, and what tests do with them."""

    def __init__(self, learning: Component, ingest: Component, owners: FakeOwners, fixed: FixedClock) -> None:
        self.learning = learning
        self.ingest = ingest
        self.owners = owners
        self.clock = fixed
        self.publisher = RecordingPublisher()
        learning.service.publisher = self.publisher

    def wait(self, seconds: float) -> None:
        self.clock.instant += dt.timedelta(seconds=seconds)

    def publish_programme(self, **terms: Any) -> Programme:
        programme = Programme({**programme_payload(), **terms})
        self.learning.deliver("on_programme_published", "catalog.programme_published", programme.payload)
        return programme

    def teacher(self) -> Actor:
        """A teacher with a complete profile and a school, as the events tell."""
        actor = person()
        self.tell_profile(actor)
        self.tell_membership(actor)
        return actor

    def tell_profile(self, actor: Actor, *, complete: bool = True, version: int = 1) -> None:
        payload = {
            "account_id": str(actor.account_id),
            "version": version,
            "complete": complete,
            "segment": "PRIMARY",
            "subject": "CHINESE",
        }
        self.learning.deliver("on_profile_changed", "identity.profile_changed", payload)

    def tell_membership(self, actor: Actor, *, place: str = "CN/440000/440100/440103/other", version: int = 1) -> None:
        payload = {
            "teacher_id": str(actor.account_id),
            "version": version,
            "state": "PENDING" if place else "RELEASED",
            "school_id": None,
            "school_name": "其他",
            "place": place,
            "effective_at": clock.format_instant(self.clock.instant),
        }
        self.learning.deliver("on_membership_changed", "org.membership_changed", payload)

    def enrolled(self, programme: Programme) -> Actor:
        actor = self.teacher()
        self.learning.call("enrol", {"programme_id": programme.programme_id}, actor)
        return actor

    def open(self, actor: Actor, activity_id: str, client_id: str = "device-one", **more: Any) -> Any:
        arguments = {"activity_id": activity_id, "client_id": client_id, **more}
        return self.learning.call("open_study_session", arguments, actor)

    def token(self, opened: dict[str, Any]) -> PlayToken:
        key = self.learning.service.keyring.verify_key("play-token")

        def is_signed(signature: bytes, body: bytes) -> bool:
            key.verify(signature, body)
            return True

        return read_play_token(opened["play_token"], is_signed)

    def report(self, opened: dict[str, Any], seq: int, *segments: tuple[int, int], received_at: Any = None) -> Any:
        """The message that the gateway would publish now."""
        return {
            "kind": "report",
            "study_session_id": opened["study_session_id"],
            "seq": seq,
            "segments": [list(segment) for segment in segments],
            "received_at": clock.format_instant(received_at or self.clock.instant),
        }

    def record(self, *bodies: dict[str, Any]) -> None:
        self.ingest.deliver_batch("record_segments", list(bodies), events=False)

    def tell_noted(self, actor: Actor, programme: Programme) -> int:
        """She looks at her hours: what was noted is told. How much that was."""
        reply = self.learning.call("tell_progress", {"programme_id": programme.programme_id}, actor)
        return int(reply["told"])

    def tell_due(self) -> None:
        while self.ingest.service.tell_due_progress():
            pass

    def play(self, opened: dict[str, Any], seq: int, begin: int, end: int) -> dict[str, Any]:
        """Watch in real time, report at the end, and have it recorded."""
        self.wait(end - begin)
        body = self.report(opened, seq, (begin, end))
        self.record(body)
        return body

    def answer(self, actor: Actor, opened: dict[str, Any], quiz_id: str, answers: list[str] | None = None) -> Any:
        arguments = {
            "study_session_id": opened["study_session_id"],
            "quiz_id": quiz_id,
            "answers": answers or RIGHT,
        }
        return self.learning.call("answer_quiz", arguments, actor)

    def confirm(self, actor: Actor, opened: dict[str, Any]) -> Any:
        return self.learning.call("confirm_presence", {"study_session_id": opened["study_session_id"]}, actor)

    def watched(self, actor: Actor, activity_id: str) -> tuple[Any, Any]:
        """(seen, countable) as stored."""
        with Session(self.learning.database.worker) as db:
            row = db.get(Watched, (actor.account_id, uuid.UUID(activity_id)))
            return (row.seen, row.countable) if row else ((), ())

    def snapshots(self, actor: Actor) -> list[dict[str, Any]]:
        announced = self.learning.outbox("learning.course_progressed")
        return [payload for payload in announced if payload["teacher_id"] == str(actor.account_id)]


@pytest.fixture
def world(component: Any, fixed_clock: FixedClock) -> World:
    owners = FakeOwners()
    return World(component(LearningService, bus=owners), component(LearningIngest), owners, fixed_clock)
