"""Who may call which method of org/units (`domain.md` §1.2)."""

from __future__ import annotations

from services.shared.actor import REGION_ADMINS, Role
from services.shared.policy import Policy, granted, own, signed_in

REGIONS = granted(*REGION_ADMINS, Role.NATIONAL_OPERATOR)
OWN_STAFF = granted(Role.SCHOOL_ADMIN, Role.PRINCIPAL)
# Institutions look at the units of their region, and change none.
LOOKS = REGIONS | granted(Role.DISTRICT_INSTITUTION, Role.CITY_CENTRE)
# What holds for all teachers of a place is decided by whoever appoints its administrators.
DECIDES = granted(Role.SUPER_ADMIN, Role.NATIONAL_OPERATOR)
STAFF_GOES = "the announcement lists all grants of each member of staff, also those outside the caller's territory"

POLICIES: dict[str, Policy] = {
    "edit_school": REGIONS | OWN_STAFF,
    "correct_school_code": REGIONS,
    "reveal_school_contact": (REGIONS | OWN_STAFF).with_step_up(),
    "suspend_school": REGIONS,
    "resume_school": REGIONS,
    "merge_school": REGIONS.seeing_everything(STAFF_GOES),
    "close_school": REGIONS.seeing_everything(STAFF_GOES),
    "reopen_school": REGIONS,
    "list_units": LOOKS,
    "count_units": LOOKS,
    "get_school_history": LOOKS | OWN_STAFF,
    "request_school_move": REGIONS.seeing_everything("the school may be asked for from elsewhere already"),
    "execute_school_move": REGIONS.seeing_everything(STAFF_GOES),
    "reject_school_move": REGIONS,
    "withdraw_school_move": REGIONS,
    "get_school_move": REGIONS,
    "list_school_moves": REGIONS,
    "request_school": own()
    .while_waiting()
    .seeing_everything("colleagues who miss the same school share one request, and do not see each other's"),
    "withdraw_school_request": own().while_waiting().seeing_everything("with the last one who asked, the request ends"),
    "create_requested_school": REGIONS,
    "answer_school_request": REGIONS,
    "reject_school_request": REGIONS,
    "list_school_requests": REGIONS,
    "list_own_school_requests": own()
    .while_waiting()
    .seeing_everything("what an account asked for that was merged into this one is the same person's"),
    "get_tenant_policy": signed_in().while_waiting(),
    "list_tenant_policies": REGIONS,
    "set_tenant_policy": DECIDES,
    "withdraw_tenant_policy": DECIDES,
}
