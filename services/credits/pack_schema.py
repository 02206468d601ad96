"""The form of a rule pack's file. Each number stands beside its source, and each kind of rule has just its own numbers."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from services.credits.contract.declarations import DeclaredKind
from services.credits.rules.pack import TOTAL, Evidence, Gate, Kind, Measure, Mode, Per, Status, YearBoundary

# What each kind needs; any other of these fields is refused there, so that no number stands in a file unused.
_NUMBERS: dict[str, frozenset[str]] = {
    Kind.VALIDITY: frozenset({"begins_at", "ends_at"}),
    Kind.GATE: frozenset({"gate"}),
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

# What activities of a table are counted by, and what tells one case of them from another.
UNITS = ("", "half_days", "hours", "years", "count", "ten_thousand_characters")
CASES = ("level", "work", "prize", "role")

_pack_id = validate.Regexp(r"\A[a-z][a-z0-9-]{0,79}\Z")
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


class Record(Schema):
    """What every rule carries."""

    rule_id = fields.String(required=True, validate=validate.Regexp(r"\A[A-Z][A-Z0-9]*(\.[A-Z0-9]+)+\Z"))
    kind = fields.Enum(Kind, required=True)
    text = fields.Nested(Words, required=True)
    source = fields.Nested(Source, required=True)
    confidence = fields.String(required=True, validate=validate.OneOf(["a", "b", "c", "B", "I"]))


class RuleRecord(Record):
    """A rule about study."""

    per = fields.String(required=True, validate=validate.OneOf(["VIDEO", "COURSE", "PROGRAMME"]))
    measure = fields.Enum(Measure, required=True)
    select = fields.Nested(Select, load_default=dict)
    gate = fields.Enum(Gate)
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
        _require_just(data, needed, _ALL_NUMBERS)

    @validates_schema
    def _window_is_in_order(self, data, **_):
        if data["kind"] is Kind.VALIDITY and data.get("begins_at", _PAST) >= data.get("ends_at", _FUTURE):
            raise ValidationError("the window ends before it begins", "ends_at")


def _require_just(data, needed, known):
    given = known & set(data)
    for missing in sorted(needed - given):
        raise ValidationError(f"a {data['kind']} rule needs it", missing)
    for surplus in sorted(given - needed):
        raise ValidationError(f"a {data['kind']} rule has no use for it", surplus)


_PAST = dt.datetime.min.replace(tzinfo=dt.UTC)
_FUTURE = dt.datetime.max.replace(tzinfo=dt.UTC)


class PackHead(Schema):
    """What every pack says of itself, and what holds for all rules."""

    id = fields.String(required=True, validate=_pack_id)
    evidence = fields.Enum(Evidence, required=True)
    titles = fields.Nested(Words, required=True)
    jurisdiction = fields.String(required=True)
    population = fields.String(required=True)
    status = fields.Enum(Status, required=True)
    valid_from = fields.Date(required=True)
    valid_to = fields.Date(load_default=None, allow_none=True)
    unit = fields.String(required=True, validate=validate.OneOf(["HOUR", "CREDIT"]))
    quantum = Amount(required=True)

    @validates_schema
    def _rule_names_are_unique(self, data, **_):
        _require_unique("rules", [rule["rule_id"] for rule in data["rules"]])

    @validates_schema
    def _validity_is_in_order(self, data, **_):
        if data["valid_to"] is not None and data["valid_from"] > data["valid_to"]:
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


class SeasonPackFile(PackHead):
    """A pack that judges watched videos."""

    on_year_boundary = fields.Enum(YearBoundary, required=True)
    source_kind = fields.String(required=True, validate=validate.OneOf(["SEASON"]))
    # "" where the scheme's own texts name none: local authorities decide how its hours enter their registers.
    hour_type = fields.String(required=True)
    training_form = fields.String(required=True)
    courses = fields.List(fields.String(validate=_course_key), required=True)
    rules = fields.List(fields.Nested(RuleRecord), required=True, validate=validate.Length(min=1))

    @validates_schema
    def _course_names_are_unique(self, data, **_):
        _require_unique("courses", data["courses"])

    @validates_schema
    def _rules_fit_the_courses(self, data, **_):
        known = set(data["courses"])
        for index, rule in enumerate(data["rules"]):
            named = {name for names in rule["select"].values() for name in names}
            if unknown := sorted(named - known):
                raise ValidationError({"rules": {index: {"select": [f"unknown course {unknown[0]}"]}}})
        if data["status"] is Status.DRAFT:
            return  # what is not known yet may be missing: nothing is judged by it
        if not known:
            raise ValidationError("only a DRAFT may have none", "courses")
        for kind in _ONE_PER_COURSE:
            selected = [key for rule in data["rules"] if rule["kind"] is kind for key in selected_courses(data, rule)]
            if sorted(selected) != sorted(known):
                raise ValidationError(f"each course needs exactly one {kind} rule", "rules")


class MinimumRecord(Schema):
    measure = fields.String(required=True, validate=validate.Length(min=1, max=80))
    minimum = Amount(required=True)


class LedgerRuleRecord(Record):
    """A rule about the entries of a year or a cycle."""

    kind = fields.Enum(Kind, required=True)
    per = fields.Enum(Per, required=True)
    requires = fields.List(fields.Nested(MinimumRecord), validate=validate.Length(min=1))
    category = fields.String()
    toward = fields.String()
    cap = Amount()
    hours_per_credit = Amount()
    minimum_hours = Amount()
    seasons = fields.List(fields.String(validate=_pack_id), validate=validate.Length(min=1))
    hour_type = fields.String()
    training_form = fields.String()

    @validates_schema
    def _has_just_its_numbers(self, data, **_):
        if data["kind"] not in _LEDGER_NUMBERS:
            raise ValidationError(f"a LEDGER pack has no {data['kind']} rules", "kind")
        known = frozenset().union(*_LEDGER_NUMBERS.values())
        _require_just(data, _LEDGER_NUMBERS[data["kind"]], known)


_LEDGER_NUMBERS: dict[str, frozenset[str]] = {
    Kind.REQUIREMENT: frozenset({"requires"}),
    Kind.GROUP_CAP: frozenset({"category", "toward", "cap"}),
    Kind.CONVERSION: frozenset({"hours_per_credit"}),
    Kind.GATE: frozenset({"minimum_hours"}),
    Kind.HANDOVER: frozenset({"seasons", "hour_type", "training_form"}),
}


class LedgerPackFile(PackHead):
    """A pack that says what a year or a cycle must hold."""

    dimension = fields.String(required=True, validate=validate.OneOf(["training_form", "hour_type", "class"]))
    categories = fields.List(fields.String(validate=validate.Length(min=1)), required=True)
    rules = fields.List(fields.Nested(LedgerRuleRecord), required=True, validate=validate.Length(min=1))

    @validates_schema
    def _rules_fit_the_categories(self, data, **_):
        _require_unique("categories", data["categories"])
        known = set(data["categories"])
        requirements = {rule["rule_id"] for rule in data["rules"] if rule["kind"] is Kind.REQUIREMENT}
        for index, rule in enumerate(data["rules"]):
            named = {rule["category"]} if "category" in rule else set()
            for minimum in rule.get("requires", []):
                named |= set() if minimum["measure"] == TOTAL else set(minimum["measure"].split("+"))
            if unknown := sorted(named - known):
                raise ValidationError({"rules": {index: [f"unknown category {unknown[0]}"]}})
            if rule.get("toward", "") not in requirements | {""}:
                raise ValidationError({"rules": {index: {"toward": [f"no requirement {rule['toward']}"]}}})

    @validates_schema
    def _handovers_can_be_done(self, data, **_):
        rules = {kind: [rule for rule in data["rules"] if rule["kind"] is kind] for kind in Kind}
        _require_unique("rules", [season for rule in rules[Kind.HANDOVER] for season in rule.get("seasons", [])])
        for index, rule in enumerate(data["rules"]):
            if rule["kind"] is not Kind.HANDOVER:
                continue
            # Seasons are counted in hours.
            if data["unit"] != "HOUR" and not rules[Kind.CONVERSION]:
                raise ValidationError({"rules": {index: ["needs a CONVERSION of hours"]}})
            label = rule.get(data["dimension"], "")
            if label and label not in data["categories"]:
                raise ValidationError({"rules": {index: {data["dimension"]: [f"unknown category {label}"]}}})


class RateRecord(Schema):
    amount = Amount(required=True)
    unit = fields.String(load_default="", validate=validate.OneOf(UNITS))
    every = Amount(load_default="1")
    when = fields.Dict(keys=fields.String(validate=validate.OneOf(CASES)), values=fields.String(), load_default=dict)

    @validates_schema
    def _says_for_what(self, data, **_):
        if not data["unit"] and not data["when"]:
            raise ValidationError("say for which unit or for which case", "unit")
        if not Decimal(data["every"]):
            raise ValidationError("must be more than nothing", "every")


class ItemRuleRecord(Record):
    """What one activity earns."""

    rates = fields.List(fields.Nested(RateRecord), required=True, validate=validate.Length(min=1))
    cap = Amount()
    # Probation training is never paid by a table: it counts in no cycle.
    declared_as = fields.String(
        load_default="DECLARATION",
        validate=validate.OneOf([str(kind) for kind in DeclaredKind if kind is not DeclaredKind.PROBATION]),
    )

    @validates_schema
    def _accrues(self, data, **_):
        if data["kind"] is not Kind.ACCRUAL:
            raise ValidationError("an ITEMS pack has ACCRUAL rules only", "kind")


class ItemPackFile(PackHead):
    """A pack that pays activities by a table."""

    training_form = fields.String(required=True)
    rules = fields.List(fields.Nested(ItemRuleRecord), required=True, validate=validate.Length(min=1))


PACK_FILES = {
    Evidence.SEASON: SeasonPackFile,
    Evidence.LEDGER: LedgerPackFile,
    Evidence.ITEMS: ItemPackFile,
}


def _require_unique(field, names):
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise ValidationError(f"{repeated} stands twice", field)


def selected_courses(pack: dict, rule: dict) -> tuple[str, ...]:
    """The courses that a loaded rule record selects, in the pack's order."""
    select = rule["select"]
    if "courses" in select:
        return tuple(key for key in pack["courses"] if key in select["courses"])
    return tuple(key for key in pack["courses"] if key not in select.get("all_but", ()))
