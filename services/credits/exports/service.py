"""The process type that makes credits' files, apart from the one that answers people who wait."""

from __future__ import annotations

from services.credits import contract
from services.credits.contract import exports as names
from services.credits.exports import kinds
from services.credits.exports.models import AccountGrants
from services.identity import contract as identity
from services.shared.bulk.entrypoints import RunsJobs
from services.shared.bulk.kinds import by_name


class CreditsBulkService(RunsJobs):
    name = names.PROCESS
    kinds = by_name(kinds.KINDS)
    account_grants = AccountGrants
    directory = identity.SERVICE
    texts = (identity.ERRORS, contract.ERRORS)
