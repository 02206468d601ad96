"""Who sees which grades the ledger could not take: whoever answers complaints about a frozen year, and those above."""

from services.credits.declarations.policy import FINAL
from services.shared.policy import Policy

POLICIES: dict[str, Policy] = {"list_held_grades": FINAL}
