"""Tables of exams."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.learning.models import Model


class Exam(Model):
    """Projection of the catalogue. `course_id` is None for the programme's own exam.

    `after`: [{course_id, seconds}]; `draw`: [{count, points, question_ids}].
    """

    __tablename__ = "exam"

    exam_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    programme_id: Mapped[uuid.UUID]
    course_id: Mapped[uuid.UUID | None]
    version: Mapped[int]
    key: Mapped[str]
    titles: Mapped[dict[str, Any]] = mapped_column(JSONB)
    opens_at: Mapped[dt.datetime]
    closes_at: Mapped[dt.datetime]
    minutes: Mapped[int]
    attempts: Mapped[int]
    pass_mark: Mapped[int]
    after: Mapped[list[dict[str, Any]]]
    draw: Mapped[list[dict[str, Any]]]


class ExamQuestion(Model):
    """Projection of the catalogue: what an id means never changes. `answers` are the numbers of the right options."""

    __tablename__ = "exam_question"

    question_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    prompt: Mapped[str]
    options: Mapped[list[str]]
    answers: Mapped[list[int]]
    analysis: Mapped[str]


class ExamAttempt(Model):
    """One sitting at an exam. `given` is parallel to `question_ids`: the numbers of the options chosen, as last saved."""

    __tablename__ = "exam_attempt"

    teacher_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    attempt_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    exam_id: Mapped[uuid.UUID]
    programme_id: Mapped[uuid.UUID]
    number: Mapped[int]
    state: Mapped[str]
    client_id: Mapped[str]
    fence: Mapped[int]  # one more with each device that takes over: the former one's answers are refused
    started_at: Mapped[dt.datetime]
    deadline_at: Mapped[dt.datetime]
    pass_mark: Mapped[int]  # as it was at the start
    question_ids: Mapped[list[uuid.UUID]] = mapped_column(ARRAY(sa.Uuid))
    points: Mapped[list[int]]
    given: Mapped[list[Any]] = mapped_column(JSONB)
    saved_at: Mapped[dt.datetime | None]
    ended_at: Mapped[dt.datetime | None]
    score: Mapped[Decimal | None] = mapped_column(sa.Numeric(5, 2))
    right_answers: Mapped[int | None]
    passed: Mapped[bool | None]


class ExamResult(Model):
    """The best of an account's ended attempts, and the version of what was last announced of it."""

    __tablename__ = "exam_result"

    teacher_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    exam_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    programme_id: Mapped[uuid.UUID]
    version: Mapped[int]  # 0: attempts have begun, nothing was announced
    score: Mapped[Decimal | None] = mapped_column(sa.Numeric(5, 2))
    passed: Mapped[bool]
    judged_at: Mapped[dt.datetime | None]
