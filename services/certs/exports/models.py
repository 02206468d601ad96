"""Who may have files at this moment: org's grants, as certs knows them."""

from __future__ import annotations

from services.certs.models import Model
from services.shared.account_grants import AccountGrantsMixin


class AccountGrants(AccountGrantsMixin, Model):
    """Projection of org's grants: the complete list of [role, place], and the version it came with."""
