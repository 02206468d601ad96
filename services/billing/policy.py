"""Who may call what of billing."""

from __future__ import annotations

from services.billing.bills import policy as bills
from services.billing.holds import policy as holds
from services.shared import audit_trail
from services.shared.policy import Policy, service

POLICIES: dict[str, Policy] = {
    **holds.POLICIES,
    **bills.POLICIES,
    **audit_trail.POLICIES,
    # Whoever keeps a projection of these facts may ask for all of them, to rebuild it.
    "read_snapshot": service("learning", "catalog", "cli"),
    "get_digest": service("learning", "catalog", "cli"),
}
