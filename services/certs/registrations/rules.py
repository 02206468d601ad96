"""Pure rules of registrations; standard library only."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Final

from services.shared.errors import InvalidInput

_REGISTERED: Final = uuid.UUID("0b7d3a5c-5a0e-4b0a-9a43-0d5a3a0d8a42")


def registered_subject(place: str, issued_number: str) -> uuid.UUID:
    """What a registered certificate is about: an institution's own number, which it gives once."""
    return uuid.uuid5(_REGISTERED, f"{place}\n{issued_number}")


def require_order(started_on: dt.date, ended_on: dt.date, issued_on: dt.date, today: dt.date) -> None:
    """Begun, ended, issued, in this order and not in the future. Raises InvalidInput("certs.days_disordered"), naming the day."""
    for earlier, later, field in (
        (started_on, ended_on, "ended_on"),
        (ended_on, issued_on, "issued_on"),
        (issued_on, today, "issued_on"),
    ):
        if later < earlier:
            raise InvalidInput("certs.days_disordered", field)
