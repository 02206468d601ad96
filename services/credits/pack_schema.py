"""The form of a rule pack's file. Each number stands beside its source, and each kind of rule has just its own numbers."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from services.credits.rules.pack import Kind, Measure, Mode, Status, YearBoundary

# What each kind needs; any other of these fields is refused there, so that no number stands in a file unused.
_NUMBERS: dict[str, frozenset[str]] = {
    Kind.VALIDITY: frozenset({"begins_at", "ends_at"}),
    Kind.GATE: frozenset(),
    Kind.CONVERSION: frozenset({"seconds_per_hour"}),
    Kind.ACCRUAL: frozenset({"mode"}),
    Kind.ITEM_CAP: frozenset({"cap"}),
    Kind.GROUP_CAP: frozenset({"cap"}),
    Kind.TOTAL_CAP: frozenset({"cap"}),
    Kind.REQUIREMENT: frozenset({"minimum"}),
}
_THRESHOLD_NUMBERS = frozenset({"threshold", "amount"})
_ALL_NUMBERS = frozenset().union(*_NUMBERS.values(), _THRESHOLD_NUMBERS)
# Kinds of which a pack's course has exactly one rule: how it earns, and how long an hour is.
_ONE_PER_COURSE = (Kind.ACCRUAL, Kind.CONVERSION)

_course_key = validate.Regexp(r"\A[a-z][a-z0-9_]{0,39}\Z")
_decimal_text = validate.Regexp(r"\A[0-9]{1,6}(\.[0-9]{1,2})?\Z", error="a decimal in quotes, at most two places")


class Amount(fields.String):
    """A decimal written in quotes: YAML's bare 0.1 is a float and already wrong."""

    def __init__(self, **options):
        super().__init__(validate=_decimal_text, **options)


class Words(Schema):
    zh = fields.String(required=True, validate=validate.Length(min=1))
    en = fields.String(required=True, validate=validate.Length(min=1))


class Source(Schema):
    """Where the number comes from: the text, the place in it, and its words if it has any to quote."""

    ref = fields.String(required=True, validate=validate.Length(min=1))
    quote = fields.String()


class Select(Schema):
    """Which courses a rule is about: the named ones, or all but the named ones; without either, all."""

    courses = fields.List(fields.String(validate=_course_key), validate=validate.Length(min=1))
    all_but = fields.List(fields.String(validate=_course_key), validate=validate.Length(min=1))

    @validates_schema
    def _not_both(self, data, **_):
        if len(data) > 1:
            raise ValidationError("name the courses, or those left out, not both")


class RuleRecord(Schema):
    rule_id = fields.String(required=True, validate=validate.Regexp(r"\A[A-Z][A-Z0-9]*(\.[A-Z0-9]+)+\Z"))
    kind = fields.Enum(Kind, required=True)
    per = fields.String(required=True, validate=validate.OneOf(["VIDEO", "COURSE", "PROGRAMME"]))
    measure = fields.Enum(Measure, required=True)
    select = fields.Nested(Select, load_default=dict)
    text = fields.Nested(Words, required=True)
    source = fields.Nested(Source, required=True)
    confidence = fields.String(required=True, validate=validate.OneOf(["a", "b", "c", "B", "I"]))
    mode = fields.Enum(Mode)
    seconds_per_hour = fields.Integer(strict=True, validate=validate.Range(min=1, max=86_400))
    threshold = Amount()
    amount = Amount()
    cap = Amount()
    minimum = Amount()
    begins_at = fields.AwareDateTime()
    ends_at = fields.AwareDateTime()

    @validates_schema
    def _has_just_its_numbers(self, data, **_):
        needed = _NUMBERS[data["kind"]]
        if data.get("mode") is Mode.THRESHOLD:
            needed |= _THRESHOLD_NUMBERS
        given = _ALL_NUMBERS & set(data)
        for missing in sorted(needed - given):
            raise ValidationError(f"a {data['kind']} rule needs it", missing)
        for surplus in sorted(given - needed):
            raise ValidationError(f"a {data['kind']} rule has no use for it", surplus)

    @validates_schema
    def _window_is_in_order(self, data, **_):
        if data["kind"] is Kind.VALIDITY and data.get("begins_at", _PAST) >= data.get("ends_at", _FUTURE):
            raise ValidationError("the window ends before it begins", "ends_at")


_PAST = dt.datetime.min.replace(tzinfo=dt.UTC)
_FUTURE = dt.datetime.max.replace(tzinfo=dt.UTC)


class PackFile(Schema):
    id = fields.String(required=True, validate=validate.Regexp(r"\A[a-z][a-z0-9-]{0,79}\Z"))
    titles = fields.Nested(Words, required=True)
    jurisdiction = fields.String(required=True)
    population = fields.String(required=True)
    status = fields.Enum(Status, required=True)
    valid_from = fields.Date(required=True)
    valid_to = fields.Date(required=True)
    unit = fields.String(required=True, validate=validate.OneOf(["HOUR", "CREDIT"]))
    quantum = Amount(required=True)
    on_year_boundary = fields.Enum(YearBoundary, required=True)
    source_kind = fields.String(required=True, validate=validate.OneOf(["SEASON"]))
    # "" where the scheme's own texts name none: local authorities decide how its hours enter their registers.
    hour_type = fields.String(required=True)
    training_form = fields.String(required=True)
    courses = fields.List(fields.String(validate=_course_key), required=True, validate=validate.Length(min=1))
    rules = fields.List(fields.Nested(RuleRecord), required=True, validate=validate.Length(min=1))

    @validates_schema
    def _names_are_unique(self, data, **_):
        for field, names in (("courses", data["courses"]), ("rules", [rule["rule_id"] for rule in data["rules"]])):
            repeated = next((name for name in names if names.count(name) > 1), None)
            if repeated is not None:
                raise ValidationError(f"{repeated} stands twice", field)

    @validates_schema
    def _rules_fit_the_courses(self, data, **_):
        known = set(data["courses"])
        for index, rule in enumerate(data["rules"]):
            named = {name for names in rule["select"].values() for name in names}
            if unknown := sorted(named - known):
                raise ValidationError({"rules": {index: {"select": [f"unknown course {unknown[0]}"]}}})
        for kind in _ONE_PER_COURSE:
            selected = [key for rule in data["rules"] if rule["kind"] is kind for key in selected_courses(data, rule)]
            if sorted(selected) != sorted(known):
                raise ValidationError(f"each course needs exactly one {kind} rule", "rules")

    @validates_schema
    def _window_is_in_order(self, data, **_):
        if data["valid_from"] > data["valid_to"]:
            raise ValidationError("the pack ends before it begins", "valid_to")

    @validates_schema
    def _numbers_fit_the_quantum(self, data, **_):
        # A cap between two quanta could never be filled, and a rounded amount could stand above it.
        for index, rule in enumerate(data["rules"]):
            for field in ("amount", "cap"):
                if field in rule and Decimal(rule[field]) % Decimal(data["quantum"]):
                    raise ValidationError({"rules": {index: {field: ["is no multiple of the quantum"]}}})

    @validates_schema
    def _active_packs_are_sourced(self, data, **_):
        # domain.md §0.1: a number without a source ships only in a pack that says so.
        for index, rule in enumerate(data["rules"]):
            if data["status"] is Status.ACTIVE and rule["confidence"] == "B":
                raise ValidationError({"rules": {index: {"confidence": ["an ACTIVE pack needs a source"]}}})


def selected_courses(pack: dict, rule: dict) -> tuple[str, ...]:
    """The courses that a loaded rule record selects, in the pack's order."""
    select = rule["select"]
    if "courses" in select:
        return tuple(key for key in pack["courses"] if key in select["courses"])
    return tuple(key for key in pack["courses"] if key not in select.get("all_but", ()))
