"""Who may call which method of org/delegation (`domain.md` §§1.2, 3.8)."""

from __future__ import annotations

from services.shared.actor import REGION_ADMINS, Role
from services.shared.policy import Policy, granted, own, service

REGIONS = granted(*REGION_ADMINS, Role.NATIONAL_OPERATOR)

POLICIES: dict[str, Policy] = {
    "generate_authority_code": REGIONS,
    "list_authority_codes": REGIONS,
    "approve_authority_code": REGIONS,
    "record_code_delivery": REGIONS,
    "revoke_authority_code": REGIONS.seeing_everything(
        "the announcement lists all grants of the holder, also those outside the caller's territory"
    ),
    # Also before a school has approved her: of a new school she is the one who will approve.
    "activate_authority_code": own()
    .while_waiting()
    .seeing_everything("the code, and no grant yet, opens a place where the caller has no right"),
    "propose_grant": REGIONS.seeing_everything(
        "whether the account exists, and what else it holds, is in nobody's territory"
    ),
    "approve_grant": REGIONS.seeing_everything(
        "the announcement lists all grants of the holder, also those outside the caller's territory"
    ),
    "reject_proposal": REGIONS,
    "withdraw_proposal": REGIONS,
    "list_grant_proposals": REGIONS,
    "get_activation_progress": REGIONS,
    "list_activation_progress": REGIONS,
    "list_admin_seats": REGIONS,
    "list_unit_administrators": REGIONS | granted(Role.SCHOOL_ADMIN, Role.PRINCIPAL),
    "reconcile_activation": service("cli"),
}
