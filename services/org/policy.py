"""Who may call which method of org, and where (`domain.md` §1.2)."""

from __future__ import annotations

from services.shared.actor import REGION_ADMINS, Role
from services.shared.policy import Policy, anyone, granted, own, service

REGIONS = granted(*REGION_ADMINS, Role.NATIONAL_OPERATOR)
SCHOOL_ADMIN = granted(Role.SCHOOL_ADMIN)
STAFF = REGIONS | SCHOOL_ADMIN

POLICIES: dict[str, Policy] = {
    "list_divisions": anyone(),
    "get_division": anyone(),
    "list_schools": anyone(),
    "get_school": anyone(),  # the contact only for those whom row security shows it
    "create_school": REGIONS,
    "choose_school": own(),
    "get_own_membership": own(),
    "get_placement_facts": service("learning"),
    "list_memberships": STAFF,
    # The school verifies its own teachers; no region does it in its place.
    "verify_membership": SCHOOL_ADMIN,
    "reject_membership": SCHOOL_ADMIN,
    "release_membership": SCHOOL_ADMIN,
    "grant_role": (REGIONS | SCHOOL_ADMIN).seeing_everything(
        "the announcement lists all grants of the holder, also those outside the grantor's territory"
    ),
    "revoke_grant": (REGIONS | SCHOOL_ADMIN).seeing_everything(
        "the announcement lists all grants of the holder, also those outside the grantor's territory"
    ),
    "list_grants": REGIONS | SCHOOL_ADMIN,
    "bootstrap_grant": service("cli"),
    "import_divisions": service("cli"),
    "find_schools": REGIONS | service("cli"),
    "import_schools": REGIONS | service("cli"),
    "import_memberships": (REGIONS | service("cli")).seeing_everything(
        "a teacher who belongs to a school elsewhere must be refused, not added a second time"
    ),
    # Whoever keeps a projection of these facts may ask for all of them, to rebuild it.
    "read_snapshot": service("identity", "learning", "credits", "certs", "cli"),
    "get_digest": service("identity", "learning", "credits", "certs", "cli"),
}
