"""Who may call which method of degree and skills offers: A9, A10, A11 keep them, teachers apply."""

from __future__ import annotations

from services.catalog.courses.policy import KEEPING
from services.shared.policy import Policy, anyone, own

POLICIES: dict[str, Policy] = {
    "create_study_offer": KEEPING,
    "change_study_offer": KEEPING,
    "withdraw_study_offer": KEEPING,
    "list_kept_study_offers": KEEPING,
    "list_study_offers": anyone(),
    "get_study_offer": anyone(),
    "apply_for_study": own().seeing_everything("the offer is its keeper's, and is locked while somebody applies"),
    "take_back_study_application": own(),
    "list_own_study_applications": own(),
    "list_study_applications": KEEPING,
    "accept_study_application": KEEPING,
    "reject_study_application": KEEPING,
}
