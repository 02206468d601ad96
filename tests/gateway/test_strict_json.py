"""The body reader: what it refuses, and that it names the field."""

from __future__ import annotations

import pytest

from gateway import strict_json
from gateway.strict_json import parse_object
from services.shared.errors import InvalidInput

CASES = {
    "duplicate key": (b'{"a":1,"a":2}', "shared.json_duplicate_key", "a"),
    "nested duplicate key": (b'{"a":{"b":[1,{"c":1,"c":2}]}}', "shared.json_duplicate_key", "a.b.1.c"),
    "escaped duplicate key": (b'{"a":1,"\\u0061":2}', "shared.json_duplicate_key", "a"),
    "NaN": (b'{"a":NaN}', "shared.json_number", "a"),
    "Infinity": (b'{"a":[-Infinity]}', "shared.json_number", "a.0"),
    "overflowing float": (b'{"a":{"b":1e400}}', "shared.json_number", "a.b"),
    "float beyond doubles' integers": (b'{"a":1e17}', "shared.json_number", "a"),
    "integer beyond 2^53": (b'{"a":9007199254740993}', "shared.json_number", "a"),
    "integer of a million digits": (b'{"a":' + b"9" * 1_000_000 + b"}", "shared.json_number", "a"),
    "NUL": (b'{"a":"x\\u0000y"}', "shared.json_text", "a"),
    "lone high surrogate": (b'{"a":"\\ud800"}', "shared.json_text", "a"),
    "lone low surrogate": (b'{"a":{"b":"\\udc00x"}}', "shared.json_text", "a.b"),
    "surrogate in a key": (b'{"\\ud800":1}', "shared.json_text", ""),
    "kombu type key": (b'{"a":{"__type__":"date","__value__":"x"}}', "shared.json_reserved_key", "a.__type__"),
    "kombu value key": (b'{"__value__":1}', "shared.json_reserved_key", "__value__"),
    "trailing garbage": (b"{} {}", "shared.json_syntax", ""),
    "empty": (b"", "shared.json_syntax", ""),
    "truncated": (b'{"a":', "shared.json_syntax", ""),
    "single quotes": (b"{'a':1}", "shared.json_syntax", ""),
    "byte order mark": (b"\xef\xbb\xbf{}", "shared.json_syntax", ""),
    "UTF-16": ('{"a":1}'.encode("utf-16"), "shared.json_encoding", ""),
    "overlong UTF-8": (b'{"a":"\xc0\xaf"}', "shared.json_encoding", ""),
    "UTF-8 surrogate": (b'{"a":"\xed\xa0\x80"}', "shared.json_encoding", ""),
    "list": (b"[]", "shared.json_not_object", ""),
    "text": (b'"a"', "shared.json_not_object", ""),
    "null": (b"null", "shared.json_not_object", ""),
    "a million brackets": (b"[" * 1_000_000, "shared.json_too_deep", ""),
    "200,000 objects deep": (b'{"a":' * 200_000, "shared.json_too_deep", ""),
    "too many elements": (b'{"a":[' + b"0," * 60_000 + b"0]}", "shared.json_too_deep", ""),
}


@pytest.mark.parametrize("name", CASES)
def test_refused_with_its_field(name: str) -> None:
    body, code, field = CASES[name]
    with pytest.raises(InvalidInput) as refusal:
        parse_object(body)
    assert (refusal.value.code, refusal.value.field) == (code, field)


def test_depth_is_counted_exactly() -> None:
    allowed = strict_json.MAX_DEPTH - 1
    assert parse_object(b'{"a":' + b"[" * allowed + b"]" * allowed + b"}")
    with pytest.raises(InvalidInput, match="json_too_deep"):
        parse_object(b'{"a":' + b"[" * (allowed + 1) + b"]" * (allowed + 1) + b"}")


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b' {"a": 9007199254740992} ', {"a": 2**53}),
        (b'{"a":"\\ud83d\\ude00"}', {"a": "😀"}),
        ('{"姓名":"㐀𠀀·卡"}'.encode(), {"姓名": "㐀𠀀·卡"}),
        (b'{"a":[1,2.5,true,null,{"b":""}]}', {"a": [1, 2.5, True, None, {"b": ""}]}),
    ],
)
def test_honest_bodies_arrive_unchanged(body: bytes, value: object) -> None:
    assert parse_object(body) == value
