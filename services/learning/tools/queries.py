"""Selects of the study tools."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from services.learning.models import Activity, Course, Enrolment, Programme
from services.learning.tools import rules
from services.learning.tools.models import Bookmark, CourseText, NoticeRead, TextReport
from services.learning.tools.rules import Kind, Visibility
from services.shared.errors import NotFound

UNKNOWN_COURSE = "learning.course_unknown"
UNKNOWN_TEXT = "learning.text_unknown"


def get_course(db: Session, course_id: uuid.UUID) -> tuple[Course, Programme]:
    row = db.execute(
        sa.select(Course, Programme)
        .join(Programme, Programme.programme_id == Course.programme_id)
        .where(Course.course_id == course_id)
    ).one_or_none()
    if row is None:
        raise NotFound(UNKNOWN_COURSE, "course_id")
    return row.Course, row.Programme


def is_enrolled(db: Session, teacher_id: uuid.UUID, programme_id: uuid.UUID) -> bool:
    return db.get(Enrolment, (teacher_id, programme_id)) is not None


def get_activity(db: Session, activity_id: uuid.UUID) -> Activity:
    activity = db.get(Activity, activity_id)
    if activity is None:
        raise NotFound("learning.activity_unknown", "activity_id")
    return activity


def get_text(db: Session, text_id: uuid.UUID, kinds: Collection[Kind], *, lock: bool = False) -> CourseText:
    """Raises NotFound."""
    select = sa.select(CourseText).where(CourseText.text_id == text_id, CourseText.kind.in_(kinds))
    if lock:
        select = select.with_for_update().execution_options(populate_existing=True)
    text = db.scalars(select).one_or_none()
    if text is None:
        raise NotFound(UNKNOWN_TEXT)
    return text


def count_texts(db: Session, author_id: uuid.UUID, course_id: uuid.UUID, kind: Kind) -> int:
    select = sa.select(sa.func.count()).where(
        CourseText.course_id == course_id, CourseText.author_id == author_id, CourseText.kind == kind
    )
    return db.execute(select).scalar_one()


def count_answers(db: Session, question_id: uuid.UUID) -> int:
    return db.execute(sa.select(sa.func.count()).where(CourseText.question_id == question_id)).scalar_one()


def list_texts(
    db: Session, course_id: uuid.UUID, kind: Kind, conditions: Iterable[Any], after: uuid.UUID | None, limit: int
) -> list[CourseText]:
    """Newest first: ids are UUIDv7 and so in the order of writing."""
    select = sa.select(CourseText).where(CourseText.course_id == course_id, CourseText.kind == kind, *conditions)
    if after is not None:
        select = select.where(CourseText.text_id < after)
    return list(db.scalars(select.order_by(CourseText.text_id.desc()).limit(limit)))


def list_oldest(
    db: Session, course_id: uuid.UUID, conditions: Iterable[Any], after: uuid.UUID | None, limit: int
) -> list[CourseText]:
    """What waits for the tutor: the longest waiting first."""
    select = sa.select(CourseText).where(CourseText.course_id == course_id, *conditions)
    if after is not None:
        select = select.where(CourseText.text_id > after)
    return list(db.scalars(select.order_by(CourseText.text_id).limit(limit)))


def list_answers(db: Session, question_id: uuid.UUID) -> list[CourseText]:
    select = sa.select(CourseText).where(CourseText.question_id == question_id)
    return list(db.scalars(select.order_by(CourseText.text_id)))


def list_reports(db: Session, text_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, list[TextReport]]:
    found: dict[uuid.UUID, list[TextReport]] = {text_id: [] for text_id in text_ids}
    rows = db.scalars(sa.select(TextReport).where(TextReport.text_id.in_(found)).order_by(TextReport.reported_at))
    for row in rows:
        found[row.text_id].append(row)
    return found


def list_read(db: Session, teacher_id: uuid.UUID, text_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    select = sa.select(NoticeRead.text_id).where(NoticeRead.teacher_id == teacher_id, NoticeRead.text_id.in_(text_ids))
    return set(db.scalars(select))


def list_bookmarks(
    db: Session, teacher_id: uuid.UUID, course_id: uuid.UUID, after: uuid.UUID | None, limit: int
) -> list[Bookmark]:
    select = sa.select(Bookmark).where(Bookmark.teacher_id == teacher_id, Bookmark.course_id == course_id)
    if after is not None:
        select = select.where(Bookmark.bookmark_id < after)
    return list(db.scalars(select.order_by(Bookmark.bookmark_id.desc()).limit(limit)))


def count_bookmarks(db: Session, teacher_id: uuid.UUID, course_id: uuid.UUID) -> int:
    select = sa.select(sa.func.count()).where(Bookmark.teacher_id == teacher_id, Bookmark.course_id == course_id)
    return db.execute(select).scalar_one()


def search(
    db: Session, course_id: uuid.UUID, teacher_id: uuid.UUID, words: str, after: uuid.UUID | None, limit: int
) -> list[CourseText]:
    """Texts of the course that hold the words and that this reader may see, newest first.

    Runs with the worker's role: what may be seen is decided here, by the tokens' scope and once more by the condition.
    """
    held = [
        CourseText.tokens.contains(sa.cast(rules.tokens(scope, words), ARRAY(sa.BigInteger)))
        for scope in (course_id, teacher_id)
    ]
    may_see = sa.or_(CourseText.visibility == Visibility.COURSE, CourseText.author_id == teacher_id)
    # Pairs may stand apart from each other in the text: the whole has to be there.
    spoken = sa.func.strpos(CourseText.folded_text, rules.folded(words)) > 0
    select = sa.select(CourseText).where(sa.or_(*held), CourseText.course_id == course_id, may_see, spoken)
    if after is not None:
        select = select.where(CourseText.text_id < after)
    return list(db.scalars(select.order_by(CourseText.text_id.desc()).limit(limit)))
