"""Who may call which method of the shelf: everybody looks, who has passed rates."""

from __future__ import annotations

from services.shared.policy import Policy, anyone, own

POLICIES: dict[str, Policy] = {
    # A0: may browse. A district's courses are left out for whoever does not stand there.
    "list_offerings": anyone(),
    "get_offering": anyone(),
    "list_series": anyone(),
    "rate_offering": own().seeing_everything("the stars of a course are added up over everybody's"),
    "get_own_rating": own(),
    "recommend_offerings": own().seeing_everything("what colleagues chose is counted, and never told by name"),
}
