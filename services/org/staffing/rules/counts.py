"""Pure rules of the counts of teachers per place; no I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from services.org.contract import MembershipState
from services.org.contract.staffing import Employment

# A school counts whom it has and who waits for its word; whom it refused or released is elsewhere, or nowhere.
COUNTED = frozenset({MembershipState.PENDING, MembershipState.VERIFIED})

Key = tuple[str, str, str]  # place, membership state, employment status


def ancestors(place: str) -> list[str]:
    """The place and all above it: CN/440000/440100 -> CN/440000/440100, CN/440000, CN."""
    steps = place.split("/")
    return ["/".join(steps[:length]) for length in range(len(steps), 0, -1)]


def rolled_up(changes: Iterable[tuple[str, str, str, int]]) -> dict[Key, int]:
    """What (place, state, employment, teachers) changes at schools come to there and at every place above; no zeros."""
    sums: Counter[Key] = Counter()
    for place, state, employment, teachers in changes:
        for above in ancestors(place):
            sums[above, state, employment] += teachers
    return {key: teachers for key, teachers in sorted(sums.items()) if teachers}


def summary(counted: Iterable[tuple[str, str, int]]) -> dict[str, int]:
    """Totals of (state, employment, teachers) at one place. The archived are in none but their own figure."""
    totals = {"teachers": 0, "verified": 0, "waiting": 0, "archived": 0}
    for state, employment, teachers in counted:
        if state not in COUNTED:
            continue
        if employment != Employment.ON_DUTY:
            totals["archived"] += teachers
            continue
        totals["teachers"] += teachers
        totals["verified" if state == MembershipState.VERIFIED else "waiting"] += teachers
    return totals
