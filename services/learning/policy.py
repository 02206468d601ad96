"""Who may call which method of learning: each teacher, about their own study and nobody else's."""

from __future__ import annotations

from services.shared import policy

POLICIES: dict[str, policy.Policy] = {
    "enrol": policy.own(),
    "list_enrolments": policy.own(),
    "get_progress": policy.own(),
    "open_study_session": policy.own(),
    "renew_play_token": policy.own(),
    "answer_quiz": policy.own(),
}
