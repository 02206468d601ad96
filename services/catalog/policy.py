"""Who may call what of the catalogue."""

from __future__ import annotations

from services.catalog.courses import policy as courses
from services.catalog.further_study import policy as further_study
from services.catalog.periods import policy as periods
from services.catalog.projects import policy as projects
from services.catalog.questions import policy as questions
from services.catalog.shelf import policy as shelf
from services.shared import audit_trail, policy
from services.shared.actor import Role

POLICIES: dict[str, policy.Policy] = {
    **audit_trail.POLICIES,
    **questions.POLICIES,
    **courses.POLICIES,
    **periods.POLICIES,
    **shelf.POLICIES,
    **further_study.POLICIES,
    **projects.POLICIES,
    # A season's programme is public: visitors look at it before they register (`domain.md` A0).
    "list_programmes": policy.anyone(),
    "get_programme": policy.anyone(),
    "publish_programme": policy.granted(Role.NATIONAL_OPERATOR) | policy.service("cli"),
    # Whoever keeps a projection of these facts may ask for all of them, to rebuild it.
    "read_snapshot": policy.service("learning", "billing", "credits", "certs", "cli"),
    "get_digest": policy.service("learning", "billing", "credits", "certs", "cli"),
}
