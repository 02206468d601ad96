"""The process type that runs learning's jobs, apart from the one that answers people who wait."""

from __future__ import annotations

import uuid

from sqlalchemy.orm import Session

from services.billing import contract as billing
from services.identity import contract as identity
from services.learning import contract
from services.learning.bulk import choosing, grading, models
from services.learning.contract import jobs
from services.learning.exports import kinds as exports
from services.shared import messages
from services.shared.account_grants import list_grants
from services.shared.actor import Actor, Grant
from services.shared.bulk import entrypoints
from services.shared.bulk.exporting import masked_name
from services.shared.bulk.kinds import by_name

TEXTS = {**messages.ERRORS, **identity.ERRORS, **billing.ERRORS, **contract.ERRORS}


class LearningBulkService(entrypoints.RunsJobs):
    name = jobs.PROCESS
    policies = entrypoints.POLICIES
    kinds = by_name(choosing.KINDS, grading.KINDS, exports.KINDS)

    def read_grants(self, db: Session, account_id: uuid.UUID) -> tuple[Grant, ...]:
        return list_grants(db, models.AccountGrants, account_id)

    def name_of(self, actor: Actor) -> str:
        return masked_name(self.bus, actor, identity.SERVICE)

    def text_of(self, code: str) -> str:
        return TEXTS.get(code, TEXTS["shared.unknown"])[0]
