"""What is done with the study tools; each action names its course, enters it, and says who may."""

from __future__ import annotations

import dataclasses
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.learning.models import Course, Programme
from services.learning.tools import queries, rules
from services.learning.tools.models import Bookmark, CourseText, NoticeRead, TextReport
from services.learning.tools.rules import Kind, Visibility
from services.shared import audit
from services.shared.actor import covers
from services.shared.bus import Call
from services.shared.errors import Conflict, InvalidInput, LimitReached, NotFound
from services.shared.ids import new_id


@dataclasses.dataclass(frozen=True)
class Room:
    """A course that the caller may enter: as somebody who is enrolled, as its tutor, or both."""

    course: Course
    programme: Programme
    person_id: uuid.UUID
    enrolled: bool
    tutor: bool


def enter(db: Session, call: Call, course_id: uuid.UUID) -> Room:
    """Raises NotFound for an unknown course and for whoever is neither enrolled nor its tutor: both look alike."""
    assert call.actor.account_id is not None  # the policies let no visitor in
    course, programme = queries.get_course(db, course_id)
    person_id = call.actor.account_id
    enrolled = queries.is_enrolled(db, person_id, programme.programme_id)
    call.authorise(
        subject=person_id if enrolled else None,
        place=programme.place,
        missing=queries.UNKNOWN_COURSE,
        field="course_id",
    )
    tutor = any(covers(place, programme.place) for place in call.actor.places(call.policy.roles))
    return Room(course, programme, person_id, enrolled, tutor)


def enter_of(db: Session, call: Call, text_id: uuid.UUID, *kinds: Kind, lock: bool = False) -> tuple[Room, CourseText]:
    """The text and its course. A text that the caller may not see is unknown."""
    text = queries.get_text(db, text_id, kinds, lock=lock)
    try:
        room = enter(db, call, text.course_id)
    except NotFound:
        raise NotFound(queries.UNKNOWN_TEXT) from None
    is_shown = text.visibility == Visibility.COURSE or (text.visibility == Visibility.HIDDEN and room.tutor)
    if not is_shown and text.author_id != room.person_id:
        raise NotFound(queries.UNKNOWN_TEXT)
    return room, text


# --- texts ----------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Words:
    """What somebody writes: plain text, at a position of a video or at none."""

    text: str
    title: str = ""
    activity_id: uuid.UUID | None = None
    at_seconds: int | None = None


def write(
    db: Session, call: Call, room: Room, kind: Kind, words: Words, *, shared: bool = True, **more: Any
) -> CourseText:
    """Add a text. Raises LimitReached when the author has as many as one may, InvalidInput for a position that is none."""
    _require_position(db, room, words)
    _hold_author(db, room, kind)
    if (
        kind is not Kind.ANSWER
        and queries.count_texts(db, room.person_id, room.course.course_id, kind) >= rules.LIMITS[kind]
    ):
        raise LimitReached("learning.too_many_texts")
    text = CourseText(
        text_id=new_id(),
        course_id=room.course.course_id,
        programme_id=room.programme.programme_id,
        place=room.programme.place,
        kind=kind,
        author_id=room.person_id,
        by_tutor=room.tutor,
        visibility=Visibility.COURSE if shared else Visibility.OWN,
        written_at=call.now,
        changed_at=call.now,
        reports=0,
        **vars(words),
        **more,
    )
    _index(text)
    db.add(text)
    db.flush()
    return text


def _require_position(db: Session, room: Room, words: Words) -> None:
    if words.activity_id is None:
        if words.at_seconds is not None:
            raise InvalidInput("learning.position_outside", "at_seconds")
        return
    activity = queries.get_activity(db, words.activity_id)
    if activity.course_id != room.course.course_id:
        raise NotFound("learning.activity_unknown", "activity_id")
    if words.at_seconds is not None and words.at_seconds > activity.seconds:
        raise InvalidInput("learning.position_outside", "at_seconds")


def _hold_author(db: Session, room: Room, what: str) -> None:
    """One after the other for one author, course and kind, so that a limit is one."""
    key = f"{room.person_id}/{room.course.course_id}/{what}"
    db.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(key, 7))))


def _index(text: CourseText) -> None:
    whole = f"{text.title} {text.text}"
    text.folded_text = rules.folded(whole)
    text.tokens = rules.tokens(rules.scope_of(text.visibility, text.course_id, text.author_id), whole)


def edit_note(db: Session, call: Call, text_id: uuid.UUID, words: Words, *, shared: bool) -> CourseText:
    """Rewrite an own note, share it, or take it back. What the tutor has hidden stays hidden."""
    room, note = _own(db, call, text_id, Kind.NOTE)
    _require_position(db, room, words)
    note.text, note.activity_id, note.at_seconds = words.text, words.activity_id, words.at_seconds
    if note.visibility != Visibility.HIDDEN:
        note.visibility = Visibility.COURSE if shared else Visibility.OWN
    note.changed_at = call.now
    _index(note)
    db.flush()
    return note


def delete_note(db: Session, call: Call, text_id: uuid.UUID) -> dict[str, Any]:
    """Remove an own note for good, with the reports about it."""
    _, note = _own(db, call, text_id, Kind.NOTE)
    db.delete(note)
    db.flush()
    return {"text_id": str(text_id)}


def _own(db: Session, call: Call, text_id: uuid.UUID, kind: Kind) -> tuple[Room, CourseText]:
    room, text = enter_of(db, call, text_id, kind, lock=True)
    if text.author_id != room.person_id:
        raise NotFound(queries.UNKNOWN_TEXT)
    return room, text


def answer(db: Session, call: Call, question_id: uuid.UUID, words: Words) -> CourseText:
    """Answer a question: its tutor, or whoever asked it (to ask further).

    An answer of the tutor takes the question off the unanswered list, a further word of the asker puts it there again.
    """
    room, question = enter_of(db, call, question_id, Kind.QUESTION, lock=True)
    if not (room.tutor or question.author_id == room.person_id):
        raise NotFound(queries.UNKNOWN_TEXT)
    if question.visibility == Visibility.HIDDEN:
        raise Conflict("learning.text_hidden")
    if queries.count_answers(db, question_id) >= rules.ANSWERS_PER_QUESTION:
        raise LimitReached("learning.too_many_texts")
    added = write(db, call, room, Kind.ANSWER, words, question_id=question_id)
    question.answered_at = (question.answered_at or call.now) if room.tutor else None
    db.flush()
    if room.tutor:
        _record(db, call, room, added, {})
    return added


def publish_notice(db: Session, call: Call, course_id: uuid.UUID, words: Words) -> CourseText:
    """A notice to everybody who is enrolled; the tutor's."""
    room = enter(db, call, course_id)
    notice = write(db, call, room, Kind.NOTICE, words)
    _record(db, call, room, notice, {})
    return notice


def read_notice(db: Session, call: Call, text_id: uuid.UUID) -> dict[str, Any]:
    room, notice = enter_of(db, call, text_id, Kind.NOTICE)
    first = insert(NoticeRead).values(teacher_id=room.person_id, text_id=notice.text_id, read_at=call.now)
    db.execute(first.on_conflict_do_nothing())
    return {"text_id": str(text_id), "is_read": True}


# --- reporting and hiding -------------------------------------------------------------------------------------------------


def report(db: Session, call: Call, text_id: uuid.UUID, reason: str) -> dict[str, Any]:
    """Tell the tutor that a shared text should not be there; once per person. Notices and one's own cannot be reported."""
    room, text = enter_of(db, call, text_id, Kind.NOTE, Kind.QUESTION, Kind.ANSWER, lock=True)
    if text.author_id == room.person_id:
        raise Conflict("learning.text_own")
    made = db.scalar(
        insert(TextReport)
        .values(text_id=text_id, reporter_id=room.person_id, place=text.place, reason=reason, reported_at=call.now)
        .on_conflict_do_nothing()
        .returning(TextReport.text_id)
    )
    if made is not None:
        text.reports += 1
        db.flush()
    return {"text_id": str(text_id), "reported": True}


def hide(db: Session, call: Call, text_id: uuid.UUID, hidden: bool, reason: str) -> CourseText:
    """Take a shared text out of the course, or put it back; either way its reports are dealt with. On record."""
    room, text = enter_of(db, call, text_id, *Kind, lock=True)
    if text.visibility == Visibility.OWN:
        raise NotFound(queries.UNKNOWN_TEXT)
    before = text.visibility
    text.visibility = Visibility.HIDDEN if hidden else Visibility.COURSE
    text.reports, text.changed_at = 0, call.now
    _index(text)
    db.execute(sa.delete(TextReport).where(TextReport.text_id == text_id))
    db.flush()
    _record(db, call, room, text, {"visibility": before}, reason)
    return text


def _record(db: Session, call: Call, room: Room, text: CourseText, before: dict[str, Any], reason: str = "") -> None:
    """The tutor's acts; ids and states, never what somebody wrote."""
    audit.record(
        db,
        call,
        subject=text.author_id,
        place=room.programme.place,
        reason=reason,
        before=before,
        after={"text_id": str(text.text_id), "kind": text.kind, "visibility": text.visibility},
    )


# --- bookmarks ------------------------------------------------------------------------------------------------------------


def add_bookmark(db: Session, call: Call, activity_id: uuid.UUID, at_seconds: int, label: str) -> Bookmark:
    activity = queries.get_activity(db, activity_id)
    room = enter(db, call, activity.course_id)
    _require_position(db, room, Words("", activity_id=activity_id, at_seconds=at_seconds))
    _hold_author(db, room, "BOOKMARK")
    if queries.count_bookmarks(db, room.person_id, activity.course_id) >= rules.BOOKMARKS_PER_COURSE:
        raise LimitReached("learning.too_many_bookmarks")
    bookmark = Bookmark(
        teacher_id=room.person_id,
        bookmark_id=new_id(),
        course_id=activity.course_id,
        activity_id=activity_id,
        at_seconds=at_seconds,
        label=label,
        made_at=call.now,
    )
    db.add(bookmark)
    db.flush()
    return bookmark


def remove_bookmark(db: Session, teacher_id: uuid.UUID, bookmark_id: uuid.UUID) -> dict[str, Any]:
    bookmark = db.get(Bookmark, (teacher_id, bookmark_id))
    if bookmark is None:
        raise NotFound("learning.bookmark_unknown")
    db.delete(bookmark)
    db.flush()
    return {"bookmark_id": str(bookmark_id)}
