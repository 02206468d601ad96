"""Tables of the catalogue: a programme, and its versions, which never change."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Model(DeclarativeBase):
    type_annotation_map = {dt.datetime: sa.DateTime(timezone=True), dict[str, Any]: JSONB, str: sa.Text}  # noqa: RUF012


class Programme(Model):
    """A programme's present: which content holds, and whether it has closed."""

    __tablename__ = "programme"

    programme_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    version: Mapped[int]  # of the announced state: each publication and the closing add one
    content_version: Mapped[int]  # the row of ProgrammeVersion that holds
    content_hash: Mapped[str]
    titles: Mapped[dict[str, Any]]
    rule_pack: Mapped[str]
    place: Mapped[str]  # who organises it
    visibility: Mapped[str]
    audience: Mapped[dict[str, Any]]
    opens_at: Mapped[dt.datetime]
    fully_open_at: Mapped[dt.datetime]  # when the last course opens
    closes_at: Mapped[dt.datetime]
    closed_at: Mapped[dt.datetime | None]  # when the closing was announced


class ProgrammeVersion(Model):
    """One published content, kept for ever."""

    __tablename__ = "programme_version"

    programme_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("programme.programme_id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    content_hash: Mapped[str]
    content: Mapped[dict[str, Any]]
    published_by: Mapped[str]
    published_at: Mapped[dt.datetime]
