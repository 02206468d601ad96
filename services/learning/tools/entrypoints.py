"""The study tools over the bus."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from services.learning.tools import actions, materials, queries, schemas
from services.learning.tools.actions import Room, Words
from services.learning.tools.materials import File
from services.learning.tools.models import CourseText
from services.learning.tools.rules import Kind, Visibility
from services.shared.bus import Call, command, periodic, query
from services.shared.bus.providers import Environment, Provider
from services.shared.crypto import FieldCipher, KeySet
from services.shared.paging import page_of


class CipherProvider(Provider[FieldCipher]):
    """What seals the keys of materials."""

    def build(self, service_class: Any, environment: Environment) -> FieldCipher:
        return FieldCipher(KeySet.of(environment.keyring, "field-encryption"))


class StudyTools:
    """Mixed into the service."""

    database: Any
    cipher = CipherProvider()

    # --- materials ---

    @command
    def prepare_course_material(self, call: Call) -> dict[str, Any]:
        """Where a file goes and what seals it. The key is kept in no reply that is stored."""
        given = call.load(schemas.PrepareMaterial())
        course_id, file = given.pop("course_id"), File(**given)
        return self._filed(call, lambda db: materials.prepare(db, call, self.cipher, course_id, file))

    @command
    def keep_course_material(self, call: Call) -> dict[str, Any]:
        given = call.load(schemas.KeepMaterial())
        return self._filed(call, lambda db: materials.keep(db, call, **given))

    @query
    def list_course_materials(self, call: Call) -> dict[str, Any]:
        """The course's files, newest first."""
        given = call.load(schemas.ListInCourse())
        with self.database.read(call) as db:
            room = actions.enter(db, call, given["course_id"])
            found = materials.list_materials(db, room.course.course_id, given["cursor"], given["limit"] + 1)
            return page_of(found, given["limit"], schemas.Material().dump, lambda row: str(row.material_id))

    @query
    def view_course_material(self, call: Call) -> dict[str, Any]:
        """What opens a file, for whoever is enrolled and the tutor."""
        given = call.load(schemas.MaterialId())
        with self.database.read(call) as db:
            return materials.view(db, call, self.cipher, **given)

    @command
    def remove_course_material(self, call: Call) -> dict[str, Any]:
        given = call.load(schemas.MaterialId())
        return self._filed(call, lambda db: materials.remove(db, call, **given))

    @periodic(3600.0, job="reseal_materials")
    def reseal_materials(self, _now: dt.datetime) -> None:
        """After a change of keys: the next batches, until everything is sealed with the newest one."""
        more = True
        while more:
            with self.database.work() as db:
                more = materials.reseal(db, self.cipher) > 0

    def _filed(self, call: Call, act: Callable[[Session], dict[str, Any]]) -> dict[str, Any]:
        done: dict[str, Any] = self.database.commit_once(call, act, keep_reply=False)
        return done

    # --- bookmarks ---

    @command
    def add_bookmark(self, call: Call) -> dict[str, Any]:
        given = call.load(schemas.AddBookmark())
        made: dict[str, Any] = self.database.commit_once(
            call, lambda db: actions.add_bookmark(db, call, **given), schemas.Bookmark()
        )
        return made

    @query
    def list_bookmarks(self, call: Call) -> dict[str, Any]:
        """One's own bookmarks in a course, newest first."""
        given = call.load(schemas.ListInCourse())
        with self.database.read(call) as db:
            room = actions.enter(db, call, given["course_id"])
            found = queries.list_bookmarks(
                db, room.person_id, room.course.course_id, given["cursor"], given["limit"] + 1
            )
            return page_of(found, given["limit"], schemas.Bookmark().dump, lambda row: str(row.bookmark_id))

    @command
    def remove_bookmark(self, call: Call) -> dict[str, Any]:
        teacher_id = call.authorise_own()
        given = call.load(schemas.BookmarkId())
        removed: dict[str, Any] = self.database.commit_once(
            call, lambda db: actions.remove_bookmark(db, teacher_id, **given)
        )
        return removed

    # --- notes ---

    @command
    def write_note(self, call: Call) -> dict[str, Any]:
        given = call.load(schemas.WriteNote())
        course_id, shared = given.pop("course_id"), given.pop("shared")
        return self._written(
            call,
            lambda db: actions.write(
                db, call, actions.enter(db, call, course_id), Kind.NOTE, Words(**given), shared=shared
            ),
        )

    @command
    def edit_note(self, call: Call) -> dict[str, Any]:
        given = call.load(schemas.EditNote())
        text_id, shared = given.pop("text_id"), given.pop("shared")
        return self._written(call, lambda db: actions.edit_note(db, call, text_id, Words(**given), shared=shared))

    @command
    def delete_note(self, call: Call) -> dict[str, Any]:
        given = call.load(schemas.TextId())
        gone: dict[str, Any] = self.database.commit_once(call, lambda db: actions.delete_note(db, call, **given))
        return gone

    @query
    def list_notes(self, call: Call) -> dict[str, Any]:
        """One's own notes in a course, or what everybody has shared in it; newest first."""
        given = call.load(schemas.ListNotes())

        def which(room: Room) -> tuple[Any, ...]:
            if given["whose"] == "OWN":
                return (CourseText.author_id == room.person_id,)
            return (CourseText.visibility == Visibility.COURSE,)

        return self._listed(call, given, Kind.NOTE, which)

    # --- questions to the tutor ---

    @command
    def ask_tutor(self, call: Call) -> dict[str, Any]:
        given = call.load(schemas.AskTutor())
        course_id = given.pop("course_id")
        return self._written(
            call,
            lambda db: actions.write(db, call, actions.enter(db, call, course_id), Kind.QUESTION, Words(**given)),
        )

    @command
    def answer_course_question(self, call: Call) -> dict[str, Any]:
        given = call.load(schemas.Answer())
        return self._written(call, lambda db: actions.answer(db, call, given["text_id"], Words(given["text"])))

    @query
    def list_course_questions(self, call: Call) -> dict[str, Any]:
        """Questions of a course, newest first; those that no tutor has answered, the longest waiting first."""
        given = call.load(schemas.ListQuestions())
        if given["which"] == "UNANSWERED":
            conditions = (
                CourseText.kind == Kind.QUESTION,
                CourseText.answered_at.is_(None),
                CourseText.visibility == Visibility.COURSE,
            )
            return self._oldest(call, given, conditions)

        def which(room: Room) -> tuple[Any, ...]:
            if given["which"] == "OWN":
                return (CourseText.author_id == room.person_id,)
            return (CourseText.visibility == Visibility.COURSE,)

        return self._listed(call, given, Kind.QUESTION, which)

    @query
    def get_course_question(self, call: Call) -> dict[str, Any]:
        """A question with its answers, in their order."""
        given = call.load(schemas.TextId())
        with self.database.read(call) as db:
            room, question = actions.enter_of(db, call, given["text_id"], Kind.QUESTION)
            answers = [
                answer
                for answer in queries.list_answers(db, question.text_id)
                if answer.visibility == Visibility.COURSE or room.tutor or answer.author_id == room.person_id
            ]
            shown: dict[str, Any] = schemas.Question().dump(
                {**_shown(question, room.person_id), "answers": [_shown(answer, room.person_id) for answer in answers]}
            )
            return shown

    # --- notices ---

    @command
    def publish_course_notice(self, call: Call) -> dict[str, Any]:
        given = call.load(schemas.Notice())
        course_id = given.pop("course_id")
        return self._written(call, lambda db: actions.publish_notice(db, call, course_id, Words(**given)))

    @query
    def list_course_notices(self, call: Call) -> dict[str, Any]:
        """The course's notices, newest first, each with whether the reader has read it."""
        given = call.load(schemas.ListInCourse())
        with self.database.read(call) as db:
            room = actions.enter(db, call, given["course_id"])
            shown = (CourseText.visibility == Visibility.COURSE,)
            found = queries.list_texts(
                db, room.course.course_id, Kind.NOTICE, shown, given["cursor"], given["limit"] + 1
            )
            read = queries.list_read(db, room.person_id, [row.text_id for row in found])
            return page_of(
                found,
                given["limit"],
                lambda row: schemas.ReadableNotice().dump(
                    {**_shown(row, room.person_id), "is_read": row.text_id in read}
                ),
                lambda row: str(row.text_id),
            )

    @command
    def read_course_notice(self, call: Call) -> dict[str, Any]:
        given = call.load(schemas.TextId())
        read: dict[str, Any] = self.database.commit_once(call, lambda db: actions.read_notice(db, call, **given))
        return read

    # --- reporting, hiding, search ---

    @command
    def report_course_text(self, call: Call) -> dict[str, Any]:
        given = call.load(schemas.Report())
        reported: dict[str, Any] = self.database.commit_once(call, lambda db: actions.report(db, call, **given))
        return reported

    @query
    def list_reported_texts(self, call: Call) -> dict[str, Any]:
        """What was reported in a course and waits for its tutor, with the reasons; who reported is nobody's business."""
        given = call.load(schemas.ListInCourse())
        with self.database.read(call) as db:
            room = actions.enter(db, call, given["course_id"])
            waiting = (CourseText.reports > 0,)
            found = queries.list_oldest(db, room.course.course_id, waiting, given["cursor"], given["limit"] + 1)
            reports = queries.list_reports(db, [row.text_id for row in found])
            return page_of(
                found,
                given["limit"],
                lambda row: schemas.ReportedText().dump(
                    {**_shown(row, room.person_id), "reports": reports[row.text_id]}
                ),
                lambda row: str(row.text_id),
            )

    @command
    def hide_course_text(self, call: Call) -> dict[str, Any]:
        given = call.load(schemas.Hide())
        return self._written(call, lambda db: actions.hide(db, call, **given))

    @query
    def search_course(self, call: Call) -> dict[str, Any]:
        """Notes (own and shared), questions, answers and notices of a course that hold the words; newest first."""
        given = call.load(schemas.Search())
        with self.database.read(call) as db:
            room = actions.enter(db, call, given["course_id"])
            found = queries.search(
                db, room.course.course_id, room.person_id, given["words"], given["cursor"], given["limit"] + 1
            )
            return _page(found, given, room)

    def _written(self, call: Call, act: Callable[[Session], CourseText]) -> dict[str, Any]:
        def show(db: Session) -> dict[str, Any]:
            text = act(db)
            return _shown(text, call.actor.account_id)

        written: dict[str, Any] = self.database.commit_once(call, show, schemas.Text())
        return written

    def _listed(self, call: Call, given: dict[str, Any], kind: Kind, which: Callable[[Room], Any]) -> dict[str, Any]:
        with self.database.read(call) as db:
            room = actions.enter(db, call, given["course_id"])
            found = queries.list_texts(
                db, room.course.course_id, kind, which(room), given["cursor"], given["limit"] + 1
            )
            return _page(found, given, room)

    def _oldest(self, call: Call, given: dict[str, Any], conditions: Any) -> dict[str, Any]:
        with self.database.read(call) as db:
            room = actions.enter(db, call, given["course_id"])
            found = queries.list_oldest(db, room.course.course_id, conditions, given["cursor"], given["limit"] + 1)
            return _page(found, given, room)


def _page(found: list[CourseText], given: dict[str, Any], room: Room) -> dict[str, Any]:
    return page_of(
        found,
        given["limit"],
        lambda row: schemas.Text().dump(_shown(row, room.person_id)),
        lambda row: str(row.text_id),
    )


def _shown(text: CourseText, reader_id: uuid.UUID | None) -> dict[str, Any]:
    """The text without its author: who wrote it is told to nobody, only whether it is the reader's own or a tutor's."""

    return {**{name: getattr(text, name) for name in _TEXT_SHOWN}, "is_own": text.author_id == reader_id}


_TEXT_SHOWN = (
    "text_id",
    "course_id",
    "kind",
    "visibility",
    "by_tutor",
    "title",
    "text",
    "activity_id",
    "at_seconds",
    "question_id",
    "answered_at",
    "written_at",
    "changed_at",
)
