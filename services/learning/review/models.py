"""Tables of the review of conspicuous study."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.learning.models import Model


class StudyReview(Model):
    """One finding about one teacher's day. `found` holds its figures, never other people's ids."""

    __tablename__ = "study_review"

    review_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    teacher_id: Mapped[uuid.UUID]
    anomaly: Mapped[str]
    studied_on: Mapped[dt.date]
    found: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[str]
    decided_by: Mapped[uuid.UUID | None]
    found_at: Mapped[dt.datetime]
    changed_at: Mapped[dt.datetime]


class ReviewSitting(Model):
    """A sitting whose time is held while its review holds."""

    __tablename__ = "review_sitting"

    review_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    study_session_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    teacher_id: Mapped[uuid.UUID]


class ReviewStep(Model):
    """What somebody did to a review, in order; only added to."""

    __tablename__ = "review_step"

    review_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    teacher_id: Mapped[uuid.UUID]
    act: Mapped[str]
    state: Mapped[str]
    by: Mapped[uuid.UUID] = mapped_column("by")
    reason: Mapped[str]
    at: Mapped[dt.datetime]


class InspectedPiece(Model):
    """A piece of a day that was looked at, until the whole day was."""

    __tablename__ = "inspected_piece"

    day: Mapped[dt.date] = mapped_column(primary_key=True)
    look: Mapped[str] = mapped_column(primary_key=True)
    piece: Mapped[int] = mapped_column(primary_key=True)


class DayRhythm(Model):
    """How a teacher opened videos on a day, until all are compared. `piece` follows from the beat: equal ones meet."""

    __tablename__ = "day_rhythm"

    day: Mapped[dt.date] = mapped_column(primary_key=True)
    piece: Mapped[int] = mapped_column(primary_key=True)
    teacher_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    beat: Mapped[str]
    sittings: Mapped[list[uuid.UUID]] = mapped_column(ARRAY(sa.Uuid))


class InspectedDay(Model):
    """A day that was looked at as a whole."""

    __tablename__ = "inspected_day"

    day: Mapped[dt.date] = mapped_column(primary_key=True)
    inspected_at: Mapped[dt.datetime] = mapped_column(sa.DateTime(timezone=True))
