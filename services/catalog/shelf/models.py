"""Tables of the shelf: projections of choices and of what teachers teach, and what is counted from them."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy.orm import Mapped, mapped_column

from services.catalog.models import Model


class Teaching(Model):
    """Identity's: the segment and subject of a teacher."""

    __tablename__ = "teaching"

    teacher_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    segment: Mapped[str]
    subject: Mapped[str]


class Choice(Model):
    """Learning's: who chose what, and how it ended. `subject`: what the teacher taught when it was counted."""

    __tablename__ = "choice"

    choice_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    teacher_id: Mapped[uuid.UUID]
    offering_id: Mapped[uuid.UUID]
    state: Mapped[str]
    subject: Mapped[str]


class PeerTally(Model):
    """How many teachers of a subject chose an offering."""

    __tablename__ = "peer_tally"

    offering_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    period_id: Mapped[uuid.UUID]
    chosen: Mapped[int]


class Rating(Model):
    """One teacher's stars for a course; the last word counts."""

    __tablename__ = "rating"

    course_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    teacher_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    offering_id: Mapped[uuid.UUID]
    stars: Mapped[int]
    rated_at: Mapped[dt.datetime]
