"""Who may call which method of identity/notices."""

from __future__ import annotations

from services.shared.policy import Policy, own

POLICIES: dict[str, Policy] = {
    "list_notices": own().while_waiting(),
    "get_notice_language": own().while_waiting(),
    "choose_notice_language": own().while_waiting(),
}
