"""Who keeps question banks: whoever may define a programme at the bank's place (`domain.md` §1.2, S2:150 "谁组织、谁负责")."""

from __future__ import annotations

from services.shared.actor import Role
from services.shared.policy import Policy, granted, service

DEFINERS = granted(
    Role.CITY_ADMIN, Role.PROVINCE_ADMIN, Role.SUPER_ADMIN, Role.CITY_CENTRE, Role.NATIONAL_OPERATOR
) | service("cli")

POLICIES: dict[str, Policy] = {
    "import_question_bank": DEFINERS,
    "publish_question_bank": DEFINERS,
    "list_question_banks": DEFINERS,
    "get_question_bank": DEFINERS,
}
