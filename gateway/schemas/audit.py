"""Query and rows of the audit trail."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import fields, validate

from gateway.schemas import Page, PageReply
from services.shared.settings import SERVICES

EXAMPLE_ID = "0191f2b4-5d6e-7a3b-8c1d-2e3f4a5b6c7d"
EXAMPLE_PLACE = "CN/440000/440100/440104"


class AuditQuery(Page):
    service = fields.String(
        required=True,
        validate=validate.OneOf(SERVICES),
        metadata={"description": "Whose trail; each service keeps its own.", "example": "org"},
    )
    actor = fields.String(
        validate=validate.Length(min=1, max=80),
        metadata={"description": "Who acted: an account, or `service:cli`.", "example": EXAMPLE_ID},
    )
    subject = fields.UUID(metadata={"description": "On whom.", "example": EXAMPLE_ID})
    action = fields.String(
        validate=validate.Regexp(r"[a-z_]{1,60}\Z"), metadata={"description": "What.", "example": "verify_membership"}
    )
    place = fields.String(
        validate=validate.Regexp(r"CN(/[0-9a-z]{1,40}){0,6}\Z"),
        metadata={"description": "Where, and below; the own territory without it.", "example": EXAMPLE_PLACE},
    )
    since = fields.AwareDateTime(format="iso", metadata={"example": "2023-01-01T00:00:00Z"})
    until = fields.AwareDateTime(
        format="iso", metadata={"description": "Up to, not including.", "example": "2023-02-01T00:00:00Z"}
    )
    refused = fields.Boolean(
        metadata={"description": "true: only attempts that were refused; false: only what was done.", "example": True}
    )


class AuditRecord(ma.Schema):
    """One act, or one attempt that was refused. Rows are never changed; a chain of seals proves it."""

    id = fields.UUID(metadata={"example": EXAMPLE_ID})
    at = fields.String(metadata={"example": "2023-01-10T02:00:00.000000Z"})
    actor = fields.String(metadata={"description": "An account, or a service.", "example": EXAMPLE_ID})
    address = fields.String(metadata={"description": "The network address it came from.", "example": "203.0.113.7"})
    session_id = fields.UUID(
        allow_none=True, metadata={"description": "The sign-in it came from.", "example": EXAMPLE_ID}
    )
    action = fields.String(metadata={"example": "verify_membership"})
    subject = fields.UUID(allow_none=True, metadata={"description": "On whom.", "example": EXAMPLE_ID})
    place = fields.String(metadata={"example": EXAMPLE_PLACE})
    reason = fields.String(metadata={"example": ""})
    refusal = fields.String(
        metadata={"description": "Of an attempt that was refused: the code. Empty when it was done.", "example": ""}
    )
    before = fields.Dict(metadata={"example": {"state": "PENDING"}})
    after = fields.Dict(metadata={"example": {"state": "VERIFIED"}})
    call_id = fields.String(metadata={"description": "Also in the logs."})


class AuditPage(PageReply):
    items = fields.List(fields.Nested(AuditRecord))
