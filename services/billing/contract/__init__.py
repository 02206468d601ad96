"""What others may know of billing: its name, its events, its refusals, its words for holds and money."""

from __future__ import annotations

from typing import Final

from marshmallow import Schema

from services.billing.contract import bills, holds

SERVICE: Final = "billing"

EVENTS: Final[dict[str, type[Schema]]] = {**bills.EVENTS, **holds.EVENTS}

# By code, in Chinese and in English.
ERRORS: Final[dict[str, tuple[str, str]]] = {
    **bills.ERRORS,
    **holds.ERRORS,
    "billing.place_unknown": ("没有这个地点。", "There is no such place."),
    "billing.not_yourself": ("不能办理自己的事项。", "Nobody decides about himself."),
}
