"""Arguments and results of corrections."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from services.certs.contract import CorrectionAct, CorrectionState
from services.identity.contract import PEOPLE_AT_ONCE
from services.shared.fields import Instant
from services.shared.paging import Page

REASON = validate.Length(2, 200)


class ProposeCorrection(Schema):
    act = fields.Enum(CorrectionAct, required=True)
    # As many as identity names in one answer: a correction is one transaction.
    certificate_ids = fields.List(fields.UUID(), required=True, validate=validate.Length(1, PEOPLE_AT_ONCE))
    reason = fields.String(required=True, validate=REASON)


class CorrectionId(Schema):
    correction_id = fields.UUID(required=True)


class RejectCorrection(CorrectionId):
    reason = fields.String(required=True, validate=REASON)


class ListCorrections(Page):
    state = fields.Enum(CorrectionState, load_default=None, allow_none=True)
    cursor = fields.UUID(load_default=None, allow_none=True)


class CorrectedCertificate(Schema):
    certificate_id = fields.UUID()
    number = fields.String()
    edition = fields.Integer()
    state = fields.String()
    holder_name = fields.String()  # masked
    school_name = fields.String()
    successor_id = fields.UUID(allow_none=True)


class Correction(Schema):
    correction_id = fields.UUID()
    act = fields.String()
    state = fields.String()
    reason = fields.String()
    proposed_by = fields.UUID()
    proposed_at = Instant()
    decided_by = fields.UUID(allow_none=True)
    decided_at = Instant(allow_none=True)
    decision_reason = fields.String()
    certificates = fields.List(fields.Nested(CorrectedCertificate))
