"""The support desk: agents claim, look, approve or reject; the approved swap comes a day later."""

from __future__ import annotations

import secrets
import uuid
from typing import Any

from sqlalchemy.orm import Session

from services.identity import queries as people
from services.identity.contract.notices import NoticeKind
from services.identity.contract.phone import REJECTIONS, STOP_PATH, Cancellation, TicketState, Way
from services.identity.notices.actions import Addressee, tell
from services.identity.phone import queries
from services.identity.phone.actions import swaps, tickets
from services.identity.phone.actions.tickets import compare, move, opened, tell_new_phone, told_at
from services.identity.phone.models import PhoneTicket
from services.identity.phone.rules import tickets as rules
from services.identity.phone.rules.tickets import Act, Claim
from services.identity.rules.contact import masked_name, masked_phone
from services.identity.rules.documents import masked_id_no
from services.identity.vault import Vault, token_hash
from services.org.contract import NATION
from services.shared import audit
from services.shared.bus import Call
from services.shared.errors import Conflict

UNKNOWN = "identity.ticket_unknown"
STOP_TOKEN_BYTES = 16  # 128 bits, in a link that has to fit an SMS


def list_tickets(
    db: Session, call: Call, vault: Vault, states: list[str], after: uuid.UUID | None, limit: int
) -> list[dict[str, Any]]:
    """The queue, oldest first, masked."""
    call.authorise(place=NATION, missing=UNKNOWN)
    found = queries.list_tickets(db, states, after, limit)
    evidence = queries.count_evidence(db, [ticket.id for ticket in found])
    return [_show_masked(vault, call, ticket, evidence.get(ticket.id, 0)) for ticket in found]


def claim_ticket(db: Session, call: Call, vault: Vault, ticket_id: uuid.UUID) -> dict[str, Any]:
    """Take a ticket on. Raises Conflict: "identity.ticket_not_waiting", "identity.ticket_claimed"; NotAllowed for one's own."""
    ticket = _lock(db, call, ticket_id)
    state = rules.next_state(TicketState(ticket.state), Act.CLAIM)
    rules.require_claimable(_claim(ticket), call.actor.account_id, call.now)
    account, _ = compare(db, vault, ticket)
    rules.require_stranger(call.actor.account_id, account.id if account else None)
    ticket.claimed_by, ticket.claimed_at = call.actor.account_id, call.now
    move(db, call, ticket, state)
    return _show_masked(vault, call, ticket, len(queries.list_evidence(db, ticket.id)))


def put_back_ticket(db: Session, call: Call, vault: Vault, ticket_id: uuid.UUID) -> dict[str, Any]:
    """Leave it to another agent."""
    ticket = _lock_in_hand(db, call, ticket_id, Act.PUT_BACK)
    state = rules.next_state(TicketState(ticket.state), Act.PUT_BACK)
    _let_go(ticket)
    move(db, call, ticket, state)
    return _show_masked(vault, call, ticket, len(queries.list_evidence(db, ticket.id)))


def view_ticket(db: Session, call: Call, vault: Vault, ticket_id: uuid.UUID) -> dict[str, Any]:
    """Everything the agent who has it must compare with the photos: in clear, and each view on record."""
    call.authorise(place=NATION, missing=UNKNOWN)
    ticket = queries.get_ticket(db, ticket_id)
    require_in_hand(call, ticket)
    account, match = compare(db, vault, ticket)
    images = queries.list_evidence(db, ticket.id)
    audit.record(
        db,
        call,
        subject=ticket.account_id or ticket.id,
        place=swaps.place_of(db, ticket.account_id),
        after={"ticket": str(ticket.id)},
    )
    return {
        **_show_masked(vault, call, ticket, len(images)),
        "name": opened(vault, ticket, "name"),
        "id_no": opened(vault, ticket, "id_no"),
        "old_phone": opened(vault, ticket, "old_phone"),
        "new_phone": opened(vault, ticket, "new_phone"),
        "matches": {"account": match.account, "name": match.name, "id_no": match.id_no},
        "administrator": account is not None and bool(people.find_grants(db, account.id)),
        "images": [
            {"evidence_id": str(image.id), "media_type": image.media_type, "size": image.size} for image in images
        ],
    }


def approve_ticket(db: Session, call: Call, vault: Vault, ticket_id: uuid.UUID) -> dict[str, Any]:
    """Let it cool for a day, and tell the old number how to stop it; of an administrator's account, call for a second agent.

    Raises Conflict: "identity.ticket_no_match", "identity.phone_taken"; NotAllowed: "identity.ticket_second_agent".
    """
    ticket = _lock_in_hand(db, call, ticket_id, Act.APPROVE)
    account, match = compare(db, vault, ticket)
    if account is None or not match.is_whole:
        raise Conflict("identity.ticket_no_match")
    rules.require_stranger(call.actor.account_id, account.id)
    if swaps.is_taken(db, vault, opened(vault, ticket, "new_phone")):
        raise Conflict("identity.phone_taken", "new_phone")
    ticket.account_id = account.id
    act = rules.approval(people.find_grants(db, account.id), ticket.first_approved_by, call.actor.account_id)
    state = rules.next_state(TicketState(ticket.state), act)
    if act is Act.APPROVE_FIRST:
        ticket.first_approved_by = call.actor.account_id
        _let_go(ticket)
    else:
        _start_cooling(db, call, vault, ticket)
    move(db, call, ticket, state)
    return _show_masked(vault, call, ticket, len(queries.list_evidence(db, ticket.id)))


def _start_cooling(db: Session, call: Call, vault: Vault, ticket: PhoneTicket) -> None:
    token = secrets.token_urlsafe(STOP_TOKEN_BYTES)
    ticket.decided_by, ticket.decided_at = call.actor.account_id, call.now
    ticket.cools_until = call.now + rules.COOLING
    ticket.stop_hash = token_hash(token)
    addressee = Addressee(ticket.account_id, opened(vault, ticket, "old_phone"))
    kind = NoticeKind.PHONE_TICKET_APPROVED
    tell(db, vault, kind, f"ticket {ticket.id} {kind}", addressee, call.now, secret=STOP_PATH + token)


def reject_ticket(
    db: Session, call: Call, vault: Vault, ticket_id: uuid.UUID, reason: str, note: str
) -> dict[str, Any]:
    """Refuse, with a reason that whoever asked is told; `note` only shows where they look the ticket up."""
    ticket = _lock_in_hand(db, call, ticket_id, Act.REJECT)
    account, _ = compare(db, vault, ticket)
    rules.require_stranger(call.actor.account_id, account.id if account else None)
    state = rules.next_state(TicketState(ticket.state), Act.REJECT)
    ticket.decided_by, ticket.decided_at, ticket.reason = call.actor.account_id, call.now, reason
    ticket.note_sealed = vault.seal("phone_ticket", ticket.id, "note", note) if note else None
    chinese, english = REJECTIONS[reason]
    details = {"reason_zh": chinese, "reason_en": english}
    tell_new_phone(db, call, vault, ticket, NoticeKind.PHONE_TICKET_REJECTED, details)
    move(db, call, ticket, state)
    return _show_masked(vault, call, ticket, len(queries.list_evidence(db, ticket.id)))


def finish_due_tickets(db: Session, call: Call, vault: Vault, limit: int) -> int:
    """Swap the phones of tickets that have cooled, unless something has happened meanwhile; returns how many it dealt with."""
    due = queries.lock_due_tickets(db, call.now, limit)
    for ticket in due:
        _finish(db, call, vault, ticket)
    return len(due)


def _finish(db: Session, call: Call, vault: Vault, ticket: PhoneTicket) -> None:
    account = swaps.lock_active(db, ticket.account_id)
    old_phone, new_phone = opened(vault, ticket, "old_phone"), opened(vault, ticket, "new_phone")
    if account is None:
        problem = Cancellation.ACCOUNT_GONE
    elif swaps.phone_of(vault, account) != old_phone:
        problem = Cancellation.PHONE_CHANGED
    elif swaps.is_taken(db, vault, new_phone):
        problem = Cancellation.NEW_PHONE_TAKEN
    elif queries.has_answered(db, account.id, vault.phone_candidates(old_phone), ticket.decided_at):
        # The ticket says that the old phone is dead, and it has just received a code.
        problem = Cancellation.OLD_PHONE_ALIVE
    else:
        swaps.swap_phone(db, call, vault, account, new_phone, Way.TICKET)
        tell_new_phone(db, call, vault, ticket, NoticeKind.PHONE_TICKET_DONE)
        move(db, call, ticket, rules.next_state(TicketState(ticket.state), Act.FINISH))
        return
    tickets.end(db, call, vault, ticket, Act.FAIL, problem)


def require_in_hand(call: Call, ticket: PhoneTicket) -> None:
    """Raises Conflict("identity.ticket_not_yours") unless the caller has this ticket under review."""
    claim = _claim(ticket) if ticket.state == TicketState.IN_REVIEW else Claim(None, None)
    rules.require_claimed(claim, call.actor.account_id)


def _lock(db: Session, call: Call, ticket_id: uuid.UUID) -> PhoneTicket:
    call.authorise(place=NATION, missing=UNKNOWN)
    return queries.lock_ticket(db, ticket_id)


def _lock_in_hand(db: Session, call: Call, ticket_id: uuid.UUID, act: Act) -> PhoneTicket:
    ticket = _lock(db, call, ticket_id)
    rules.next_state(TicketState(ticket.state), act)
    rules.require_claimed(_claim(ticket), call.actor.account_id)
    return ticket


def _claim(ticket: PhoneTicket) -> Claim:
    return Claim(ticket.claimed_by, ticket.claimed_at)


def _let_go(ticket: PhoneTicket) -> None:
    ticket.claimed_by = ticket.claimed_at = None


def _show_masked(vault: Vault, call: Call, ticket: PhoneTicket, evidence: int) -> dict[str, Any]:
    forgotten = ticket.forgotten_at is not None
    return {
        "ticket_id": str(ticket.id),
        "state": str(ticket.state),
        "id_type": ticket.id_type,
        "name": "" if forgotten else masked_name(opened(vault, ticket, "name")),
        "id_no": "" if forgotten else masked_id_no(opened(vault, ticket, "id_no")),
        "old_phone": "" if forgotten else masked_phone(opened(vault, ticket, "old_phone")),
        "new_phone": "" if forgotten else masked_phone(opened(vault, ticket, "new_phone")),
        "evidence": evidence,
        "mine": ticket.claimed_by is not None and ticket.claimed_by == call.actor.account_id,
        "claimed_at": told_at(ticket.claimed_at),
        "second_agent_needed": ticket.first_approved_by is not None and ticket.decided_by is None,
        "reason": ticket.reason,
        "opened_at": told_at(ticket.opened_at),
        "submitted_at": told_at(ticket.submitted_at),
        "decided_at": told_at(ticket.decided_at),
        "cools_until": told_at(ticket.cools_until),
        "over_at": told_at(ticket.over_at),
    }
