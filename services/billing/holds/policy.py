"""Who may call which method of billing/holds (`domain.md` §1.2: clear special user, set SPECIAL; §3.13)."""

from __future__ import annotations

from services.shared.actor import Role
from services.shared.policy import Policy, granted, own, service

KEEPERS = granted(Role.CITY_CENTRE, Role.DISTRICT_INSTITUTION)

POLICIES: dict[str, Policy] = {
    "find_holds": service("org", "learning"),
    "place_hold": KEEPERS.seeing_everything("a learner number leads to a teacher wherever she is"),
    "lift_hold": KEEPERS,
    "lift_holds": KEEPERS,
    # The school sees its own special users (S3:268).
    "list_holds": KEEPERS | granted(Role.SCHOOL_ADMIN),
    # A number on the desk of a school, for those whose desk it is.
    "count_special_users": granted(Role.PRINCIPAL, Role.SCHOOL_ADMIN),
    "list_own_holds": own().seeing_everything("a hold under an account that was merged into hers is hers too"),
}
