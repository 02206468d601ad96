"""Tables of the study tools."""

from __future__ import annotations

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from services.learning.models import Model


class CourseText(Model):
    """What somebody wrote in a course. `place` is the programme's: whoever may define programmes there is its tutor."""

    __tablename__ = "course_text"

    text_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    course_id: Mapped[uuid.UUID]
    programme_id: Mapped[uuid.UUID]
    place: Mapped[str]
    kind: Mapped[str]
    author_id: Mapped[uuid.UUID]
    by_tutor: Mapped[bool]
    visibility: Mapped[str]
    title: Mapped[str]  # of a notice
    text: Mapped[str] = mapped_column("text")
    activity_id: Mapped[uuid.UUID | None]
    at_seconds: Mapped[int | None]
    question_id: Mapped[uuid.UUID | None]  # of an answer
    answered_at: Mapped[dt.datetime | None]  # of a question: by a tutor, the first time
    reports: Mapped[int] = mapped_column(default=0)  # that wait for the tutor
    written_at: Mapped[dt.datetime]
    changed_at: Mapped[dt.datetime]
    folded_text: Mapped[str]  # title and text as they are compared (`rules.folded`)
    tokens: Mapped[list[int]] = mapped_column(ARRAY(sa.BigInteger))


class TextReport(Model):
    """That somebody found a shared text wrong to be there; once per person and text."""

    __tablename__ = "text_report"

    text_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    reporter_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    place: Mapped[str]
    reason: Mapped[str]
    reported_at: Mapped[dt.datetime]


class NoticeRead(Model):
    """That somebody has read a notice."""

    __tablename__ = "notice_read"

    teacher_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    text_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    read_at: Mapped[dt.datetime]


class Bookmark(Model):
    """A place in a video that its teacher wants to find again."""

    __tablename__ = "bookmark"

    teacher_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    bookmark_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    course_id: Mapped[uuid.UUID]
    activity_id: Mapped[uuid.UUID]
    at_seconds: Mapped[int]
    label: Mapped[str]
    made_at: Mapped[dt.datetime]


class CourseMaterial(Model):
    """A file for a course, sealed under a key of its own."""

    __tablename__ = "course_material"

    material_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    course_id: Mapped[uuid.UUID]
    programme_id: Mapped[uuid.UUID]
    place: Mapped[str]
    title: Mapped[str]
    sha256: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int]
    file_key_sealed: Mapped[str]
    storage_key: Mapped[str | None]  # None until the file is there
    added_by: Mapped[uuid.UUID]
    added_at: Mapped[dt.datetime]
