"""What becomes of transfers when a school moves, is merged or closes."""

from __future__ import annotations

from sqlalchemy.orm import Session

from services.org import queries as org_queries
from services.org.transfers import queries
from services.org.transfers.actions.requests import OVERTAKEN, end
from services.org.transfers.rules import transfer as rules
from services.shared.bus import Call


def move_school(db: Session, before: str, after: str) -> None:
    """A school stands at another place: its transfers follow it, and those that wait are decided above both schools anew.

    To be called in the transaction that moves the school, with the worker's role.
    """
    queries.move_school(db, before, after)
    for transfer in queries.lock_open_transfers_at(db, after):
        db.refresh(transfer)
        transfer.place = rules.place_above_both(transfer.from_place, transfer.to_place)
        transfer.level = rules.level_at(org_queries.get_target(db, transfer.place).level)
    db.flush()


def end_transfers_at(db: Session, call: Call, place: str) -> int:
    """A school was merged or closed: requests to it and from it are over; returns how many. Whoever still wants one asks anew."""
    waiting = queries.lock_open_transfers_at(db, place)
    for transfer in waiting:
        end(db, call, transfer, OVERTAKEN)
    return len(waiting)
