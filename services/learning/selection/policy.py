"""Who chooses, cancels and looks at choices (`domain.md` §1.2, §3.12)."""

from __future__ import annotations

from services.shared.actor import REGION_ADMINS, Role
from services.shared.policy import Policy, granted, own, service, signed_in

# Who charges for courses, each for its own (`actions/moving.require_institution`).
INSTITUTIONS = granted(Role.CITY_CENTRE, Role.DISTRICT_INSTITUTION, Role.TRAINING_INSTITUTION)
# "see who chose what": the unit's own people, and those above (S3:374-396).
VIEWERS = granted(
    Role.PRINCIPAL,
    Role.SCHOOL_ADMIN,
    *REGION_ADMINS,
    Role.DISTRICT_INSTITUTION,
    Role.CITY_CENTRE,
    Role.NATIONAL_OPERATOR,
)

POLICIES: dict[str, Policy] = {
    "put_in_basket": own(),
    "take_from_basket": own(),
    "get_basket": own(),
    "submit_basket": own(),
    "choose_course": own(),
    "choose_course_for": granted(Role.SCHOOL_ADMIN).seeing_everything(
        "whom a course is for is decided by segment and subject, which only the teacher sees"
    ),
    "cancel_choice": own() | granted(Role.SCHOOL_ADMIN),
    "void_choice": INSTITUTIONS.seeing_everything(
        "seats are given back and counted whoever the teacher belongs to now"
    ),
    "list_own_choices": own(),
    "list_choices": VIEWERS,
    "list_seats": signed_in(),
    # "training statistics"
    "list_choice_statistics": VIEWERS,
    "list_choice_statistics_below": VIEWERS,
    "reconcile_choices": service("cli"),
}
