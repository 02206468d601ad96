"""The form of documents for rule evaluation. Whatever is not described here is refused at its place."""

from __future__ import annotations

import re

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from services.credits.pack_schema import CASES
from services.credits.pack_schema import UNITS as RATE_UNITS
from services.shared import clock

UNITS = tuple(unit for unit in RATE_UNITS if unit)
KINDS = ("season", "ledger", "items")
# Bounds of what one document may ask for: a teacher's season or decade, many times over.
LONGEST_VIDEO = 86_400
MOST_VIDEOS, MOST_PIECES, MOST_QUIZZES, MOST_ENTRIES, MOST_YEARS = 2_000, 5_000, 200, 10_000, 60
FIRST_YEAR, LAST_YEAR = 1990, 2200

AMOUNT = validate.Regexp(
    r"\A[0-9]{1,6}(\.[0-9]{1,2})?\Z", error="must be a decimal in quotes: at most 6 digits and 2 places, no exponent"
)
_RFC3339 = re.compile(r"\A(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)\Z", re.ASCII)
_TIME = "must be an RFC 3339 time with its offset, such as 2023-03-01T00:00:00+08:00"
_REVERSED, _OUTSIDE, _INSTANT = "credits.interval_reversed", "credits.interval_outside", "credits.instant_form"
_name = validate.Length(min=1, max=80)


class Fault(str):
    """What is wrong, with the code by which a client is told."""

    code: str

    def __new__(cls, why: str, code: str) -> Fault:
        fault = super().__new__(cls, why)
        fault.code = code
        return fault


class Text(fields.String):
    default_error_messages = {"invalid": "must be text"}  # noqa: RUF012  read by marshmallow


class Amount(Text):
    """An amount as text; a bare JSON number is a float to many readers, and refused."""

    default_error_messages = {"invalid": 'must be a decimal in quotes, such as "16.50"'}  # noqa: RUF012

    def __init__(self, **options):
        super().__init__(validate=_amount, **options)


def _amount(text):
    try:
        AMOUNT(text)
    except ValidationError as error:
        raise ValidationError(Fault(str(error.messages[0]), "credits.amount_form")) from None


class Instant(fields.String):
    """RFC 3339 with an offset: a time without one means nothing to two people. Loads as an aware datetime."""

    default_error_messages = {"invalid": _TIME}  # noqa: RUF012

    def __init__(self, **options):
        super().__init__(validate=_instant, **options)

    def deserialize(self, value, attr=None, data=None, **more):
        text = super().deserialize(value, attr, data, **more)
        return None if text is None else _instant(text)


def _instant(text):
    form = _RFC3339.match(text)
    if form is None:
        raise ValidationError(Fault(_TIME, _INSTANT))
    # RFC 3339 allows small letters, and more digits of a second than a datetime holds.
    whole, fraction, offset = form.groups()
    try:
        return clock.parse_instant(f"{whole.upper()}{(fraction or '')[:7]}{offset.upper()}")
    except (ValueError, OverflowError):
        raise ValidationError(Fault(_TIME, _INSTANT)) from None


class Whole(fields.Integer):
    default_error_messages = {"invalid": "must be a whole number"}  # noqa: RUF012

    def __init__(self, low, high, **options):
        super().__init__(strict=True, validate=validate.Range(low, high), **options)

    def _validated(self, value):
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.make_error("invalid", input=value)
        return super()._validated(value)


class Truth(fields.Boolean):
    """true or false; 1 and 0 are numbers."""

    default_error_messages = {"invalid": "must be true or false"}  # noqa: RUF012

    def _deserialize(self, value, attr, data, **more):
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class Head(Schema):
    """What every document says first."""

    class Meta:
        unknown = "include"

    kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    pack = Text(required=True, validate=_name)


class Quizzed(Schema):
    at_seconds = Whole(0, LONGEST_VIDEO, required=True)
    answered_at = Instant(required=True, allow_none=True)


class Watched(Schema):
    begin = Whole(0, LONGEST_VIDEO, required=True, data_key="from")
    end = Whole(0, LONGEST_VIDEO, required=True, data_key="to")
    at = Instant(required=True)

    @validates_schema
    def _forwards(self, data, **_):
        if data["end"] <= data["begin"]:
            raise ValidationError(Fault("must be greater than `from`", _REVERSED), "to")


class VideoWatched(Schema):
    course = Text(required=True, validate=_name)
    video = Text(required=True, validate=_name)
    duration_seconds = Whole(1, LONGEST_VIDEO, required=True)
    quizzes = fields.List(fields.Nested(Quizzed), load_default=list, validate=validate.Length(max=MOST_QUIZZES))
    watched = fields.List(fields.Nested(Watched), load_default=list, validate=validate.Length(max=MOST_PIECES))

    @validates_schema
    def _stays_inside(self, data, **_):
        length = data["duration_seconds"]
        fault = Fault(f"leaves the video, which has {length} s", _OUTSIDE)
        for index, piece in enumerate(data["watched"]):
            if piece["end"] > length:
                raise ValidationError({"watched": {index: {"to": [fault]}}})
        for index, quiz in enumerate(data["quizzes"]):
            if quiz["at_seconds"] > length:
                raise ValidationError({"quizzes": {index: {"at_seconds": [fault]}}})


class Exam(Schema):
    score = Amount(required=True)


class SeasonDocument(Head):
    class Meta:
        unknown = "raise"

    as_of = Instant(required=True)
    verified_at = Instant(load_default=None, allow_none=True)
    videos = fields.List(fields.Nested(VideoWatched), required=True, validate=validate.Length(max=MOST_VIDEOS))
    exam = fields.Nested(Exam, load_default=None, allow_none=True)

    @validates_schema
    def _names_each_video_once(self, data, **_):
        seen = set()
        for index, video in enumerate(data["videos"]):
            if (video["course"], video["video"]) in seen:
                raise ValidationError({"videos": {index: {"video": ["stands twice in its course"]}}})
            seen.add((video["course"], video["video"]))


class EntryGiven(Schema):
    year = Whole(FIRST_YEAR, LAST_YEAR, required=True)
    unit = fields.String(required=True, validate=validate.OneOf(["CREDIT", "HOUR"]))
    amount = Amount(required=True)
    training_form = Text(load_default=None, allow_none=True)
    hour_type = Text(load_default=None, allow_none=True)
    class_ = Text(load_default=None, allow_none=True, data_key="class", attribute="class")
    probation = Truth(load_default=False)


class LedgerDocument(Head):
    class Meta:
        unknown = "raise"

    years = fields.List(Whole(FIRST_YEAR, LAST_YEAR), required=True, validate=validate.Length(min=1, max=MOST_YEARS))
    entries = fields.List(fields.Nested(EntryGiven), required=True, validate=validate.Length(max=MOST_ENTRIES))

    @validates_schema
    def _names_each_year_once(self, data, **_):
        for index, year in enumerate(data["years"]):
            if year in data["years"][:index]:
                raise ValidationError({"years": {index: [f"{year} stands twice"]}})


class ItemGiven(Schema):
    item = Text(required=True, validate=_name)
    half_days = Whole(0, 1000)
    hours = Whole(0, 10_000)
    years = Whole(0, 100)
    count = Whole(0, 10_000)
    ten_thousand_characters = Whole(0, 10_000)
    level, work, prize, role = (Text(validate=_name) for _ in CASES)


class ItemsDocument(Head):
    class Meta:
        unknown = "raise"

    year = Whole(FIRST_YEAR, LAST_YEAR, required=True)
    items = fields.List(fields.Nested(ItemGiven), required=True, validate=validate.Length(max=MOST_ENTRIES))
