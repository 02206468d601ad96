"""Who sees statistics of which place (`domain.md` §1.2: training statistics)."""

from __future__ import annotations

from services.shared.actor import REGION_ADMINS, Role
from services.shared.policy import Policy, granted, service

READERS = granted(
    Role.PRINCIPAL,
    Role.SCHOOL_ADMIN,
    *REGION_ADMINS,
    Role.DISTRICT_INSTITUTION,
    Role.CITY_CENTRE,
    Role.NATIONAL_OPERATOR,
)

POLICIES: dict[str, Policy] = {
    "get_statistics": READERS,
    "list_statistics_below": READERS,
    "list_statistics_by_day": READERS,
    "list_teacher_statistics": READERS,
    "reconcile_statistics": service("cli"),
}
