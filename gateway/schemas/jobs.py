"""Bodies and queries of jobs and exports."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import fields, validate

from gateway.schemas import File, Page, PageReply, Schema, Text
from services.shared.bulk.rules import JobState, Outcome
from services.shared.bulk.schemas import LONGEST_LIST

EXAMPLE_ID = "0191f2b4-5d6e-7a3b-8c1d-2e3f4a5b6c7d"
EXAMPLE_PLACE = "CN/440000/440100/440104"


def kind(**options: str) -> fields.String:
    return fields.String(
        required=True,
        validate=validate.Regexp(r"^[a-z_]{1,60}\Z"),
        metadata={"description": "One of the listed kinds.", "example": "import_teachers", **options},
    )


def reason() -> Text:
    return Text(200, metadata={"example": "不是本校教师"})


AT_ONCE = {"description": "Start without waiting for a look at the preview."}


class Upload(Schema):
    file = File("An .xlsx or .csv file of at most 24 MB.", required=True)
    kind = kind()
    at_once = fields.String(
        load_default="false", validate=validate.OneOf(["true", "false"]), metadata={**AT_ONCE, "example": "false"}
    )
    reason = reason()


class Parameters(Schema):
    reason = reason()


class NewJob(Schema):
    kind = kind(example="verify_memberships")
    parameters = fields.Nested(Parameters, load_default=dict, metadata={"description": "What the kind asks for."})
    at_once = fields.Boolean(load_default=True, truthy={True}, falsy={False}, metadata=AT_ONCE)
    rows = fields.List(
        fields.Dict(
            keys=fields.String(validate=validate.Length(1, 40)),
            values=fields.String(validate=validate.Length(max=1000)),
            metadata={"example": {"teacher_id": EXAMPLE_ID}},
        ),
        required=True,
        validate=validate.Length(1, LONGEST_LIST),
        metadata={"description": "Values by the keys of the kind's columns."},
    )


class NewExport(Schema):
    kind = kind(example="export_teachers")
    place = fields.String(
        required=True,
        validate=validate.Regexp(r"^CN(/[0-9a-z]{1,40}){0,4}\Z"),
        metadata={"description": "What is exported: this place and below it.", "example": EXAMPLE_PLACE},
    )
    reason = Text(
        200,
        shortest=4,
        required=True,
        metadata={"description": "The purpose; printed on the file and kept.", "example": "年度验证核对名册"},
    )
    filters = fields.Dict(
        keys=fields.String(validate=validate.Length(1, 40)),
        values=fields.Raw(),
        load_default=dict,
        metadata={"description": "What the kind takes.", "example": {}},
    )


class Counts(ma.Schema):
    total = fields.Integer(metadata={"example": 200})
    pending = fields.Integer(metadata={"example": 0})
    created = fields.Integer(metadata={"example": 190})
    changed = fields.Integer(metadata={"example": 0})
    unchanged = fields.Integer(metadata={"example": 0})
    refused = fields.Integer(metadata={"example": 10})


class Job(ma.Schema):
    job_id = fields.String(metadata={"example": EXAMPLE_ID})
    kind = fields.String(metadata={"example": "import_teachers"})
    export = fields.Boolean()
    state = fields.String(validate=validate.OneOf([str(state) for state in JobState]), metadata={"example": "DONE"})
    place = fields.String(metadata={"example": EXAMPLE_PLACE})
    reason = fields.String(metadata={"description": "Of an export."})
    attempt = fields.Integer(metadata={"example": 1})
    counts = fields.Nested(Counts)
    code = fields.String(metadata={"description": "Why the whole job was refused or stopped, else empty."})
    field = fields.String()
    message = fields.String(metadata={"description": "The code's text in the language asked for."})
    file_ready = fields.Boolean(metadata={"description": "Whether the report or the export can be fetched."})
    file_expires_at = fields.String(allow_none=True)
    version = fields.Integer()
    created_at = fields.String(metadata={"example": "2023-01-10T02:00:00.000000Z"})
    changed_at = fields.String()
    finished_at = fields.String(allow_none=True)


class Jobs(PageReply):
    items = fields.List(fields.Nested(Job))


class RowsQuery(Page):
    outcome = fields.String(
        validate=validate.OneOf([str(outcome) for outcome in Outcome]),
        metadata={"description": "Only rows of this outcome.", "example": "REFUSED"},
    )


class Row(ma.Schema):
    number = fields.Integer(metadata={"description": "As the spreadsheet program numbers it.", "example": 2})
    outcome = fields.String(validate=validate.OneOf([str(outcome) for outcome in Outcome]))
    code = fields.String(metadata={"description": "Of a refusal, else empty.", "example": "identity.id_no_check_digit"})
    field = fields.String(metadata={"example": "id_no"})
    column = fields.String(metadata={"description": "The field's title in the template.", "example": "证件号码"})
    message = fields.String(metadata={"description": "In the language asked for."})


class Rows(PageReply):
    items = fields.List(fields.Nested(Row))


class KindColumn(ma.Schema):
    key = fields.String(metadata={"example": "school_type"})
    title = fields.String(metadata={"example": "办学类型"})
    required = fields.Boolean()
    words = fields.List(fields.String(), metadata={"description": "What a cell may say; empty for free text."})


class JobKind(ma.Schema):
    kind = fields.String(metadata={"example": "import_schools"})
    title = fields.String(metadata={"example": "学校名册导入"})
    export = fields.Boolean()
    columns = fields.List(fields.Nested(KindColumn))


class JobKinds(ma.Schema):
    items = fields.List(fields.Nested(JobKind))


class Download(ma.Schema):
    token = fields.String(metadata={"description": "Good once, for this account and this file."})
    expires_at = fields.String()


class DownloadQuery(Schema):
    token = fields.String(required=True, validate=validate.Length(1, 100), metadata={"example": "x"})
