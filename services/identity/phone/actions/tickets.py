"""Tickets as whoever asks, and whoever is asked about, deals with them."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.identity import queries as people
from services.identity.actions.codes import spend_code
from services.identity.actions.profiles import open_profile
from services.identity.actions.refusals import refused
from services.identity.contract import phone as contract
from services.identity.contract.notices import NoticeKind
from services.identity.contract.phone import Cancellation, TicketState
from services.identity.models import Account
from services.identity.notices.actions import Addressee, tell
from services.identity.phone import queries
from services.identity.phone.actions import swaps
from services.identity.phone.models import PhoneTicket, TicketEvidence
from services.identity.phone.rules import tickets as rules
from services.identity.phone.rules.tickets import Act, Match
from services.identity.queries import DAY
from services.identity.rules.contact import masked_phone
from services.identity.vault import Vault, token_hash
from services.shared import audit, clock, outbox
from services.shared.bus import Call
from services.shared.errors import Conflict, InvalidInput, LimitReached, NotFound, ServiceError
from services.shared.ids import new_id

PERSONAL = ("name", "id_no", "old_phone", "new_phone", "note")


@dataclasses.dataclass(frozen=True)
class Claimed:
    """What whoever asks says of the person and the phones; checked for form, not for truth."""

    name: str
    id_type: str
    id_no: str
    old_phone: str
    new_phone: str
    sms_code: str
    language: str


def open_ticket(db: Session, call: Call, vault: Vault, claimed: Claimed) -> dict[str, Any]:
    """A draft, for whoever reads the new phone's messages; the answer is the same whether or not the rest is true.

    Raises InvalidInput("identity.phone_same"), LimitReached("identity.ticket_limit"). Refused:
    "identity.sms_code_refused" (the try counts), "identity.phone_taken", "identity.ticket_open".
    """
    if claimed.old_phone == claimed.new_phone:
        raise InvalidInput("identity.phone_same", "new_phone")
    old, new = vault.phone_candidates(claimed.old_phone), vault.phone_candidates(claimed.new_phone)
    people.lock_words(db, f"ticket {old[-1]}", f"ticket {new[-1]}")
    if queries.count_opened(db, new, call.now - DAY) >= rules.PER_DAY:
        raise LimitReached("identity.ticket_limit", "", "retry_after_seconds=86400")
    if not spend_code(db, vault, claimed.new_phone, rules.NEW_PURPOSE, claimed.sms_code, call.now):
        return refused(InvalidInput("identity.sms_code_refused", "sms_code"))
    if problem := _unfit(db, old, new):
        return refused(problem)
    ticket = _draft(vault, claimed, call)
    db.add(ticket)
    db.flush()
    _announce(db, ticket)
    return show_ticket(vault, ticket, 0)


def _draft(vault: Vault, claimed: Claimed, call: Call) -> PhoneTicket:
    ticket_id = new_id()
    sealed = {
        f"{field}_sealed": vault.seal("phone_ticket", ticket_id, field, getattr(claimed, field))
        for field in ("name", "id_no", "old_phone", "new_phone")
    }
    return PhoneTicket(
        id=ticket_id,
        version=1,
        state=TicketState.DRAFT,
        language=claimed.language,
        id_type=claimed.id_type,
        old_phone_index=vault.phone_index(claimed.old_phone),
        new_phone_index=vault.phone_index(claimed.new_phone),
        reason="",
        opened_at=call.now,
        **sealed,
    )


def _unfit(db: Session, old: list[str], new: list[str]) -> ServiceError | None:
    """Why these two phones cannot be the subject of a ticket now."""
    if people.find_account_by_phone(db, new) is not None:
        return Conflict("identity.phone_taken", "new_phone")
    if queries.is_in_progress(db, [*old, *new]):
        return Conflict("identity.ticket_open")
    return None


def submit_ticket(db: Session, call: Call, vault: Vault, ticket_id: uuid.UUID, key: str) -> dict[str, Any]:
    """Send the ticket to support; from now on it stands in the way of others about the same phones.

    Raises Conflict: "identity.ticket_sent", "identity.ticket_evidence_missing", "identity.ticket_open",
    "identity.phone_taken".
    """
    ticket = lock_with_key(db, vault, ticket_id, key)
    state = rules.next_state(TicketState(ticket.state), Act.SUBMIT)
    evidence = len(queries.list_evidence(db, ticket.id))
    if not evidence:
        raise Conflict("identity.ticket_evidence_missing", "file")
    old = vault.phone_candidates(opened(vault, ticket, "old_phone"))
    new = vault.phone_candidates(opened(vault, ticket, "new_phone"))
    people.lock_words(db, f"ticket {old[-1]}", f"ticket {new[-1]}")
    if problem := _unfit(db, old, new):
        raise problem
    account, match = compare(db, vault, ticket)
    # An account is only named where all that was claimed is its own: a stranger's ticket shows up at nobody's.
    ticket.account_id = account.id if account is not None and match.is_whole else None
    ticket.submitted_at = call.now
    move(db, call, ticket, state)
    return show_ticket(vault, ticket, evidence)


def compare(db: Session, vault: Vault, ticket: PhoneTicket) -> tuple[Account | None, Match]:
    """The active account of the old phone, and how far it is what the ticket claims."""
    account = people.find_account_by_phone(db, vault.phone_candidates(opened(vault, ticket, "old_phone")))
    profile = people.find_profile(db, account.id) if account else None
    if account is None or profile is None or account.state != swaps.ACTIVE:
        return None, rules.NO_MATCH
    known = open_profile(vault, profile)
    numbers = vault.id_no_candidates(ticket.id_type, opened(vault, ticket, "id_no"))
    return account, Match(
        account=True,
        name=rules.is_same_name(opened(vault, ticket, "name"), known["name"]),
        id_no=profile.id_no_index in numbers,
    )


def withdraw_ticket(db: Session, call: Call, vault: Vault, ticket_id: uuid.UUID, key: str) -> dict[str, Any]:
    """Whoever asked thinks better of it. Raises Conflict("identity.ticket_too_late")."""
    ticket = lock_with_key(db, vault, ticket_id, key)
    end(db, call, vault, ticket, Act.WITHDRAW, Cancellation.WITHDRAWN)
    return show_ticket(vault, ticket, 0)


def stop_by_link(db: Session, call: Call, vault: Vault, token: str) -> dict[str, Any]:
    """Whoever holds the old number says no. Doing it twice changes nothing.

    Raises NotFound for a link that is none, Conflict("identity.ticket_too_late").
    """
    ticket = queries.lock_ticket_to_stop(db, token_hash(token))
    if ticket.reason != Cancellation.STOPPED_BY_OLD_PHONE:
        end(db, call, vault, ticket, Act.STOP, Cancellation.STOPPED_BY_OLD_PHONE)
    return {"state": str(ticket.state)}


def stop_own(db: Session, call: Call, vault: Vault) -> dict[str, Any]:
    """Somebody signed in to the account says no. Raises NotFound when there is nothing to stop."""
    ticket = queries.lock_ticket_of(db, call.actor.account_id)
    if ticket is None:
        raise NotFound("identity.ticket_unknown")
    end(db, call, vault, ticket, Act.STOP, Cancellation.STOPPED_BY_OWNER)
    return {"state": str(ticket.state)}


def cancel_overtaken(db: Session, call: Call, vault: Vault, ticket: PhoneTicket, reason: Cancellation) -> None:
    """Cancel a ticket in progress because of what happened to its account."""
    end(db, call, vault, ticket, Act.STOP, reason)


def end(db: Session, call: Call, vault: Vault, ticket: PhoneTicket, act: Act, reason: Cancellation) -> None:
    """Cancel a ticket, and tell the new phone. Raises Conflict("identity.ticket_too_late")."""
    was_draft = ticket.state == TicketState.DRAFT
    state = rules.next_state(TicketState(ticket.state), act)
    ticket.reason = reason
    # Who withdraws knows; nobody waits for a draft.
    if act is not Act.WITHDRAW and not was_draft:
        tell_new_phone(db, call, vault, ticket, NoticeKind.PHONE_TICKET_CANCELLED)
    move(db, call, ticket, state)


def tell_new_phone(
    db: Session,
    call: Call,
    vault: Vault,
    ticket: PhoneTicket,
    kind: NoticeKind,
    details: dict[str, str] | None = None,
) -> None:
    addressee = Addressee(None, opened(vault, ticket, "new_phone"), ticket.language)
    tell(db, vault, kind, f"ticket {ticket.id} {kind}", addressee, call.now, details)


def move(db: Session, call: Call, ticket: PhoneTicket, state: TicketState) -> None:
    """Write the new state, its audit row and its event; what is over gets its day of forgetting."""
    before = str(ticket.state)
    ticket.state = state
    ticket.version += 1
    if state in rules.OVER:
        ticket.over_at = call.now
        ticket.forget_at = rules.forget_at(state, ticket.decided_at, call.now)
        ticket.claimed_by = ticket.claimed_at = None
    db.flush()
    _announce(db, ticket)
    audit.record(
        db,
        call,
        subject=ticket.account_id or ticket.id,
        place=swaps.place_of(db, ticket.account_id),
        reason=ticket.reason,
        before={"ticket": str(ticket.id), "state": before},
        after={"ticket": str(ticket.id), "state": str(state), "version": ticket.version},
    )


def _announce(db: Session, ticket: PhoneTicket) -> None:
    told = {
        "ticket_id": str(ticket.id),
        "version": ticket.version,
        "state": str(ticket.state),
        "account_id": str(ticket.account_id) if ticket.account_id else None,
    }
    outbox.announce(db, contract.PHONE_TICKET_CHANGED, ticket.id, told)


def opened(vault: Vault, ticket: PhoneTicket, field: str) -> str:
    """A personal field in clear, "" once forgotten."""
    return vault.open("phone_ticket", ticket.id, field, getattr(ticket, f"{field}_sealed"))


def lock_with_key(db: Session, vault: Vault, ticket_id: uuid.UUID, key: str) -> PhoneTicket:
    """The ticket of whoever holds its key; a wrong key and an unknown ticket look alike."""
    _require_key(vault, ticket_id, key)
    return queries.lock_ticket(db, ticket_id)


def get_with_key(db: Session, vault: Vault, ticket_id: uuid.UUID, key: str) -> PhoneTicket:
    """As `lock_with_key`, only to look."""
    _require_key(vault, ticket_id, key)
    return queries.get_ticket(db, ticket_id)


def _require_key(vault: Vault, ticket_id: uuid.UUID, key: str) -> None:
    if not vault.is_ticket_key(ticket_id, key):
        raise NotFound("identity.ticket_unknown")


def show_ticket(vault: Vault, ticket: PhoneTicket, evidence: int) -> dict[str, Any]:
    """A ticket as whoever asked for it sees it."""
    return {
        "ticket_id": str(ticket.id),
        "state": str(ticket.state),
        "reason": ticket.reason,
        "note": opened(vault, ticket, "note"),
        "new_phone": masked_phone(opened(vault, ticket, "new_phone")) if ticket.new_phone_sealed else "",
        "evidence": evidence,
        "opened_at": told_at(ticket.opened_at),
        "submitted_at": told_at(ticket.submitted_at),
        "decided_at": told_at(ticket.decided_at),
        "cools_until": told_at(ticket.cools_until),
        "over_at": told_at(ticket.over_at),
    }


def told_at(instant: dt.datetime | None) -> str | None:
    return clock.format_instant(instant) if instant else None


def lapse_drafts(db: Session, call: Call, limit: int) -> int:
    """End drafts that nobody sent off; returns how many."""
    stale = queries.lock_stale_drafts(db, call.now, limit)
    for ticket in stale:
        move(db, call, ticket, rules.next_state(TicketState(ticket.state), Act.LAPSE))
    return len(stale)


def forget_tickets(db: Session, call: Call, limit: int) -> int:
    """Destroy what tickets say of persons, and the keys of their images, when their time has come; returns how many.

    What stays: that there was a ticket, about which account, what became of it, who decided.
    """
    due = queries.lock_tickets_to_forget(db, call.now, limit)
    for ticket in due:
        for field in PERSONAL:
            setattr(ticket, f"{field}_sealed", None)
        ticket.old_phone_index = ticket.new_phone_index = ticket.stop_hash = None
        ticket.forgotten_at = call.now
    if due:
        db.execute(
            sa.update(TicketEvidence)
            .where(TicketEvidence.ticket_id.in_([ticket.id for ticket in due]))
            .values(file_key_sealed=None)
        )
        db.flush()
    return len(due)
