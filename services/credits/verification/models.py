"""Tables of verification."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.credits.models import Model


class YearClosing(Model):
    """How far the freezing of one scheme's year has come, so that it goes on where a dead process stopped."""

    __tablename__ = "year_closing"

    scheme_id: Mapped[str] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    after_teacher: Mapped[uuid.UUID | None]
    frozen: Mapped[int]
    begun_at: Mapped[dt.datetime]
    done_at: Mapped[dt.datetime | None]


class Snapshot:
    """What was frozen of a teacher's year; `hash` is of `body`, which never changes."""

    version: Mapped[int]
    state: Mapped[str]
    scheme_id: Mapped[str]
    place: Mapped[str] = mapped_column(sa.Text(collation="C"))
    school_id: Mapped[uuid.UUID | None]
    met: Mapped[bool]
    body: Mapped[dict[str, Any]]
    hash: Mapped[str]
    frozen_at: Mapped[dt.datetime]


class YearVerification(Snapshot, Model):
    """The snapshot that holds."""

    __tablename__ = "year_verification"

    teacher_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)


class YearVerificationHistory(Snapshot, Model):
    """Every snapshot there ever was; only added to."""

    __tablename__ = "year_verification_history"

    teacher_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)


class YearTotal(Model):
    """How many frozen years belong to a school, kept with every snapshot: no page counts millions."""

    __tablename__ = "year_total"

    year: Mapped[int] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(sa.Text(collation="C"), primary_key=True)
    teachers: Mapped[int]
    met: Mapped[int]


class YearComputation(Model):
    """How far tonight's computation of one scheme's open year has come."""

    __tablename__ = "year_computation"

    scheme_id: Mapped[str] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    after_teacher: Mapped[uuid.UUID | None]
    begun_at: Mapped[dt.datetime]
    done_at: Mapped[dt.datetime | None]


class OpenYear(Model):
    """What a year that is not frozen yet came to in the night; derived, and written anew every night."""

    __tablename__ = "open_year"

    teacher_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    scheme_id: Mapped[str]
    place: Mapped[str] = mapped_column(sa.Text(collation="C"))
    school_name: Mapped[str]
    met: Mapped[bool]
    figures: Mapped[dict[str, Any]]
    computed_at: Mapped[dt.datetime]


class OpenYearTotal(Model):
    """The same, school by school."""

    __tablename__ = "open_year_total"

    scheme_id: Mapped[str] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(sa.Text(collation="C"), primary_key=True)
    teachers: Mapped[int]
    met: Mapped[int]
    computed_at: Mapped[dt.datetime]


class Complaint(Model):
    """A teacher's complaint about a year's verification; made under the account's own, real name."""

    __tablename__ = "complaint"

    complaint_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    teacher_id: Mapped[uuid.UUID]
    year: Mapped[int]
    about: Mapped[str]
    text: Mapped[str]
    state: Mapped[str]
    version: Mapped[int]
    handler: Mapped[uuid.UUID | None]
    accepted: Mapped[bool | None]
    reply: Mapped[str]
    reopened: Mapped[bool]
    filed_at: Mapped[dt.datetime]
    changed_at: Mapped[dt.datetime]
