"""Tables of registrations."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy.orm import Mapped, mapped_column

from services.certs.models import Model


class Registration(Model):
    """What an institution registered; its own number once within its place."""

    __tablename__ = "registration"

    subject_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    place: Mapped[str]  # of the institution
    issued_number: Mapped[str]
    teacher_id: Mapped[uuid.UUID]
    registered_by: Mapped[uuid.UUID]
    registered_at: Mapped[dt.datetime]
