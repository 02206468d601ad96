"""Who may call which method of identity/mail."""

from __future__ import annotations

from services.shared.policy import Policy, own

POLICIES: dict[str, Policy] = {
    "request_email_code": own().while_waiting().seeing_everything("counts the codes sent to the address for anybody"),
    "confirm_email": own()
    .while_waiting()
    .seeing_everything("writes the profile, which the application role only reads"),
}
