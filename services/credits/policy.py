"""Who may call what of credits, on whose records (`domain.md` §1.2: training statistics)."""

from __future__ import annotations

from services.credits.conversions import policy as conversions
from services.credits.declarations import policy as declarations
from services.credits.grades import policy as grades
from services.credits.handover import policy as handover
from services.credits.statistics import policy as statistics
from services.credits.verification import policy as verification
from services.shared import audit_trail
from services.shared.policy import Policy, anyone, service, signed_in

# A teacher reads her own hours; those who answer for her school or region read them inside their territory.
READERS = verification.READERS

POLICIES: dict[str, Policy] = {
    **conversions.POLICIES,
    **declarations.POLICIES,
    **verification.POLICIES,
    **statistics.POLICIES,
    **handover.POLICIES,
    **grades.POLICIES,
    **audit_trail.POLICIES,
    "get_hours": READERS,
    "list_ledger": READERS,
    # Rules are public; judging a document costs time, so a caller is somebody.
    "evaluate_rules": signed_in(),
    "list_packs": anyone(),
    "reconcile_ledger": service("cli"),
    "rehearse_pack": service("cli"),
    # Whoever keeps a projection of these facts may ask for all of them, to rebuild it.
    "read_snapshot": service("certs", "cli"),
    "get_digest": service("certs", "cli"),
}
