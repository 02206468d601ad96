"""Arguments and replies of the methods that every mounting service gets."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from services.shared.bulk.rules import Outcome
from services.shared.fields import Instant
from services.shared.paging import Page

LONGEST_LIST = 1_000  # rows in the request itself; more come as a file
MAXIMUM_PIECES = 64
_SHA256 = validate.Regexp(r"[0-9a-f]{64}\Z")
_Kind = fields.String(required=True, validate=validate.Regexp(r"[a-z_]{1,60}\Z"))


class Nothing(Schema):
    """No arguments."""


class JobId(Schema):
    job_id = fields.UUID(required=True)


class OpenJob(Schema):
    kind = _Kind
    parameters = fields.Dict(keys=fields.String(), load_default=dict)
    at_once = fields.Boolean(load_default=False, truthy={True}, falsy={False})
    sha256 = fields.String(required=True, validate=_SHA256)


class SealedFile(Schema):
    file_id = fields.UUID(required=True)
    pieces = fields.List(fields.String(), required=True, validate=validate.Length(1, MAXIMUM_PIECES))
    sha256 = fields.String(required=True, validate=_SHA256)
    size = fields.Integer(required=True, strict=True)


class AttachFile(JobId):
    file = fields.Nested(SealedFile, required=True)


class SubmitRows(Schema):
    kind = _Kind
    parameters = fields.Dict(keys=fields.String(), load_default=dict)
    at_once = fields.Boolean(load_default=True, truthy={True}, falsy={False})
    rows = fields.List(
        fields.Dict(keys=fields.String(), values=fields.String(validate=validate.Length(max=1000))),
        required=True,
        validate=validate.Length(1, LONGEST_LIST),
    )


class RequestExport(Schema):
    kind = _Kind
    place = fields.String(required=True, validate=validate.Regexp(r"CN(/[0-9a-z]{1,40}){0,4}\Z"))
    filters = fields.Dict(keys=fields.String(), load_default=dict)
    reason = fields.String(required=True, validate=[validate.Length(4, 200), validate.Regexp(r"[\s\S]*\S")])


class ListJobs(Page):
    cursor = fields.UUID(load_default=None, allow_none=True)


class ListRows(Page, JobId):
    outcome = fields.Enum(Outcome, load_default=None, allow_none=True)
    cursor = fields.Integer(load_default=None, allow_none=True, strict=True)


class RedeemDownload(JobId):
    token = fields.String(required=True, validate=validate.Length(1, 100))


class Column(Schema):
    key = fields.String()
    title = fields.String()
    required = fields.Boolean()
    words = fields.Method("list_words")

    def list_words(self, column: Any) -> list[str]:
        return list(column.words)


class KindShown(Schema):
    kind = fields.String(attribute="name")
    title = fields.String()
    export = fields.Boolean()
    columns = fields.List(fields.Nested(Column))


class Job(Schema):
    job_id = fields.UUID()
    kind = fields.String()
    state = fields.String()
    place = fields.String()
    reason = fields.String()
    attempt = fields.Integer()
    code = fields.String()
    field = fields.String()
    file_expires_at = Instant(allow_none=True)
    version = fields.Integer()
    created_at = Instant()
    changed_at = Instant()
    finished_at = Instant(allow_none=True)


class RowShown(Schema):
    number = fields.Integer()
    outcome = fields.String()
    code = fields.String()
    field = fields.String()


class Download(Schema):
    token = fields.String()
    expires_at = Instant()
