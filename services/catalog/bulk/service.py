"""The process type that runs the catalogue's jobs, apart from the one that answers people who wait."""

from __future__ import annotations

from services.catalog import contract
from services.catalog.bulk import imports
from services.catalog.bulk.models import AccountGrants
from services.catalog.contract import bulk
from services.identity import contract as identity
from services.shared.bulk.entrypoints import RunsJobs
from services.shared.bulk.kinds import by_name


class CatalogBulkService(RunsJobs):
    name = bulk.PROCESS
    kinds = by_name(imports.KINDS)
    account_grants = AccountGrants
    directory = identity.SERVICE
    texts = (identity.ERRORS, contract.ERRORS)
