"""Entrypoints of org: parse, authorise, one transaction, one action, dump."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from services.org import contract, policy, queries, schemas
from services.org.actions import contacts, divisions, grants, memberships, operators, rosters, schools
from services.org.delegation.entrypoints import Delegation
from services.org.models import School, SchoolContact
from services.org.projections import PROJECTIONS
from services.org.rules.divisions import parse_table
from services.org.snapshots import SNAPSHOTS
from services.org.staffing.entrypoints import Staffing
from services.org.transfers.entrypoints import Transfers
from services.org.units.entrypoints import Units
from services.shared.actor import covers
from services.shared.audit_trail import AuditTrail
from services.shared.bus import Call, command, periodic, query
from services.shared.bus.providers import BusProvider, DatabaseProvider, KeyRingProvider
from services.shared.bus.snapshots import TellsSnapshots
from services.shared.paging import page_of

DIVISIONS = Path(__file__).resolve().parent / "data" / "divisions.tsv"


class OrgService(Units, Delegation, Transfers, Staffing, AuditTrail, TellsSnapshots):
    """Divisions, schools, memberships, grants."""

    name = contract.SERVICE
    policies = policy.POLICIES
    snapshots = SNAPSHOTS
    projections = PROJECTIONS
    database: Any = DatabaseProvider()
    keyring: Any = KeyRingProvider()
    bus: Any = BusProvider()

    # --- divisions ---

    @query
    def list_divisions(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.ListDivisions())
        with self.database.read(call) as db:
            return {"items": schemas.Division(many=True).dump(queries.list_divisions(db, arguments["parent"]))}

    @query
    def get_division(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.GetDivision())
        with self.database.read(call) as db:
            return schemas.Division().dump(queries.get_division(db, arguments["code"]))

    @command
    def import_divisions(self, call: Call) -> dict[str, Any]:
        call.load(schemas.Nothing())
        call.authorise(place=contract.NATION)
        rows = parse_table(DIVISIONS.read_text(encoding="utf-8"))
        return self.database.commit_once(call, lambda db: divisions.load_divisions(db, rows))

    # --- schools ---

    @query
    def list_schools(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.ListSchools())
        limit = arguments["limit"]
        with self.database.read(call) as db:
            place = queries.place_of_division(db, arguments["division"])
            found = queries.list_schools(db, place, arguments["q"], arguments["cursor"], limit + 1)
            return page_of(found, limit, schemas.School().dump, lambda school: school.place)

    @query
    def get_school(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.SchoolId())
        with self.database.read(call) as db:
            school = queries.get_school(db, arguments["school_id"])
            return self._show(call, school, queries.find_contact(db, school.school_id))

    @command
    def create_school(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.NewSchool())
        return self.database.commit_once(
            call, lambda db: schools.create_school(db, call, arguments, self.cipher), schemas.School()
        )

    # --- memberships ---

    @command
    def choose_school(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.ChooseSchool())
        return self.database.commit_once(
            call, lambda db: memberships.choose_school(db, call, arguments), schemas.Membership()
        )

    @query
    def get_own_membership(self, call: Call) -> dict[str, Any]:
        call.load(schemas.Nothing())
        with self.database.read(call) as db:
            return schemas.Membership().dump(queries.get_membership(db, call.authorise_own()))

    @query
    def get_placement_facts(self, call: Call) -> dict[str, Any]:
        """Where a teacher is at this moment, "" for nowhere: asked by a service whose projection may lag."""
        teacher_id = call.load(schemas.TeacherId())["teacher_id"]
        with self.database.read(call) as db:
            membership = queries.get_membership(db, teacher_id)
        released = membership.state == contract.MembershipState.RELEASED
        return {
            "state": membership.state,
            "place": "" if released else membership.place,
            "school_id": None if released else str(membership.school_id),
        }

    @query
    def list_memberships(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.ListMemberships())
        limit = arguments["limit"]
        with self.database.read(call) as db:
            school = queries.get_school(db, arguments["school_id"])
            call.authorise(place=school.place, missing="org.school_unknown", field="school_id")
            found = queries.list_memberships(db, school.place, arguments["state"], arguments["cursor"], limit + 1)
            return page_of(found, limit, schemas.Membership().dump, lambda membership: str(membership.teacher_id))

    @command
    def verify_membership(self, call: Call) -> dict[str, Any]:
        teacher_id = call.load(schemas.TeacherId())["teacher_id"]
        return self.database.commit_once(
            call, lambda db: memberships.verify_membership(db, call, teacher_id), schemas.Membership()
        )

    @command
    def reject_membership(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.TeacherAndReason())
        return self.database.commit_once(
            call, lambda db: memberships.reject_membership(db, call, **arguments), schemas.Membership()
        )

    @command
    def release_membership(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.TeacherAndReason())
        return self.database.commit_once(
            call, lambda db: memberships.release_membership(db, call, **arguments), schemas.Membership()
        )

    @command
    def import_memberships(self, call: Call) -> dict[str, Any]:
        rows = call.load(schemas.ImportMemberships())["rows"]
        return self.database.commit_once(call, lambda db: rosters.import_memberships(db, call, rows))

    # --- grants ---

    @command
    def grant_role(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.GrantRole())
        return self.database.commit_once(call, lambda db: grants.grant_role(db, call, arguments), schemas.Grant())

    @command
    def revoke_grant(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.RevokeGrant())
        return self.database.commit_once(call, lambda db: grants.revoke_grant(db, call, **arguments), schemas.Grant())

    @command
    def bootstrap_grant(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.BootstrapGrant())
        return self.database.commit_once(
            call, lambda db: operators.bootstrap_grant(db, call, arguments), schemas.Grant()
        )

    @query
    def list_operators(self, call: Call) -> dict[str, Any]:
        """The national operators, for the command line of the installation."""
        call.load(schemas.Nothing())
        call.authorise(place=contract.NATION)
        with self.database.read(call) as db:
            return {"items": schemas.Grant(many=True).dump(queries.list_operators(db))}

    @command
    def revoke_operator(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.RevokeOperator())
        return self.database.commit_once(
            call, lambda db: operators.revoke_operator(db, call, **arguments), schemas.Grant()
        )

    @query
    def list_grants(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.ListGrants())
        limit = arguments["limit"]
        with self.database.read(call) as db:
            call.authorise(place=arguments["place"], missing="org.place_unknown")
            found = queries.list_grants(db, arguments["place"], arguments["cursor"], limit + 1)
            return page_of(found, limit, schemas.Grant().dump, lambda grant: str(grant.grant_id))

    @periodic(10, job="apply_due_grants")
    def apply_due_grants(self, now: dt.datetime) -> None:
        """Grants begin and end by the clock; rights in tokens follow the announcement."""
        with self.database.work() as db:
            grants.apply_due_grants(db, now)

    # --- parts ---

    def _show(self, call: Call, school: School, contact: SchoolContact | None) -> dict[str, Any]:
        """The school, with its contact for those who manage it; row security hides it from all others as well."""
        manages = any(covers(place, school.place) for place in call.actor.places(policy.MANAGE_SCHOOLS))
        shown = contacts.mask_contact(self.cipher, contact) if contact is not None and manages else None
        return {**schemas.School().dump(school), "contact": shown}
