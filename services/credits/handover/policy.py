"""Who sees and settles the hand-overs that somebody must decide about: those who recognise hours at the place."""

from __future__ import annotations

from services.credits.declarations.policy import FINAL
from services.shared.policy import Policy

POLICIES: dict[str, Policy] = {
    "list_handovers": FINAL,
    "settle_handovers": FINAL.seeing_everything(
        "entries are written under the row that keeps parallel writers of a teacher's year apart"
    ),
}
