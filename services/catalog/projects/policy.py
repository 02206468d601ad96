"""Who may call which method of training projects: A9, A10 and A11 keep what they organise, everybody may look at the shelf."""

from __future__ import annotations

from services.catalog.courses.policy import KEEPING
from services.shared.policy import Policy, anyone

POLICIES: dict[str, Policy] = {
    "create_training_project": KEEPING,
    "change_training_project": KEEPING,
    "publish_training_project": KEEPING,
    "withdraw_training_project": KEEPING,
    "get_kept_training_project": KEEPING,
    "list_kept_training_projects": KEEPING,
    "list_training_projects": anyone(),
    "get_training_project": anyone(),
}
