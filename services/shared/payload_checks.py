"""Payloads looked at by plain functions made once from their schema: marshmallow takes a hundred times as long to say yes.

Only a yes counts. Whoever gets a no asks the schema itself, which also says what is wrong.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

Check = Callable[[Any], bool]

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def surely_satisfies(schema: type[Schema], payload: Any) -> bool:
    """True only for a payload of which the schema would say the same; a few good ones get False as well."""
    return _check_of(schema)(payload)


@functools.cache
def _check_of(schema_class: type[Schema]) -> Check:
    schema = schema_class()
    return _object_check(schema) if _is_plain(schema) else lambda payload: not schema.validate(payload)


def _is_plain(schema: Schema) -> bool:
    """Whether the schema says no more than its fields do."""
    hooks = schema._hooks  # noqa: SLF001  marshmallow tells of them nowhere else
    return not any(hooks.values()) and schema.unknown == RAISE and not schema.many and not schema.partial


def _object_check(schema: Schema) -> Check:
    parts = [
        (field.data_key or name, _field_check(field), field.required) for name, field in schema.load_fields.items()
    ]

    def check(payload: Any) -> bool:
        if type(payload) is not dict:
            return False
        left = len(payload)
        for key, is_good, required in parts:
            if key in payload:
                if not is_good(payload[key]):
                    return False
                left -= 1
            elif required:
                return False
        return left == 0  # nothing that no field knows

    return check


def _field_check(field: Any) -> Check:
    if field.pre_load or field.post_load or not all(type(one) is validate.Length for one in field.validators):
        return _asks(field)
    check = functools.reduce(_with_length, field.validators, _plain_check(field))
    return (lambda value: value is None or check(value)) if field.allow_none else check


def _with_length(check: Check, length: Any) -> Check:
    least = length.min if length.equal is None else length.equal
    most = length.max if length.equal is None else length.equal
    least, most = least or 0, math.inf if most is None else most
    return lambda value: check(value) and least <= len(value) <= most


def _plain_check(field: Any) -> Check:
    # The classes themselves: what is derived from them may want anything.
    kind = type(field)
    if kind is fields.String:
        return lambda value: type(value) is str
    if kind is fields.Integer:
        return lambda value: type(value) is int
    if kind is fields.Boolean:
        return lambda value: value is True or value is False
    if kind is fields.UUID:
        return lambda value: type(value) is str and _UUID.fullmatch(value) is not None
    if kind is fields.List:
        check = _field_check(field.inner)
        return lambda value: type(value) is list and all(map(check, value))
    if kind is fields.Nested and not field.many and not field.unknown and isinstance(field.nested, type):
        return _nested_check(field)
    return _asks(field)


def _nested_check(field: Any) -> Check:
    return _object_check(field.schema) if _is_plain(field.schema) else _asks(field)


def _asks(field: Any) -> Check:
    """Whatever the field itself says."""

    def check(value: Any) -> bool:
        try:
            field.deserialize(value)
        except ValidationError:
            return False
        return True

    return check
