"""Tables of learning. Watched time is a set: two int4multirange per teacher and video."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from services.learning.study.rules.earning import ALL_DAY
from services.learning.study.rules.multirange import EMPTY, Ranges
from services.shared.merged_persons import MergedPersonMixin
from services.shared.placement import PlacementMixin


class IntegerRanges(sa.types.UserDefinedType[Any]):
    """int4multirange as the tuples that the rules work with; the driver reads them so (`shared/driver.py`)."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "INT4MULTIRANGE"

    def bind_processor(self, dialect: sa.Dialect) -> Callable[[Any], str]:
        return ranges_text


def ranges_text(ranges: Ranges) -> str:
    """PostgreSQL's literal of a multirange: `{[0,60),[90,120)}`."""
    return "{" + ",".join(f"[{begin},{end})" for begin, end in ranges) + "}"


class Model(DeclarativeBase):
    type_annotation_map = {  # noqa: RUF012  SQLAlchemy declares it so
        dt.datetime: sa.DateTime(timezone=True),
        list[dict[str, Any]]: JSONB,
        list[str]: ARRAY(sa.Text),
        list[int]: ARRAY(sa.Integer),
        Ranges: IntegerRanges,
        str: sa.Text,
    }


# --- projections: what other services told us -------------------------------------------------------------------------


class Programme(Model):
    __tablename__ = "programme"

    programme_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    code: Mapped[str]
    opens_at: Mapped[dt.datetime]
    closes_at: Mapped[dt.datetime]
    silence_limit_seconds: Mapped[int]
    presence_prompt_seconds: Mapped[int]  # 0: nobody is asked whether they are there
    place: Mapped[str]  # who organises it, and so answers its questions
    audience: Mapped[dict[str, Any]] = mapped_column(JSONB)  # whom it is for; {}: everybody


class Course(Model):
    __tablename__ = "course"

    course_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    programme_id: Mapped[uuid.UUID]
    position: Mapped[int]
    key: Mapped[str]
    title: Mapped[str]
    opens_at: Mapped[dt.datetime]
    quiz_required: Mapped[bool]


class Activity(Model):
    """A video. `quizzes` as the catalogue published them, answers included."""

    __tablename__ = "activity"

    activity_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    course_id: Mapped[uuid.UUID]
    programme_id: Mapped[uuid.UUID]
    position: Mapped[int]
    key: Mapped[str]
    title: Mapped[str]
    seconds: Mapped[int]
    quizzes: Mapped[list[dict[str, Any]]]


class Learner(Model):
    """Whether identity holds a profile that suffices to enrol."""

    __tablename__ = "learner"

    teacher_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    complete: Mapped[bool]
    segment: Mapped[str]
    subject: Mapped[str]


class Placement(PlacementMixin, Model):
    pass


class MergedPerson(MergedPersonMixin, Model):
    """Of whom two accounts were made one, from identity."""


# --- our own ------------------------------------------------------------------------------------------------------------


class Enrolment(Model):
    __tablename__ = "enrolment"

    teacher_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    programme_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    enrolled_at: Mapped[dt.datetime]


class Lease(Model):
    """A teacher's one live study session, across devices and courses. Locked by whoever opens another."""

    __tablename__ = "lease"

    teacher_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    study_session_id: Mapped[uuid.UUID | None]
    fence: Mapped[int]


class StudySession(Model):
    """One sitting at one video. `live`, `spent`, `present`: milliseconds since `opened_at` (`study/rules/earning.py`)."""

    __tablename__ = "study_session"

    study_session_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    teacher_id: Mapped[uuid.UUID]
    activity_id: Mapped[uuid.UUID]
    course_id: Mapped[uuid.UUID]
    programme_id: Mapped[uuid.UUID]
    client_id: Mapped[str]
    fence: Mapped[int]
    opened_at: Mapped[dt.datetime]
    heard_at: Mapped[dt.datetime]  # the last sign of life: opening, renewal or report
    ended_at: Mapped[dt.datetime | None]
    live: Mapped[Ranges]
    spent: Mapped[Ranges] = mapped_column(default=EMPTY)
    seqs: Mapped[Ranges] = mapped_column(default=EMPTY)  # reports taken
    present: Mapped[Ranges] = mapped_column(default=ALL_DAY)
    prompt_at: Mapped[dt.datetime | None]  # when the teacher is next asked whether they are there
    # What this sitting alone earned, seconds of the video; `watched` is the union over all sittings.
    seen: Mapped[Ranges] = mapped_column(default=EMPTY)
    countable: Mapped[Ranges] = mapped_column(default=EMPTY)
    claimed_seconds: Mapped[int] = mapped_column(default=0)  # of all its reports, earned or not
    held: Mapped[bool] = mapped_column(default=False)  # by a review that holds (`review/rules.py`)


class RecordedReport(Model):
    """The trail: a report as it came, and what it earned. A partition per day, dropped when its time is over."""

    __tablename__ = "study_report"

    study_session_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    recorded_on: Mapped[dt.date] = mapped_column(primary_key=True)
    teacher_id: Mapped[uuid.UUID]
    activity_id: Mapped[uuid.UUID]
    received_at: Mapped[dt.datetime]
    segments: Mapped[list[int]]  # begin, end, begin, end … in the order they were played
    seen: Mapped[Ranges]
    countable: Mapped[Ranges]
    spent: Mapped[Ranges]


class Watched(Model):
    """Seconds of the video: `seen` is the history, `countable` what may become hours. Both only grow.

    `held` is the part of `countable` that waits for a review: it is told to nobody as countable until it is cleared.
    """

    __tablename__ = "watched"

    teacher_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    activity_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    seen: Mapped[Ranges]
    countable: Mapped[Ranges]
    held: Mapped[Ranges] = mapped_column(default=EMPTY)


class QuizAnswer(Model):
    """A teacher's standing at one quiz; `answered_at` is the first right answer inside the programme's window."""

    __tablename__ = "quiz_answer"

    teacher_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    quiz_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    activity_id: Mapped[uuid.UUID]
    attempts: Mapped[int]
    answered_at: Mapped[dt.datetime | None]


class QuizAttempt(Model):
    """Every answer given, right or wrong; only added to."""

    __tablename__ = "quiz_attempt"

    quiz_attempt_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    teacher_id: Mapped[uuid.UUID]
    quiz_id: Mapped[uuid.UUID]
    study_session_id: Mapped[uuid.UUID]
    given: Mapped[list[str]]
    is_right: Mapped[bool]
    attempted_at: Mapped[dt.datetime]


class CourseEvidence(Model):
    """The version of the last snapshot announced of one teacher's study of one course, and when it was.

    `studied_at` is the last change of what it tells, and may be later than what was told; then `due_at` says by when
    that must be. A row from before there was such a note has no `studied_at`: it was told at once.
    """

    __tablename__ = "course_evidence"

    teacher_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    course_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    programme_id: Mapped[uuid.UUID]
    version: Mapped[int]
    announced_at: Mapped[dt.datetime]
    studied_at: Mapped[dt.datetime | None]
    due_at: Mapped[dt.datetime | None]


class ClosingMarker(Model):
    """One marker per shard of a closed programme: sent into the shard's queue, and come out of it (real time)."""

    __tablename__ = "closing_marker"

    programme_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    shard: Mapped[int] = mapped_column(primary_key=True)
    due_at: Mapped[dt.datetime]
    sent_at: Mapped[dt.datetime | None]
    passed_at: Mapped[dt.datetime | None]
