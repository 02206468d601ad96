"""The process type that runs org's jobs, apart from the one that answers people who wait."""

from __future__ import annotations

import uuid

from sqlalchemy.orm import Session

from services.identity import contract as identity
from services.org import contract, queries
from services.org.bulk import codes, decisions, exports, imports
from services.org.contract import GrantState, bulk
from services.org.rules.delegation import is_live
from services.shared import clock
from services.shared.actor import Grant, Role
from services.shared.bulk.entrypoints import RunsJobs
from services.shared.bulk.kinds import by_name


class OrgBulkService(RunsJobs):
    name = bulk.PROCESS
    kinds = by_name(imports.KINDS, decisions.KINDS, codes.KINDS, exports.KINDS)
    directory = identity.SERVICE
    texts = (identity.ERRORS, contract.ERRORS)

    def read_grants(self, db: Session, account_id: uuid.UUID) -> tuple[Grant, ...]:
        now = clock.now()
        return tuple(
            Grant(Role(grant.role), grant.place)
            for grant in queries.list_active_grants(db, account_id)
            if is_live(GrantState(grant.state), grant.valid_from, grant.valid_to, now)
        )
