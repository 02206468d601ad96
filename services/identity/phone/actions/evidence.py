"""The images of a ticket: sealed by the gateway under a key that only identity keeps, each view on record."""

from __future__ import annotations

import dataclasses
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.identity.contract.phone import EVIDENCE_AT_MOST, TicketState
from services.identity.person.actions.consents import SENSITIVE, current_texts
from services.identity.phone import queries
from services.identity.phone.actions.desk import require_in_hand
from services.identity.phone.actions.swaps import place_of
from services.identity.phone.actions.tickets import lock_with_key
from services.identity.phone.models import PhoneTicket, TicketEvidence
from services.identity.vault import Vault
from services.org.contract import NATION
from services.shared import audit
from services.shared.bus import Call
from services.shared.errors import Conflict, NotFound
from services.shared.ids import new_id
from services.shared.sealed_files import new_file_key


@dataclasses.dataclass(frozen=True)
class Image:
    """What is told of an image before it is stored."""

    sha256: str
    media_type: str
    size: int


def prepare_evidence(
    db: Session, call: Call, vault: Vault, ticket_id: uuid.UUID, key: str, image: Image
) -> dict[str, Any]:
    """A place for an image, and the key to seal it with; the same image gets the same place again.

    A photo of somebody with a document rests on that person's consent and on nothing else (docs/adr/0018): a new place is on
    record with the text that was agreed to. Raises Conflict: "identity.ticket_sent", "identity.ticket_evidence_full".
    """
    ticket = _lock_draft(db, vault, ticket_id, key)
    slot = queries.find_slot(db, ticket.id, image.sha256) or _add_slot(db, call, vault, ticket, image)
    return {
        "evidence_id": str(slot.id),
        "file_key": vault.open("ticket_evidence", slot.id, "file_key", slot.file_key_sealed),
    }


def _add_slot(db: Session, call: Call, vault: Vault, ticket: PhoneTicket, image: Image) -> TicketEvidence:
    if queries.count_slots(db, ticket.id) >= EVIDENCE_AT_MOST:
        raise Conflict("identity.ticket_evidence_full", "file")
    evidence_id = new_id()
    slot = TicketEvidence(
        id=evidence_id,
        ticket_id=ticket.id,
        file_key_sealed=vault.seal("ticket_evidence", evidence_id, "file_key", new_file_key()),
        added_at=call.now,
        **dataclasses.asdict(image),
    )
    db.add(slot)
    db.flush()
    agreed = current_texts()[SENSITIVE]
    told = {"ticket": str(ticket.id), "consent": SENSITIVE, "version": agreed["version"], "digest": agreed["digest"]}
    audit.record(db, call, subject=ticket.id, after=told)
    return slot


def keep_evidence(
    db: Session, vault: Vault, ticket_id: uuid.UUID, key: str, evidence_id: uuid.UUID, storage_key: str
) -> dict[str, Any]:
    """The sealed image is stored under this key. `kept` is false when it was there already: then the new file may go."""
    ticket = _lock_draft(db, vault, ticket_id, key)
    slot = queries.get_evidence(db, ticket.id, evidence_id)
    if slot.storage_key is None:
        slot.storage_key = storage_key
        db.flush()
    return {
        "evidence_id": str(slot.id),
        "kept": slot.storage_key == storage_key,
        "evidence": len(queries.list_evidence(db, ticket.id)),
    }


def _lock_draft(db: Session, vault: Vault, ticket_id: uuid.UUID, key: str) -> PhoneTicket:
    ticket = lock_with_key(db, vault, ticket_id, key)
    if ticket.state != TicketState.DRAFT:
        raise Conflict("identity.ticket_sent")
    return ticket


def view_evidence(
    db: Session, call: Call, vault: Vault, ticket_id: uuid.UUID, evidence_id: uuid.UUID
) -> dict[str, Any]:
    """Where an image lies and what opens it, for the agent who has the ticket. Each view is on record.

    Raises NotFound("identity.evidence_unknown"), also once it has been deleted.
    """
    call.authorise(place=NATION, missing="identity.ticket_unknown")
    ticket = queries.get_ticket(db, ticket_id)
    require_in_hand(call, ticket)
    slot = queries.get_evidence(db, ticket.id, evidence_id)
    if slot.file_key_sealed is None or slot.storage_key is None:
        raise NotFound("identity.evidence_unknown")
    audit.record(
        db,
        call,
        subject=ticket.account_id or ticket.id,
        place=place_of(db, ticket.account_id),
        after={"ticket": str(ticket.id), "evidence": str(slot.id)},
    )
    return {
        "storage_key": slot.storage_key,
        "file_key": vault.open("ticket_evidence", slot.id, "file_key", slot.file_key_sealed),
        "media_type": slot.media_type,
    }


def remove_rows(db: Session, evidence_ids: list[uuid.UUID]) -> None:
    """The files of these are gone."""
    db.execute(sa.delete(TicketEvidence).where(TicketEvidence.id.in_(evidence_ids)))


def remove_empty_rows(db: Session) -> None:
    """Places for images that never came, of tickets that are forgotten."""
    empty = sa.delete(TicketEvidence).where(
        TicketEvidence.file_key_sealed.is_(None), TicketEvidence.storage_key.is_(None)
    )
    db.execute(empty)
