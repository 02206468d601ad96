"""A small blueprint with one route of each shape, for the tests of what all routes share."""

from __future__ import annotations

from flask import Response
from marshmallow import fields, validate

from gateway import caching
from gateway.openapi import Blueprint
from gateway.pagination import open_cursor, seal_cursor
from gateway.rpc import ask, publish_confirmed, tell
from gateway.schemas import File, Page, PageReply, Schema, Text, Whole

blueprint = Blueprint("sample", __name__, description="Routes for tests")


class Segment(Schema):
    start = Whole(required=True, validate=validate.Range(0, 86_400), metadata={"example": 0})
    end = Whole(required=True, validate=validate.Range(0, 86_400), metadata={"example": 60})


class NewNote(Schema):
    title = Text(100, required=True, metadata={"example": "Notes"})
    count = Whole(load_default=1)
    hours = fields.Decimal(as_string=True)
    at = fields.AwareDateTime()
    owner = fields.UUID()
    segments = fields.List(fields.Nested(Segment), load_default=list, validate=validate.Length(max=50))
    extra = fields.Dict(keys=fields.String(), values=fields.Raw())


class Note(Schema):
    note_id = fields.String()
    title = fields.String()


class Notes(PageReply):
    items = fields.List(fields.Nested(Note))


class Upload(Schema):
    file = File("A file.", required=True)


@blueprint.get("/notes")
@blueprint.doc(operationId="list_notes")
@blueprint.arguments(Page, location="query")
@blueprint.response(200, Notes)
def list_notes(page):
    """List notes."""
    reply = ask("notes", "list_notes", {"after": open_cursor(page.get("cursor")), "limit": page["limit"]})
    return {"items": reply["items"], "next_cursor": seal_cursor(reply["next_cursor"])}


@blueprint.post("/notes")
@blueprint.doc(operationId="create_note")
@blueprint.arguments(NewNote)
@blueprint.response(201, Note)
def create_note(note):
    """Create a note."""
    return tell("notes", "create_note", NewNote().dump(note))


@blueprint.get("/notes/<uuid:note_id>")
@blueprint.doc(operationId="get_note", security=[])
@blueprint.response(200, Note)
def get_note(note_id):
    """Read a note."""
    caching.allow(60, public=True)
    return ask("notes", "get_note", {"note_id": str(note_id)})


@blueprint.delete("/notes/<uuid:note_id>")
@blueprint.doc(operationId="delete_note")
@blueprint.response(204)
def delete_note(note_id):
    """Delete a note."""
    tell("notes", "delete_note", {"note_id": str(note_id)})


@blueprint.get("/topics/<string:name>")
@blueprint.doc(operationId="get_topic")
@blueprint.response(200, Note)
def get_topic(name):
    """Read a topic by name."""
    return ask("notes", "get_topic", {"name": name})


@blueprint.post("/reports")
@blueprint.doc(operationId="report_segments")
@blueprint.arguments(NewNote)
@blueprint.response(202)
def report(note):
    """Publish without a call."""
    publish_confirmed("study", "0", {"title": note["title"]})
    return Response(status=202)


@blueprint.post("/defects")
@blueprint.doc(operationId="make_defect")
@blueprint.response(200)
def make_defect():
    """Fail as no view should."""
    raise RuntimeError("secret detail 440103199001011234")


@blueprint.post("/files")
@blueprint.doc(operationId="take_file")
@blueprint.arguments(Upload, location="files", content_type="multipart/form-data")
@blueprint.response(200)
def take_file(files):
    """Take a file."""
    return {"size": len(files["file"].read())}
