"""Reads a request body as JSON and refuses what other readers would silently disagree about.

Refused: duplicate keys, NaN and Infinity, numbers that a double cannot hold exactly, NUL and lone surrogates, the key
names that kombu would decode into objects, depth, and trailing text. Each refusal names the field.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Iterator
from typing import Any

from services.shared.errors import InvalidInput

MAX_DEPTH = 32
# 1 MiB of brackets is half a million elements: no honest body comes near a tenth of this.
MAX_ELEMENTS = 50_000
# The largest integer that JavaScript and every double keep exactly (RFC 8259, section 6).
MAX_INTEGER = 2**53
_SURROGATE = re.compile(r"[\ud800-\udfff]")
# kombu's JSON decoder turns {"__type__": …, "__value__": …} into objects (`utils/json.py`).
RESERVED_KEYS = frozenset({"__type__", "__value__"})


@dataclasses.dataclass(frozen=True)
class _Fault:
    """Stands in the parsed value where the text was wrong, so that the walk can tell its path."""

    code: str
    key: str = ""


def parse_object(body: bytes) -> dict[str, Any]:
    """The object in `body`. Raises InvalidInput with the dotted path of the first fault."""
    value: Any = _parse(body)
    if not isinstance(value, dict | _Fault):
        raise InvalidInput("shared.json_not_object")
    if isinstance(value, dict) and _is_sound(value, 0):
        return value
    for path, fault in _walk(value):
        if fault:
            raise InvalidInput(fault.code, ".".join((*path, fault.key) if fault.key else path))
    assert isinstance(value, dict)  # a fault was found by the walk
    return value


def _parse(body: bytes) -> Any:
    # Before parsing, and generous: commas inside texts count too.
    if body.count(b",") > MAX_ELEMENTS:
        raise InvalidInput("shared.json_too_deep")
    try:
        return _DECODER.decode(body.decode("utf-8"))
    except UnicodeDecodeError:
        raise InvalidInput("shared.json_encoding") from None
    except RecursionError:
        raise InvalidInput("shared.json_too_deep") from None
    except json.JSONDecodeError as error:
        raise InvalidInput("shared.json_syntax", "", f"line {error.lineno} column {error.colno}") from None


def _is_sound(value: Any, depth: int) -> bool:
    """Whether the walk would find no fault: most bodies have none, and need no paths. Goes no deeper than is allowed."""
    kind = type(value)
    if kind is str:
        return is_clean(value)
    if kind is dict or kind is list:
        if depth >= MAX_DEPTH:
            return False
        return all(_is_sound(child, depth + 1) for child in (value.values() if kind is dict else value))
    return kind is not _Fault


def _walk(root: Any) -> Iterator[tuple[tuple[str, ...], _Fault | None]]:
    """Every value with its path, parents first. A list of open branches, not recursion: depth is the caller's choice."""
    pending: list[tuple[tuple[str, ...], Any]] = [((), root)]
    while pending:
        path, value = pending.pop()
        yield path, _fault_of(value, len(path))
        if isinstance(value, dict):
            pending.extend(((*path, key), child) for key, child in reversed(value.items()))
        elif isinstance(value, list):
            pending.extend(((*path, str(index)), child) for index, child in reversed(list(enumerate(value))))


def _fault_of(value: Any, depth: int) -> _Fault | None:
    if isinstance(value, _Fault):
        return value
    if isinstance(value, str) and not is_clean(value):
        return _Fault("shared.json_text")
    if isinstance(value, dict | list) and depth >= MAX_DEPTH:
        return _Fault("shared.json_too_deep")
    return None


def is_clean(text: str) -> bool:
    """Whether PostgreSQL and UTF-8 can hold it: no NUL, no half of a surrogate pair."""
    return "\0" not in text and (text.isascii() or not _SURROGATE.search(text))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any] | _Fault:
    value = dict(pairs)
    if len(value) != len(pairs):
        return _Fault("shared.json_duplicate_key", _first_repeated([key for key, _ in pairs]))
    for key in value:
        if key in RESERVED_KEYS:
            return _Fault("shared.json_reserved_key", key)
        if not is_clean(key):
            return _Fault("shared.json_text")
    return value


def _first_repeated(keys: list[str]) -> str:
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            return key if is_clean(key) else ""
        seen.add(key)
    return ""


def _integer(text: str) -> int | _Fault:
    # Length first: int() of a million digits takes quadratic time.
    if len(text) > 17 or abs(int(text)) > MAX_INTEGER:
        return _Fault("shared.json_number")
    return int(text)


def _decimal(text: str) -> float | _Fault:
    value = float(text)
    return value if math.isfinite(value) and abs(value) <= MAX_INTEGER else _Fault("shared.json_number")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=_integer,
    parse_float=_decimal,
    parse_constant=lambda _name: _Fault("shared.json_number"),
)
