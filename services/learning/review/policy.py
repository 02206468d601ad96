"""Who reviews conspicuous study (`domain.md` §4.8 f; as complaints, §1.2): the district; the teacher sees and appeals."""

from __future__ import annotations

from services.shared.actor import Role
from services.shared.policy import Policy, granted, own

REVIEWERS = granted(Role.COUNTY_ADMIN, Role.DISTRICT_INSTITUTION)

POLICIES: dict[str, Policy] = {
    "list_study_reviews": REVIEWERS,
    "decide_study_review": REVIEWERS.seeing_everything(
        "clearing works out anew what counts, from sittings that nobody but the teacher may see"
    ),
    "list_own_study_reviews": own(),
    "appeal_study_review": own(),
}
