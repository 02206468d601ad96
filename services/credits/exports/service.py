"""The process type that makes credits' files, apart from the one that answers people who wait."""

from __future__ import annotations

import uuid

from sqlalchemy.orm import Session

from services.credits import contract
from services.credits.contract import exports as names
from services.credits.exports import kinds
from services.credits.exports.models import AccountGrants
from services.identity import contract as identity
from services.shared import messages
from services.shared.account_grants import list_grants
from services.shared.actor import Actor, Grant
from services.shared.bulk import entrypoints
from services.shared.bulk.exporting import masked_name
from services.shared.bulk.kinds import by_name

TEXTS = {**messages.ERRORS, **identity.ERRORS, **contract.ERRORS}


class CreditsBulkService(entrypoints.RunsJobs):
    name = names.PROCESS
    policies = entrypoints.POLICIES
    kinds = by_name(kinds.KINDS)

    def read_grants(self, db: Session, account_id: uuid.UUID) -> tuple[Grant, ...]:
        return list_grants(db, AccountGrants, account_id)

    def name_of(self, actor: Actor) -> str:
        return masked_name(self.bus, actor, identity.SERVICE)

    def text_of(self, code: str) -> str:
        return TEXTS.get(code, TEXTS["shared.unknown"])[0]
