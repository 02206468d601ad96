"""What administrators look up: their units and how many there are, and what a school was before."""

from __future__ import annotations

import uuid
from collections import Counter
from typing import Any

from sqlalchemy.orm import Session

from services.org import queries as org_queries
from services.org.units import queries
from services.org.units.actions.editing import get_in_reach
from services.org.units.rules.lifecycle import LIVING
from services.shared.bus import Call

Values = dict[str, Any]


def authorised_division(db: Session, call: Call, code: str) -> str:
    """The place of a division in the caller's territory. Raises NotFound("org.division_unknown")."""
    place = org_queries.place_of_division(db, code)
    call.authorise(place=place, missing="org.division_unknown")
    return place


def count_units(db: Session, place: str) -> Values:
    """How many units stand below a place, by state; those that have not ended also by kind and by attachment."""
    by_state: Counter[str] = Counter()
    by_kind: Counter[str] = Counter()
    by_attachment: Counter[str] = Counter()
    for state, kind, attachment, count in queries.count_units(db, place):
        by_state[state] += count
        if state in LIVING:
            by_kind[kind] += count
            by_attachment[attachment] += count
    living = sum(by_kind.values())
    return {"living": living, "by_state": by_state, "by_kind": by_kind, "by_attachment": by_attachment}


def get_history(db: Session, call: Call, school_id: uuid.UUID) -> Values:
    """Raises NotFound("org.school_unknown") outside the caller's reach."""
    school = get_in_reach(db, call, school_id)
    return {
        "school": school,
        "former_places": queries.list_former_places(db, school_id),
        "codes": queries.list_codes(db, school_id),
    }
