"""Who may call what of credits, on whose records (`domain.md` §1.2: training statistics)."""

from __future__ import annotations

from services.shared.actor import REGION_ADMINS, Role
from services.shared.policy import Policy, granted, own, service

# A teacher reads her own hours; those who answer for her school or region read them inside their territory.
READERS = own() | granted(Role.PRINCIPAL, Role.SCHOOL_ADMIN, *REGION_ADMINS, Role.NATIONAL_OPERATOR)

POLICIES: dict[str, Policy] = {
    "get_hours": READERS,
    "list_ledger": READERS,
    "reconcile_ledger": service("cli"),
    # Whoever keeps a projection of these facts may ask for all of them, to rebuild it.
    "read_snapshot": service("certs", "cli"),
    "get_digest": service("certs", "cli"),
}
