"""Tables of declarations: the declaration as it stands, each round as it was submitted and judged, and its files."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from services.credits.models import Model


class Declaration(Model):
    """What a teacher declares for one year. `content` is the present text; what was submitted stands in the rounds."""

    __tablename__ = "declaration"

    declaration_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    teacher_id: Mapped[uuid.UUID]
    year: Mapped[int]
    kind: Mapped[str]
    state: Mapped[str]
    round: Mapped[int]  # 0 until first submitted
    version: Mapped[int]
    content: Mapped[dict[str, Any]]  # {title, institution, hours, started_on, ended_on, hour_type, training_form, note}
    recogniser: Mapped[str | None]  # of the four levels, once approved
    created_at: Mapped[dt.datetime]
    changed_at: Mapped[dt.datetime]


class DeclarationRound(Model):
    """One submission with both opinions; never changed once decided."""

    __tablename__ = "declaration_round"

    declaration_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    round: Mapped[int] = mapped_column(primary_key=True)
    teacher_id: Mapped[uuid.UUID]
    content: Mapped[dict[str, Any]]
    submitted_at: Mapped[dt.datetime]
    first_outcome: Mapped[str | None]  # PASS or RETURN
    first_reviewer: Mapped[uuid.UUID | None]
    first_reason: Mapped[str] = mapped_column(default="")
    first_at: Mapped[dt.datetime | None]
    final_outcome: Mapped[str | None]  # APPROVE or RETURN
    final_reviewer: Mapped[uuid.UUID | None]
    final_reason: Mapped[str] = mapped_column(default="")
    final_at: Mapped[dt.datetime | None]


class Attachment(Model):
    """One file, sealed under a key of its own; part of every round from the first to the last that it was left in."""

    __tablename__ = "declaration_attachment"

    attachment_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    declaration_id: Mapped[uuid.UUID]
    teacher_id: Mapped[uuid.UUID]
    first_round: Mapped[int]
    last_round: Mapped[int | None]  # None: of the next round too
    sha256: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int]
    file_key_sealed: Mapped[str]
    storage_key: Mapped[str | None]  # None until the file is there
    added_at: Mapped[dt.datetime]
