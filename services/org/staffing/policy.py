"""Who may call which method of org/staffing."""

from __future__ import annotations

from services.shared.actor import REGION_ADMINS, Role
from services.shared.policy import Policy, granted, own, service

SCHOOL_ADMIN = granted(Role.SCHOOL_ADMIN)
# Principals verify as their school's admin does (`domain.md` §1.2, A5), and so they see who is there.
SCHOOL = SCHOOL_ADMIN | granted(Role.PRINCIPAL)
STAFF = SCHOOL | granted(*REGION_ADMINS, Role.NATIONAL_OPERATOR)

POLICIES: dict[str, Policy] = {
    "list_teachers": STAFF,
    "list_reviews": SCHOOL,
    "verify_memberships": SCHOOL,
    "reject_memberships": SCHOOL,
    "archive_teacher": SCHOOL_ADMIN,
    "archive_teachers": SCHOOL_ADMIN,
    "restore_teacher": SCHOOL_ADMIN,
    "restore_teachers": SCHOOL_ADMIN,
    "get_school_desk": SCHOOL,
    # Whoever sees the training statistics of a place sees how many teachers they are about.
    "get_staff_counts": STAFF | granted(Role.DISTRICT_INSTITUTION, Role.CITY_CENTRE),
    "list_staff_counts": STAFF | granted(Role.DISTRICT_INSTITUTION, Role.CITY_CENTRE),
    "reconcile_staff_counts": service("cli"),
    "list_own_periods": own().while_waiting(),
    # Each sees the stays at places of the own territory; the present school does not read what came before it.
    "list_periods": STAFF,
    "get_placement_at": service("learning", "credits", "certs"),
}
