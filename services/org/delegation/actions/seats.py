"""Keeping the seats and their counts: every change of a seat leaves a delta, in the same transaction."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.org.contract import Level
from services.org.contract.delegation import Ending, SeatState
from services.org.delegation import queries
from services.org.delegation.actions import code_states
from services.org.delegation.models import ActivationDelta, AdminSeat, AuthorityCode
from services.org.delegation.rules import seats as rules
from services.org.delegation.rules.seats import Counts
from services.shared import clock
from services.shared.actor import Role
from services.shared.ids import new_id


def note_unit(db: Session, before: str | None, after: str | None) -> None:
    """Tell activation that a school or institution stands elsewhere now: its place before and after, None for nowhere.

    (None, place) for one that was created or opened again, (place, place) never, (old, new) for one that moved, (place,
    None) for one that was merged or closed: its codes are void then. Its grants are the caller's to move or end
    (`actions/grants.py`: `move_grants`, `end_grants_at`). Telling twice changes nothing; 其他 has no seat.
    """
    note_units(db, [(before, after)])


def note_units(db: Session, changes: Iterable[tuple[str | None, str | None]]) -> None:
    """As `note_unit` for many; those that were created take two statements together."""
    now = clock.now()
    opened: list[str] = []
    for before, after in changes:
        old = before if before and rules.is_school(before) else None
        new = after if after and rules.is_school(after) else None
        if old and new:
            _move(db, old, new, now)
        elif old:
            _close(db, old, now)
        elif new:
            opened.append(new)
    _open(db, [_row(place, Level.SCHOOL, place.rpartition("/")[0], Role.SCHOOL_ADMIN, now) for place in opened])


def note_regions(db: Session, regions: Iterable[tuple[str, Level]]) -> None:
    """Give provinces, cities and counties the seats that they do not have yet, and count them at once."""
    now = clock.now()
    rows = [
        _row(place, level, place.rpartition("/")[0], role, now)
        for place, level in regions
        for role in rules.seats_of(level)
    ]
    if _open(db, rows):
        fold_deltas(db, len(rows))


def fold_deltas(db: Session, limit: int) -> int:
    """Add so many deltas to the counts of every region above them, and drop them; returns how many were taken.

    Whoever reads meanwhile sees either the delta or the count; whoever folds at the same time takes other deltas.
    """
    return queries.fold_deltas(db, limit)


def refresh_seat(db: Session, place: str, role: str, now: dt.datetime) -> None:
    """Bring one seat to what its grants and codes say. A role that is no seat (a principal) has nothing to refresh."""
    db.flush()
    seat = queries.lock_seat(db, place, role)
    if seat is None:
        return
    before, after = SeatState(seat.state), queries.find_seat_state(db, place, role)
    if before is after:
        return
    seat.state, seat.changed_at = after, now
    if seat.standing:
        _count(db, [(seat, rules.count_of(after) - rules.count_of(before))])


def _open(db: Session, rows: Sequence[dict[str, Any]]) -> int:
    """Seats of units that are new, or that stand again; returns how many."""
    if not rows:
        return 0
    opened = queries.open_seats(db, rows)
    _count(db, [(seat, rules.count_of(SeatState(seat.state))) for seat in opened])
    return len(opened)


def _close(db: Session, place: str, now: dt.datetime) -> None:
    code_states.void(db, queries.lock_waiting_codes(db, [place]), Ending.UNIT_ENDED, "", now)
    for role in rules.seats_of(Level.SCHOOL):
        refresh_seat(db, place, role, now)
        seat = queries.lock_seat(db, place, role)
        if seat is not None and seat.standing:
            seat.standing, seat.changed_at = False, now
            _count(db, [(seat, -rules.count_of(SeatState(seat.state)))])
    db.flush()


def _move(db: Session, before: str, after: str, now: dt.datetime) -> None:
    """The seats and the codes follow the unit: a code that is on its way stays good."""
    for role in rules.seats_of(Level.SCHOOL):
        seat = queries.lock_seat(db, before, role)
        if seat is None:
            continue
        counts = rules.count_of(SeatState(seat.state)) if seat.standing else Counts()
        _count(db, [(seat, -counts)])
        seat.place, seat.parent, seat.changed_at = after, after.rpartition("/")[0], now
        db.flush()
        _count(db, [(seat, counts)])
    db.execute(sa.update(AuthorityCode).where(AuthorityCode.place == before).values(place=after))


def _row(place: str, level: Level, parent: str, role: Role, now: dt.datetime) -> dict[str, Any]:
    return {
        "place": place,
        "role": role,
        "level": level,
        "parent": parent,
        "standing": True,
        "state": SeatState.NOT_GENERATED,
        "changed_at": now,
    }


def _count(db: Session, changes: Sequence[tuple[AdminSeat, Counts]]) -> None:
    """Write what changed; the folder carries it to every place above. No row is shared, so nobody waits for another."""
    rows = [
        {
            "delta_id": new_id(),
            "place": seat.place,
            "level": seat.level,
            "role": seat.role,
            **dataclasses.asdict(counts),
        }
        for seat, counts in changes
        if counts
    ]
    if rows:
        db.execute(sa.insert(ActivationDelta), rows)
