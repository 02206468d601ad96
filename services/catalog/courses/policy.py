"""Who may call which method of courses (`domain.md` §1.2: A9, A10 and A11 keep the courses of what they organise)."""

from __future__ import annotations

from services.catalog.courses.rules import KEEPERS
from services.shared.policy import Policy, granted

KEEPING = granted(*KEEPERS)

POLICIES: dict[str, Policy] = {
    "create_course": KEEPING,
    "change_course": KEEPING,
    "withdraw_course": KEEPING,
    "get_course": KEEPING,
    "list_courses": KEEPING,
    "list_course_versions": KEEPING,
}
