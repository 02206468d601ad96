"""Who may call which method of identity/access."""

from __future__ import annotations

from services.shared.actor import REGION_ADMINS, Role
from services.shared.policy import Policy, anyone, granted, service, signed_in

# Within reach as `rules/authority.py` says: who holds grants is a region's, never a school's.
HELPERS = granted(Role.SCHOOL_ADMIN, *REGION_ADMINS, Role.NATIONAL_OPERATOR)

NOBODY_YET = "the caller is nobody yet: the account is found by what is typed, not by who asks"
OWN_CODES = "reads the SMS codes sent to the caller's own phone, and counts wrong guesses"
GRANTS_DECIDE = "whether the person holds grants decides who may help, and grants are shown to nobody else"

POLICIES: dict[str, Policy] = {
    "issue_captcha": anyone(),
    "sign_in": anyone().seeing_everything(NOBODY_YET),
    "refresh_session": anyone().seeing_everything(NOBODY_YET),
    "recover_password": anyone().seeing_everything(NOBODY_YET),
    "sign_out": signed_in().while_waiting(),
    "choose_desk": signed_in().while_waiting().seeing_everything(OWN_CODES),
    "request_step_up_code": signed_in().seeing_everything(OWN_CODES),
    "step_up": signed_in().seeing_everything(OWN_CODES),
    "set_password": signed_in().while_waiting().seeing_everything(OWN_CODES),
    "list_sign_ins": signed_in().while_waiting(),
    "end_own_sign_in": signed_in().while_waiting(),
    "end_other_sign_ins": signed_in().while_waiting(),
    "get_administrator": signed_in().while_waiting(),
    "unlock_account": HELPERS.seeing_everything(GRANTS_DECIDE),
    "reset_password": (HELPERS | service("cli")).seeing_everything(GRANTS_DECIDE),
}
