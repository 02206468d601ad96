"""Who enters grades: whoever opened the period, or the institution that charges (`domain.md` §1.2, "Further rights")."""

from __future__ import annotations

from services.learning.selection.policy import INSTITUTIONS, VIEWERS
from services.shared.policy import Policy, own

POLICIES: dict[str, Policy] = {
    "grade_choices": INSTITUTIONS.seeing_everything("a teacher is graded wherever she has gone since"),
    "get_grade_history": own() | VIEWERS,
}
