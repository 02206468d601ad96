"""Bodies and queries of yearly verification, the credit matrix, and complaints."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import fields, validate

from gateway.schemas import Page, PageReply, Schema, Text
from services.credits.contract.verification import ComplaintAbout, ComplaintState, RequirementStatus, YearState

EXAMPLE_ID = "0191f2b4-5d6e-7a3b-8c1d-2e3f4a5b6c7d"
_AS_OF = {"description": "What was known at that moment, instead of now.", "example": "2023-11-21T10:00:00+08:00"}
_PLACE = "CN/450000/450100/450103"
_YEAR = validate.Range(1990, 2200)
_TEACHER = {
    "description": "Whose; one's own without it. Administrators may name teachers of their territory.",
    "example": EXAMPLE_ID,
}
_ABOUT = [str(about) for about in ComplaintAbout]
_STATES = [str(state) for state in ComplaintState]


class YearQuery(Schema):
    teacher_id = fields.UUID(metadata=_TEACHER)
    as_of = fields.AwareDateTime(format="iso", metadata=_AS_OF)


class MatrixQuery(Schema):
    teacher_id = fields.UUID(metadata=_TEACHER)
    year = fields.Integer(validate=_YEAR, metadata={"description": "Any year of the cycle; this one's without it."})
    as_of = fields.AwareDateTime(format="iso", metadata=_AS_OF)


class Shortfall(ma.Schema):
    rule_id = fields.String(metadata={"example": "GX.YEAR"})
    measure = fields.String(
        metadata={"description": "total, a category, or a sum of categories.", "example": "校本研修"}
    )
    missing = fields.String(metadata={"example": "2.00"})


class Requirement(ma.Schema):
    rule_id = fields.String(metadata={"example": "GX.YEAR"})
    measure = fields.String(metadata={"example": "total"})
    required = fields.String(metadata={"example": "16.00"})


class Figures(ma.Schema):
    met = fields.Boolean(metadata={"example": False})
    total = fields.String(metadata={"example": "14.00"})
    amounts = fields.Dict(metadata={"description": "By category.", "example": {"校本研修": "8.00"}})
    required = fields.List(
        fields.Nested(Requirement), metadata={"description": "What the figures are measured against."}
    )
    shortfalls = fields.List(fields.Nested(Shortfall))


class CycleFigures(Figures):
    years = fields.List(fields.Integer(), metadata={"example": [2021, 2022, 2023, 2024, 2025]})


class YearVerification(ma.Schema):
    teacher_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    year = fields.Integer(metadata={"example": 2023})
    state = fields.String(metadata={"description": ", ".join(YearState), "example": "OPEN"})
    version = fields.Integer(metadata={"description": "Of the frozen snapshot; 0 while open.", "example": 0})
    scheme = fields.String(metadata={"description": "Whose rules.", "example": "guangxi"})
    pack = fields.Dict(metadata={"description": "The rule pack's id, version and unit."})
    verification = fields.Nested(Figures)
    cycle = fields.Nested(CycleFigures)
    probation = fields.Dict(allow_none=True)
    not_converted = fields.List(fields.Dict(), metadata={"description": "Earned under other rules, and not added."})
    trace = fields.List(fields.Dict(), metadata={"description": "Every rule that changed a number."})
    hash = fields.String(allow_none=True, metadata={"description": "SHA-256 of the frozen content."})
    as_of = fields.String(metadata={"example": "2023-11-20T02:00:00.000000Z"})


class YearsQuery(Page):
    place = Text(80, required=True, metadata={"description": "A place of one's territory.", "example": _PLACE})
    met = fields.Boolean(metadata={"description": "Only those that meet the requirement, or that do not."})
    frozen = fields.Boolean(metadata={"description": "Only frozen years, or only open ones; both without it."})


class PlaceQuery(Schema):
    place = Text(80, required=True, metadata={"description": "A place of one's territory.", "example": _PLACE})


class PlaceTotals(ma.Schema):
    place = fields.String(metadata={"example": _PLACE})
    teachers = fields.Integer(metadata={"description": "Whose year is frozen.", "example": 1200})
    met = fields.Integer(metadata={"description": "Of them, who meet the requirement.", "example": 1100})
    open_teachers = fields.Integer(metadata={"description": "Whose year is open, as of last night.", "example": 0})
    open_met = fields.Integer(metadata={"description": "Of them, who meet the requirement by now.", "example": 0})


class VerificationSummary(PlaceTotals):
    year = fields.Integer(metadata={"example": 2023})
    computed_at = fields.String(
        allow_none=True,
        metadata={"description": "Of the open years' figures.", "example": "2023-11-20T16:00:00.000000Z"},
    )
    below = fields.List(
        fields.Nested(PlaceTotals), metadata={"description": "Directly below, in the order of the tree."}
    )


class ComplaintCountsQuery(PlaceQuery):
    year = fields.Integer(required=True, validate=_YEAR, metadata={"example": 2023})


class SchoolComplaints(ma.Schema):
    place = fields.String(metadata={"example": f"{_PLACE}/s1"})
    school_name = fields.String(metadata={"example": "南宁市第一小学"})
    complaints = fields.Integer(metadata={"example": 3})
    filed = fields.Integer(metadata={"example": 1})
    assigned = fields.Integer(metadata={"example": 0})
    answered = fields.Integer(metadata={"example": 1})
    closed = fields.Integer(metadata={"example": 1})
    accepted = fields.Integer(metadata={"description": "That were right.", "example": 1})
    reopened = fields.Integer(metadata={"example": 0})


class ComplaintCounts(ma.Schema):
    place = fields.String(metadata={"example": _PLACE})
    year = fields.Integer(metadata={"example": 2023})
    schools = fields.List(fields.Nested(SchoolComplaints), metadata={"description": "Those with complaints."})


class YearLine(ma.Schema):
    """A year as it was frozen; or, while it is open, as it was computed last night."""

    teacher_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    school_name = fields.String(metadata={"description": "Of the closing.", "example": "南宁市第一小学"})
    place = fields.String(metadata={"example": f"{_PLACE}/s1"})
    year = fields.Integer(metadata={"example": 2023})
    state = fields.String(metadata={"description": ", ".join(YearState), "example": "FROZEN"})
    version = fields.Integer(metadata={"description": "Of the frozen snapshot; 0 while open.", "example": 1})
    unit = fields.String(metadata={"example": "CREDIT"})
    met = fields.Boolean(metadata={"example": True})
    total = fields.String(metadata={"example": "16.00"})
    amounts = fields.Dict(metadata={"example": {"校本研修": "10.00"}})
    shortfalls = fields.List(fields.Nested(Shortfall))
    cycle_met = fields.Boolean(
        allow_none=True, metadata={"description": "null where the rules require nothing of a cycle.", "example": False}
    )
    cycle_total = fields.String(metadata={"example": "48.00"})
    frozen_at = fields.String(allow_none=True, metadata={"example": "2024-01-31T16:00:00.000000Z"})
    hash = fields.String(
        allow_none=True, metadata={"description": "SHA-256 of the frozen content; printed on the sheet."}
    )
    computed_at = fields.String(
        allow_none=True, metadata={"description": "Of an open year.", "example": "2023-11-20T16:00:00.000000Z"}
    )


class YearLines(PageReply):
    items = fields.List(fields.Nested(YearLine))


def _purpose() -> Text:
    return Text(
        200,
        shortest=4,
        required=True,
        metadata={"description": "The purpose; printed and kept.", "example": "年度验证盖章存档"},
    )


class TeacherSheetPrinting(Schema):
    teacher_id = fields.UUID(required=True, metadata={"example": EXAMPLE_ID})
    reason = _purpose()


class SchoolListPrinting(Schema):
    place = Text(80, required=True, metadata={"description": "A place of one's territory.", "example": f"{_PLACE}/s1"})
    reason = _purpose()


class MatrixCell(ma.Schema):
    year = fields.Integer(metadata={"example": 2023})
    amount = fields.String(metadata={"example": "10.00"})
    required = fields.String(allow_none=True, metadata={"example": "10.00"})
    status = fields.String(metadata={"description": ", ".join(RequirementStatus), "example": "COMPLETED"})


class MatrixRow(ma.Schema):
    category = fields.String(metadata={"example": "校本研修"})
    years = fields.List(fields.Nested(MatrixCell))
    cycle = fields.Nested(MatrixCell)


class CreditMatrix(ma.Schema):
    teacher_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    scheme = fields.String(metadata={"example": "guangxi"})
    unit = fields.String(metadata={"example": "CREDIT"})
    years = fields.List(fields.Integer())
    rows = fields.List(fields.Nested(MatrixRow))
    as_of = fields.String()


class NewComplaint(Schema):
    """Made under the account's own, real name."""

    year = fields.Integer(required=True, strict=True, validate=_YEAR, metadata={"example": 2023})
    about = fields.String(required=True, validate=validate.OneOf(_ABOUT), metadata={"example": "HOURS_MISSING"})
    text = Text(2000, required=True, metadata={"example": "集中培训未计入"})


class ComplaintReopening(Schema):
    text = Text(2000, required=True, metadata={"example": "仍有异议"})


class Correction(Schema):
    """Take an entry back, or add an amount in the unit of the place's rules."""

    reverse_entry_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    amount = fields.String(validate=validate.Length(max=12), metadata={"example": "6"})
    hour_type = fields.String(validate=validate.Length(max=40))
    training_form = fields.String(validate=validate.Length(max=40), metadata={"example": "集中培训"})


class ComplaintAnswer(Schema):
    accepted = fields.Boolean(required=True, truthy={True}, falsy={False}, metadata={"example": True})
    reply = Text(2000, required=True, metadata={"example": "补记集中培训6学分"})
    corrections = fields.List(fields.Nested(Correction), validate=validate.Length(max=20))


class ComplaintsQuery(Page):
    place = Text(80, required=True, metadata={"example": _PLACE})
    state = fields.String(validate=validate.OneOf(_STATES), metadata={"example": "FILED"})


class Complaint(ma.Schema):
    complaint_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    teacher_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    year = fields.Integer(metadata={"example": 2023})
    about = fields.String(metadata={"description": ", ".join(_ABOUT), "example": "HOURS_MISSING"})
    text = fields.String()
    state = fields.String(metadata={"description": ", ".join(_STATES), "example": "FILED"})
    version = fields.Integer(metadata={"example": 1})
    accepted = fields.Boolean(allow_none=True)
    reply = fields.String()
    reopened = fields.Boolean()
    filed_at = fields.String()
    changed_at = fields.String()


class Complaints(PageReply):
    items = fields.List(fields.Nested(Complaint))
