"""Bodies and queries of corrections of certificates."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import fields, validate

from gateway.schemas import Page, PageReply, Schema, Text
from gateway.schemas.certs import INSTANT, NUMBER, STATE
from gateway.schemas.org import EXAMPLE_ID, choice
from services.certs.contract import CorrectionAct, CorrectionState
from services.identity.contract import PEOPLE_AT_ONCE

REASON = {"description": "Kept with the certificate's history; not shown to strangers.", "example": "姓名有误"}


class NewCorrection(Schema):
    act = choice(
        CorrectionAct,
        required=True,
        metadata={
            "description": "换发 REISSUE: the next edition, with the name and hours of now. 撤销 REVOKE.",
            "example": "REISSUE",
        },
    )
    certificate_ids = fields.List(
        fields.UUID(),
        required=True,
        validate=validate.Length(1, PEOPLE_AT_ONCE),
        metadata={"description": "All are corrected, or none.", "example": [EXAMPLE_ID]},
    )
    reason = Text(200, shortest=2, required=True, metadata=REASON)


class CorrectionRejection(Schema):
    reason = Text(200, shortest=2, required=True, metadata=REASON)


class CorrectionsQuery(Page):
    state = choice(CorrectionState, metadata={"example": "PROPOSED"})


class CorrectedCertificate(ma.Schema):
    certificate_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    number = fields.String(metadata=NUMBER)
    edition = fields.Integer()
    state = fields.String(metadata=STATE)
    holder_name = fields.String(metadata={"description": "Masked.", "example": "张*明"})
    school_name = fields.String(metadata={"example": "广州市第一小学"})
    successor_id = fields.UUID(allow_none=True, metadata={"description": "The edition that took its place."})


class Correction(ma.Schema):
    correction_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    act = choice(CorrectionAct, metadata={"example": "REISSUE"})
    state = choice(CorrectionState, metadata={"example": "PROPOSED"})
    reason = fields.String(metadata=REASON)
    proposed_by = fields.UUID(metadata={"example": EXAMPLE_ID})
    proposed_at = fields.String(metadata=INSTANT)
    decided_by = fields.UUID(allow_none=True)
    decided_at = fields.String(allow_none=True, metadata=INSTANT)
    decision_reason = fields.String()
    certificates = fields.List(fields.Nested(CorrectedCertificate))


class Corrections(PageReply):
    items = fields.List(fields.Nested(Correction), required=True)
