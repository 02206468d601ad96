"""The same game against the gateway, learning and its ingest over a real database; the witness is the same."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import uuid
from typing import Any

from services.shared import clock
from services.shared.errors import ServiceError
from services.shared.ids import new_id
from tests.cheating.table import (
    AGES,
    ASKED,
    GATED,
    MILLISECOND,
    OTHER,
    PLAIN,
    Paper,
    RulesTable,
    Sitting,
    Video,
    Witness,
)
from tests.component.learning.conftest import RIGHT, WRONG, World, _course, _video, programme_payload

FOREVER = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
PROMPT_EVERY = 1200


@dataclasses.dataclass(frozen=True)
class Published(Paper):
    """An accepted report with the message that the gateway gave to the broker."""

    body: dict[str, Any] = dataclasses.field(default_factory=dict)


class ServiceTable(RulesTable):
    """Every act goes through the services; only papers are forged as before."""

    def __init__(self, world: World, app: Any, tokens: Any, bus: Any) -> None:
        self._world, self._http, self._tokens, self._bus = world, app.test_client(), tokens, bus
        self._began_at = world.clock.instant
        self.witness = Witness()
        self.ahead_ms = 0
        self._opens_ms, self._closes_ms = 0, AGES
        self._payloads = [_programme(PLAIN, OTHER, GATED), _programme(ASKED, presence_prompt_seconds=PROMPT_EVERY)]
        self._activities = {
            video["key"]: video
            for payload in self._payloads
            for course in payload["courses"]
            for video in course["videos"]
        }
        self._publish()
        self._people = [self._enrolled() for _ in range(2)]

    def _enrolled(self) -> Any:
        teacher = self._world.teacher()
        for payload in self._payloads:
            self._world.learning.call("enrol", {"programme_id": payload["programme_id"]}, teacher)
        return teacher

    def _publish(self) -> None:
        for payload in self._payloads:
            payload["version"] += 1
            payload["closes_at"] = (FOREVER if self._closes_ms == AGES else self._instant(self._closes_ms)).isoformat()
            for course in payload["courses"]:
                course["opens_at"] = self._instant(self._opens_ms).isoformat()
            self._world.learning.deliver("on_programme_published", "catalog.programme_published", payload)

    # --- the table's clock and window ---

    @property
    def now_ms(self) -> int:
        return (self._world.clock.instant - self._began_at) // MILLISECOND

    @property
    def opens_ms(self) -> int:
        return self._opens_ms

    @opens_ms.setter
    def opens_ms(self, at_ms: int) -> None:
        self._opens_ms = at_ms
        self._publish()

    @property
    def closes_ms(self) -> int:
        return self._closes_ms

    @closes_ms.setter
    def closes_ms(self, at_ms: int) -> None:
        self._closes_ms = at_ms
        self._publish()

    def wait(self, seconds: float) -> None:
        self._world.wait(int(seconds * 1000) / 1000)

    def _instant(self, at_ms: int) -> dt.datetime:
        return self._began_at + at_ms * MILLISECOND

    def account(self, person: int) -> uuid.UUID:
        account_id: uuid.UUID = self._people[person].account_id
        return account_id

    # --- what a player does ---

    def open(self, video: Video, person: int = 0) -> Sitting:
        opened = self._world.open(
            self._people[person], self._activities[video.name]["activity_id"], f"cheat-{new_id()}", take_over=True
        )
        session = uuid.UUID(opened["study_session_id"])
        sitting = Sitting(person, video, session, opened["play_token"], self.now_ms, self._prompt_ms(opened))
        self.witness.open(sitting, self.now_ms)
        return sitting

    def renew(self, sitting: Sitting) -> None:
        renewed = self._call("renew_play_token", sitting)
        if renewed["play_token"]:
            sitting.token = renewed["play_token"]
            self.witness.hear(sitting, sitting.person, self.now_ms)

    def confirm(self, sitting: Sitting) -> bool:
        with contextlib.suppress(ServiceError):
            confirmed = self._call("confirm_presence", sitting)
            sitting.prompt_ms = self._prompt_ms(confirmed)
            if sitting.prompt_ms is not None:
                self.witness.confirm(sitting, self.now_ms, sitting.prompt_ms)
            return True
        return False

    def answer(self, sitting: Sitting, *, right: bool = True) -> None:
        for quiz in self._activities[sitting.video.name]["quizzes"]:
            with contextlib.suppress(ServiceError):
                given = {"quiz_id": quiz["quiz_id"], "answers": RIGHT if right else WRONG}
                if self._call("answer_quiz", sitting, **given)["right"]:
                    self.witness.answered.setdefault((sitting.person, sitting.video.name), self.now_ms)

    def accept(
        self,
        sitting: Sitting,
        seq: int,
        *segments: tuple[int, int],
        by: int | None = None,
        token: str = "",
        receipt: str = "",
    ) -> Paper | None:
        by = sitting.person if by is None else by
        body = {
            "play_token": token or sitting.token,
            "seq": seq,
            "segments": [{"from": begin, "to": end} for begin, end in segments],
            **({"receipt": receipt} if receipt else {}),
        }
        now = self._world.clock.instant
        # The gateway's own clock, perhaps wrong, for this one request.
        self._world.clock.instant = now + self.ahead_ms * MILLISECOND
        try:
            answer = self._http.post(
                f"/api/v1/study-sessions/{sitting.study_session_id}/segments",
                json=body,
                headers=self._tokens.headers(self.account(by)),
            )
        finally:
            self._world.clock.instant = now
        if answer.status_code != 202:
            assert answer.status_code in (400, 403, 404), answer.json
            return None
        if not receipt:
            self.witness.hear(sitting, by, self.now_ms)
        received_ms = (clock.parse_instant(answer.json["received_at"]) - self._began_at) // MILLISECOND
        message = self._bus.published.pop().body
        return Published(sitting, seq, tuple(segments), answer.json["receipt"], received_ms, message)

    def deliver(self, *papers: Paper | None) -> None:
        self._world.record(*[paper.body for paper in papers if isinstance(paper, Published)])

    def studied(self, person: int, video: Video) -> Any:
        return self._world.watched(self._people[person], self._activities[video.name]["activity_id"])

    def _call(self, method: str, sitting: Sitting, **more: Any) -> Any:
        arguments = {"study_session_id": str(sitting.study_session_id), **more}
        return self._world.learning.call(method, arguments, self._people[sitting.person])

    def _prompt_ms(self, reply: dict[str, Any]) -> int | None:
        left = reply["prompt_in_seconds"]
        return None if left is None else self.now_ms + left * 1000


def _programme(*videos: Video, **terms: Any) -> dict[str, Any]:
    courses = [
        _course(
            video.name,
            video.quiz_at is not None,
            [_video(video.name, video.duration, [] if video.quiz_at is None else [video.quiz_at])],
        )
        for video in videos
    ]
    return {**programme_payload(), "opens_at": "2000-01-01T00:00:00+08:00", "courses": courses, **terms}
