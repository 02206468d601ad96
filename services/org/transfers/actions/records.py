"""What every step of a transfer leaves behind: the row, its announcement, its audit row."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from services.org import queries as org_queries
from services.org.actions.memberships import Timed
from services.org.contract.transfers import TRANSFER_CHANGED, TransferState
from services.org.transfers.models import Transfer
from services.shared import audit, clock, outbox
from services.shared.bus import Call


def close(transfer: Transfer, at: Timed, by: str, state: TransferState, reason: str) -> None:
    """Give the locked row its last state; the caller announces it."""
    transfer.state, transfer.reason = state, reason
    transfer.decided_by, transfer.decided_at = by, at.now
    transfer.version += 1


def announce(db: Session, transfer: Transfer) -> None:
    db.flush()
    schools = org_queries.find_schools_by_id(db, {transfer.from_school_id, transfer.to_school_id})
    names = {school_id: school.name for school_id, school in schools.items()}
    outbox.announce(
        db,
        TRANSFER_CHANGED,
        transfer.transfer_id,
        payload_of(transfer, names[transfer.from_school_id], names[transfer.to_school_id]),
    )


def payload_of(transfer: Transfer, from_name: str, to_name: str) -> dict[str, Any]:
    """The transfer as `org.transfer_changed` tells it; why it was asked for or refused stays here."""
    return {
        "transfer_id": str(transfer.transfer_id),
        "version": transfer.version,
        "teacher_id": str(transfer.teacher_id),
        "state": str(transfer.state),
        "level": str(transfer.level),
        "from_school_id": str(transfer.from_school_id),
        "from_school_name": from_name,
        "from_place": transfer.from_place,
        "to_school_id": str(transfer.to_school_id),
        "to_school_name": to_name,
        "to_place": transfer.to_place,
        "requested_at": clock.format_instant(transfer.requested_at),
        "decided_at": clock.format_instant(transfer.decided_at) if transfer.decided_at else None,
    }


def record(db: Session, call: Call, transfer: Transfer, before: str) -> None:
    audit.record(
        db,
        call,
        subject=transfer.teacher_id,
        place=transfer.place,
        reason=transfer.reason or transfer.note,
        before={"state": before} if before else {},
        after={
            "state": str(transfer.state),
            "transfer_id": str(transfer.transfer_id),
            "from_school_id": str(transfer.from_school_id),
            "to_school_id": str(transfer.to_school_id),
        },
    )
