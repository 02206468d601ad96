"""Sealed values and indexes of tickets under the newest keys, after a rotation."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.identity.phone.actions.tickets import PERSONAL
from services.identity.phone.models import PhoneTicket, TicketEvidence
from services.identity.vault import Vault

ROWS_AT_ONCE = 500


def reseal_tickets(db: Session, vault: Vault) -> int:
    """A batch of rows; returns how many changed. Changes by the old phone live for minutes and need none of this."""
    return _reseal_tickets(db, vault) + _reseal_evidence(db, vault)


def _reseal_tickets(db: Session, vault: Vault) -> int:
    sealed = [getattr(PhoneTicket, f"{field}_sealed") for field in PERSONAL]
    indexes = [PhoneTicket.old_phone_index, PhoneTicket.new_phone_index]
    stale = sa.or_(*map(vault.is_stale, sealed), *map(vault.is_stale_index, indexes))
    rows = db.scalars(sa.select(PhoneTicket).where(stale).limit(ROWS_AT_ONCE).with_for_update(skip_locked=True)).all()
    for ticket in rows:
        for field in PERSONAL:
            if value := getattr(ticket, f"{field}_sealed"):
                setattr(ticket, f"{field}_sealed", vault.cipher.reseal(value, "phone_ticket", ticket.id, field))
        for side in ("old_phone", "new_phone"):
            if value := getattr(ticket, f"{side}_sealed"):
                phone = vault.open("phone_ticket", ticket.id, side, value)
                setattr(ticket, f"{side}_index", vault.phone_index(phone))
    return len(rows)


def _reseal_evidence(db: Session, vault: Vault) -> int:
    stale = vault.is_stale(TicketEvidence.file_key_sealed)
    rows = db.scalars(
        sa.select(TicketEvidence).where(stale).limit(ROWS_AT_ONCE).with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        if row.file_key_sealed:
            row.file_key_sealed = vault.cipher.reseal(row.file_key_sealed, "ticket_evidence", row.id, "file_key")
    return len(rows)
