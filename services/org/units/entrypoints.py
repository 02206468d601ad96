"""Schools and institutions: changing, merging, closing, moving them; missing-school requests; tenant policies."""

from __future__ import annotations

import datetime as dt
import functools
import time
import uuid
from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from services.identity.contract.person import PERSON_ERASED
from services.org import queries as org_queries
from services.org.actions import contacts
from services.org.models import School as SchoolRow
from services.org.schemas import School
from services.org.units import queries, schemas
from services.org.units.actions import editing, lifecycle, moving, policies, registers, requests
from services.shared.actor import service_actor
from services.shared.bus import Call, Event, command, event_handler, periodic, query
from services.shared.crypto import FieldCipher, KeySet
from services.shared.paging import page_of
from services.shared.policy import Policy

Reply = dict[str, Any]
HANDLING_SECONDS = 60  # of an event; nobody waits for its end


class Units:
    """Mixed into the service."""

    database: Any
    keyring: Any

    # --- schools ---

    @command
    def edit_school(self, call: Call) -> Reply:
        wanted = call.load(schemas.EditSchool())
        school_id, version = wanted.pop("school_id"), wanted.pop("version")
        return self.database.commit_once(
            call, lambda db: editing.edit_school(db, call, school_id, version, wanted, self.cipher), School()
        )

    @command
    def correct_school_code(self, call: Call) -> Reply:
        return self._change_school(call, schemas.CorrectSchoolCode(), editing.correct_school_code)

    @command
    def reveal_school_contact(self, call: Call) -> Reply:
        arguments = call.load(schemas.RevealContact())
        return self.database.commit_once(
            call,
            lambda db: editing.reveal_contact(db, call, **arguments, cipher=self.cipher),
            schemas.OpenContact(),
            keep_reply=False,  # personal data in clear
        )

    @command
    def suspend_school(self, call: Call) -> Reply:
        return self._change_school(call, schemas.SchoolAndReason(), lifecycle.suspend_school)

    @command
    def resume_school(self, call: Call) -> Reply:
        return self._change_school(call, schemas.SchoolAndReason(), lifecycle.resume_school)

    @command
    def merge_school(self, call: Call) -> Reply:
        arguments = call.load(schemas.MergeSchool())
        school_id = arguments.pop("school_id")
        return self.database.commit_once(
            call, lambda db: lifecycle.merge_school(db, call, school_id, arguments), School()
        )

    @command
    def close_school(self, call: Call) -> Reply:
        return self._change_school(call, schemas.SchoolAndReason(), lifecycle.close_school)

    @command
    def reopen_school(self, call: Call) -> Reply:
        return self._change_school(call, schemas.SchoolAndReason(), lifecycle.reopen_school)

    @query
    def list_units(self, call: Call) -> Reply:
        arguments = call.load(schemas.ListUnits())
        limit = arguments["limit"]
        with self.database.read(call) as db:
            place = registers.authorised_division(db, call, arguments["division"])
            found = queries.list_units(db, place, arguments, arguments["cursor"], limit + 1)
            return page_of(found, limit, School().dump, lambda school: school.place)

    @query
    def count_units(self, call: Call) -> Reply:
        division = call.load(schemas.CountUnits())["division"]
        with self.database.read(call) as db:
            return registers.count_units(db, registers.authorised_division(db, call, division))

    @query
    def get_school_history(self, call: Call) -> Reply:
        school_id = call.load(schemas.SchoolId())["school_id"]
        with self.database.read(call) as db:
            return schemas.SchoolHistory().dump(registers.get_history(db, call, school_id))

    @periodic(3600, job="seal_contacts")
    def seal_contacts(self, now: dt.datetime) -> None:
        """Bring names and numbers of schools' people under the newest key, a batch each time."""
        while True:
            with self.database.work() as db:
                if contacts.seal_waiting(db, self.cipher) < contacts.ROWS_AT_ONCE:
                    return

    # --- moves ---

    @command
    def request_school_move(self, call: Call) -> Reply:
        arguments = call.load(schemas.NewMove())
        return self.database.commit_once(call, lambda db: moving.request_move(db, call, **arguments), schemas.Move())

    @command
    def execute_school_move(self, call: Call) -> Reply:
        return self._decide_move(call, moving.execute_move)

    @command
    def reject_school_move(self, call: Call) -> Reply:
        return self._decide_move(call, moving.reject_move)

    @command
    def withdraw_school_move(self, call: Call) -> Reply:
        return self._decide_move(call, moving.withdraw_move)

    @query
    def get_school_move(self, call: Call) -> Reply:
        move_id = call.load(schemas.MoveId())["move_id"]
        with self.database.read(call) as db:
            return schemas.Move().dump(moving.get_move(db, call, move_id))

    @query
    def list_school_moves(self, call: Call) -> Reply:
        arguments = call.load(schemas.ListMoves())
        limit = arguments["limit"]
        with self.database.read(call) as db:
            place = registers.authorised_division(db, call, arguments["division"])
            found = queries.list_moves(db, place, arguments["state"], arguments["cursor"], limit + 1)
            return page_of(found, limit, schemas.Move().dump, lambda move: str(move.move_id))

    # --- missing schools ---

    @command
    def request_school(self, call: Call) -> Reply:
        arguments = call.load(schemas.NewRequest())
        return self.database.commit_once(
            call, lambda db: requests.request_school(db, call, arguments), schemas.Request()
        )

    @command
    def withdraw_school_request(self, call: Call) -> Reply:
        return self._decide_request(call, schemas.RequestId(), requests.withdraw_request)

    @command
    def create_requested_school(self, call: Call) -> Reply:
        arguments = call.load(schemas.CreateRequested())
        return self.database.commit_once(
            call,
            lambda db: requests.create_requested_school(db, call, **arguments, cipher=self.cipher),
            schemas.Request(),
        )

    @command
    def answer_school_request(self, call: Call) -> Reply:
        return self._decide_request(call, schemas.AnswerWithSchool(), requests.answer_with_school)

    @command
    def reject_school_request(self, call: Call) -> Reply:
        return self._decide_request(call, schemas.RequestAndReason(), requests.reject_request)

    @query
    def list_school_requests(self, call: Call) -> Reply:
        arguments = call.load(schemas.ListRequests())
        limit = arguments["limit"]
        with self.database.read(call) as db:
            place = registers.authorised_division(db, call, arguments["division"])
            found = queries.list_requests(db, place, arguments["state"], arguments["cursor"], limit + 1)
            return page_of(found, limit, schemas.Request().dump, lambda request: str(request.request_id))

    @query
    def list_own_school_requests(self, call: Call) -> Reply:
        arguments = call.load(schemas.ListOwnRequests())
        limit = arguments["limit"]
        with self.database.read(call) as db:
            accounts = requests.accounts_of(db, call.authorise_own())
            found = queries.list_requests_of(db, accounts, arguments["cursor"], limit + 1)
            return page_of(found, limit, schemas.Request().dump, lambda request: str(request.request_id))

    @event_handler(PERSON_ERASED)
    def on_asker_erased(self, db: Session, event: Event) -> None:
        deadline = time.monotonic() + HANDLING_SECONDS
        call = Call("org", "on_asker_erased", {}, service_actor("identity"), Policy(), deadline, call_id=str(event.id))
        requests.forget_asker(db, call, uuid.UUID(event.payload["account_id"]))

    # --- tenant policies ---

    @query
    def get_tenant_policy(self, call: Call) -> Reply:
        place = call.load(schemas.PlaceOnly())["place"]
        with self.database.read(call) as db:
            org_queries.get_target(db, place)
            return schemas.TenantPolicy().dump(policies.in_force(db, place))

    @query
    def list_tenant_policies(self, call: Call) -> Reply:
        arguments = call.load(schemas.ListTenantPolicies())
        place, limit = arguments["place"], arguments["limit"]
        with self.database.read(call) as db:
            call.authorise(place=place, missing="org.place_unknown")
            found = queries.list_tenant_policies(db, place, arguments["cursor"], limit + 1)
            return page_of(found, limit, schemas.DecidedPolicy().dump, lambda policy: policy.place)

    @command
    def set_tenant_policy(self, call: Call) -> Reply:
        arguments = call.load(schemas.NewTenantPolicy())
        return self.database.commit_once(
            call, lambda db: policies.set_tenant_policy(db, call, arguments), schemas.TenantPolicy()
        )

    @command
    def withdraw_tenant_policy(self, call: Call) -> Reply:
        arguments = call.load(schemas.PlaceAndReason())
        return self.database.commit_once(
            call, lambda db: policies.withdraw_tenant_policy(db, call, **arguments), schemas.TenantPolicy()
        )

    # --- parts ---

    @functools.cached_property
    def cipher(self) -> FieldCipher:
        return FieldCipher(KeySet.of(self.keyring, "field-encryption"))

    def _change_school(self, call: Call, schema: Any, action: Callable[..., SchoolRow]) -> Reply:
        arguments = call.load(schema)
        return self.database.commit_once(call, lambda db: action(db, call, **arguments), School())

    def _decide_move(self, call: Call, action: Callable[..., Any]) -> Reply:
        arguments = call.load(schemas.MoveAndReason())
        return self.database.commit_once(call, lambda db: action(db, call, **arguments), schemas.Move())

    def _decide_request(self, call: Call, schema: Any, action: Callable[..., Any]) -> Reply:
        arguments = call.load(schema)
        return self.database.commit_once(call, lambda db: action(db, call, **arguments), schemas.Request())
