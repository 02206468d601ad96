"""Arguments and results of shares."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from services.certs.schemas import Verification
from services.certs.shares.rules import LONGEST
from services.shared.fields import Instant
from services.shared.paging import Page


class ShareCertificate(Schema):
    certificate_id = fields.UUID(required=True)
    days = fields.Integer(required=True, strict=True, validate=validate.Range(1, LONGEST.days))


class ListShares(Page):
    certificate_id = fields.UUID(required=True)
    cursor = fields.UUID(load_default=None, allow_none=True)


class ShareId(Schema):
    share_id = fields.UUID(required=True)


class OpenShare(Schema):
    token = fields.String(required=True, validate=validate.Length(1, 200))


class Share(Schema):
    share_id = fields.UUID()
    certificate_id = fields.UUID()
    live = fields.Boolean()
    created_at = Instant()
    expires_at = Instant()
    revoked_at = Instant(allow_none=True)
    opened = fields.Integer()
    opened_at = Instant(allow_none=True)


class NewShare(Share):
    token = fields.String()  # told once
    url = fields.String()


class SharedCertificate(Verification):
    """As a stranger sees it, but with the holder's name in full."""

    expires_at = Instant()
