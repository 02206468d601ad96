"""Who may call which method of identity/person."""

from __future__ import annotations

from services.shared.actor import REGION_ADMINS, Role
from services.shared.policy import Policy, anyone, granted, own

# The school reviews its teachers [S3:182, 246], and nobody above it in its place. Its administrator, who may not decide on
# himself, is reviewed by whoever keeps the school: the county, and city and province for the units attached directly to
# them (`rules/review.may_review`); four cities have no counties at all.
REVIEWERS = granted(Role.SCHOOL_ADMIN, Role.COUNTY_ADMIN, Role.CITY_ADMIN, Role.PROVINCE_ADMIN)
SEARCHERS = granted(
    Role.SCHOOL_ADMIN,
    *REGION_ADMINS,
    Role.DISTRICT_INSTITUTION,
    Role.CITY_CENTRE,
    Role.NATIONAL_OPERATOR,
    Role.SUPPORT_AGENT,
)

# Two of them for each merge; who is at no school is within their reach too.
SUPPORT = granted(Role.SUPPORT_AGENT, Role.NATIONAL_OPERATOR)

WHO_ADMINISTERS = "whether the person holds a grant decides who reviews, and grants are shown to nobody else"
UNIQUE = "an ID number is unique among all people, not only visible ones"

POLICIES: dict[str, Policy] = {
    "submit_profile": own().seeing_everything("writes the profile, which the application role only reads"),
    "list_profile_reviews": REVIEWERS.seeing_everything(WHO_ADMINISTERS),
    "confirm_profiles": REVIEWERS.seeing_everything(UNIQUE),
    "return_profiles": REVIEWERS.seeing_everything(UNIQUE),
    "reopen_profile": REVIEWERS.seeing_everything("writes the profile, which the application role only reads"),
    "reveal_profile_review": REVIEWERS.with_step_up().seeing_everything(WHO_ADMINISTERS),
    "search_people": SEARCHERS,
    # [S3:75]: the school adds who is new to it.
    "add_teacher": granted(Role.SCHOOL_ADMIN).seeing_everything(
        "a phone or ID number is unique among all people, and a new person is in nobody's territory yet"
    ),
    "ask_for_own_account": own().while_waiting().seeing_everything(UNIQUE),
    "list_possible_duplicates": SUPPORT.seeing_everything("former numbers, which the application role does not read"),
    "show_identity_history": SUPPORT.with_step_up().seeing_everything(
        "former names and numbers, which the application role does not read"
    ),
    "propose_merge": SUPPORT.with_step_up().seeing_everything(
        "writes the merge, which the application role only reads"
    ),
    "approve_merge": SUPPORT.with_step_up().seeing_everything(UNIQUE),
    "reject_merge": SUPPORT.seeing_everything("writes the merge, which the application role only reads"),
    "withdraw_merge": SUPPORT.seeing_everything("writes the merge, which the application role only reads"),
    "undo_merge": SUPPORT.with_step_up().seeing_everything(UNIQUE),
    "list_merges": SUPPORT,
    "get_merge": SUPPORT,
    "request_erasure_code": own().while_waiting().seeing_everything("counts the SMS codes sent to the phone"),
    "request_erasure": own().while_waiting().seeing_everything("reads the SMS codes sent to the caller's own phone"),
    "cancel_erasure": own().while_waiting(),
    "get_erasure": own().while_waiting(),
    "list_consent_texts": anyone(),
    "record_consent": own().while_waiting(),
    "list_consents": own().while_waiting(),
}
