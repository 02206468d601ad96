"""Who registers completion certificates: training institutions, for teachers of their territory (`domain.md` §1.1, A9 to A11)."""

from __future__ import annotations

from services.shared.actor import Role
from services.shared.policy import Policy, granted

# Institutions that only run projects (A11) reach no teacher by place; they hand over to the district's or the city's.
INSTITUTIONS = granted(Role.DISTRICT_INSTITUTION, Role.CITY_CENTRE)
_ISSUES = "a certificate is written by the issuer; the method reaches the caller's territory only"

POLICIES: dict[str, Policy] = {
    "register_completion": INSTITUTIONS.seeing_everything(_ISSUES),
    "list_registrations": INSTITUTIONS.seeing_everything(
        "what the own institution registered stays its own when a teacher moves"
    ),
}
