"""Who may call which method of identity/passes."""

from __future__ import annotations

from services.shared.policy import Policy, anyone, own

NOBODY_YET = "the caller is nobody yet: the account is found by the pass"
UNIQUE = "a pass is unique among all people, not only visible ones"

POLICIES: dict[str, Policy] = {
    "list_pass_issuers": anyone(),
    "start_pass_sign_in": anyone().seeing_everything(NOBODY_YET),
    "complete_pass_sign_in": anyone().seeing_everything(NOBODY_YET),
    "list_passes": own().while_waiting(),
    # A pass opens the account for good, so a stolen access token must not be enough.
    "start_pass_binding": own().while_waiting().with_step_up().seeing_everything(UNIQUE),
    "complete_pass_binding": own().while_waiting().seeing_everything(UNIQUE),
    "unbind_pass": own()
    .while_waiting()
    .with_step_up()
    .seeing_everything("looks at the caller's ticket and passes under lock"),
}
