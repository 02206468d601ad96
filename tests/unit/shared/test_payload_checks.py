"""The quick look at payloads never says yes where the schema says no, whatever the payload."""

from __future__ import annotations

import copy
import importlib
import uuid
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from services.shared import payload_checks
from services.shared.payload_checks import surely_satisfies
from services.shared.settings import SERVICES

CONTRACTS = {
    name: schema
    for service in SERVICES
    for name, schema in importlib.import_module(f"services.{service}.contract").EVENTS.items()
}
SCALARS: dict[type, Any] = {
    fields.String: "文",
    fields.Integer: 7,
    fields.Boolean: True,
    fields.UUID: str(uuid.UUID(int=5)),
}
ODD = st.sampled_from([None, "", "x", -1, 2.5, True, [], [None], {}, {"more": 1}, str(uuid.UUID(int=6)), "7"])


def example(schema: Schema) -> dict[str, Any]:
    """A payload with every field of the kinds that are looked at quickly."""
    return {name: _value(field) for name, field in schema.load_fields.items()}


def _value(field: Any) -> Any:
    if isinstance(field, fields.List):
        return [_value(field.inner)]
    if isinstance(field, fields.Nested):
        return example(field.schema)
    return SCALARS.get(type(field), "2023-02-01T12:00:00.000000Z")


@st.composite
def bent(draw: st.DrawFn, payload: Any) -> Any:
    """The payload with one place of it replaced, removed or added to."""
    payload = copy.deepcopy(payload)
    at: Any = payload
    while True:
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        if isinstance(at, dict) and draw(st.booleans()) and draw(st.booleans()):
            at["unknown"] = 1
            return payload
        if not keys:
            return payload
        key = draw(st.sampled_from(keys))
        if isinstance(at[key], dict | list) and draw(st.booleans()):
            at = at[key]
            continue
        if isinstance(at, dict) and draw(st.booleans()):
            del at[key]
        else:
            at[key] = draw(ODD)
        return payload


@settings(deadline=None, max_examples=400)
@given(st.data(), st.sampled_from(sorted(CONTRACTS)))
def test_a_yes_is_the_schemas_yes(data: st.DataObject, name: str) -> None:
    schema = CONTRACTS[name]
    payload = data.draw(bent(example(schema())))
    if surely_satisfies(schema, payload):
        assert schema().validate(payload) == {}


@pytest.mark.parametrize("name", sorted(CONTRACTS))
def test_what_the_schema_takes_gets_a_yes(name: str) -> None:
    """Otherwise the quick look would be for nothing."""
    schema, payload = CONTRACTS[name], example(CONTRACTS[name]())
    assert surely_satisfies(schema, payload) is (schema().validate(payload) == {})


def test_the_events_of_each_batch_are_looked_at_without_the_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    from services.credits.contract import HoursRecognised

    payload = example(HoursRecognised())
    payload_checks._check_of(HoursRecognised)
    monkeypatch.setattr(Schema, "validate", None)
    monkeypatch.setattr(fields.Field, "deserialize", None)
    assert surely_satisfies(HoursRecognised, payload)
    assert not surely_satisfies(HoursRecognised, {**payload, "courses": [{**payload["courses"][0], "hours": 1}]})


class Shout(fields.String):
    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if value != value.upper():
            raise ValidationError("louder")
        return value


class Choosy(Schema):
    """What a plain look would miss: a validator, a derived field, and below a rule about the whole."""

    low = fields.Integer(required=True, validate=validate.Range(max=3))
    word = Shout()


class Whole(Choosy):
    @validates_schema
    def _require_word(self, data: Any, **_: Any) -> None:
        if data["low"] == 1 and "word" not in data:
            raise ValidationError("a word is wanted")


@pytest.mark.parametrize(
    ("schema", "payload", "good"),
    [
        (Choosy, {"low": 3}, True),
        (Choosy, {"low": 4}, False),
        (Choosy, {"low": 3, "word": "LOUD"}, True),
        (Choosy, {"low": 3, "word": "quiet"}, False),
        (Whole, {"low": 2}, True),
        (Whole, {"low": 1}, False),
        (Whole, {"low": 1, "word": "LOUD"}, True),
    ],
)
def test_what_is_not_plain_is_asked(schema: type[Schema], payload: Any, good: bool) -> None:
    assert surely_satisfies(schema, payload) is good


def test_sabotage_a_look_that_leaves_out_validators_says_yes_too_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payload_checks, "_field_check", payload_checks._plain_check)
    payload_checks._check_of.cache_clear()
    try:
        assert surely_satisfies(Choosy, {"low": 4})
        assert Choosy().validate({"low": 4})
    finally:
        payload_checks._check_of.cache_clear()
