"""The proof of activation progress: seats against units, grants and codes; counts against seats. Changes nothing."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from services.org.contract.delegation import SeatState
from services.org.delegation import queries
from services.org.delegation.queries import CountEvidence, SeatEvidence
from services.org.delegation.rules import seats as rules

Difference = dict[str, Any]
SEATS, COUNTS = "seats", "counts"


def prove_activation(db: Session, after: str | None, limit: int) -> dict[str, Any]:
    """One page: {"checked", "differences", "after"}; first every seat, then every count. `after` is where to go on."""
    part, _, place = (after or f"{SEATS}:").partition(":")
    if part == SEATS:
        seats = queries.list_seat_evidence(db, place, limit)
        differences = [found for seat in seats if (found := _difference_of_seat(seat))]
        last = max((seat.place for seat in seats), default="")
        return _page(len(seats), differences, f"{SEATS}:{last}" if seats else f"{COUNTS}:")
    places = queries.list_region_places(db, place, limit)
    counts = queries.list_count_evidence(db, places)
    differences = [_row(COUNTS, each, str(each.written), str(each.counted)) for each in counts if each.differs]
    return _page(len(places), differences, f"{COUNTS}:{places[-1]}" if places else None)


def _difference_of_seat(seat: SeatEvidence) -> Difference | None:
    should = None  # no unit stands there
    if seat.level is not None:
        should = rules.state_of_seat(holders=seat.holders, codes=seat.codes, former=seat.former)
    written = SeatState(seat.state) if seat.state and seat.standing else None
    if should is written:
        return None
    return _row(SEATS, seat, str(written or "none"), str(should or "none"))


def _row(what: str, evidence: SeatEvidence | CountEvidence, written: str, recomputed: str) -> Difference:
    return {
        "what": what,
        "place": evidence.place,
        "role": evidence.role,
        "level": evidence.level or "",
        "written": written,
        "recomputed": recomputed,
    }


def _page(checked: int, differences: list[Difference], after: str | None) -> dict[str, Any]:
    return {"checked": checked, "differences": differences, "after": after}
