"""Who may call which method of identity/phone (`domain.md` §1.2: phone tickets are decided by A14)."""

from __future__ import annotations

from services.shared.actor import Role
from services.shared.policy import Policy, anyone, granted, own

CODES = "reads SMS codes, and a phone is unique among all people, not only visible ones"
NO_ACCOUNT_NEEDED = "whoever asks cannot sign in; the ticket's key or the link's token says what they may reach"
DESK = "tickets belong to no territory, and what they claim is compared with accounts anywhere"

AGENT = granted(Role.SUPPORT_AGENT).seeing_everything(DESK)

POLICIES: dict[str, Policy] = {
    "start_phone_change": own().while_waiting().seeing_everything(CODES),
    "prove_old_phone": own().while_waiting().seeing_everything(CODES),
    "name_new_phone": own().while_waiting().seeing_everything(CODES),
    "complete_phone_change": own().while_waiting().seeing_everything(CODES),
    "request_ticket_code": anyone().seeing_everything(NO_ACCOUNT_NEEDED),
    "open_phone_ticket": anyone().seeing_everything(NO_ACCOUNT_NEEDED),
    "prepare_evidence": anyone().seeing_everything(NO_ACCOUNT_NEEDED),
    "keep_evidence": anyone().seeing_everything(NO_ACCOUNT_NEEDED),
    "submit_phone_ticket": anyone().seeing_everything(NO_ACCOUNT_NEEDED),
    "get_phone_ticket": anyone().seeing_everything(NO_ACCOUNT_NEEDED),
    "withdraw_phone_ticket": anyone().seeing_everything(NO_ACCOUNT_NEEDED),
    "find_ticket_to_stop": anyone().seeing_everything(NO_ACCOUNT_NEEDED),
    "stop_phone_ticket": anyone().seeing_everything(NO_ACCOUNT_NEEDED),
    "get_own_phone_ticket": own().while_waiting(),
    "stop_own_phone_ticket": own()
    .while_waiting()
    .seeing_everything("ends a ticket that somebody else may have opened"),
    "list_phone_tickets": AGENT,
    "claim_phone_ticket": AGENT,
    "put_back_phone_ticket": AGENT,
    # Name, number and photo in clear: `domain.md` §3.11.
    "view_phone_ticket": AGENT.with_step_up(),
    "view_evidence": AGENT.with_step_up(),
    "approve_phone_ticket": AGENT.with_step_up(),
    "reject_phone_ticket": AGENT,
}
