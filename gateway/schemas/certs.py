"""HTTP bodies of certs."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import fields, validate

from gateway.schemas import Page, PageReply, Schema, Text, Whole
from services.certs.contract import KINDS, MOST_AT_ONCE, PublicState

NUMBER = {"description": "Certificate number, in groups of four.", "example": "2023-RA2W-V5NM-T00P"}
HOURS = {"description": "Recognised hours, a decimal string.", "example": "6.00"}
STATE = {"description": "What a stranger is told.", "enum": [str(state) for state in PublicState], "example": "VALID"}
INSTANT = {"format": "date-time", "example": "2023-03-01T00:05:00.000000Z"}
DAY = {"format": "date", "example": "2023-02-28"}
SIGNATURE = {"description": "Ed25519 over the UTF-8 bytes of `statement`, base64url without padding."}
STATEMENT = {"description": "The signed text: canonical JSON, format `yanxiu.certificate/1`."}
KEY_ID = {"description": "`kid` of the key in /api/v1/certificate-keys.", "example": "5f1c09ab"}


class Programme(ma.Schema):
    programme_id = fields.UUID(required=True)
    code = fields.String(required=True, metadata={"example": "2023-winter"})
    title_zh = fields.String(required=True, metadata={"example": "2023年寒假教师研修"})
    title_en = fields.String(required=True, metadata={"example": "Winter training for teachers, 2023"})


class Change(ma.Schema):
    state = fields.String(required=True, metadata=STATE)
    at = fields.String(required=True, metadata=INSTANT)
    edition = fields.Integer(required=True, metadata={"example": 1})


class CertificateSummary(ma.Schema):
    certificate_id = fields.UUID(required=True)
    number = fields.String(required=True, metadata=NUMBER)
    edition = fields.Integer(required=True, metadata={"description": "A corrected certificate is the next edition."})
    kind = fields.String(required=True, metadata={"enum": list(KINDS), "example": "LEARNING"})
    state = fields.String(required=True, metadata=STATE)
    programme = fields.Nested(Programme, required=True)
    school_name = fields.String(required=True, metadata={"example": "广州市第一小学"})
    hours = fields.String(required=True, metadata=HOURS)
    issued_at = fields.String(required=True, metadata=INSTANT)
    verification_url = fields.String(
        required=True, metadata={"description": "What the QR code holds.", "format": "uri"}
    )


class CertificatePage(PageReply):
    items = fields.List(fields.Nested(CertificateSummary), required=True)


class Certificate(CertificateSummary):
    teacher_id = fields.UUID(required=True)
    holder_name = fields.String(
        required=True,
        metadata={"description": "In full for the holder, masked for administrators.", "example": "张小明"},
    )
    statement = fields.String(required=True, metadata=STATEMENT)
    signature = fields.String(required=True, metadata=SIGNATURE)
    key_id = fields.String(required=True, metadata=KEY_ID)
    history = fields.List(fields.Nested(Change), required=True)


class CertificateStanding(ma.Schema):
    programme_id = fields.UUID(required=True)
    state = fields.String(
        required=True,
        metadata={"enum": ["NOT_DUE", "NOT_EARNED", "BLOCKED", "ISSUED", "REVOKED"], "example": "BLOCKED"},
    )
    reasons = fields.List(
        fields.String(), required=True, metadata={"description": "Stable codes.", "example": ["teacher_not_verified"]}
    )
    messages = fields.List(
        fields.String(), required=True, metadata={"description": "The reasons in the language asked for."}
    )
    hours = fields.String(required=True, metadata=HOURS)
    courses_done = fields.Integer(required=True, metadata={"example": 5})
    courses_total = fields.Integer(required=True, metadata={"example": 5})
    certificate_id = fields.UUID(required=True, allow_none=True)
    decided_at = fields.String(required=True, allow_none=True, metadata=INSTANT)


class Verification(ma.Schema):
    number = fields.String(required=True, metadata=NUMBER)
    state = fields.String(required=True, metadata=STATE)
    edition = fields.Integer(required=True)
    kind = fields.String(required=True, metadata={"enum": list(KINDS), "example": "LEARNING"})
    holder_name = fields.String(required=True, metadata={"description": "Masked.", "example": "张*明"})
    school_name = fields.String(required=True, metadata={"example": "广州市第一小学"})
    programme_zh = fields.String(required=True)
    programme_en = fields.String(required=True)
    opens_on = fields.String(required=True, metadata=DAY)
    closes_on = fields.String(required=True, metadata=DAY)
    hours = fields.String(required=True, metadata=HOURS)
    issued_at = fields.String(required=True, metadata=INSTANT)
    issuer = fields.String(required=True)
    programme_code = fields.String(metadata={"description": "Of a credit certificate: year and unit."})
    history = fields.List(fields.Nested(Change), required=True)
    statement = fields.String(required=True, metadata=STATEMENT)
    signature = fields.String(required=True, metadata=SIGNATURE)
    key_id = fields.String(required=True, metadata=KEY_ID)


class NewShare(Schema):
    days = Whole(required=True, validate=validate.Range(1, 90), metadata={"description": "How long.", "example": 30})


class Share(ma.Schema):
    share_id = fields.UUID(required=True)
    certificate_id = fields.UUID(required=True)
    live = fields.Boolean(required=True)
    created_at = fields.String(required=True, metadata=INSTANT)
    expires_at = fields.String(required=True, metadata=INSTANT)
    revoked_at = fields.String(required=True, allow_none=True, metadata=INSTANT)
    opened = fields.Integer(required=True, metadata={"description": "How often.", "example": 2})
    opened_at = fields.String(required=True, allow_none=True, metadata=INSTANT)


class CreatedShare(Share):
    token = fields.String(required=True, metadata={"description": "Told once."})
    url = fields.String(required=True, metadata={"format": "uri"})


class Shares(PageReply):
    items = fields.List(fields.Nested(Share), required=True)


class SharedCertificate(Verification):
    holder_name = fields.String(required=True, metadata={"description": "In full.", "example": "张小明"})
    expires_at = fields.String(required=True, metadata=INSTANT)


class Numbers(Schema):
    numbers = fields.List(
        fields.String(validate=validate.Length(max=200)),
        required=True,
        validate=validate.Length(1, MOST_AT_ONCE),
        metadata={"description": "As they are printed or typed.", "example": ["2023-RA2W-V5NM-T00P"]},
    )


class NumberAnswer(ma.Schema):
    typed = fields.String(required=True, metadata={"example": "2023-RA2W-V5NM-T00P"})
    code = fields.String(
        required=True,
        metadata={"description": "Empty of a genuine number, else why not.", "example": "certs.number_unknown"},
    )
    message = fields.String(required=True, metadata={"description": "The code in the language asked for."})
    found = fields.Nested(Verification, required=True, allow_none=True)


class NumberAnswers(ma.Schema):
    items = fields.List(fields.Nested(NumberAnswer), required=True)


class PublicKey(ma.Schema):
    kty = fields.String(required=True, metadata={"example": "OKP"})
    crv = fields.String(required=True, metadata={"example": "Ed25519"})
    alg = fields.String(required=True, metadata={"example": "EdDSA"})
    use = fields.String(required=True, metadata={"example": "sig"})
    kid = fields.String(required=True, metadata={"example": "5f1c09ab"})
    x = fields.String(required=True, metadata={"description": "The public key, base64url."})


class KeySet(ma.Schema):
    """A JSON Web Key Set."""

    keys = fields.List(fields.Nested(PublicKey), required=True)


class NewCompletion(Schema):
    teacher_id = fields.UUID(required=True)
    institution = Text(60, required=True, metadata={"example": "南宁市教师培训中心"})
    issued_number = Text(
        40, required=True, metadata={"description": "Your own number of the certificate.", "example": "桂训2025-0012"}
    )
    title_zh = Text(100, required=True, metadata={"example": "骨干教师提升培训"})
    title_en = Text(200, shortest=0, load_default="", metadata={"example": "Training of leading teachers"})
    started_on = fields.Date(required=True, metadata={"example": "2025-07-01"})
    ended_on = fields.Date(required=True, metadata={"example": "2025-07-10"})
    issued_on = fields.Date(required=True, metadata={"example": "2025-07-12"})
    hours = fields.String(
        required=True,
        validate=validate.Regexp(r"[0-9]{1,4}(\.[0-9]{1,2})?\Z"),
        metadata={"description": "A decimal string, at most two places.", "example": "40.00"},
    )


class RegisteredCertificate(ma.Schema):
    certificate_id = fields.UUID(required=True)
    number = fields.String(required=True, metadata=NUMBER)
    edition = fields.Integer(required=True)
    state = fields.String(required=True, metadata=STATE)
    holder_name = fields.String(required=True, metadata={"description": "Masked.", "example": "张*明"})
    school_name = fields.String(required=True)
    institution = fields.String(required=True)
    issued_number = fields.String(required=True)
    title_zh = fields.String(required=True)
    title_en = fields.String(required=True)
    started_on = fields.String(required=True, metadata=DAY)
    ended_on = fields.String(required=True, metadata=DAY)
    hours = fields.String(required=True, metadata=HOURS)
    registered_at = fields.String(required=True, metadata=INSTANT)
    verification_url = fields.String(required=True, metadata={"format": "uri"})


class RegisteredCertificates(PageReply):
    items = fields.List(fields.Nested(RegisteredCertificate), required=True)


class VerifiableCredential(ma.Schema):
    """A W3C Verifiable Credential 2.0 with a Data Integrity proof `eddsa-rdfc-2022` by the issuer's `did:web` key."""

    context = fields.List(
        fields.String(),
        data_key="@context",
        attribute="@context",
        required=True,
        metadata={"example": ["https://www.w3.org/ns/credentials/v2"]},
    )
    id = fields.String(required=True, metadata={"format": "uri"})
    type = fields.List(fields.String(), required=True, metadata={"example": ["VerifiableCredential"]})
    name = fields.String()
    issuer = fields.Raw(required=True, metadata={"description": "The issuer's DID, or an object with it."})
    validFrom = fields.String(required=True, metadata=INSTANT)  # noqa: N815  the standard's name
    credentialSubject = fields.Dict(required=True)  # noqa: N815
    credentialStatus = fields.Dict()  # noqa: N815
    proof = fields.Dict(required=True)


class IssueHold(ma.Schema):
    programme_id = fields.UUID()
    day = fields.String(metadata={**DAY, "description": "Of the last proof that failed."})
    differences = fields.Integer(metadata={"example": 3})
    held_at = fields.String(metadata=INSTANT)
    lifted_at = fields.String(allow_none=True, metadata=INSTANT)
    reason = fields.String(metadata={"description": "Why it was lifted, else empty.", "example": ""})


class IssueHolds(ma.Schema):
    items = fields.List(fields.Nested(IssueHold))


class HoldLifting(Schema):
    reason = Text(500, shortest=4, required=True, metadata={"example": "差异已更正，经两人复核"})


_PLACE = {"description": "A place of one's territory.", "example": "CN/440000/440100/440103"}
_OF_PROGRAMME = {"description": "Of this programme only.", "example": "0191f2b4-5d6e-7a3b-8c1d-2e3f4a5b6c7d"}
_BEIJING_DAY = {"description": "A Beijing day, included.", "example": "2023-03-01"}


class IssuedCertificatesQuery(Page):
    place = Text(80, required=True, metadata=_PLACE)
    kind = fields.String(validate=validate.OneOf(list(KINDS)), metadata={"example": "LEARNING"})
    state = fields.String(validate=validate.OneOf([str(state) for state in PublicState]), metadata=STATE)
    programme_id = fields.UUID(metadata=_OF_PROGRAMME)
    issued_from = fields.Date(metadata=_BEIJING_DAY)
    issued_to = fields.Date(metadata=_BEIJING_DAY)


class IssuedCertificate(CertificateSummary):
    teacher_id = fields.UUID(required=True)
    holder_name = fields.String(required=True, metadata={"description": "Masked.", "example": "张*明"})
    place = fields.String(required=True, metadata={**_PLACE, "description": "Where its holder is now."})


class IssuedCertificates(PageReply):
    items = fields.List(fields.Nested(IssuedCertificate), required=True)


class CertificateStatisticsQuery(Schema):
    place = Text(80, required=True, metadata=_PLACE)
    programme_id = fields.UUID(metadata=_OF_PROGRAMME)


class CertificateStatisticsBelowQuery(Page):
    place = Text(80, required=True, metadata=_PLACE)
    programme_id = fields.UUID(metadata=_OF_PROGRAMME)


class KindFigures(ma.Schema):
    kind = fields.String(required=True, metadata={"enum": list(KINDS), "example": "LEARNING"})
    valid = fields.Integer(required=True, metadata={"example": 590})
    replaced = fields.Integer(
        required=True, metadata={"description": "Editions that a later one replaced.", "example": 3}
    )
    revoked = fields.Integer(required=True, metadata={"example": 1})
    blocked = fields.Integer(
        required=True, metadata={"description": "Earned, and not issued yet for a reason.", "example": 10}
    )


class PlaceCertificates(ma.Schema):
    place = fields.String(required=True, metadata=_PLACE)
    kinds = fields.List(fields.Nested(KindFigures), required=True)


class CertificateStatistics(PlaceCertificates):
    as_of = fields.String(required=True, metadata={"description": "Up to when everything is counted.", **INSTANT})


class CertificateStatisticsBelow(PageReply):
    items = fields.List(fields.Nested(PlaceCertificates), required=True)
    as_of = fields.String(required=True, metadata={"description": "Up to when everything is counted.", **INSTANT})
