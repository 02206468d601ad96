"""Changing the bound phone: by the old one while it answers, by a ticket when it is dead (`domain.md` §3.10)."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections.abc import Callable
from typing import Any

import structlog
from sqlalchemy.orm import Session

from services.identity.access.actions.guarding import spend_captcha
from services.identity.access.captcha import Solved
from services.identity.actions.codes import request_sms_code
from services.identity.actions.profiles import beijing_day
from services.identity.actions.refusals import accepted, checked_phone, require
from services.identity.person.actions import consents
from services.identity.phone import queries, schemas
from services.identity.phone.actions import changes, desk, evidence, reseal, tickets
from services.identity.phone.actions.evidence import Image
from services.identity.phone.actions.tickets import Claimed
from services.identity.phone.rules import tickets as rules
from services.identity.rules.contact import is_name
from services.identity.rules.documents import IdType, id_no_problem, normalised_id_no
from services.identity.schemas import Nothing
from services.identity.vault import token_hash
from services.shared.actor import service_actor
from services.shared.bus import Call, command, periodic, query
from services.shared.errors import InvalidInput, NotFound, Unavailable
from services.shared.policy import service
from services.shared.storage import open_storage

log = structlog.get_logger(__name__)

JOB_SECONDS = 60.0
AT_ONCE = 100


class PhoneChanges:
    """Mixed into the service."""

    name: str
    database: Any
    settings: Any
    vault: Any
    _send: Callable[[Call, uuid.UUID], None]
    _captcha: Callable[[dict[str, Any]], Solved | None]
    _code_sent: Callable[[Call, Callable[[Session], Any]], dict[str, Any]]

    # By way of the old phone ----------------------------------------------------------------------------------------

    @command
    def start_phone_change(self, call: Call) -> dict[str, Any]:
        """Send a code to the phone that is bound now."""
        call.load(Nothing())
        call.authorise_own()
        return self._told(call, lambda db: changes.start_change(db, call, self.vault))

    @command
    def prove_old_phone(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.ChangeAndCode())
        call.authorise_own()
        return self._told(
            call,
            lambda db: changes.prove_old_phone(db, call, self.vault, arguments["change_id"], arguments["sms_code"]),
        )

    @command
    def name_new_phone(self, call: Call) -> dict[str, Any]:
        """Send a code to the new phone."""
        arguments = call.load(schemas.NameNewPhone())
        phone = checked_phone(arguments["new_phone"], "new_phone")
        call.authorise_own()
        return self._told(call, lambda db: changes.name_new_phone(db, call, self.vault, arguments["change_id"], phone))

    @command
    def complete_phone_change(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.ChangeAndCode())
        call.authorise_own()
        return self._told(
            call,
            lambda db: changes.complete_change(db, call, self.vault, arguments["change_id"], arguments["sms_code"]),
        )

    # By ticket: whoever asks ------------------------------------------------------------------------------------------

    @command
    def request_ticket_code(self, call: Call) -> dict[str, Any]:
        """Send a code to the new phone; the answer is the same whether or not it has an account."""
        arguments = call.load(schemas.RequestTicketCode())
        phone, captcha = checked_phone(arguments["new_phone"], "new_phone"), self._captcha(arguments)
        if captcha is None:
            raise InvalidInput("identity.captcha_needed", "captcha")

        def act(db: Session) -> dict[str, Any]:
            if not spend_captcha(db, call, captcha):
                raise InvalidInput("identity.captcha_refused", "captcha")
            return request_sms_code(db, call, self.vault, phone, rules.NEW_PURPOSE)

        return self._code_sent(call, act)

    @command
    def open_phone_ticket(self, call: Call) -> dict[str, Any]:
        """A draft, with the key that lets whoever opened it go on."""
        arguments = call.load(schemas.OpenTicket())
        require("" if is_name(arguments["name"]) else "identity.name_form", "name")
        arguments["id_no"] = normalised_id_no(arguments["id_no"])
        require(id_no_problem(IdType(arguments["id_type"]), arguments["id_no"], beijing_day(call.now)), "id_no")
        for phone in ("old_phone", "new_phone"):
            arguments[phone] = checked_phone(arguments[phone], phone)
        opened = self._told(call, lambda db: tickets.open_ticket(db, call, self.vault, Claimed(**arguments)))
        return {**opened, "ticket_key": self.vault.ticket_key(uuid.UUID(opened["ticket_id"]))}

    @command
    def prepare_evidence(self, call: Call) -> dict[str, Any]:
        """Where an image goes and what seals it. The key is kept in no reply that is stored."""
        arguments = call.load(schemas.PrepareEvidence())
        image = Image(arguments["sha256"], arguments["media_type"], arguments["size"])
        consents.require_agreed(consents.SENSITIVE, arguments["consent_version"])
        return self.database.commit_once(
            call,
            lambda db: evidence.prepare_evidence(
                db, call, self.vault, arguments["ticket_id"], arguments["ticket_key"], image
            ),
            keep_reply=False,
        )

    @command
    def keep_evidence(self, call: Call) -> dict[str, Any]:
        """Whether the file under `storage_key` is the one; another one of the same image may be there already."""
        arguments = call.load(schemas.KeepEvidence())
        # A repetition brings a file of its own, so its request differs; the slot decides.
        return self.database.commit_once(
            call,
            lambda db: evidence.keep_evidence(
                db,
                self.vault,
                arguments["ticket_id"],
                arguments["ticket_key"],
                arguments["evidence_id"],
                arguments["storage_key"],
            ),
            keep_reply=False,
        )

    @command
    def submit_phone_ticket(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.TicketAndKey())
        return self._told(
            call,
            lambda db: tickets.submit_ticket(db, call, self.vault, arguments["ticket_id"], arguments["ticket_key"]),
        )

    @query
    def get_phone_ticket(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.TicketAndKey())
        with self.database.read(call) as db:
            ticket = tickets.get_with_key(db, self.vault, arguments["ticket_id"], arguments["ticket_key"])
            return tickets.show_ticket(self.vault, ticket, len(queries.list_evidence(db, ticket.id)))

    @command
    def withdraw_phone_ticket(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.TicketAndKey())
        return self._told(
            call,
            lambda db: tickets.withdraw_ticket(db, call, self.vault, arguments["ticket_id"], arguments["ticket_key"]),
        )

    # By ticket: whoever is asked about --------------------------------------------------------------------------------

    @query
    def find_ticket_to_stop(self, call: Call) -> dict[str, Any]:
        """What a link would stop: nothing but its state, for the page that asks once more."""
        token = call.load(schemas.StopToken())["token"]
        with self.database.read(call) as db:
            ticket = queries.find_ticket_to_stop(db, token_hash(token))
            return {"state": str(ticket.state), "cools_until": tickets.told_at(ticket.cools_until)}

    @command
    def stop_phone_ticket(self, call: Call) -> dict[str, Any]:
        token = call.load(schemas.StopToken())["token"]
        return self._told(call, lambda db: tickets.stop_by_link(db, call, self.vault, token))

    @query
    def get_own_phone_ticket(self, call: Call) -> dict[str, Any]:
        """The ticket in progress about the caller's account, whoever opened it."""
        call.load(Nothing())
        account_id = call.authorise_own()
        with self.database.read(call) as db:
            ticket = queries.find_ticket_of(db, account_id)
            if ticket is None:
                raise NotFound("identity.ticket_unknown")
            shown = tickets.show_ticket(self.vault, ticket, 0)
        return {key: shown[key] for key in ("state", "new_phone", "submitted_at", "decided_at", "cools_until")}

    @command
    def stop_own_phone_ticket(self, call: Call) -> dict[str, Any]:
        call.load(Nothing())
        call.authorise_own()
        return self._told(call, lambda db: tickets.stop_own(db, call, self.vault))

    # The support desk ---------------------------------------------------------------------------------------------------

    @query
    def list_phone_tickets(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.ListTickets())
        limit = arguments["limit"]
        with self.database.read(call) as db:
            found = desk.list_tickets(db, call, self.vault, arguments["states"], arguments["cursor"], limit + 1)
        more = len(found) > limit
        return {"items": found[:limit], "next_cursor": found[limit - 1]["ticket_id"] if more else None}

    @command
    def claim_phone_ticket(self, call: Call) -> dict[str, Any]:
        ticket_id = call.load(schemas.OneTicket())["ticket_id"]
        return self._told(call, lambda db: desk.claim_ticket(db, call, self.vault, ticket_id))

    @command
    def put_back_phone_ticket(self, call: Call) -> dict[str, Any]:
        ticket_id = call.load(schemas.OneTicket())["ticket_id"]
        return self._told(call, lambda db: desk.put_back_ticket(db, call, self.vault, ticket_id))

    @command
    def view_phone_ticket(self, call: Call) -> dict[str, Any]:
        """In clear, for the agent who has it. A command, because each view is put on record; no reply is stored."""
        ticket_id = call.load(schemas.OneTicket())["ticket_id"]
        return self.database.commit_once(
            call, lambda db: desk.view_ticket(db, call, self.vault, ticket_id), keep_reply=False
        )

    @command
    def view_evidence(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.OneEvidence())
        return self.database.commit_once(
            call,
            lambda db: evidence.view_evidence(db, call, self.vault, arguments["ticket_id"], arguments["evidence_id"]),
            keep_reply=False,
        )

    @command
    def approve_phone_ticket(self, call: Call) -> dict[str, Any]:
        ticket_id = call.load(schemas.OneTicket())["ticket_id"]
        return self._told(call, lambda db: desk.approve_ticket(db, call, self.vault, ticket_id))

    @command
    def reject_phone_ticket(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.RejectTicket())
        return self._told(
            call,
            lambda db: desk.reject_ticket(
                db, call, self.vault, arguments["ticket_id"], arguments["reason"], arguments["note"]
            ),
        )

    # Jobs -----------------------------------------------------------------------------------------------------------

    @periodic(30, job="finish_phone_tickets")
    def finish_phone_tickets(self, now: dt.datetime) -> None:
        """Swap the phones of what has cooled."""
        self._in_batches("finish_phone_tickets", now, lambda db, call: desk.finish_due_tickets(db, call, self.vault, 1))

    @periodic(600, job="forget_phone_tickets")
    def forget_phone_tickets(self, now: dt.datetime) -> None:
        """End stale drafts; destroy images and what tickets say of persons when their time has come."""
        self._in_batches("forget_phone_tickets", now, lambda db, call: tickets.lapse_drafts(db, call, AT_ONCE))
        self._in_batches("forget_phone_tickets", now, lambda db, call: tickets.forget_tickets(db, call, AT_ONCE))
        self._delete_files()

    @periodic(600, job="reseal_phone_tickets")
    def reseal_phone_tickets(self, now: dt.datetime) -> None:
        if self.vault.has_older_keys:
            with self.database.work() as db:
                reseal.reseal_tickets(db, self.vault)

    def _delete_files(self) -> None:
        """The keys are gone already, so nothing opens these files; now they go too."""
        storage = open_storage(self.settings)
        with self.database.work() as db:
            doomed = queries.list_doomed_files(db, AT_ONCE)
        gone = []
        for evidence_id, storage_key in doomed:
            try:
                storage.delete(storage_key)
            except (Unavailable, NotFound, OSError) as error:
                log.warning("evidence_not_deleted", evidence_id=str(evidence_id), error=type(error).__name__)
                continue
            gone.append(evidence_id)
        with self.database.work() as db:
            evidence.remove_rows(db, gone)
            evidence.remove_empty_rows(db)

    def _in_batches(self, job: str, now: dt.datetime, act: Callable[[Session, Call], int]) -> None:
        ends_at = time.monotonic() + JOB_SECONDS
        done = 1
        while done and time.monotonic() < ends_at:
            with self.database.work() as db:
                done = act(db, self._own_call(job, now))

    def _own_call(self, job: str, now: dt.datetime) -> Call:
        """What is done by a job is on record as the service's own act."""
        deadline = time.monotonic() + JOB_SECONDS
        return Call(self.name, job, {}, service_actor(self.name), service(self.name), deadline, call_id=job, now=now)

    def _told(self, call: Call, act: Callable[[Session], dict[str, Any]]) -> dict[str, Any]:
        """Run an action once; send the message that it has written, if any, after the commit."""
        told = dict(accepted(self.database.commit_once(call, act)))
        if message_id := told.pop("message_id", None):
            self._send(call, uuid.UUID(message_id))
        return told
