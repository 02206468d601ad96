"""The outline of a programme in a season's file: modules, phases, and whom it is for. Shapes, and how they fit together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from services.catalog import contract, rules
from services.catalog.courses.schemas import Amount, words
from services.catalog.periods.schemas import Audience as OfferingAudience
from services.catalog.questions.schemas import KEY, PLACE, Titles, refuse_repeated


class Phase(Schema):
    """A stage in time 阶段: it opens with the first of its courses."""

    key = fields.String(required=True, validate=KEY)
    titles = fields.Nested(Titles, required=True)


class Module(Phase):
    """A part of the content 模块. `hour_cap` is shown; what counts is said by the rule pack."""

    hour_cap = Amount("0.01", "9999.99", allow_none=True, load_default=None)


class Audience(OfferingAudience):
    """Whom the programme is for: a teacher must be in each list that is not empty. A stage stands for its segments."""

    stages = words(20, most=len(contract.STAGES), among=contract.STAGES)
    # Regions only: schools have a list of their own.
    place_ids = fields.List(fields.String(validate=PLACE), load_default=list, validate=validate.Length(max=200))

    @validates_schema
    def _segments_belong_to_stages(self, data: Mapping[str, Any], **_: Any) -> None:
        if data["stages"] and not set(data["segments"]) <= set(rules.segments_of(data["stages"], ())):
            raise ValidationError("a segment lies outside the named stages", "segments")


class Outline(Schema):
    """What a season's file may say besides its courses."""

    visibility = fields.Enum(contract.Visibility)
    audience = fields.Nested(Audience)
    modules = fields.List(fields.Nested(Module), validate=validate.Length(min=1, max=20))
    phases = fields.List(fields.Nested(Phase), validate=validate.Length(min=1, max=20))

    @validates_schema
    def _places_are_named(self, data: Mapping[str, Any], **_: Any) -> None:
        if data.get("visibility") is contract.Visibility.PLACES and not data.get("audience", {}).get("place_ids"):
            raise ValidationError({"audience": {"place_ids": ["visible in places, and names none"]}})

    @validates_schema
    def _courses_have_their_parts(self, data: Mapping[str, Any], **_: Any) -> None:
        for part, parts in (("module", "modules"), ("phase", "phases")):
            refuse_repeated(data.get(parts, []), parts)
            _require_parts(data["courses"], part, [each["key"] for each in data.get(parts, [])], parts)


def _require_parts(courses: list[dict[str, Any]], part: str, known: list[str], parts: str) -> None:
    """Where there are parts every course lies in one of them, and none of them is empty."""
    for index, course in enumerate(courses):
        if course.get(part) not in (known or (None,)):
            fault = f"no such {part}" if part in course else f"the programme has {parts}, and this names none"
            raise ValidationError({"courses": {index: {part: [fault]}}})
    for index, key in enumerate(known):
        if all(course[part] != key for course in courses):
            raise ValidationError({parts: {index: {"key": ["no course lies in it"]}}})
