"""Who may call which method of periods (`domain.md` §1.2: open a period A10, city, and A9, district)."""

from __future__ import annotations

from services.catalog.periods.rules import TIER_OF
from services.shared.policy import Policy, anyone, granted

KEEPING = granted(*TIER_OF)

POLICIES: dict[str, Policy] = {
    "plan_period": KEEPING,
    "revise_period": KEEPING,
    "publish_period": KEEPING,
    "begin_teaching": KEEPING,
    "finish_grading": KEEPING,
    "archive_period": KEEPING,
    "add_offerings": KEEPING,
    "change_offering": KEEPING,
    "withdraw_offering": KEEPING,
    "list_kept_periods": KEEPING,
    "get_kept_period": KEEPING,
    "list_kept_offerings": KEEPING,
    "list_offering_versions": KEEPING,
    # A published period and its dates hang on the wall; what is only planned, nobody but its keeper sees.
    "list_course_periods": anyone(),
    "get_course_period": anyone(),
}
