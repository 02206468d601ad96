"""Authority codes, activation and its progress (`domain.md` §3.8), unit administrators and principals."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from services.identity import contract as identity
from services.org import queries as org_queries
from services.org import schemas as org_schemas
from services.org.delegation import queries, schemas
from services.org.delegation.actions import accounts, codes, guesses, proof, proposals, seats
from services.org.delegation.models import GrantProposal
from services.org.delegation.rules import codes as rules
from services.shared import clock
from services.shared.bus import Call, Event, command, event_handler, periodic, query
from services.shared.crypto import BlindIndex, KeySet
from services.shared.errors import ServiceError
from services.shared.paging import page_of

FOLD_BATCH = 20_000
REFUSED = rules.refused().code


class Delegation:
    """Mixed into the service."""

    database: Any
    keyring: Any

    # --- authority codes ---

    @command
    def generate_authority_code(self, call: Call) -> dict[str, Any]:
        """The only answer that ever holds a code's text."""
        arguments = call.load(schemas.GenerateCode())
        # The reply is a secret and is kept nowhere: whoever repeats the command voids the code that never arrived.
        made = self.database.commit_once(
            call, lambda db: codes.generate_code(db, call, self._code_index, **arguments), keep_reply=False
        )
        return {**schemas.AuthorityCode().dump(made.code), "code": rules.show(made.text)}

    @query
    def list_authority_codes(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.ListCodes())
        place, limit = arguments["place"], arguments["limit"]
        call.authorise(place=place, missing="org.place_unknown")
        with self.database.read(call) as db:
            found = queries.list_codes(db, place, arguments["state"], arguments["cursor"], limit + 1)
            return page_of(found, limit, schemas.AuthorityCode().dump, lambda code: str(code.code_id))

    @command
    def approve_authority_code(self, call: Call) -> dict[str, Any]:
        code_id = call.load(schemas.CodeId())["code_id"]
        return self.database.commit_once(
            call, lambda db: codes.approve_code(db, call, code_id), schemas.AuthorityCode()
        )

    @command
    def record_code_delivery(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.Delivery())
        return self.database.commit_once(
            call, lambda db: codes.record_delivery(db, call, **arguments), schemas.AuthorityCode()
        )

    @command
    def revoke_authority_code(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.CodeAndReason())
        return self.database.commit_once(
            call, lambda db: codes.revoke_code(db, call, **arguments), schemas.AuthorityCode()
        )

    @command
    def activate_authority_code(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.ActivateCode())
        text = rules.read(arguments["code"])
        with self.database.transaction(call) as db:
            guesses.count_guess(db, call.actor, self._code_index, call.now)
        try:
            reply = self.database.commit_once(
                call,
                lambda db: codes.activate_code(db, call, self._code_index, text, confirmed=arguments["replace"]),
                org_schemas.Grant(),
            )
        except ServiceError as error:
            if error.code != REFUSED:
                self._forgive_guess(call)
            raise
        self._forgive_guess(call)
        return reply

    # --- what takes two persons ---

    @command
    def propose_grant(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.ProposeGrant())
        return self._decided(call, lambda db: proposals.propose_grant(db, call, arguments))

    @command
    def approve_grant(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.ProposalId())
        return self._decided(call, lambda db: proposals.approve_grant(db, call, **arguments))

    @command
    def reject_proposal(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.ProposalAndReason())
        return self._decided(call, lambda db: proposals.reject_proposal(db, call, **arguments))

    @command
    def withdraw_proposal(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.ProposalAndRemark())
        return self._decided(call, lambda db: proposals.withdraw_proposal(db, call, **arguments))

    @query
    def list_grant_proposals(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.ListProposals())
        place, limit = arguments["place"], arguments["limit"]
        call.authorise(place=place, missing="org.place_unknown")
        with self.database.read(call) as db:
            found = queries.list_proposals(db, place, arguments["state"], arguments["cursor"], limit + 1)
            return page_of(found, limit, schemas.GrantProposal().dump, lambda each: str(each.proposal_id))

    # --- progress ---

    @query
    def get_activation_progress(self, call: Call) -> dict[str, Any]:
        place = call.load(schemas.PlaceOnly())["place"]
        call.authorise(place=place, missing="org.place_unknown")
        with self.database.read(call) as db:
            return {
                "place": place,
                "as_of": clock.format_instant(call.now),
                "tallies": schemas.Tally(many=True).dump(queries.get_tallies(db, place)),
            }

    @query
    def list_activation_progress(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.ListUnits())
        place, limit = arguments["place"], arguments["limit"]
        call.authorise(place=place, missing="org.place_unknown")
        with self.database.read(call) as db:
            found = queries.list_units(db, place, arguments["state"], arguments["cursor"], limit + 1)
            page = page_of(found, limit, schemas.Unit().dump, lambda unit: unit.place)
        return {**page, "as_of": clock.format_instant(call.now)}

    @query
    def list_admin_seats(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.ListSeats())
        place, limit = arguments["place"], arguments["limit"]
        call.authorise(place=place, missing="org.place_unknown")
        with self.database.read(call) as db:
            found = queries.list_seats(db, place, arguments["role"], arguments["state"], arguments["cursor"], limit + 1)
            return page_of(found, limit, schemas.Seat().dump, lambda seat: seat.place)

    @query
    def list_unit_administrators(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.ListAdministrators())
        place, limit = arguments["place"], arguments["limit"]
        call.authorise(place=place, missing="org.place_unknown")
        with self.database.read(call) as db:
            org_queries.get_target(db, place)
            found = queries.list_administrators(db, place, arguments["state"], arguments["cursor"], limit + 1)
            return page_of(found, limit, org_schemas.Grant().dump, lambda grant: str(grant.grant_id))

    @query
    def reconcile_activation(self, call: Call) -> dict[str, Any]:
        """A page of the proof that seats and counts are what grants, codes and units make them."""
        arguments = call.load(schemas.Walk())
        call.authorise()
        with self.database.read(call) as db:
            return proof.prove_activation(db, arguments["after"], arguments["limit"])

    # --- accounts ---

    @event_handler(identity.ACCOUNT_REGISTERED)
    def on_account_registered(self, db: Session, event: Event) -> None:
        accounts.keep_account(db, event.payload)

    @event_handler(identity.PROFILE_CHANGED)
    def on_profile_changed(self, db: Session, event: Event) -> None:
        accounts.keep_name(db, event.payload)

    # Each with a name of its own: other areas of org handle the same events, in the same class.
    @event_handler(identity.person.PERSONS_MERGED)
    def on_account_merged_away(self, db: Session, event: Event) -> None:
        accounts.keep_standing(db, event.payload["merged_id"], event.payload["version"], standing=False)

    @event_handler(identity.person.MERGE_UNDONE)
    def on_account_restored(self, db: Session, event: Event) -> None:
        accounts.keep_standing(db, event.payload["merged_id"], event.payload["version"], standing=True)

    @event_handler(identity.person.PERSON_ERASED)
    def on_account_erased(self, db: Session, event: Event) -> None:
        account_id, version = event.payload["account_id"], event.payload["version"]
        accounts.keep_standing(db, account_id, version, standing=False, erased=True)

    # --- jobs ---

    @periodic(5, job="fold_activation")
    def fold_activation(self, _now: dt.datetime) -> None:
        """Carry the changes of seats to the counts above them."""
        with self.database.work() as db:
            seats.fold_deltas(db, FOLD_BATCH)

    @periodic(60, job="expire_authority_codes")
    def expire_authority_codes(self, now: dt.datetime) -> None:
        with self.database.work() as db:
            codes.expire_codes(db, now)
            guesses.forget_guesses(db, now)

    @periodic(60, job="expire_grant_proposals")
    def expire_grant_proposals(self, now: dt.datetime) -> None:
        with self.database.work() as db:
            proposals.expire_proposals(db, now)

    # --- parts ---

    @functools.cached_property
    def _code_index(self) -> BlindIndex:
        return BlindIndex(KeySet.of(self.keyring, "blind-index"))

    def _decided(self, call: Call, act: Callable[[Session], GrantProposal]) -> dict[str, Any]:
        return self.database.commit_once(call, act, schemas.GrantProposal())

    def _forgive_guess(self, call: Call) -> None:
        with self.database.transaction(call) as db:
            guesses.forgive_guess(db, call.actor, self._code_index, call.now)
