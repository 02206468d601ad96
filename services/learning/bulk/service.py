"""The process type that runs learning's jobs, apart from the one that answers people who wait."""

from __future__ import annotations

from services.billing import contract as billing
from services.identity import contract as identity
from services.learning import contract
from services.learning.bulk import choosing, grading, models
from services.learning.contract import jobs
from services.learning.exports import kinds as exports
from services.shared.bulk.entrypoints import RunsJobs
from services.shared.bulk.kinds import by_name


class LearningBulkService(RunsJobs):
    name = jobs.PROCESS
    kinds = by_name(choosing.KINDS, grading.KINDS, exports.KINDS)
    account_grants = models.AccountGrants
    directory = identity.SERVICE
    texts = (identity.ERRORS, billing.ERRORS, contract.ERRORS)
