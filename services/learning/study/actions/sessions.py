"""Opening a study session, renewing its play token, and answering its presence prompts."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import random
import uuid

from sqlalchemy.orm import Session

from services.learning.contract.tokens import PLAY_TOKEN_LIFETIME, PlayToken
from services.learning.enrolment.queries import require_enrolment
from services.learning.models import StudySession
from services.learning.study import queries
from services.learning.study.actions.evidence import hasten
from services.learning.study.queries import LockedSession, Video
from services.learning.study.rules import earning, explaining, presence
from services.learning.study.rules.explaining import Reason
from services.learning.study.rules.multirange import EMPTY, Ranges
from services.shared.errors import Conflict
from services.shared.ids import new_id

MILLISECOND = dt.timedelta(milliseconds=1)
SECOND = dt.timedelta(seconds=1)
# Not to be guessed from earlier prompts.
_CHANCE = random.SystemRandom()


class SessionState(enum.StrEnum):
    LIVE = "LIVE"
    TAKEN_OVER = "TAKEN_OVER"
    EXPIRED = "EXPIRED"


@dataclasses.dataclass(frozen=True)
class OpenRequest:
    activity_id: uuid.UUID
    client_id: str
    take_over: bool


@dataclasses.dataclass(frozen=True)
class OpenedSession:
    study_session_id: uuid.UUID
    token: PlayToken
    fence: int
    activity_id: uuid.UUID
    duration_seconds: int
    silence_limit_seconds: int
    prompt_in_seconds: int | None
    counts: bool
    reasons: list[Reason]
    seen: Ranges
    countable: Ranges
    answered: list[uuid.UUID]


@dataclasses.dataclass(frozen=True)
class RenewedSession:
    study_session_id: uuid.UUID
    state: SessionState
    token: PlayToken | None
    fence: int
    durable_seq: int
    prompt_in_seconds: int | None


@dataclasses.dataclass(frozen=True)
class ConfirmedPresence:
    study_session_id: uuid.UUID
    prompt_in_seconds: int | None


def open_study_session(
    db: Session, teacher_id: uuid.UUID, request: OpenRequest, shards: int, now: dt.datetime
) -> OpenedSession:
    """Begin to study a video, and end the teacher's session before it: one is live per person, on all devices.

    Raises NotFound for an unknown video; Conflict before enrolment, before the course opens, and while another device
    studies unless `take_over`. After the close it opens, says so, and nothing counts.
    """
    video = queries.get_video(db, request.activity_id)
    require_enrolment(db, teacher_id, video.programme.programme_id)
    reasons = explaining.course_reasons(video.course.opens_at, video.programme.closes_at, now)
    if Reason.COURSE_NOT_OPEN in reasons:
        raise Conflict(Reason.COURSE_NOT_OPEN)
    # Lock first: two devices may press "play" at the same moment.
    lease = queries.lock_lease(db, teacher_id)
    previous, opened_at = None, now
    if lease.study_session_id is not None:
        previous = queries.lock_study_session(db, lease.study_session_id)
        opened_at = _end_previous(db, previous, request, now)
    lease.fence += 1
    study_session = _begin(teacher_id, video, request, lease.fence, opened_at)
    _ask_for_presence(study_session, video, previous)
    lease.study_session_id = study_session.study_session_id
    db.add(study_session)
    shard = queries.find_shard(db, teacher_id, shards)
    return _opened(db, study_session, video, reasons, _play_token(study_session, video, shard, now), now)


def _end_previous(db: Session, previous: StudySession, request: OpenRequest, now: dt.datetime) -> dt.datetime:
    """End the session that holds the lease; returns when the next one may begin.

    Raises Conflict when another device is still studying and the teacher did not say to take over.
    """
    programme = queries.get_video(db, previous.activity_id).programme
    silence = dt.timedelta(seconds=programme.silence_limit_seconds)
    is_heard = previous.ended_at is None and now < previous.heard_at + silence
    if is_heard and previous.client_id != request.client_id and not request.take_over:
        raise Conflict("learning.session_elsewhere")
    if previous.ended_at is None:
        # A gateway whose clock runs ahead may have put time on this session that is yet to come here: the next one
        # begins after it, for the sessions of one teacher never overlap.
        last_ms = previous.spent[-1][1] if previous.spent else 0
        previous.ended_at = max(now, previous.opened_at + last_ms * MILLISECOND)
        hasten(db, previous.teacher_id, previous.course_id, now)
    return max(now, previous.ended_at)


def _begin(
    teacher_id: uuid.UUID, video: Video, request: OpenRequest, fence: int, opened_at: dt.datetime
) -> StudySession:
    accrual = earning.begin_accrual(video.programme.silence_limit_seconds * 1000)
    return StudySession(
        study_session_id=new_id(),
        teacher_id=teacher_id,
        activity_id=video.activity.activity_id,
        course_id=video.course.course_id,
        programme_id=video.programme.programme_id,
        client_id=request.client_id,
        fence=fence,
        opened_at=opened_at,
        heard_at=opened_at,
        ended_at=None,
        live=accrual.live,
        spent=accrual.spent,
        seqs=accrual.seqs,
        present=accrual.present,
        prompt_at=None,
        seen=EMPTY,
        countable=EMPTY,
        claimed_seconds=0,
    )


def _ask_for_presence(study_session: StudySession, video: Video, previous: StudySession | None) -> None:
    """Set the session's first prompt, where the programme asks for presence.

    A prompt that the session before still owes comes along: opening again is no way around it.
    """
    every_seconds = video.programme.presence_prompt_seconds
    if not every_seconds:
        return
    owed_at = previous.prompt_at if previous else None
    if owed_at is None or study_session.opened_at >= owed_at + every_seconds * SECOND:
        owed_at = study_session.opened_at + presence.prompt_after_ms(every_seconds, _CHANCE.random()) * MILLISECOND
    study_session.prompt_at = owed_at
    study_session.present = presence.begin_presence(since_opening(study_session, owed_at))


def confirm_presence(db: Session, study_session: StudySession, now: dt.datetime) -> ConfirmedPresence:
    """Somebody is there: the clock runs on until the next prompt.

    Raises Conflict when the session has ended, or when nobody asked yet.
    """
    if session_state(study_session, now) is not SessionState.LIVE:
        raise Conflict("learning.session_ended")
    if study_session.prompt_at is None:
        return ConfirmedPresence(study_session.study_session_id, None)
    at_ms = since_opening(study_session, now)
    if not presence.is_due(since_opening(study_session, study_session.prompt_at), at_ms):
        raise Conflict("learning.presence_not_asked")
    programme = queries.get_video(db, study_session.activity_id).programme
    next_ms = at_ms + presence.prompt_after_ms(programme.presence_prompt_seconds, _CHANCE.random())
    study_session.present = presence.confirm_presence(study_session.present, at_ms, next_ms)
    study_session.prompt_at = study_session.opened_at + next_ms * MILLISECOND
    return ConfirmedPresence(study_session.study_session_id, _prompt_in_seconds(study_session, now))


def _prompt_in_seconds(study_session: StudySession, now: dt.datetime) -> int | None:
    if study_session.prompt_at is None:
        return None
    # Rounded up: whoever asks then is not told that it is too early.
    return max(0, -((now - study_session.prompt_at) // SECOND))


def since_opening(study_session: StudySession | LockedSession, instant: dt.datetime) -> int:
    """The instant on the session's clock: whole milliseconds, rounded down alike, so that an honest minute stays one."""
    return (instant - study_session.opened_at) // MILLISECOND


def _opened(
    db: Session,
    study_session: StudySession,
    video: Video,
    reasons: list[Reason],
    token: PlayToken,
    now: dt.datetime,
) -> OpenedSession:
    pair = (study_session.teacher_id, study_session.activity_id)
    study = queries.list_study(db, [pair])[pair]
    return OpenedSession(
        study_session_id=study_session.study_session_id,
        token=token,
        fence=study_session.fence,
        activity_id=study_session.activity_id,
        duration_seconds=video.activity.seconds,
        silence_limit_seconds=video.programme.silence_limit_seconds,
        prompt_in_seconds=_prompt_in_seconds(study_session, now),
        counts=not reasons,
        reasons=reasons,
        seen=study.seen,
        countable=study.countable,
        answered=[quiz_id for quiz_id, answer in study.answers.items() if answer.answered_at],
    )


def renew_play_token(db: Session, study_session: StudySession, shards: int, now: dt.datetime) -> RenewedSession:
    """A fresh play token for a session that is still live, and up to which seq its reports are recorded for good.

    Of a session that was taken over or is a day old there is no new token, but the client learns `durable_seq`.
    """
    state = session_state(study_session, now)
    token = None
    if state is SessionState.LIVE:
        study_session.heard_at = max(study_session.heard_at, now)
        video = queries.get_video(db, study_session.activity_id)
        shard = queries.find_shard(db, study_session.teacher_id, shards)
        token = _play_token(study_session, video, shard, now)
    return RenewedSession(
        study_session.study_session_id,
        state,
        token,
        study_session.fence,
        durable_seq(study_session.seqs),
        _prompt_in_seconds(study_session, now) if token else None,
    )


def session_state(study_session: StudySession, now: dt.datetime) -> SessionState:
    if study_session.ended_at is not None:
        return SessionState.TAKEN_OVER
    longest = earning.LONGEST_SESSION_MS * MILLISECOND
    return SessionState.LIVE if now < study_session.opened_at + longest else SessionState.EXPIRED


def durable_seq(seqs: Ranges) -> int:
    """The greatest seq up to which every report is recorded; seqs count from 1. 0: none yet."""
    return seqs[0][1] - 1 if seqs and seqs[0][0] == 1 else 0


def _play_token(study_session: StudySession, video: Video, shard: int, now: dt.datetime) -> PlayToken:
    return PlayToken(
        study_session_id=study_session.study_session_id,
        teacher_id=study_session.teacher_id,
        activity_id=study_session.activity_id,
        duration_seconds=video.activity.seconds,
        fence=study_session.fence,
        shard=shard,
        expires_at=now + PLAY_TOKEN_LIFETIME,
    )
