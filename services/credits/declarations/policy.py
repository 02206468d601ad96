"""Who may declare and who reviews (`domain.md` §1.2: declare outside hours, first and final review)."""

from __future__ import annotations

from services.shared.actor import REGION_ADMINS, Role
from services.shared.policy import Policy, granted, own

# Reviewing writes into the ledger, whose lock rows belong to no reviewer; each method names its target first.
_WRITES = "the row that keeps parallel writers of a teacher's year apart is shown to no reviewer"
FIRST = granted(Role.SCHOOL_ADMIN)
FINAL = granted(*REGION_ADMINS, Role.DISTRICT_INSTITUTION, Role.CITY_CENTRE)

POLICIES: dict[str, Policy] = {
    "create_declaration": own(),
    "edit_declaration": own(),
    "submit_declaration": own(),
    "withdraw_declaration": own(),
    "list_own_declarations": own(),
    "prepare_attachment": own(),
    "keep_attachment": own(),
    "remove_attachment": own(),
    "view_attachment": own() | FIRST | FINAL,
    "get_declaration": own() | FIRST | FINAL,
    "list_declarations": FIRST | FINAL,
    "pass_declaration": FIRST,
    "return_declaration": FIRST | FINAL,
    "approve_declaration": FINAL.seeing_everything(_WRITES),
    "void_declaration": FINAL.seeing_everything(_WRITES),
}
