"""Keeping what catalog, learning and org tell; whatever is older than what is known is passed over."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.billing.models import Model
from services.billing.selection.models import Choice, Closing, Offering, Period, Unit
from services.shared import clock


def keep_period(db: Session, payload: dict[str, Any]) -> bool:
    return _keep(
        db,
        Period,
        {
            "period_id": uuid.UUID(payload["period_id"]),
            "version": payload["version"],
            "code": payload["code"],
            "title": payload["title"],
            "tier": payload["tier"],
            "place": payload["place_id"],
            "year": payload["year"],
            "state": payload["state"],
            "due_on": dt.date.fromisoformat(payload["due_on"]),
        },
    )


def keep_offering(db: Session, payload: dict[str, Any]) -> bool:
    return _keep(
        db,
        Offering,
        {
            "offering_id": uuid.UUID(payload["offering_id"]),
            "version": payload["version"],
            "period_id": uuid.UUID(payload["period_id"]),
            "course_no": payload["course_no"],
            "title": payload["title"],
            "hour_type": payload["hour_type"],
            "course_type": payload["course_type"],
            "hours": Decimal(payload["hours"]),
            "fee": Decimal(payload["fee"]),
            "material_fee": Decimal(payload["material_fee"]),
            "public_course": payload["public_course"],
            "charging_unit_id": uuid.UUID(payload["charging_unit_id"]),
            "charging_place": payload["charging_place"],
        },
    )


def keep_choice(db: Session, payload: dict[str, Any]) -> bool:
    return _keep(
        db,
        Choice,
        {
            "choice_id": uuid.UUID(payload["choice_id"]),
            "version": payload["version"],
            "teacher_id": uuid.UUID(payload["teacher_id"]),
            "school_id": uuid.UUID(payload["school_id"]),
            "place": payload["place"],
            "offering_id": uuid.UUID(payload["offering_id"]),
            "period_id": uuid.UUID(payload["period_id"]),
            "state": payload["state"],
            "chosen_at": clock.parse_instant(payload["at"]),
        },
    )


def keep_unit(db: Session, payload: dict[str, Any]) -> bool:
    return _keep(
        db,
        Unit,
        {
            "unit_id": uuid.UUID(payload["school_id"]),
            "version": payload["version"],
            "name": payload["name"],
            "seal_name": payload["seal_name"],
            "place": payload["place"],
        },
    )


def keep_closing(db: Session, payload: dict[str, Any]) -> None:
    """Said once per period; saying it again changes nothing."""
    given = insert(Closing).values(
        period_id=uuid.UUID(payload["period_id"]), choices=payload["choices"], versions=payload["versions"]
    )
    db.execute(given.on_conflict_do_nothing(index_elements=[Closing.period_id]))


def _keep(db: Session, model: type[Model], values: dict[str, Any]) -> bool:
    """Store the fact unless a newer one is known; whether it was news."""
    table: Any = model.__table__
    [key] = table.primary_key.columns
    given = insert(table).values(values)
    kept = db.execute(
        given.on_conflict_do_update(
            index_elements=[key],
            set_={name: given.excluded[name] for name in values if name != key.name},
            where=table.c.version < given.excluded.version,
        ).returning(key)
    )
    return kept.first() is not None
