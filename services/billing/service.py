"""Entrypoints of billing: what others and people ask, and what it keeps of what other services say."""

from __future__ import annotations

import uuid

from services.billing import actions, contract
from services.billing.bills.entrypoints import Bills
from services.billing.bulk.models import AccountGrants
from services.billing.holds import actions as hold_actions
from services.billing.holds.entrypoints import Holds
from services.billing.models import Placement
from services.billing.policy import POLICIES
from services.billing.projections import PROJECTIONS
from services.billing.snapshots import SNAPSHOTS
from services.identity.contract import person
from services.org import contract as org
from services.shared.account_grants import keep_grants
from services.shared.audit_trail import AuditTrail
from services.shared.bus import DatabaseProvider, event_handler
from services.shared.bus.snapshots import TellsSnapshots
from services.shared.placement import keep_placement


class BillingService(Holds, Bills, AuditTrail, TellsSnapshots):
    name = contract.SERVICE
    policies = POLICIES
    snapshots = SNAPSHOTS
    projections = PROJECTIONS
    database = DatabaseProvider()

    @event_handler(org.MEMBERSHIP_CHANGED)
    def on_membership_changed(self, db, event):
        keep_placement(db, Placement, event.payload)

    @event_handler(org.GRANTS_CHANGED)
    def on_grants_changed(self, db, event):
        keep_grants(db, AccountGrants, event.payload)

    @event_handler(person.LEARNER_NO_ISSUED)
    def on_learner_no_issued(self, db, event):
        payload = event.payload
        actions.keep_learner_number(db, uuid.UUID(payload["account_id"]), payload["learner_no"], payload["version"])

    @event_handler(person.PERSONS_MERGED)
    def on_persons_merged(self, db, event):
        actions.keep_merge(db, event.payload, live=True)

    @event_handler(person.MERGE_UNDONE)
    def on_merge_undone(self, db, event):
        actions.keep_merge(db, event.payload, live=False)

    @event_handler(person.PERSON_ERASED)
    def on_person_erased(self, db, event):
        account_id = uuid.UUID(event.payload["account_id"])
        actions.forget_learner_number(db, account_id)
        hold_actions.forget_reasons(db, account_id)
