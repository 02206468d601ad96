"""The process type that runs billing's jobs, apart from the one that answers people who wait."""

from __future__ import annotations

from services.billing import contract
from services.billing.bulk import exports, models, reconciling
from services.billing.contract import bulk
from services.identity import contract as identity
from services.shared.bulk.entrypoints import RunsJobs
from services.shared.bulk.kinds import by_name


class BillingBulkService(RunsJobs):
    name = bulk.PROCESS
    kinds = by_name(reconciling.KINDS, exports.KINDS)
    account_grants = models.AccountGrants
    directory = identity.SERVICE
    texts = (identity.ERRORS, contract.ERRORS)
