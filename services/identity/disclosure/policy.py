"""Who may have people's data in clear (`domain.md` §1.2, "export personal data")."""

from __future__ import annotations

from services.shared.actor import REGION_ADMINS, Role
from services.shared.policy import Policy, granted

EXPORTERS = granted(
    Role.SCHOOL_ADMIN, *REGION_ADMINS, Role.DISTRICT_INSTITUTION, Role.CITY_CENTRE, Role.NATIONAL_OPERATOR
)

POLICIES: dict[str, Policy] = {"disclose_people": EXPORTERS.with_step_up()}
