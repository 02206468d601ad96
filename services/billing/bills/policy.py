"""Who may call which method of bills (`domain.md` §1.2: view bills A5, A6, A9, A10; register payments A10, a district's A9)."""

from __future__ import annotations

from services.shared.actor import Role
from services.shared.policy import Policy, granted, own

VIEWERS = granted(Role.PRINCIPAL, Role.SCHOOL_ADMIN, Role.DISTRICT_INSTITUTION, Role.CITY_CENTRE)
KEEPERS = granted(Role.CITY_CENTRE, Role.DISTRICT_INSTITUTION)
_ONE_PERSON = "what was chosen under an account that was merged into hers is hers too"

POLICIES: dict[str, Policy] = {
    "list_bills": VIEWERS,
    "get_bill": VIEWERS,
    "list_bill_lines": VIEWERS,
    "print_notice": VIEWERS,
    "get_declaration_form": VIEWERS,
    "list_payments": VIEWERS,
    "register_payment": KEEPERS,
    "assign_payment": KEEPERS,
    "settle_lines": KEEPERS,
    "register_refund": KEEPERS,
    "list_overdue": granted(Role.CITY_CENTRE),
    "confirm_special_users": granted(Role.CITY_CENTRE).seeing_everything(
        "how often somebody was a special user counts wherever she was, and under whichever account"
    ),
    "list_own_orders": own().seeing_everything(_ONE_PERSON),
    "get_own_dues": own().seeing_everything(_ONE_PERSON),
}
