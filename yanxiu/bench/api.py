"""The actions that are measured through a whole stack, and the people who do them."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from services.shared import clock
from yanxiu.bench import usage
from yanxiu.bench.cases import BenchError, Case, Threads
from yanxiu.bench.web import Request, WebAsker
from yanxiu.journey import people, telling
from yanxiu.journey.api import Api
from yanxiu.local.launcher import Stack
from yanxiu.local.processes import GATEWAY

PREFIX = "/api/v1"
COUNTY = "440103"
SHELF = "CN/440000/440100/440103"
SERIES = 7000  # of invented people; this ground has no others
PASSWORD = "Bench-teacher-2023"  # noqa: S105  of people who live as long as the benchmark
# What an answer has only set off: events of the outbox, the batch of a study report.
SETTLE_SECONDS = 1.0
RECORDED_SECONDS = 30.0
# The longest video has an hour; reports walk through its first part.
WALK_SECONDS = 1800
MANY_SEGMENTS = 10


class Teacher:
    """A signed-in teacher who studies one video."""

    def __init__(self, address: str, number: int, programme_id: str, activity_id: str) -> None:
        self.api = Api(address)
        self._activity_id = activity_id
        self._seq = itertools.count(1)
        self._sent = 0
        self._play_token, self._session = "", ""
        self._segment = itertools.cycle(["小学", "初中"])
        person = people.invent(SERIES, number)
        self.api.register(person.phone, PASSWORD)
        self.api.patch("/profiles/me", person.profile())
        self.api.post("/memberships", {"other_of": COUNTY})
        self._enrol(programme_id)
        self._open()

    def _enrol(self, programme_id: str) -> None:
        # Programme, profile and school reach learning by events; until then it refuses.
        self._until(lambda: self.api.post("/enrolments", {"programme_id": programme_id}))

    def _open(self) -> None:
        body = {"activity_id": self._activity_id, "client_id": f"bench-{uuid.uuid4().hex[:12]}", "take_over": True}
        opened = self._until(lambda: self.api.post("/study-sessions", body))
        self._session, self._play_token = opened["study_session_id"], opened["play_token"]

    @staticmethod
    def _until(act: Callable[[], Any]) -> Any:
        from yanxiu.journey.api import ProblemError

        deadline = time.monotonic() + RECORDED_SECONDS
        while True:
            try:
                return act()
            except ProblemError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def renew(self) -> None:
        """Fresh tokens for the next round."""
        self.api.refresh()
        self._renew_play_token()

    def _renew_play_token(self) -> int:
        renewed = self.api.post(f"/study-sessions/{self._session}/token")
        self._play_token = renewed["play_token"] or self._play_token
        return int(renewed["durable_seq"])

    def headers(self, **more: str) -> dict[str, str]:
        return {"Authorization": str(self.api.http.headers["Authorization"]), **more}

    def change_profile(self) -> Request:
        body = json.dumps({"segment": next(self._segment)}).encode()
        return Request("PATCH", f"{PREFIX}/profiles/me", self._unsafe(), body)

    def report(self, segments: int) -> Request:
        """The next study report: this many stretches of one second, a second apart."""
        self._sent = next(self._seq)
        start = self._sent % (WALK_SECONDS - 2 * MANY_SEGMENTS)
        body = {
            "play_token": self._play_token,
            "seq": self._sent,
            "segments": [{"from": start + 2 * i, "to": start + 2 * i + 1} for i in range(segments)],
        }
        path = f"{PREFIX}/study-sessions/{self._session}/segments"
        return Request("POST", path, self._unsafe(), json.dumps(body).encode(), 202)

    def _unsafe(self) -> dict[str, str]:
        return self.headers(**{"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())})

    def require_everything_recorded(self) -> None:
        """Raises BenchError when a report that was accepted is not recorded for good."""
        deadline = time.monotonic() + RECORDED_SECONDS
        while (durable := self._renew_play_token()) < self._sent:
            if time.monotonic() > deadline:
                raise BenchError(f"{self._sent} reports were accepted, {durable} are recorded")
            time.sleep(0.2)


class People:
    """One teacher for each caller, and the programme that they study."""

    def __init__(self, teachers: list[Teacher], programme_id: str, etag: str) -> None:
        self.teachers = teachers
        self.programme_id = programme_id
        self.etag = etag

    def renew(self) -> None:
        for teacher in self.teachers:
            teacher.renew()

    def require_everything_recorded(self) -> None:
        for teacher in self.teachers:
            teacher.require_everything_recorded()


def prepare(stack: Stack, concurrency: int) -> People:
    """Divisions, the season moved into these weeks, and as many studying teachers as there are callers."""
    from yanxiu.local.operator import operator

    with operator(stack.settings) as cli:
        cli.load_divisions()
        programme_id = cli.tell("catalog", "publish_programme", season_now())["programme_id"]
    visitor = Api(stack.address)
    answer = visitor.send("GET", f"/programmes/{programme_id}")
    videos = [video for course in answer.json()["courses"] for video in course["videos"]]
    longest = max(videos, key=lambda video: int(video["seconds"]))
    teachers = [
        Teacher(stack.address, number, programme_id, longest["activity_id"]) for number in range(1, concurrency + 1)
    ]
    return People(teachers, programme_id, answer.headers["ETag"])


def season_now() -> dict[str, Any]:
    """The shipped season, open since yesterday."""
    season = telling.season()
    opens, closes = (clock.format_instant(clock.now() + dt.timedelta(days=days)) for days in (-1, 60))
    courses = [{**course, "opens_at": opens} for course in season["courses"]]
    return {**season, "code": "2023-bench", "opens_at": opens, "closes_at": closes, "courses": courses}


def cases(stack: Stack, crowd: People, database: Callable[[], set[int]]) -> list[Case]:
    """The measured actions, cheapest first."""

    def parts() -> Mapping[str, set[int]]:
        return parts_of(stack, database)

    def case(name: str, told: str, make: Callable[[Teacher], Request], settle: float = 0.0) -> Case:
        turn = itertools.cycle(crowd.teachers)

        def connect() -> WebAsker:
            teacher = next(turn)
            return WebAsker(stack.address, lambda: make(teacher))

        return Case(name, told, Threads(connect, len(crowd.teachers)), parts, settle_seconds=settle)

    programme = f"{PREFIX}/programmes/{crowd.programme_id}"
    return [
        case("live", "GET /live", lambda _: Request("GET", "/live", {})),
        case(
            "catalogue_known",
            "GET programme, 304",
            lambda _: Request("GET", programme, {"If-None-Match": crowd.etag}, status=304),
        ),
        case("catalogue", "GET programme, 200", lambda _: Request("GET", programme, {})),
        case("shelf", "GET offerings, 200", lambda _: Request("GET", f"{PREFIX}/offerings?place={SHELF}", {})),
        case("divisions", "GET divisions", lambda _: Request("GET", f"{PREFIX}/divisions?parent=CN", {})),
        case("account", "GET own account", lambda one: Request("GET", f"{PREFIX}/accounts/me", one.headers())),
        case("profile", "PATCH own profile", lambda one: one.change_profile(), SETTLE_SECONDS),
        case("report_1", "POST report, 1 segment", lambda one: one.report(1), SETTLE_SECONDS),
        case(
            "report_10",
            f"POST report, {MANY_SEGMENTS} segments",
            lambda one: one.report(MANY_SEGMENTS),
            SETTLE_SECONDS,
        ),
    ]


def parts_of(stack: Stack, database: Callable[[], set[int]]) -> Mapping[str, set[int]]:
    """The processes of a stack by what they are."""
    pids = stack.supervisor.pids()
    if stack.settings.embedded:
        return {"stack": usage.trees(pids.values()), "database": database()}
    gateway = usage.tree(pids[GATEWAY])
    return {
        "gateway": gateway,
        "services": usage.trees(pid for name, pid in pids.items() if name != GATEWAY),
        "broker": usage.broker(stack.settings.amqp_uri),
        "database": database(),
    }
