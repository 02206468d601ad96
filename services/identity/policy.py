"""Who may call which method of identity (`domain.md` §1.2)."""

from __future__ import annotations

from services.identity.access import policy as access
from services.identity.disclosure import policy as disclosure
from services.identity.mail import policy as mail
from services.identity.notices import policy as notices
from services.identity.passes import policy as passes
from services.identity.person import policy as person
from services.identity.phone import policy as phone
from services.shared import audit_trail
from services.shared.actor import REGION_ADMINS, Role
from services.shared.policy import Policy, anyone, granted, service, signed_in

SCHOOL_AND_ABOVE = granted(Role.SCHOOL_ADMIN, *REGION_ADMINS, Role.NATIONAL_OPERATOR)
COUNTY_AND_ABOVE = granted(*REGION_ADMINS, Role.NATIONAL_OPERATOR)

NOBODY_YET = "the caller is nobody yet: the account is found by phone or token, not by who asks"

POLICIES: dict[str, Policy] = {
    **audit_trail.POLICIES,
    **access.POLICIES,
    **disclosure.POLICIES,
    **mail.POLICIES,
    **notices.POLICIES,
    **passes.POLICIES,
    **person.POLICIES,
    **phone.POLICIES,
    "request_sms_code": anyone().seeing_everything(NOBODY_YET),
    "register_account": anyone().seeing_everything(NOBODY_YET),
    "list_development_messages": anyone().seeing_everything("a mailbox of all phones; absent in production"),
    "get_account": signed_in().while_waiting(),
    "get_profile": signed_in().while_waiting(),
    "update_profile": signed_in()
    .while_waiting()
    .seeing_everything("an ID number is unique among all people, not only visible ones"),
    "switch_identity": signed_in().while_waiting(),
    # The training institutions decide about transfers and clear special users: they see whom it is about.
    # The command line shows, masked, who the operators are.
    "list_people": SCHOOL_AND_ABOVE
    | granted(Role.PRINCIPAL, Role.DISTRICT_INSTITUTION, Role.CITY_CENTRE)
    | service("cli"),
    # For the preview of a roster: the service that places people asks, and answers for whom it tells.
    "find_known_people": service("org", "cli"),
    # A school's admin adds the own teachers (`domain.md` §1.2); org sends only rows of the own school.
    "import_people": (SCHOOL_AND_ABOVE | service("cli")).seeing_everything(
        "a phone or ID number is unique among all people, and a new person is in nobody's territory yet"
    ),
    "check_enrolment_facts": service("learning"),
    "get_holders": service("certs"),
    "list_revocations": service("gateway"),
    # Whoever keeps a projection of these facts may ask for all of them, to rebuild it.
    "read_snapshot": service("catalog", "learning", "org", "billing", "certs", "cli"),
    "get_digest": service("catalog", "learning", "org", "billing", "certs", "cli"),
}
