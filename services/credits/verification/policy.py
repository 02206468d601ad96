"""Who sees whose years and who handles complaints (`domain.md` §1.2: training statistics, complaints)."""

from __future__ import annotations

from services.shared.actor import REGION_ADMINS, Role
from services.shared.policy import Policy, granted, own

ABOVE = granted(
    Role.PRINCIPAL,
    Role.SCHOOL_ADMIN,
    *REGION_ADMINS,
    Role.DISTRICT_INSTITUTION,
    Role.CITY_CENTRE,
    Role.NATIONAL_OPERATOR,
)
READERS = own() | ABOVE
# The district handles complaints: its administrators and its training institution.
HANDLERS = granted(Role.COUNTY_ADMIN, Role.DISTRICT_INSTITUTION)

POLICIES: dict[str, Policy] = {
    "get_year_verification": READERS,
    "get_credit_matrix": READERS,
    "get_year_sheet": READERS,
    "list_year_verifications": ABOVE,
    "get_verification_summary": ABOVE,
    "count_complaints": ABOVE,
    "file_complaint": own(),
    "close_complaint": own(),
    "reopen_complaint": own(),
    "list_own_complaints": own(),
    "list_complaints": HANDLERS,
    "assign_complaint": HANDLERS,
    "answer_complaint": HANDLERS.seeing_everything(
        "corrections are written under the row that keeps parallel writers of a teacher's year apart"
    ),
}
