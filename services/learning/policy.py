"""Who may call which method of learning: each teacher, about their own study; reviewers about what is conspicuous."""

from __future__ import annotations

from services.learning.exams import policy as exams
from services.learning.grades import policy as grades
from services.learning.review import policy as review
from services.learning.selection import policy as selection
from services.learning.special_training import policy as special_training
from services.learning.tools import policy as tools
from services.shared import audit_trail, policy

POLICIES: dict[str, policy.Policy] = {
    **audit_trail.POLICIES,
    **review.POLICIES,
    **exams.POLICIES,
    **tools.POLICIES,
    **selection.POLICIES,
    **grades.POLICIES,
    **special_training.POLICIES,
    "enrol": policy.own(),
    "list_enrolments": policy.own(),
    "get_progress": policy.own(),
    "tell_progress": policy.own(),
    "open_study_session": policy.own(),
    "renew_play_token": policy.own(),
    "answer_quiz": policy.own(),
    "confirm_presence": policy.own(),
    "reconcile_study": policy.service("cli"),
    # Whoever keeps a projection of these facts may ask for all of them, to rebuild it.
    "read_snapshot": policy.service("catalog", "credits", "billing", "cli"),
    "get_digest": policy.service("catalog", "credits", "billing", "cli"),
}
