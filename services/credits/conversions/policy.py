"""Who converts: those who recognise hours at the place where the teacher is now (`domain.md` §2.4, §3.16; S2:150)."""

from __future__ import annotations

from services.credits.declarations.policy import FINAL
from services.shared.policy import Policy, own

_WRITES = "entries are written under the row that keeps parallel writers of a teacher's year apart"

POLICIES: dict[str, Policy] = {
    "list_conversions": own() | FINAL,
    "convert_amount": FINAL.seeing_everything(_WRITES),
    "undo_conversion": FINAL.seeing_everything(_WRITES),
}
