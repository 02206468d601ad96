"""Arguments of proofs."""

from __future__ import annotations

from marshmallow import Schema, fields, validate


class RequestStudyProof(Schema):
    programme_id = fields.UUID(required=True)


class RequestCreditCertificate(Schema):
    year = fields.Integer(required=True, strict=True, validate=validate.Range(min=1990, max=2200))
