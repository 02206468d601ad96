"""Tables of credits: projections, evidence, the ledger, standings."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from services.shared.employment import EmploymentMixin
from services.shared.placement import PlacementMixin


class Model(DeclarativeBase):
    type_annotation_map = {  # noqa: RUF012
        dt.datetime: sa.DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[dict[str, Any]]: JSONB,
        str: sa.Text,
        Decimal: sa.Numeric(8, 2),
    }


class Placement(PlacementMixin, Model):
    """Who is where, from org."""


class EmploymentStatus(EmploymentMixin, Model):
    """Who is on duty, from org."""


class Programme(Model):
    """What recognition needs to know of a programme, from the catalogue; no quiz and no answer."""

    __tablename__ = "programme"

    programme_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    code: Mapped[str]
    titles: Mapped[dict[str, Any]]
    rule_pack: Mapped[str]
    closes_at: Mapped[dt.datetime]
    courses: Mapped[list[dict[str, Any]]]  # [{course_id, key, title}]
    recognition_closed_at: Mapped[dt.datetime | None]


class Evidence(Model):
    """The newest snapshot of one teacher's study of one course; partitioned by teacher."""

    __tablename__ = "evidence"

    teacher_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    course_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    programme_id: Mapped[uuid.UUID]
    version: Mapped[int]
    videos: Mapped[list[dict[str, Any]]]
    progressed_at: Mapped[dt.datetime]  # when the last of it was studied, as learning says
    passed: Mapped[dict[str, Any] | None]  # what of it has passed which gates (`judgement.keep_passed`)


class ExamScore(Model):
    """The best a teacher has reached at one exam, of 100, from learning; None while (or because) nothing counts.

    `course_id` is None for the exam of the whole programme, whose score a pack may require.
    """

    __tablename__ = "exam_score"

    teacher_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    exam_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    programme_id: Mapped[uuid.UUID]
    course_id: Mapped[uuid.UUID | None]
    version: Mapped[int]
    score: Mapped[Decimal | None] = mapped_column(sa.Numeric(5, 2))
    judged_at: Mapped[dt.datetime | None]


class LedgerEntry(Model):
    """One amount, for ever: nobody has the right to change or remove a row. Partitioned by teacher."""

    __tablename__ = "ledger"

    teacher_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    entry_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    # The natural key: the n-th change of one source's amount exists once, whatever is delivered how often.
    source_ref: Mapped[str]
    turn: Mapped[int]
    rule_id: Mapped[str]
    evidence_version: Mapped[int]
    source_kind: Mapped[str]
    programme_id: Mapped[uuid.UUID | None]
    unit: Mapped[str]
    amount: Mapped[Decimal]
    hour_type: Mapped[str]
    training_form: Mapped[str]
    year: Mapped[int]
    effective_on: Mapped[dt.date]
    recorded_at: Mapped[dt.datetime]
    school_id: Mapped[uuid.UUID | None]  # where the teacher was when it was recorded
    place: Mapped[str] = mapped_column(sa.Text(collation="C"))
    pack_id: Mapped[str]
    pack_version: Mapped[str]
    why: Mapped[str]
    reversal_of: Mapped[uuid.UUID | None]
    recognised_by: Mapped[str]  # "" for the engine; else who decided, and at which place of the tree
    recognised_at: Mapped[str] = mapped_column(sa.Text(collation="C"))


class TeacherYear(Model):
    """Nothing but a row to lock: whoever writes a teacher's entries of a year holds it, so caps hold."""

    __tablename__ = "teacher_year"

    teacher_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)


class Standing(Model):
    """What a teacher's evidence in a programme comes to: derived, and proved by the reconciler."""

    __tablename__ = "standing"

    teacher_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    programme_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    enrolled_at: Mapped[dt.datetime | None]  # None while learning's evidence overtook its enrolment
    hours: Mapped[Decimal]
    courses: Mapped[list[dict[str, Any]]]
    courses_done: Mapped[int]
    requirement_met: Mapped[bool]
    shortfalls: Mapped[list[dict[str, Any]]]
    evidence_version: Mapped[int]
    pack_id: Mapped[str]
    pack_version: Mapped[str]
    recorded_at: Mapped[dt.datetime]
