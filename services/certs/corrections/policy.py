"""Who corrects certificates (`domain.md` §1.2, further rights): two persons of the issuer."""

from __future__ import annotations

from services.shared.actor import Role
from services.shared.policy import Policy, granted

# The issuer of every season is the nation (`contract.ISSUER_PLACE`). Programmes of provinces will name their own place, and
# then their super admins (A8) correct what they issued.
_ISSUER = granted(Role.NATIONAL_OPERATOR)
_CHANGES = "only the issuer changes a certificate: its holder's territory may read it, no more"

POLICIES: dict[str, Policy] = {
    "propose_correction": _ISSUER,
    "list_corrections": _ISSUER,
    "get_correction": _ISSUER,
    "withdraw_correction": _ISSUER,
    "reject_correction": _ISSUER,
    "approve_correction": _ISSUER.seeing_everything(_CHANGES),
}
