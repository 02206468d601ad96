"""The process type that runs org's jobs, apart from the one that answers people who wait."""

from __future__ import annotations

import uuid

from sqlalchemy.orm import Session

from services.identity import contract as identity
from services.org import contract, queries
from services.org.bulk import codes, decisions, exports, imports
from services.org.contract import GrantState, bulk
from services.org.rules.delegation import is_live
from services.shared import clock, messages
from services.shared.actor import Actor, Grant, Role
from services.shared.bulk import entrypoints
from services.shared.bulk.exporting import masked_name
from services.shared.bulk.kinds import by_name

TEXTS = {**messages.ERRORS, **identity.ERRORS, **contract.ERRORS}


class OrgBulkService(entrypoints.RunsJobs):
    name = bulk.PROCESS
    policies = entrypoints.POLICIES
    kinds = by_name(imports.KINDS, decisions.KINDS, codes.KINDS, exports.KINDS)

    def read_grants(self, db: Session, account_id: uuid.UUID) -> tuple[Grant, ...]:
        now = clock.now()
        return tuple(
            Grant(Role(grant.role), grant.place)
            for grant in queries.list_active_grants(db, account_id)
            if is_live(GrantState(grant.state), grant.valid_from, grant.valid_to, now)
        )

    def name_of(self, actor: Actor) -> str:
        return masked_name(self.bus, actor, identity.SERVICE)

    def text_of(self, code: str) -> str:
        return TEXTS.get(code, TEXTS["shared.unknown"])[0]
