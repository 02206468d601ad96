"""Shapes of the arguments and answers of credits."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from services.shared.paging import Page


class Nothing(Schema):
    pass


class PackShown(Schema):
    """A rule pack as it is listed."""

    id = fields.String(attribute="pack_id")
    version = fields.String()
    status = fields.String()
    valid_from = fields.Date()
    valid_to = fields.Date(allow_none=True)
    unit = fields.String()
    titles = fields.Dict()


class GetHours(Schema):
    programme_id = fields.UUID(required=True)
    teacher_id = fields.UUID(load_default=None, allow_none=True)


class ListLedger(Page):
    teacher_id = fields.UUID(load_default=None, allow_none=True)
    year = fields.Integer(load_default=None, allow_none=True, strict=True, validate=validate.Range(min=1990, max=2200))
    cursor = fields.UUID(load_default=None, allow_none=True)


class ReconcileLedger(Schema):
    # The last (teacher, programme) of the page before.
    after = fields.List(fields.UUID(), load_default=None, allow_none=True, validate=validate.Length(equal=2))
    limit = fields.Integer(load_default=500, strict=True, validate=validate.Range(min=1, max=2000))


class PackNamed(Schema):
    id = fields.String()
    version = fields.String()


class CourseHours(Schema):
    course_id = fields.String()
    key = fields.String()
    title = fields.String()
    studied_seconds = fields.Integer()
    counted_seconds = fields.Integer()
    hours = fields.String()
    reasons = fields.List(fields.String())


class ShortfallShown(Schema):
    rule_id = fields.String()
    measure = fields.String()
    missing = fields.String()


class Hours(Schema):
    teacher_id = fields.String()
    programme_id = fields.String()
    unit = fields.String()
    version = fields.Integer()
    studied_seconds = fields.Integer()
    counted_seconds = fields.Integer()
    hours = fields.String()
    courses_done = fields.Integer()
    courses_total = fields.Integer()
    requirement_met = fields.Boolean()
    exam_score = fields.String(allow_none=True)
    shortfalls = fields.List(fields.Nested(ShortfallShown))
    courses = fields.List(fields.Nested(CourseHours))
    pack = fields.Nested(PackNamed)
    as_of = fields.String()


class Words(Schema):
    zh = fields.String()
    en = fields.String()


class Explanation(Schema):
    """Why an entry has its amount: the rule, its words, its pack, and what it was applied to."""

    rule_id = fields.String()
    rule = fields.Nested(Words, allow_none=True)
    pack_id = fields.String()
    pack_version = fields.String()
    why = fields.String()


class Entry(Schema):
    entry_id = fields.String()
    unit = fields.String()
    amount = fields.String()
    hour_type = fields.String()
    training_form = fields.String()
    year = fields.Integer()
    source_kind = fields.String()
    source_ref = fields.String()
    programme_id = fields.String(allow_none=True)
    effective_on = fields.String()
    recorded_at = fields.String()
    school_id = fields.String(allow_none=True)
    reversal_of = fields.String(allow_none=True)
    recogniser = fields.String(allow_none=True)
    explanation = fields.Nested(Explanation)


class LedgerPage(Schema):
    items = fields.List(fields.Nested(Entry))
    next_cursor = fields.String(allow_none=True)


class RehearsePack(Schema):
    pack = fields.Raw(required=True)  # what the pack's file holds; checked by the form of such files
    name = fields.String(required=True, validate=validate.Length(min=1, max=200))
    against = fields.String(required=True, validate=validate.Length(min=1, max=80))
    # The last (teacher, programme), or teacher, of the page before.
    after = fields.List(fields.UUID(), load_default=None, allow_none=True, validate=validate.Length(min=1, max=2))
    limit = fields.Integer(load_default=500, strict=True, validate=validate.Range(min=1, max=2000))


class ChangeShown(Schema):
    teacher_id = fields.String()
    programme_id = fields.String(allow_none=True)
    measure = fields.String()
    before = fields.String()
    after = fields.String()
    by = fields.String()
    met_before = fields.Boolean()
    met_after = fields.Boolean()


class Rehearsal(Schema):
    checked = fields.Integer()
    changes = fields.List(fields.Nested(ChangeShown))
    after = fields.List(fields.String(), allow_none=True)


class DifferenceShown(Schema):
    teacher_id = fields.String()
    programme_id = fields.String()
    course = fields.String()
    expected = fields.String()
    in_ledger = fields.String()
    in_standing = fields.String()


class Reconciliation(Schema):
    checked = fields.Integer()
    differences = fields.List(fields.Nested(DifferenceShown))
    after = fields.List(fields.String(), allow_none=True)
