"""Who sits exams: each teacher, about their own attempts alone."""

from __future__ import annotations

from services.shared.policy import Policy, own

POLICIES: dict[str, Policy] = {
    "list_exams": own(),
    "start_exam_attempt": own(),
    "get_exam_attempt": own(),
    "save_exam_answers": own(),
    "submit_exam_attempt": own(),
    "list_exam_attempts": own(),
}
