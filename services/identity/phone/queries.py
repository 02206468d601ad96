"""Selects of phone changes and tickets that are reused, or that lock."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.identity.models import SignIn, SmsCode
from services.identity.phone.models import PhoneChange, PhoneTicket, TicketEvidence
from services.identity.phone.rules import changes, tickets
from services.shared.errors import NotFound


def lock_unfinished_change(db: Session, account_id: uuid.UUID | None) -> PhoneChange | None:
    return db.scalars(
        sa.select(PhoneChange)
        .where(PhoneChange.account_id == account_id, PhoneChange.state.in_(changes.UNFINISHED))
        .with_for_update()
    ).one_or_none()


def lock_change(
    db: Session, change_id: uuid.UUID, account_id: uuid.UUID | None, sign_in_id: uuid.UUID | None
) -> PhoneChange:
    """The caller's own change, begun in this very sign-in. Raises NotFound("identity.phone_change_unknown")."""
    found = db.scalars(
        sa.select(PhoneChange)
        .where(
            PhoneChange.id == change_id,
            PhoneChange.account_id == account_id,
            PhoneChange.sign_in_id == sign_in_id,
        )
        .with_for_update()
    ).one_or_none()
    if found is None:
        raise NotFound("identity.phone_change_unknown")
    return found


def get_ticket(db: Session, ticket_id: uuid.UUID) -> PhoneTicket:
    """Raises NotFound("identity.ticket_unknown")."""
    return _known(db.get(PhoneTicket, ticket_id))


def lock_ticket(db: Session, ticket_id: uuid.UUID) -> PhoneTicket:
    """Raises NotFound("identity.ticket_unknown")."""
    return _known(_locked(db, PhoneTicket.id == ticket_id))


def lock_ticket_to_stop(db: Session, stop_hash: str) -> PhoneTicket:
    """The ticket that a link stops. Raises NotFound("identity.ticket_unknown")."""
    return _known(_locked(db, PhoneTicket.stop_hash == stop_hash))


def find_ticket_to_stop(db: Session, stop_hash: str) -> PhoneTicket:
    """As `lock_ticket_to_stop`, only to look."""
    return _known(db.scalars(sa.select(PhoneTicket).where(PhoneTicket.stop_hash == stop_hash)).one_or_none())


def lock_ticket_of(db: Session, account_id: uuid.UUID | None) -> PhoneTicket | None:
    """The one ticket in progress about an account."""
    return _locked(db, PhoneTicket.account_id == account_id, PhoneTicket.state.in_(tickets.IN_PROGRESS))


def find_ticket_of(db: Session, account_id: uuid.UUID | None) -> PhoneTicket | None:
    """As `lock_ticket_of`, only to look."""
    return db.scalars(
        sa.select(PhoneTicket).where(PhoneTicket.account_id == account_id, PhoneTicket.state.in_(tickets.IN_PROGRESS))
    ).one_or_none()


def is_in_progress(db: Session, phones: Sequence[str]) -> bool:
    """Whether a ticket in progress names one of these phones (by their indexes), as old or as new one."""
    names = sa.or_(PhoneTicket.old_phone_index.in_(phones), PhoneTicket.new_phone_index.in_(phones))
    found = sa.select(PhoneTicket.id).where(names, PhoneTicket.state.in_(tickets.IN_PROGRESS)).limit(1)
    return db.scalar(found) is not None


def count_opened(db: Session, new_phones: Sequence[str], since: dt.datetime) -> int:
    """How many tickets were opened for this new phone since then."""
    opened = sa.select(sa.func.count()).where(
        PhoneTicket.new_phone_index.in_(new_phones), PhoneTicket.opened_at > since
    )
    return db.scalar(opened) or 0


def list_tickets(db: Session, states: Sequence[str], after: uuid.UUID | None, limit: int) -> list[PhoneTicket]:
    """Oldest first."""
    found = sa.select(PhoneTicket).where(PhoneTicket.state.in_(states)).order_by(PhoneTicket.id).limit(limit)
    return list(db.scalars(found if after is None else found.where(PhoneTicket.id > after)))


def lock_due_tickets(db: Session, now: dt.datetime, limit: int) -> list[PhoneTicket]:
    """Approved tickets that have cooled. What another transaction is changing comes next time."""
    return list(
        db.scalars(
            sa.select(PhoneTicket)
            .where(PhoneTicket.state == "COOLING", PhoneTicket.cools_until <= now)
            .order_by(PhoneTicket.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
    )


def lock_stale_drafts(db: Session, now: dt.datetime, limit: int) -> list[PhoneTicket]:
    return list(
        db.scalars(
            sa.select(PhoneTicket)
            .where(PhoneTicket.state == "DRAFT", PhoneTicket.opened_at <= now - tickets.DRAFT_KEPT)
            .order_by(PhoneTicket.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
    )


def lock_tickets_to_forget(db: Session, now: dt.datetime, limit: int) -> list[PhoneTicket]:
    return list(
        db.scalars(
            sa.select(PhoneTicket)
            .where(PhoneTicket.forgotten_at.is_(None), PhoneTicket.forget_at <= now)
            .order_by(PhoneTicket.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
    )


def list_evidence(db: Session, ticket_id: uuid.UUID) -> list[TicketEvidence]:
    """The images that are there, in the order of their arrival."""
    return list(
        db.scalars(
            sa.select(TicketEvidence)
            .where(TicketEvidence.ticket_id == ticket_id, TicketEvidence.storage_key.is_not(None))
            .order_by(TicketEvidence.id)
        )
    )


def count_evidence(db: Session, ticket_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, int]:
    rows = db.execute(
        sa.select(TicketEvidence.ticket_id, sa.func.count().label("images"))
        .where(TicketEvidence.ticket_id.in_(ticket_ids), TicketEvidence.storage_key.is_not(None))
        .group_by(TicketEvidence.ticket_id)
    )
    return {row.ticket_id: row.images for row in rows}


def find_slot(db: Session, ticket_id: uuid.UUID, sha256: str) -> TicketEvidence | None:
    return db.scalars(
        sa.select(TicketEvidence).where(TicketEvidence.ticket_id == ticket_id, TicketEvidence.sha256 == sha256)
    ).one_or_none()


def count_slots(db: Session, ticket_id: uuid.UUID) -> int:
    return db.scalar(sa.select(sa.func.count(TicketEvidence.id)).where(TicketEvidence.ticket_id == ticket_id)) or 0


def get_evidence(db: Session, ticket_id: uuid.UUID, evidence_id: uuid.UUID) -> TicketEvidence:
    """Raises NotFound("identity.evidence_unknown")."""
    found = db.scalars(
        sa.select(TicketEvidence).where(TicketEvidence.ticket_id == ticket_id, TicketEvidence.id == evidence_id)
    ).one_or_none()
    if found is None:
        raise NotFound("identity.evidence_unknown")
    return found


def list_doomed_files(db: Session, limit: int) -> list[tuple[uuid.UUID, str]]:
    """(evidence id, storage key) of files whose key has been destroyed already."""
    rows = db.execute(
        sa.select(TicketEvidence.id, TicketEvidence.storage_key)
        .where(TicketEvidence.file_key_sealed.is_(None), TicketEvidence.storage_key.is_not(None))
        .limit(limit)
    )
    return [(evidence_id, str(storage_key)) for evidence_id, storage_key in rows]


def has_answered(
    db: Session, account_id: uuid.UUID, phone_candidates: Sequence[str], since: dt.datetime | None
) -> bool:
    """Whether somebody has typed a code sent to this phone of the account since then: it is not dead."""
    # Codes are kept for two days, sign-ins for as long as they live.
    used = sa.select(SmsCode.id).where(SmsCode.phone_index.in_(phone_candidates), SmsCode.used_at > since)
    opened = sa.select(SignIn.id).where(SignIn.account_id == account_id, SignIn.by_code, SignIn.started_at > since)
    return any(db.scalar(found.limit(1)) is not None for found in (used, opened))


def _locked(db: Session, *conditions: sa.ColumnElement[bool]) -> PhoneTicket | None:
    return db.scalars(sa.select(PhoneTicket).where(*conditions).with_for_update()).one_or_none()


def _known(ticket: PhoneTicket | None) -> PhoneTicket:
    if ticket is None:
        raise NotFound("identity.ticket_unknown")
    return ticket
