"""Who may call which method of identity (`domain.md` §1.2)."""

from __future__ import annotations

from services.shared.actor import REGION_ADMINS, Role
from services.shared.policy import Policy, anyone, granted, service, signed_in

SCHOOL_AND_ABOVE = granted(Role.SCHOOL_ADMIN, *REGION_ADMINS, Role.NATIONAL_OPERATOR)
COUNTY_AND_ABOVE = granted(*REGION_ADMINS, Role.NATIONAL_OPERATOR)

NOBODY_YET = "the caller is nobody yet: the account is found by phone or token, not by who asks"

POLICIES: dict[str, Policy] = {
    "request_sms_code": anyone().seeing_everything(NOBODY_YET),
    "register_account": anyone().seeing_everything(NOBODY_YET),
    "sign_in": anyone().seeing_everything(NOBODY_YET),
    "refresh_session": anyone().seeing_everything(NOBODY_YET),
    "list_development_messages": anyone().seeing_everything("a mailbox of all phones; absent in production"),
    "sign_out": signed_in(),
    "get_account": signed_in(),
    "get_profile": signed_in(),
    "set_password": signed_in().seeing_everything("reads the SMS codes sent to the caller's own phone"),
    "update_profile": signed_in().seeing_everything("an ID number is unique among all people, not only visible ones"),
    "switch_identity": signed_in(),
    "list_people": SCHOOL_AND_ABOVE,
    "unlock_account": SCHOOL_AND_ABOVE,
    "import_people": (COUNTY_AND_ABOVE | service("cli")).seeing_everything(
        "a phone or ID number is unique among all people, and a new person is in nobody's territory yet"
    ),
    "check_enrolment_facts": service("learning"),
    "get_holders": service("certs"),
    "list_revocations": service("gateway"),
    # Whoever keeps a projection of these facts may ask for all of them, to rebuild it.
    "read_snapshot": service("learning", "cli"),
    "get_digest": service("learning", "cli"),
}
