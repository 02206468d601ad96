"""Tables of org/transfers. The constraints that hold them together stand in the migration."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy.orm import Mapped, mapped_column

from services.org.models import Model, Place


class LearnerNumber(Model):
    """Whose learner number 继续教育学号 it is: identity's word, kept here because transfers are asked for by it."""

    __tablename__ = "learner_number"

    account_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    learner_no: Mapped[str]
    version: Mapped[int]


class Transfer(Model):
    """A receiving school's request for a teacher, and what became of it. Never deleted."""

    __tablename__ = "transfer"

    transfer_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    teacher_id: Mapped[uuid.UUID]
    from_school_id: Mapped[uuid.UUID]
    from_place: Mapped[str] = mapped_column(Place)
    to_school_id: Mapped[uuid.UUID]
    to_place: Mapped[str] = mapped_column(Place)
    place: Mapped[str] = mapped_column(Place)  # the lowest above both, where it is decided
    level: Mapped[str]
    state: Mapped[str]
    version: Mapped[int]
    note: Mapped[str]  # of the one who asks
    requested_by: Mapped[str]
    requested_at: Mapped[dt.datetime]
    decided_by: Mapped[str | None]
    decided_at: Mapped[dt.datetime | None]
    reason: Mapped[str]  # of the rejection or withdrawal
