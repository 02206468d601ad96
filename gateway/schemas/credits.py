"""Bodies and queries of recognised hours and of the ledger."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from gateway.schemas import Page, PageReply, Schema, Text
from services.credits.contract.grades import WAITING
from services.credits.contract.handovers import HandoverState, HeldReason
from services.credits.contract.recognisers import Recogniser

EXAMPLE_ID = "0191f2b4-5d6e-7a3b-8c1d-2e3f4a5b6c7d"
_HOURS = {"description": "Credit hours (学时), a decimal string.", "example": "2.00"}
_TEACHER = {
    "description": "Whose; one's own without it. Administrators may name teachers of their territory.",
    "example": EXAMPLE_ID,
}


class HoursQuery(Schema):
    teacher_id = fields.UUID(metadata=_TEACHER)


class Reason(ma.Schema):
    code = fields.String(metadata={"description": "Stable; for programs.", "example": "remainder_unwatched"})
    message = fields.String(metadata={"description": "For people, in the language asked for."})


class CourseHours(ma.Schema):
    """Studied and recognised side by side."""

    course_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    key = fields.String(metadata={"example": "party20"})
    title = fields.String(metadata={"example": "学习宣传贯彻党的二十大精神"})
    studied_seconds = fields.Integer(metadata={"description": "Everything watched, each second once.", "example": 5700})
    counted_seconds = fields.Integer(
        metadata={"description": "Of it, what passed window and quizzes.", "example": 5400}
    )
    hours = fields.String(metadata=_HOURS)
    reasons = fields.List(
        fields.String(),
        metadata={"description": "Why it is no more, as codes, in order.", "example": ["below_threshold"]},
    )
    explanations = fields.List(fields.Nested(Reason), metadata={"description": "The same reasons with their texts."})


class Shortfall(ma.Schema):
    rule_id = fields.String(metadata={"example": "SW23.CERT.HOURS"})
    measure = fields.String(metadata={"description": "HOURS, or COUNT of courses done.", "example": "HOURS"})
    missing = fields.String(metadata={"example": "1.00"})


class Pack(ma.Schema):
    id = fields.String(metadata={"example": "smartedu-2023-winter"})
    version = fields.String(metadata={"description": "SHA-256 of the rules' content."})


class Hours(ma.Schema):
    teacher_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    programme_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    unit = fields.String(metadata={"example": "HOUR"})
    version = fields.Integer(metadata={"example": 3})
    studied_seconds = fields.Integer(metadata={"example": 17760})
    counted_seconds = fields.Integer(metadata={"example": 17760})
    hours = fields.String(metadata={**_HOURS, "example": "6.00"})
    courses_done = fields.Integer(metadata={"example": 5})
    courses_total = fields.Integer(metadata={"example": 5})
    requirement_met = fields.Boolean(metadata={"description": "Courses, hours and exam suffice for the certificate."})
    exam_score = fields.String(
        allow_none=True,
        metadata={
            "description": "The best result at the programme's exam, of 100; null before one.",
            "example": "85.00",
        },
    )
    shortfalls = fields.List(fields.Nested(Shortfall), metadata={"description": "What is missing for the certificate."})
    courses = fields.List(fields.Nested(CourseHours))
    pack = fields.Nested(Pack, metadata={"description": "The rules that were applied."})
    as_of = fields.String(metadata={"example": "2023-01-10T02:00:00.000000Z"})
    being_recognised = fields.Boolean(
        metadata={
            "description": "The reader's own study of the last minutes is being recognised: ask again in two seconds. "
            "Of others it counts at most five minutes later, and at once when a video is whole or a quiz is answered."
        }
    )


class LedgerQuery(Page):
    teacher_id = fields.UUID(metadata=_TEACHER)
    year = fields.Integer(validate=validate.Range(1990, 2200), metadata={"example": 2023})


class RuleText(ma.Schema):
    zh = fields.String()
    en = fields.String()


class Explanation(ma.Schema):
    rule_id = fields.String(metadata={"example": "SW23.PARTY20"})
    rule = fields.Nested(
        RuleText, allow_none=True, metadata={"description": "The rule in words; null once its pack has been replaced."}
    )
    pack_id = fields.String(metadata={"example": "smartedu-2023-winter"})
    pack_version = fields.String(metadata={"description": "SHA-256 of the rules' content."})
    why = fields.String(metadata={"example": "SW23.PARTY20: 0.00 -> 2.00, 5700 s counted"})


class Entry(ma.Schema):
    """One entry of the ledger; entries are never changed, a correction is another entry."""

    entry_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    unit = fields.String(
        metadata={"description": "HOUR (学时) or CREDIT (学分); never added together.", "example": "HOUR"}
    )
    amount = fields.String(metadata=_HOURS)
    hour_type = fields.String(metadata={"description": "Empty where the scheme names none."})
    training_form = fields.String(metadata={"description": "Empty where the scheme names none."})
    year = fields.Integer(metadata={"example": 2023})
    source_kind = fields.String(metadata={"example": "SEASON"})
    source_ref = fields.String(metadata={"example": f"course:{EXAMPLE_ID}"})
    programme_id = fields.UUID(allow_none=True, metadata={"example": EXAMPLE_ID})
    effective_on = fields.String(metadata={"description": "The Beijing day it was earned.", "example": "2023-02-01"})
    recorded_at = fields.String(metadata={"example": "2023-02-01T04:00:00.000000Z"})
    school_id = fields.UUID(allow_none=True, metadata={"description": "Where the teacher then was; null for 其他."})
    reversal_of = fields.UUID(allow_none=True, metadata={"description": "The entry that this one takes back."})
    recogniser = fields.String(
        allow_none=True,
        metadata={
            "description": f"Of the four levels: {', '.join(Recogniser)}; null for the engine.",
            "example": "COUNTY",
        },
    )
    explanation = fields.Nested(Explanation)


class LedgerPage(PageReply):
    items = fields.List(fields.Nested(Entry))


class PackListed(ma.Schema):
    id = fields.String(metadata={"example": "guangxi-2016"})
    version = fields.String(metadata={"description": "SHA-256 of the rules' content."})
    status = fields.String(metadata={"description": "ACTIVE, SAMPLE or DRAFT.", "example": "ACTIVE"})
    valid_from = fields.String(metadata={"example": "2016-01-01"})
    valid_to = fields.String(allow_none=True, metadata={"example": None})
    unit = fields.String(metadata={"description": "HOUR or CREDIT.", "example": "CREDIT"})
    titles = fields.Dict(keys=fields.String(), values=fields.String())


class Packs(ma.Schema):
    items = fields.List(fields.Nested(PackListed))


class RuleEvaluation(ma.Schema):
    """A document with evidence. What it holds beside `kind` and `pack` depends on `kind`; the service checks it."""

    class Meta:
        unknown = ma.INCLUDE

    kind = fields.String(
        required=True, validate=validate.OneOf(["season", "ledger", "items"]), metadata={"example": "season"}
    )
    pack = fields.String(required=True, validate=validate.Length(1, 80), metadata={"example": "smartedu-2023-winter"})


class RuleOutcome(ma.Schema):
    """What the evidence earns; which members there are depends on the document's `kind`."""

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        # marshmallow would take the dictionary's own method for a member `items` that is not there.
        return obj.get(attr, default)

    hours = fields.String(metadata=_HOURS)
    courses = fields.List(fields.Dict(), metadata={"description": "Of a season: each course, in the pack's order."})
    certificate = fields.String(
        metadata={"description": "NOT_DUE, NOT_EARNED, BLOCKED or ISSUED.", "example": "ISSUED"}
    )
    years = fields.List(fields.Dict(), metadata={"description": "Of a ledger: each year, with what is missing."})
    cycle = fields.Dict(metadata={"description": "Of a ledger: all its years together."})
    probation = fields.Dict(metadata={"description": "Of a ledger whose pack asks for probation training."})
    credits = fields.String(metadata={"description": "Of items: their credits together.", "example": "18.00"})
    items = fields.List(fields.Dict(), metadata={"description": "Of items: each rule's credits, and whether capped."})
    trace = fields.List(fields.Dict(), metadata={"description": "Every rule that changed a number."})
    pack = fields.Dict(metadata={"description": "The pack's id, version and status."})


_HELD = {
    "description": "HELD: passed, and the hours are not entered. HELD_BACK: not passed any more, and the hours still stand.",
    "example": "HELD",
}


class HeldGradesQuery(Page):
    place = Text(
        80, required=True, metadata={"description": "A place in the tree.", "example": "CN/440000/440100/440103"}
    )
    state = fields.String(validate=validate.OneOf([str(state) for state in WAITING]), metadata=_HELD)
    year = fields.Integer(
        validate=validate.Range(2000, 2200), metadata={"description": "The frozen year.", "example": 2023}
    )


class HeldGrade(ma.Schema):
    """A course's grade that came when the year of its hours was frozen."""

    choice_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    teacher_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    course_no = fields.String(metadata={"example": "GZ-2023-0117"})
    title = fields.String(metadata={"example": "信息技术与课堂教学"})
    passed = fields.Boolean(metadata={"example": True})
    hours = fields.String(metadata=_HOURS)
    year = fields.Integer(metadata={"example": 2023})
    state = fields.String(metadata=_HELD)
    recorded_at = fields.String(metadata={"example": "2024-02-01T02:00:00.000000Z"})
    changed_at = fields.String(metadata={"example": "2024-02-01T02:00:00.000000Z"})


class HeldGrades(PageReply):
    items = fields.List(fields.Nested(HeldGrade))


class HandoversQuery(Page):
    place = Text(
        80, required=True, metadata={"description": "A place in the tree.", "example": "CN/450000/450100/450103"}
    )
    state = fields.String(
        validate=validate.OneOf([str(state) for state in HandoverState]), metadata={"example": "HELD"}
    )


class Handover(ma.Schema):
    """A season's hours on their way into a local register, by one certificate."""

    certificate_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    teacher_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    programme_id = fields.UUID(metadata={"example": EXAMPLE_ID})
    number = fields.String(metadata={"description": "The certificate's.", "example": "YX-2023-7K3M-9QPX-2"})
    year = fields.Integer(metadata={"example": 2023})
    hours = fields.String(metadata=_HOURS)
    state = fields.String(metadata={"description": ", ".join(HandoverState), "example": "HELD"})
    reason = fields.String(
        metadata={"description": f"Why it is held ({', '.join(HeldReason)}), else empty.", "example": "YEAR_FROZEN"}
    )
    recorded_at = fields.String(metadata={"example": "2023-03-01T02:00:00.000000Z"})
    changed_at = fields.String(metadata={"example": "2023-03-01T02:00:00.000000Z"})


class Handovers(PageReply):
    items = fields.List(fields.Nested(Handover))


class HandoverSettlement(Schema):
    place = Text(
        80, required=True, metadata={"description": "A place of one's territory.", "example": "CN/450000/450100"}
    )
    after = fields.UUID(metadata={"description": "`next` of the batch before.", "example": EXAMPLE_ID})


class HandoversSettled(ma.Schema):
    entered = fields.Integer(metadata={"description": "Certificates whose hours were entered now.", "example": 12})
    held = fields.Integer(metadata={"description": "Those that still wait for somebody.", "example": 1})
    next = fields.UUID(allow_none=True, metadata={"description": "Where the next batch begins; null after the last."})
