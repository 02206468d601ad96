"""Who may run a job at this moment: org's grants, as billing knows them."""

from __future__ import annotations

from services.billing.models import Model
from services.shared.account_grants import AccountGrantsMixin


class AccountGrants(AccountGrantsMixin, Model):
    """Projection of org's grants."""
