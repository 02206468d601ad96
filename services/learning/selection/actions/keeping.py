"""Keeping what the catalogue tells of periods and offerings."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.learning.selection import queries
from services.learning.selection.actions import moving
from services.learning.selection.models import Offering, Period, Seats
from services.shared import clock
from services.shared.newer import keep_newer

WITHDRAWN = "WITHDRAWN"


def keep_period(db: Session, payload: dict[str, Any]) -> None:
    """Store a period unless a newer version is known. Moving the window of a period that is closed here opens nothing."""
    values = {
        "period_id": uuid.UUID(payload["period_id"]),
        "version": payload["version"],
        "code": payload["code"],
        "title": payload["title"],
        "tier": payload["tier"],
        "place": payload["place_id"],
        "year": payload["year"],
        "state": payload["state"],
        "selects_from": clock.parse_instant(payload["selects_from"]),
        "selects_until": clock.parse_instant(payload["selects_until"]),
        "due_on": dt.date.fromisoformat(payload["due_on"]),
    }
    keep_newer(db, Period, "period_id", values)


def keep_offering(db: Session, payload: dict[str, Any], now: dt.datetime) -> None:
    """Store an offering unless a newer version is known, with its seats; what was chosen of a withdrawn one is void.

    Fewer seats than are taken take nobody's away: no further one is given until there are enough.
    """
    offering_id, period_id = uuid.UUID(payload["offering_id"]), uuid.UUID(payload["period_id"])
    withdrawn = payload["state"] == WITHDRAWN
    if withdrawn:
        # Whoever is choosing it at this moment is through before it is void, and nobody chooses it afterwards.
        queries.shut(db, period_id)
    values = {
        "offering_id": offering_id,
        "version": payload["version"],
        "period_id": period_id,
        "course_id": uuid.UUID(payload["course_id"]),
        **{name: payload[name] for name in ("course_no", "title", "hour_type", "course_type")},
        **{name: Decimal(payload[name]) for name in ("hours", "fee", "material_fee")},
        "public_course": payload["public_course"],
        "charging_unit_id": uuid.UUID(payload["charging_unit_id"]),
        "charging_place": payload["charging_place"],
        "capacity": payload["capacity"],
        "audience": payload["audience"],
        "capability": payload["capability"],
        "state": payload["state"],
    }
    if not keep_newer(db, Offering, "offering_id", values):
        return
    seats = insert(Seats).values(offering_id=offering_id, capacity=payload["capacity"], taken=0)
    db.execute(seats.on_conflict_do_update(index_elements=["offering_id"], set_={"capacity": seats.excluded.capacity}))
    if withdrawn:
        moving.void_offering(db, offering_id, now)
