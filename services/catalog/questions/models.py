"""Tables of question banks: a bank with its draft, and its versions, which never change."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.catalog.models import Model


class QuestionBank(Model):
    """`place` owns it. `draft` is what was imported last and is not published; None when there is nothing new."""

    __tablename__ = "question_bank"

    bank_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    place: Mapped[str]
    titles: Mapped[dict[str, Any]]
    version: Mapped[int]  # the newest published one; 0: none yet
    content_hash: Mapped[str]  # of that version
    questions: Mapped[int]  # how many it has
    draft: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    changed_at: Mapped[dt.datetime]


class QuestionBankVersion(Model):
    """One published content, kept for ever: no role that logs in may change or delete a row."""

    __tablename__ = "question_bank_version"

    bank_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("question_bank.bank_id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    place: Mapped[str]
    content_hash: Mapped[str]
    content: Mapped[dict[str, Any]]
    published_by: Mapped[str]
    published_at: Mapped[dt.datetime]


class PublishedExam(Model):
    """That an exam was announced, and in which of its programme's versions last: what a resync walks along."""

    __tablename__ = "exam"

    exam_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    programme_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("programme.programme_id"))
    version: Mapped[int]
