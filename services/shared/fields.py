"""Fields that schemas of several services share."""

from __future__ import annotations

import datetime as dt
import unicodedata
from typing import Any

from marshmallow import ValidationError, fields, validate

from services.shared import clock

# Controls, lone surrogates, line and paragraph separators: no line of text holds them, and UTF-8 not the surrogates.
_NOT_IN_A_LINE = frozenset({"Cc", "Cs", "Zl", "Zp"})
# They turn the reading direction of what follows: on a certificate a name could read as another one.
_DIRECTION_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def is_plain_line(text: str) -> bool:
    """Whether the text is one line that reads as it is written."""
    # What Python calls printable holds none of the two sets above; looking at each character costs ten times as much.
    return text.isprintable() or not any(
        unicodedata.category(each) in _NOT_IN_A_LINE or each in _DIRECTION_OVERRIDES for each in text
    )


class Instant(fields.Field[dt.datetime]):
    """A time in replies: RFC 3339 in UTC."""

    def _serialize(self, value: dt.datetime | None, attr: str | None, obj: Any, **_: Any) -> str | None:
        return None if value is None else clock.format_instant(value)


class Text(fields.String):
    """A line of text: trimmed, not empty, no control characters, nothing that UTF-8 cannot hold.

    `shortest=0` for one that may be left empty.
    """

    def __init__(self, longest: int, *, shortest: int = 1, **options: Any) -> None:
        super().__init__(validate=validate.Length(shortest, longest), **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        text = str(super()._deserialize(value, attr, data, **options)).strip()
        if not is_plain_line(text):
            raise ValidationError("Not a valid line of text.")
        return text
