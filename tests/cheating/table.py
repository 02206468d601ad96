"""The gaming table: what a forger can do, and a witness who notes independently of the rules who can have been there.

`RulesTable` plays against the pure rules, papers included; `RulesTable(without="budget")` is a sabotaged one, on which
the suite must fail. `tests/cheating/service_table.py` is the same game against the gateway and the services.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Callable, Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.learning.contract.acceptance import OfferedReport, accept_report
from services.learning.contract.tokens import (
    PLAY_TOKEN_LIFETIME,
    PlayToken,
    mint_play_token,
    mint_receipt,
    read_play_token,
    read_receipt,
)
from services.learning.study.rules import earning, multirange, presence
from services.learning.study.rules.earning import Accrual, Report, Terms
from services.learning.study.rules.multirange import EMPTY, Ranges
from services.shared.errors import ServiceError

EPOCH = dt.datetime(2023, 1, 10, 2, tzinfo=dt.UTC)
MILLISECOND = dt.timedelta(milliseconds=1)
AGES = 10**12
SILENCE = 600
PROMPT_EVERY = 1200
GUARDS = ("budget", "seq", "silence", "take_over", "gate", "window", "papers", "server_time", "presence")

Segments = Sequence[tuple[int, int]]


@dataclasses.dataclass(frozen=True)
class Video:
    """What the catalogue says of a video."""

    name: str
    duration: int = 2700
    quiz_at: int | None = None
    asks_presence: bool = False


# Two to choose from, one with a quiz in it, one whose programme wants to know whether somebody is there.
PLAIN, OTHER, GATED, ASKED = (
    Video("plain"),
    Video("other"),
    Video("gated", quiz_at=600),
    Video("asked", asks_presence=True),
)
VIDEOS = (PLAIN, OTHER, GATED, ASKED)


@dataclasses.dataclass
class Sitting:
    """A study session as its player knows it."""

    person: int
    video: Video
    study_session_id: uuid.UUID
    token: str
    opened_ms: int
    prompt_ms: int | None = None


@dataclasses.dataclass(frozen=True)
class Paper:
    """A report that the gateway accepted: it lies with the broker, or can be sent again with its receipt."""

    sitting: Sitting
    seq: int
    segments: tuple[tuple[int, int], ...]
    receipt: str
    received_ms: int


class Witness:
    """Who can have been at a player when, by the server's clock; knows nothing of the rules of earning."""

    def __init__(self) -> None:
        self.opened: dict[uuid.UUID, tuple[int, Video, int]] = {}
        self.signs: dict[uuid.UUID, list[int]] = {}
        self.ends: dict[uuid.UUID, int] = {}
        self.present: dict[uuid.UUID, list[tuple[int, int]]] = {}
        self.answered: dict[tuple[int, str], int] = {}
        self.last: dict[int, uuid.UUID] = {}

    def open(self, sitting: Sitting, now_ms: int) -> None:
        if sitting.person in self.last:
            self.ends[self.last[sitting.person]] = now_ms
        self.last[sitting.person] = sitting.study_session_id
        self.opened[sitting.study_session_id] = (sitting.person, sitting.video, now_ms)
        self.signs[sitting.study_session_id] = [now_ms]
        if sitting.prompt_ms is not None:
            self.confirm(sitting, now_ms, sitting.prompt_ms)

    def hear(self, sitting: Sitting, by: int, at_ms: int) -> None:
        """A sign of life, if it came from the person whose session it is."""
        if by == sitting.person:
            self.signs[sitting.study_session_id].append(at_ms)

    def confirm(self, sitting: Sitting, now_ms: int, prompt_ms: int) -> None:
        until = prompt_ms + presence.ANSWER_WITHIN_SECONDS * 1000
        self.present.setdefault(sitting.study_session_id, []).append((now_ms, until))

    def seconds(self, person: int, now_ms: int, begin_ms: int = 0, end_ms: int = AGES, video: str = "") -> int:
        """The union of wall-clock intervals in which the person can have been at a player."""
        stretches: list[tuple[int, int]] = []
        for session, (who, what, _) in self.opened.items():
            if who != person or (video and what.name != video):
                continue
            until = min(self.ends.get(session, AGES), now_ms, end_ms)
            heard = [(max(at, begin_ms), min(at + SILENCE * 1000, until)) for at in self.signs[session]]
            there = multirange.normalise(heard)
            if session in self.present:
                there = multirange.intersection(there, multirange.normalise(self.present[session]))
            stretches += there
        return multirange.total(multirange.normalise(stretches)) // 1000


@dataclasses.dataclass
class _Studied:
    seen: Ranges = EMPTY
    countable: Ranges = EMPTY


@dataclasses.dataclass
class _State:
    """What the server keeps of a session."""

    sitting: Sitting
    accrual: Accrual
    ended_ms: int = AGES


class Key:
    def __init__(self, seed: int) -> None:
        self.private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        self._public = self.private.public_key()

    def sign(self, body: bytes) -> bytes:
        return self.private.sign(body)

    def is_signed(self, signature: bytes, body: bytes) -> bool:
        try:
            self._public.verify(signature, body)
        except InvalidSignature:
            return False
        return True


TOKEN_KEY, RECEIPT_KEY, FORGERS_KEY = Key(1), Key(2), Key(3)


class RulesTable:
    """The rules alone: papers are real, the services are played."""

    def __init__(self, without: str = "", opens_ms: int = 0, closes_ms: int = AGES) -> None:
        assert without in ("", *GUARDS)
        self._without = without
        self.now_ms = 0
        self.opens_ms, self.closes_ms = opens_ms, closes_ms
        self.witness = Witness()
        self.ahead_ms = 0  # how far the gateway's clock runs ahead
        self._states: dict[uuid.UUID, _State] = {}
        self._live: dict[int, _State] = {}
        self._studied: dict[tuple[int, str], _Studied] = {}
        self._answered: dict[tuple[int, str], int] = {}

    # --- what a player does ---

    def wait(self, seconds: float) -> None:
        self.now_ms += int(seconds * 1000)

    def open(self, video: Video, person: int = 0) -> Sitting:
        """Open a session; it ends the person's session before it."""
        prompt_ms = self.now_ms + presence.prompt_after_ms(PROMPT_EVERY, 0.5) if video.asks_presence else None
        before = self._live.get(person)
        opened_ms = self.now_ms
        if before is not None and self._without != "take_over":
            spent = before.sitting.opened_ms + (before.accrual.spent[-1][1] if before.accrual.spent else 0)
            before.ended_ms = min(before.ended_ms, max(self.now_ms, spent))
            opened_ms = max(opened_ms, before.ended_ms)
            owed = before.sitting.prompt_ms
            if prompt_ms is not None and owed is not None and opened_ms < owed + PROMPT_EVERY * 1000:
                prompt_ms = owed
        session = uuid.UUID(int=len(self._states) + 1)
        token = PlayToken(
            session,
            _account(person),
            uuid.UUID(int=0),
            video.duration,
            1,
            0,
            self._instant(opened_ms) + PLAY_TOKEN_LIFETIME,
        )
        sitting = Sitting(person, video, session, mint_play_token(token, TOKEN_KEY.sign), opened_ms, prompt_ms)
        accrual = earning.begin_accrual(AGES if self._without == "silence" else SILENCE * 1000)
        if prompt_ms is not None and self._without != "presence":
            accrual = dataclasses.replace(accrual, present=presence.begin_presence(prompt_ms - opened_ms))
        self._states[session] = self._live[person] = _State(sitting, accrual)
        self.witness.open(sitting, self.now_ms)
        return sitting

    def renew(self, sitting: Sitting) -> None:
        """A fresh token, if the session is still live."""
        state = self._states[sitting.study_session_id]
        if state.ended_ms == AGES:
            token = read_play_token(sitting.token, lambda *_: True)
            fresh = dataclasses.replace(token, expires_at=self._instant(self.now_ms) + PLAY_TOKEN_LIFETIME)
            sitting.token = mint_play_token(fresh, TOKEN_KEY.sign)
            self.witness.hear(sitting, sitting.person, self.now_ms)

    def confirm(self, sitting: Sitting) -> bool:
        """Answer a presence prompt; False when nobody asked."""
        state = self._states[sitting.study_session_id]
        at_ms = self.now_ms - sitting.opened_ms
        if sitting.prompt_ms is None or state.ended_ms < AGES:
            return False
        if not presence.is_due(sitting.prompt_ms - sitting.opened_ms, at_ms):
            return False
        next_ms = at_ms + presence.prompt_after_ms(PROMPT_EVERY, 0.5)
        state.accrual = dataclasses.replace(
            state.accrual, present=presence.confirm_presence(state.accrual.present, at_ms, next_ms)
        )
        sitting.prompt_ms = sitting.opened_ms + next_ms
        self.witness.confirm(sitting, self.now_ms, sitting.prompt_ms)
        return True

    def answer(self, sitting: Sitting, *, right: bool = True) -> None:
        if right and self._states[sitting.study_session_id].ended_ms == AGES:
            self._answered.setdefault((sitting.person, sitting.video.name), self.now_ms)
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
        """Offer a report to the gateway; what it accepts lies with the broker. None when refused."""
        by = sitting.person if by is None else by
        now_ms = self.now_ms + self.ahead_ms
        offered = OfferedReport(sitting.study_session_id, _account(by), token or sitting.token, seq, segments, receipt)
        try:
            accepted = accept_report(
                offered,
                lambda text: read_play_token(text, self._is_by(TOKEN_KEY)),
                lambda text: read_receipt(text, self._is_by(RECEIPT_KEY)),
                self._instant(now_ms),
            )
        except ServiceError:
            return None
        if not receipt:
            self.witness.hear(sitting, by, self.now_ms)
        received_ms = (accepted.receipt.received_at - EPOCH) // MILLISECOND
        return Paper(sitting, seq, tuple(segments), mint_receipt(accepted.receipt, RECEIPT_KEY.sign), received_ms)

    def deliver(self, *papers: Paper | None) -> None:
        """The broker delivers accepted reports, in this order; a gap between None is a refusal's."""
        for paper in papers:
            if paper is not None:
                self._record(paper)

    def report(self, sitting: Sitting, seq: int, *segments: tuple[int, int], **more: object) -> Paper | None:
        """Offer a report and have it delivered at once."""
        paper = self.accept(sitting, seq, *segments, **more)  # type: ignore[arg-type]
        self.deliver(paper)
        return paper

    def account(self, person: int) -> uuid.UUID:
        return _account(person)

    # --- what forgers make ---

    def forge_token(self, sitting: Sitting, **changes: object) -> str:
        token = read_play_token(sitting.token, lambda *_: True)
        return mint_play_token(dataclasses.replace(token, **changes), FORGERS_KEY.sign)  # type: ignore[arg-type]

    def forge_receipt(self, paper: Paper, **changes: object) -> str:
        receipt = read_receipt(paper.receipt, lambda *_: True)
        return mint_receipt(dataclasses.replace(receipt, **changes), FORGERS_KEY.sign)  # type: ignore[arg-type]

    def moved(self, paper: Paper, seconds: float, **changes: object) -> str:
        """The paper's receipt with another time on it, signed by whoever forges."""
        at = self._instant(paper.received_ms + int(seconds * 1000))
        return self.forge_receipt(paper, received_at=at, **changes)

    # --- the server ---

    def _is_by(self, key: Key) -> Callable[[bytes, bytes], bool]:
        return (lambda *_: True) if self._without == "papers" else key.is_signed

    def _record(self, paper: Paper) -> None:
        state = self._states[paper.sitting.study_session_id]
        video = paper.sitting.video
        received_ms = paper.received_ms if self._without == "server_time" else min(paper.received_ms, self.now_ms)
        earned = earning.time_earned(
            self._accrual(state, received_ms),
            Report(paper.seq, received_ms - paper.sitting.opened_ms, paper.segments),
            self._terms(state),
        )
        state.accrual = dataclasses.replace(earned.accrual, ended_ms=earning.LONGEST_SESSION_MS)
        kept = self._studied.setdefault((paper.sitting.person, video.name), _Studied())
        kept.seen = multirange.union(kept.seen, earned.seen)
        kept.countable = multirange.union(kept.countable, earned.countable)

    def _accrual(self, state: _State, received_ms: int) -> Accrual:
        accrual = state.accrual
        if self._without == "budget":
            accrual = dataclasses.replace(accrual, live=((0, AGES),), spent=EMPTY, heard_ms=AGES)
        if self._without == "seq":
            accrual = dataclasses.replace(accrual, seqs=EMPTY)
        if state.ended_ms < AGES and self._without != "budget":
            accrual = earning.end_accrual(accrual, state.ended_ms - state.sitting.opened_ms)
        elif self._without == "budget":
            accrual = dataclasses.replace(accrual, ended_ms=AGES)
        return accrual

    def _terms(self, state: _State) -> Terms:
        opened_ms, video = state.sitting.opened_ms, state.sitting.video
        gates: tuple[tuple[int, int | None], ...] = ()
        if video.quiz_at is not None and self._without != "gate":
            answered = self._answered.get((state.sitting.person, video.name))
            gates = ((video.quiz_at, None if answered is None else answered - opened_ms),)
        window = (-AGES, AGES) if self._without == "window" else (self.opens_ms - opened_ms, self.closes_ms - opened_ms)
        return Terms(AGES if self._without == "silence" else SILENCE * 1000, *window, gates)

    def studied(self, person: int, video: Video) -> tuple[Ranges, Ranges]:
        kept = self._studied.get((person, video.name), _Studied())
        return kept.seen, kept.countable

    def _instant(self, at_ms: int) -> dt.datetime:
        return EPOCH + at_ms * MILLISECOND


def _account(person: int) -> uuid.UUID:
    return uuid.UUID(int=1_000_000 + person)


def overshoot(table: RulesTable, people: Sequence[int] = (0, 1)) -> int:
    """By how many seconds the credited time exceeds what the witness allows, over all that can be held against it."""
    return max(_excess(table, person) for person in people)


def _excess(table: RulesTable, person: int) -> int:
    now_ms, witness = table.now_ms, table.witness
    studied = {video: table.studied(person, video) for video in VIDEOS}
    seen = sum(multirange.total(kept[0]) for kept in studied.values())
    countable = sum(multirange.total(kept[1]) for kept in studied.values())
    excess = [
        seen - witness.seconds(person, now_ms),
        countable - witness.seconds(person, now_ms, table.opens_ms, table.closes_ms),
    ]
    for video, (was_seen, counts) in studied.items():
        excess.append(multirange.total(multirange.subtraction(counts, was_seen)))
        excess.append(multirange.total(multirange.subtraction(was_seen, ((0, video.duration),))))
        if video.quiz_at is not None:
            after = multirange.total(multirange.clip(counts, video.quiz_at, AGES))
            since_ms = witness.answered.get((person, video.name), now_ms)
            excess.append(after - witness.seconds(person, now_ms, since_ms, video=video.name))
    return max(0, *excess)
