"""Fields that schemas of several services share."""

from __future__ import annotations

import datetime as dt
from typing import Any

from marshmallow import fields

from services.shared import clock


class Instant(fields.Field[dt.datetime]):
    """A time in replies: RFC 3339 in UTC."""

    def _serialize(self, value: dt.datetime | None, attr: str | None, obj: Any, **_: Any) -> str | None:
        return None if value is None else clock.format_instant(value)
