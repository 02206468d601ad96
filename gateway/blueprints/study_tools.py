"""Study tools of a course: bookmarks, notes, questions to the tutor, notices, search."""

from __future__ import annotations

import contextlib
from typing import Any

from flask import Response

from gateway import caching, evidence
from gateway.openapi import Blueprint
from gateway.pagination import ask_page
from gateway.rpc import ask, extend_deadline, tell
from gateway.schemas import Page
from gateway.schemas import study_tools as schemas

blueprint = Blueprint(
    "study_tools", __name__, description="学习工具 (notes, bookmarks, questions, notices of a course)"
)


UPLOAD_SECONDS = 60.0
SUFFIXES = {"application/pdf": ".pdf", "image/jpeg": ".jpg", "image/png": ".png"}
FILE_DOCUMENT = {
    200: {
        "description": "The file",
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in SUFFIXES},
    }
}


def _page(method: str, course_id: Any, query: dict[str, Any]) -> dict[str, Any]:
    """A page of something in a course; kept by the reader alone, and asked for again each time."""
    reply = ask_page("learning", method, {**query, "course_id": str(course_id)})
    caching.allow(0)
    return reply


def _at(body: dict[str, Any]) -> dict[str, Any]:
    """The body as JSON: the video's id as text."""
    return {**body, "activity_id": str(body["activity_id"])} if body.get("activity_id") else body


@blueprint.post("/activities/<uuid:activity_id>/bookmarks")
@blueprint.doc(operationId="add_bookmark")
@blueprint.arguments(schemas.NewBookmark)
@blueprint.response(201, schemas.Bookmark)
def add_bookmark(body: dict[str, Any], activity_id: Any) -> dict[str, Any]:
    """Remember a position of a video."""
    return tell("learning", "add_bookmark", {**body, "activity_id": str(activity_id)})


@blueprint.get("/courses/<uuid:course_id>/bookmarks")
@blueprint.doc(operationId="list_bookmarks")
@blueprint.arguments(Page, location="query")
@blueprint.response(200, schemas.Bookmarks)
def list_bookmarks(query: dict[str, Any], course_id: Any) -> dict[str, Any]:
    """One's own bookmarks in a course, newest first."""
    return _page("list_bookmarks", course_id, query)


@blueprint.delete("/bookmarks/<uuid:bookmark_id>")
@blueprint.doc(operationId="remove_bookmark")
@blueprint.response(204)
def remove_bookmark(bookmark_id: Any) -> None:
    """Forget an own bookmark."""
    tell("learning", "remove_bookmark", {"bookmark_id": str(bookmark_id)})


@blueprint.post("/courses/<uuid:course_id>/notes")
@blueprint.doc(operationId="write_note")
@blueprint.arguments(schemas.NewNote)
@blueprint.response(201, schemas.CourseText)
def write_note(body: dict[str, Any], course_id: Any) -> dict[str, Any]:
    """Write a note, for oneself or for everybody in the course."""
    return tell("learning", "write_note", {**_at(body), "course_id": str(course_id)})


@blueprint.get("/courses/<uuid:course_id>/notes")
@blueprint.doc(operationId="list_notes")
@blueprint.arguments(schemas.NotesQuery, location="query")
@blueprint.response(200, schemas.CourseTexts)
def list_notes(query: dict[str, Any], course_id: Any) -> dict[str, Any]:
    """One's own notes, or what everybody has shared; newest first."""
    return _page("list_notes", course_id, query)


@blueprint.put("/notes/<uuid:text_id>")
@blueprint.doc(operationId="edit_note")
@blueprint.arguments(schemas.ChangedNote)
@blueprint.response(200, schemas.CourseText)
def edit_note(body: dict[str, Any], text_id: Any) -> dict[str, Any]:
    """Rewrite an own note, share it or take it back."""
    return tell("learning", "edit_note", {**_at(body), "text_id": str(text_id)})


@blueprint.delete("/notes/<uuid:text_id>")
@blueprint.doc(operationId="delete_note")
@blueprint.response(204)
def delete_note(text_id: Any) -> None:
    """Remove an own note for good."""
    tell("learning", "delete_note", {"text_id": str(text_id)})


@blueprint.post("/courses/<uuid:course_id>/questions")
@blueprint.doc(operationId="ask_tutor")
@blueprint.arguments(schemas.NewQuestion)
@blueprint.response(201, schemas.CourseText)
def ask_tutor(body: dict[str, Any], course_id: Any) -> dict[str, Any]:
    """Ask the course's tutor; everybody in the course may read it."""
    return tell("learning", "ask_tutor", {**_at(body), "course_id": str(course_id)})


@blueprint.get("/courses/<uuid:course_id>/questions")
@blueprint.doc(operationId="list_course_questions")
@blueprint.arguments(schemas.QuestionsQuery, location="query")
@blueprint.response(200, schemas.CourseTexts)
def list_course_questions(query: dict[str, Any], course_id: Any) -> dict[str, Any]:
    """Questions of a course; for its tutor those that wait, the longest waiting first."""
    return _page("list_course_questions", course_id, query)


@blueprint.get("/questions/<uuid:text_id>")
@blueprint.doc(operationId="get_course_question")
@blueprint.response(200, schemas.Question)
def get_course_question(text_id: Any) -> dict[str, Any]:
    """A question with its answers."""
    reply = ask("learning", "get_course_question", {"text_id": str(text_id)})
    caching.allow(0)
    return reply


@blueprint.post("/questions/<uuid:text_id>/answers")
@blueprint.doc(operationId="answer_course_question")
@blueprint.arguments(schemas.NewAnswer)
@blueprint.response(201, schemas.CourseText)
def answer_course_question(body: dict[str, Any], text_id: Any) -> dict[str, Any]:
    """Answer as the tutor, or ask further as whoever asked."""
    return tell("learning", "answer_course_question", {**body, "text_id": str(text_id)})


@blueprint.post("/courses/<uuid:course_id>/notices")
@blueprint.doc(operationId="publish_course_notice")
@blueprint.arguments(schemas.NewNotice)
@blueprint.response(201, schemas.CourseText)
def publish_course_notice(body: dict[str, Any], course_id: Any) -> dict[str, Any]:
    """Tell everybody who is enrolled; the tutor's."""
    return tell("learning", "publish_course_notice", {**body, "course_id": str(course_id)})


@blueprint.get("/courses/<uuid:course_id>/notices")
@blueprint.doc(operationId="list_course_notices")
@blueprint.arguments(Page, location="query")
@blueprint.response(200, schemas.Notices)
def list_course_notices(query: dict[str, Any], course_id: Any) -> dict[str, Any]:
    """The course's notices, newest first, and which of them one has read."""
    return _page("list_course_notices", course_id, query)


@blueprint.put("/course-notices/<uuid:text_id>/reading")
@blueprint.doc(operationId="read_course_notice")
@blueprint.response(200, schemas.Reading)
def read_course_notice(text_id: Any) -> dict[str, Any]:
    """Note that one has read it."""
    return tell("learning", "read_course_notice", {"text_id": str(text_id)})


@blueprint.post("/course-texts/<uuid:text_id>/reports")
@blueprint.doc(operationId="report_course_text")
@blueprint.arguments(schemas.NewReport)
@blueprint.response(200, schemas.Reported)
def report_course_text(body: dict[str, Any], text_id: Any) -> dict[str, Any]:
    """Tell the tutor that a shared text should not be there. Who reports stays unknown."""
    return tell("learning", "report_course_text", {**body, "text_id": str(text_id)})


@blueprint.get("/courses/<uuid:course_id>/reported-texts")
@blueprint.doc(operationId="list_reported_texts")
@blueprint.arguments(Page, location="query")
@blueprint.response(200, schemas.ReportedTexts)
def list_reported_texts(query: dict[str, Any], course_id: Any) -> dict[str, Any]:
    """What was reported and waits for the course's tutor, with the reasons."""
    return _page("list_reported_texts", course_id, query)


@blueprint.post("/course-texts/<uuid:text_id>/hiding")
@blueprint.doc(operationId="hide_course_text")
@blueprint.arguments(schemas.Hiding)
@blueprint.response(200, schemas.CourseText)
def hide_course_text(body: dict[str, Any], text_id: Any) -> dict[str, Any]:
    """Take a shared text out of the course, or put it back; the tutor's, on record."""
    return tell("learning", "hide_course_text", {**body, "text_id": str(text_id)})


@blueprint.get("/courses/<uuid:course_id>/search")
@blueprint.doc(operationId="search_course")
@blueprint.arguments(schemas.SearchQuery, location="query")
@blueprint.response(200, schemas.CourseTexts)
def search_course(query: dict[str, Any], course_id: Any) -> dict[str, Any]:
    """Own and shared notes, questions, answers and notices that hold the words; newest first."""
    return _page("search_course", course_id, query)


@blueprint.post("/courses/<uuid:course_id>/materials")
@blueprint.doc(operationId="add_course_material")
@blueprint.arguments(schemas.NewMaterial, location="files", content_type="multipart/form-data")
@blueprint.response(201, schemas.MaterialAdded)
def add_course_material(form: dict[str, Any], course_id: Any) -> dict[str, Any]:
    """Add a file to a course; the tutor's. It is looked through and sealed before it is kept."""
    extend_deadline(UPLOAD_SECONDS)
    named = {"course_id": str(course_id)}
    # Before the file costs anything: a course that is not one's own is unknown.
    ask("learning", "list_reported_texts", {**named, "limit": 1})
    with contextlib.closing(form["file"]) as file:
        media_type, content = evidence.read_proof(file.stream, "learning.material_form")
    title = form["title"]

    def tell_material(service: str, method: str, arguments: dict[str, Any], *, step: str) -> dict[str, Any]:
        named_so = {**arguments, "title": title} if step == "place" else arguments
        return tell(service, method, named_so, step=step)

    reply = evidence.add_file(evidence.MATERIALS, media_type, content, named, tell_material)
    return {"material_id": reply["material_id"], "title": reply["title"]}


@blueprint.get("/courses/<uuid:course_id>/materials")
@blueprint.doc(operationId="list_course_materials")
@blueprint.arguments(Page, location="query")
@blueprint.response(200, schemas.Materials)
def list_course_materials(query: dict[str, Any], course_id: Any) -> dict[str, Any]:
    """The course's files, newest first."""
    return _page("list_course_materials", course_id, query)


@blueprint.get("/courses/<uuid:course_id>/materials/<uuid:material_id>")
@blueprint.doc(operationId="view_course_material", responses=FILE_DOCUMENT)
def view_course_material(course_id: Any, material_id: Any) -> Response:
    """One file, for whoever is enrolled and the tutor."""
    extend_deadline(UPLOAD_SECONDS)
    named = {"course_id": str(course_id), "material_id": str(material_id)}
    found = ask("learning", "view_course_material", named)
    content = evidence.open_kept(found, str(material_id), "learning.material_unknown")
    response = Response(content, content_type=found["media_type"])
    # Saved, and never shown inside our own pages: a PDF may hold programs.
    response.headers["Content-Disposition"] = f'attachment; filename="{material_id}{SUFFIXES[found["media_type"]]}"'
    return response


@blueprint.delete("/courses/<uuid:course_id>/materials/<uuid:material_id>")
@blueprint.doc(operationId="remove_course_material")
@blueprint.response(204)
def remove_course_material(course_id: Any, material_id: Any) -> None:
    """Take a file out of the course; the tutor's."""
    named = {"course_id": str(course_id), "material_id": str(material_id)}
    gone = tell("learning", "remove_course_material", named)
    if gone["storage_key"]:
        evidence.take_back(gone["storage_key"])
