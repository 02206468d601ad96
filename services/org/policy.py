"""Who may call which method of org, and where (`domain.md` §1.2)."""

from __future__ import annotations

from services.org.delegation import policy as delegation
from services.org.staffing import policy as staffing
from services.org.transfers import policy as transfers
from services.org.units import policy as units
from services.shared import audit_trail
from services.shared.actor import REGION_ADMINS, Role
from services.shared.policy import Policy, anyone, granted, own, service

REGIONS = granted(*REGION_ADMINS, Role.NATIONAL_OPERATOR)
SCHOOL_ADMIN = granted(Role.SCHOOL_ADMIN)
STAFF = REGIONS | SCHOOL_ADMIN
# Who sees, masked, whom to call at a school: not everybody whose grant covers it, an auditor has no business with it.
MANAGE_SCHOOLS = REGION_ADMINS | {
    Role.NATIONAL_OPERATOR,
    Role.DISTRICT_INSTITUTION,
    Role.CITY_CENTRE,
    Role.SCHOOL_ADMIN,
    Role.PRINCIPAL,
}

POLICIES: dict[str, Policy] = {
    **audit_trail.POLICIES,
    **delegation.POLICIES,
    **staffing.POLICIES,
    **transfers.POLICIES,
    **units.POLICIES,
    "list_divisions": anyone(),
    "get_division": anyone(),
    "list_schools": anyone(),
    "get_school": anyone(),  # the contact only for those whom row security shows it
    "create_school": REGIONS,
    "choose_school": own().while_waiting(),
    "get_own_membership": own().while_waiting(),
    "get_placement_facts": service("learning"),
    "list_memberships": STAFF | granted(Role.PRINCIPAL),
    # The school verifies its own teachers, its admin or its principal (A5, A6); no region does it in its place.
    "verify_membership": SCHOOL_ADMIN | granted(Role.PRINCIPAL),
    "reject_membership": SCHOOL_ADMIN | granted(Role.PRINCIPAL),
    "release_membership": SCHOOL_ADMIN,
    "grant_role": (REGIONS | SCHOOL_ADMIN).seeing_everything(
        "the announcement lists all grants of the holder, also those outside the grantor's territory"
    ),
    "revoke_grant": (REGIONS | SCHOOL_ADMIN).seeing_everything(
        "the announcement lists all grants of the holder, also those outside the grantor's territory"
    ),
    "list_grants": REGIONS | SCHOOL_ADMIN,
    "bootstrap_grant": service("cli"),
    "list_operators": service("cli"),
    "revoke_operator": service("cli"),
    "import_divisions": service("cli"),
    # A school's admin adds his own teachers (`domain.md` §1.2), each row checked against the school like any other's.
    "import_memberships": (STAFF | service("cli")).seeing_everything(
        "a teacher who belongs to a school elsewhere must be refused, not added a second time"
    ),
    # Whoever keeps a projection of these facts may ask for all of them, to rebuild it.
    "read_snapshot": service("identity", "catalog", "learning", "billing", "credits", "certs", "cli"),
    "get_digest": service("identity", "catalog", "learning", "billing", "credits", "certs", "cli"),
}
