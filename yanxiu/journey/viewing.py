"""Watching at real length: each viewer plays its pieces on the simulated clock, many viewers side by side.

A viewer is a generator that yields how many seconds to let pass; the timetable moves the clock to whoever is next. The
rules are never shortened: the clock is what the test injects.
"""

from __future__ import annotations

import datetime as dt
import heapq
import itertools
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from services.shared.clock import BEIJING, FileClock
from yanxiu.client.study import NotReachedError, StudyClient, StudySession
from yanxiu.journey.api import LONGEST_PAUSE_SECONDS, PATIENCE_SECONDS, Api
from yanxiu.journey.examples import Piece

REPORT_SECONDS = 300  # a report carries what was watched since the last one; the client's longest pause
RENEW_BEFORE_SECONDS = 60


class Viewer:
    """One teacher at one player: the reference client, on the simulated clock."""

    def __init__(self, api: Api, programme: dict[str, Any]) -> None:
        self.api = api
        self._client = StudyClient(
            api.address, _Tokens(api).give, api.http, client_id=f"journey-{uuid.uuid4().hex[:12]}"
        )
        self._videos = {
            (course["key"], video["key"]): video for course in programme["courses"] for video in course["videos"]
        }
        # What the server has acknowledged, by activity.
        self.acknowledged: dict[str, list[tuple[int, int]]] = {}

    def watch(self, piece: Piece) -> Iterator[float]:
        """Play a piece: open, report, answer the quizzes on the way. Yields the seconds that each stretch takes."""
        video = self._videos[piece.course, piece.video]
        session = patiently(lambda: self._client.open(video["activity_id"], take_over=True))
        lifetime = session.opened["expires_in_seconds"]
        answered = set(session.opened["answered"])
        at, token_age = piece.start, 0.0
        while at < piece.end:
            if token_age + REPORT_SECONDS > lifetime - RENEW_BEFORE_SECONDS:
                patiently(session.renew)
                token_age = 0.0
            quiz = self._next_quiz(video, at, piece.end, answered) if piece.answers else None
            stop = min(at + REPORT_SECONDS, quiz["at_seconds"] if quiz else piece.end, piece.end)
            if stop > at:
                yield stop - at
                token_age += stop - at
                session.journal.save(((at, stop),))
                patiently(lambda: _accepted(session))
                self.acknowledged.setdefault(video["activity_id"], []).append((at, stop))
                at = stop
            if quiz and at == quiz["at_seconds"]:
                answered.add(self.answer(session, quiz))

    @staticmethod
    def _next_quiz(video: dict[str, Any], at: int, end: int, answered: set[str]) -> dict[str, Any] | None:
        ahead = [
            quiz for quiz in video["quizzes"] if quiz["quiz_id"] not in answered and at <= quiz["at_seconds"] <= end
        ]
        return min(ahead, key=lambda quiz: int(quiz["at_seconds"])) if ahead else None

    def answer(self, session: StudySession, quiz: dict[str, Any]) -> str:
        """Try the options until one is right, as the player lets a teacher do; the server judges."""
        quiz_id = str(quiz["quiz_id"])
        for option in quiz["options"]:
            if patiently(lambda option=option: session.answer(quiz_id, [option]))["right"]:  # type: ignore[misc]
                return quiz_id
        raise AssertionError(f"no option of quiz {quiz_id} is right")


class _Tokens:
    """Access tokens for the study client: the one that the API's client has, and a fresh one whenever that was refused."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._was_given = False

    def give(self) -> str:
        # The study client asks again only when the server refused what it had; the simulated clock jumps over weeks.
        if self._was_given:
            self._api.renew_sign_in()
        self._was_given = True
        return str(self._api.http.headers["Authorization"]).removeprefix("Bearer ")


Answer = TypeVar("Answer")


def patiently(act: Callable[[], Answer]) -> Answer:
    """What `act` answers once the server can be reached: servers are killed and started again around the viewers."""
    deadline, pause = time.monotonic() + PATIENCE_SECONDS, 0.1
    while True:
        try:
            return act()
        except NotReachedError:
            if time.monotonic() > deadline:
                raise
        time.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


def _accepted(session: StudySession) -> None:
    """Send what is not accepted yet. Raises NotReachedError while something is left."""
    if not session.flush():
        raise NotReachedError(session.study_session_id)


class Timetable:
    """Plays many plans at once: whoever's next moment comes first moves the clock there and acts."""

    def __init__(self, clock: FileClock) -> None:
        self.clock = clock
        self._waiting: list[tuple[dt.datetime, int, Iterator[float]]] = []
        self._number = itertools.count()

    def add(self, viewer: Viewer, pieces: list[Piece], starts_at: dt.datetime) -> None:
        self._push(starts_at, self._play(viewer, pieces))

    def _play(self, viewer: Viewer, pieces: list[Piece]) -> Iterator[float]:
        for piece in pieces:
            if piece.not_before:
                yield (beijing(piece.not_before) - self.clock.now()).total_seconds()
            yield from viewer.watch(piece)

    def _push(self, moment: dt.datetime, plan: Iterator[float]) -> None:
        heapq.heappush(self._waiting, (moment, next(self._number), plan))

    def run(self, until: dt.datetime, moved: Callable[[dt.datetime], None] = lambda _now: None) -> None:
        """Play everything that happens before `until`, then set the clock there."""
        while self._waiting and self._waiting[0][0] < until:
            moment, _, plan = heapq.heappop(self._waiting)
            self.advance(moment)
            moved(moment)
            seconds = next(plan, None)
            if seconds is not None:
                # From now, not from the planned moment: what a slow answer took has passed for the viewer as well.
                self._push(self.clock.now() + dt.timedelta(seconds=max(0.0, seconds)), plan)
        self.advance(until)

    def advance(self, moment: dt.datetime) -> None:
        """Move the clock forward to `moment`; never back."""
        if moment > self.clock.now():
            self.clock.set(moment)


def beijing(text: str) -> dt.datetime:
    """`2023-02-28T23:59:59` in Beijing time."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=BEIJING)
