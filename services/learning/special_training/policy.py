"""Who applies for special training, reviews applications and holds classes (`domain.md` §1.2, §3.14)."""

from __future__ import annotations

from typing import Final

from services.learning.contract.special_training import ReviewStage
from services.shared.actor import Role
from services.shared.policy import Policy, granted, own

# S3:734: the school's principal, the district's administrators, the institution that holds the project.
REVIEWERS: Final = {
    ReviewStage.SCHOOL_REVIEW: frozenset({Role.PRINCIPAL}),
    ReviewStage.DISTRICT_REVIEW: frozenset({Role.COUNTY_ADMIN, Role.DISTRICT_INSTITUTION}),
    ReviewStage.INSTITUTION_REVIEW: frozenset({Role.TRAINING_INSTITUTION}),
}
REVIEWING = granted(*(role for roles in REVIEWERS.values() for role in roles))
HOLDING = granted(*REVIEWERS[ReviewStage.INSTITUTION_REVIEW])

POLICIES: dict[str, Policy] = {
    "list_suitable_projects": own(),
    "apply_for_training": own().seeing_everything(
        "the project is its keeper's, and is held open while somebody applies"
    ),
    "take_back_training_application": own(),
    "list_own_trainings": own(),
    "get_training": own() | REVIEWING,
    "check_in": own().seeing_everything("what the code is made from is shown to no teacher"),
    # School and district by where the teacher is now; the institution by its project.
    "list_training_applications": granted(
        *REVIEWERS[ReviewStage.SCHOOL_REVIEW], *REVIEWERS[ReviewStage.DISTRICT_REVIEW]
    ),
    "pass_training_application": REVIEWING,
    "reject_training_application": REVIEWING,
    "list_project_applications": HOLDING.seeing_everything("learner numbers are shown to nobody else by themselves"),
    "get_training_class": HOLDING,
    "publish_class_notice": HOLDING,
    "add_class_sessions": HOLDING,
    "remove_class_session": HOLDING,
    "get_check_in_code": HOLDING,
    "check_in_by_hand": HOLDING,
    "grade_trainings": HOLDING,
}
