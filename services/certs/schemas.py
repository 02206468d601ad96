"""Arguments and results of certs."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from services.certs.contract import MOST_AT_ONCE
from services.certs.contract.document import PrintedDocument
from services.shared.fields import Instant
from services.shared.paging import Page


class ListCertificates(Page):
    cursor = fields.UUID(load_default=None, allow_none=True)


class GetStanding(Schema):
    programme_id = fields.UUID(required=True)


class GetCertificate(Schema):
    certificate_id = fields.UUID(required=True)


class VerifyCertificate(Schema):
    # As typed: the rules read it, and answer in one way to everything that is no number.
    number = fields.String(required=True, validate=validate.Length(max=200))


class VerifyCertificates(Schema):
    numbers = fields.List(
        fields.String(validate=validate.Length(max=200)),
        required=True,
        validate=validate.Length(1, MOST_AT_ONCE),
    )


class Programme(Schema):
    programme_id = fields.UUID()
    code = fields.String()
    title_zh = fields.String()
    title_en = fields.String()


class Standing(Schema):
    programme_id = fields.UUID()
    state = fields.String()
    reasons = fields.List(fields.String())
    hours = fields.Decimal(places=2, as_string=True)
    courses_done = fields.Integer()
    courses_total = fields.Integer()
    certificate_id = fields.UUID(allow_none=True)
    decided_at = Instant()


class Change(Schema):
    """One step of a certificate's life."""

    state = fields.String()
    at = Instant()
    edition = fields.Integer()


class CertificateSummary(Schema):
    certificate_id = fields.UUID()
    number = fields.String()
    edition = fields.Integer()
    kind = fields.String()
    state = fields.String()
    programme = fields.Nested(Programme)
    school_name = fields.String()
    hours = fields.Decimal(places=2, as_string=True)
    issued_at = Instant()
    verification_url = fields.String()


class CertificatePage(Schema):
    items = fields.List(fields.Nested(CertificateSummary))
    next_cursor = fields.String(allow_none=True)


class Certificate(CertificateSummary):
    teacher_id = fields.UUID()
    holder_name = fields.String()
    statement = fields.String()
    signature = fields.String()
    key_id = fields.String()
    history = fields.List(fields.Nested(Change))


class Verification(Schema):
    """What a stranger learns: nothing that identifies the holder beyond what the paper in his hand already shows."""

    number = fields.String()
    state = fields.String()
    edition = fields.Integer()
    kind = fields.String()
    holder_name = fields.String()  # masked
    school_name = fields.String()
    programme_code = fields.String()
    programme_zh = fields.String()
    programme_en = fields.String()
    opens_on = fields.String()
    closes_on = fields.String()
    hours = fields.String()
    issued_at = fields.String()
    issuer = fields.String()
    history = fields.List(fields.Nested(Change))
    statement = fields.String()
    signature = fields.String()
    key_id = fields.String()


class Answer(Schema):
    """What is known of one number of many."""

    typed = fields.String()
    code = fields.String()  # "" of a genuine one, else why there is nothing to tell
    found = fields.Nested(Verification, allow_none=True)


class Answers(Schema):
    items = fields.List(fields.Nested(Answer))


class RenderedDocument(Schema):
    """Where the PDF lies; the gateway streams it from the storage."""

    storage_key = fields.String()
    sha256 = fields.String()
    size = fields.Integer()
    file_name = fields.String()


_year = validate.Range(min=1990, max=2200)
_reason = validate.Length(min=4, max=200)


class RenderYearSheet(Schema):
    year = fields.Integer(required=True, strict=True, validate=_year)


class RenderTeacherSheet(RenderYearSheet):
    teacher_id = fields.UUID(required=True)
    reason = fields.String(required=True, validate=_reason)


class RenderSchoolList(RenderYearSheet):
    place = fields.String(required=True, validate=validate.Length(min=2, max=80))
    reason = fields.String(required=True, validate=_reason)


class RenderDocument(Schema):
    document = fields.Nested(PrintedDocument, required=True)
