"""Who sees which territory's certificates (`domain.md` §1.2): the list as teachers are listed, figures as training statistics."""

from __future__ import annotations

from services.shared.actor import REGION_ADMINS, Role
from services.shared.policy import Policy, granted, service

LISTERS = granted(Role.PRINCIPAL, Role.SCHOOL_ADMIN, *REGION_ADMINS, Role.NATIONAL_OPERATOR)
READERS = granted(
    Role.PRINCIPAL,
    Role.SCHOOL_ADMIN,
    *REGION_ADMINS,
    Role.DISTRICT_INSTITUTION,
    Role.CITY_CENTRE,
    Role.NATIONAL_OPERATOR,
)

POLICIES: dict[str, Policy] = {
    "list_issued_certificates": LISTERS,
    "get_certificate_statistics": READERS,
    "list_certificate_statistics_below": READERS,
    "reconcile_certificate_statistics": service("cli"),
}
