"""Arguments of badges; what they answer are documents of the W3C's and 1EdTech's making."""

from __future__ import annotations

from marshmallow import Schema, fields, validate


class GetCredential(Schema):
    number = fields.String(required=True, validate=validate.Length(max=200))
    edition = fields.Integer(required=True, strict=True, validate=validate.Range(1, 10_000))


class GetStatusList(Schema):
    # Two thousand million certificates; more would not be an index.
    list_number = fields.Integer(required=True, strict=True, validate=validate.Range(0, 16_383))
