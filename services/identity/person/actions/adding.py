"""A school adds one teacher: the account, and the learner number (`domain.md` §1.2, [S3:75])."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from services.identity import queries
from services.identity.actions.codes import count_attempt
from services.identity.actions.imports import import_people
from services.identity.actions.refusals import refused
from services.identity.vault import Vault
from services.shared.bus import Call
from services.shared.errors import Conflict, InvalidInput, LimitReached

REFUSALS = "add_teacher"
REFUSALS_PER_DAY = 20  # ours: typing errors of a busy day, too few to search for other people's numbers
# One answer for all that says "somebody has this": which of phone and number it is, is nobody's business.
KNOWN = frozenset({"identity.import_name_differs", "identity.import_phone_differs", "identity.import_phone_belongs"})


def add_teacher(db: Session, call: Call, vault: Vault, wanted: Mapping[str, str]) -> dict[str, Any]:
    """Make the account of a teacher who is new to the school; one who is known by all three is found.

    Raises InvalidInput with the field at fault, LimitReached("identity.add_limit"). Refused and counted:
    "identity.person_known", where phone or number belong to somebody who is not this teacher by all that was typed.
    """
    actor = str(call.actor.account_id)
    today = call.now.replace(hour=0, minute=0, second=0, microsecond=0)
    if queries.count_attempts(db, REFUSALS, [actor], today) >= REFUSALS_PER_DAY:
        raise LimitReached("identity.add_limit", "", "retry_after_seconds=86400")
    [outcome] = import_people(db, call, vault, [{"row": 1, **wanted}])
    if outcome["code"] in KNOWN:
        count_attempt(db, REFUSALS, actor, today)
        return refused(Conflict("identity.person_known"))
    if outcome["outcome"] == "REFUSED":
        raise InvalidInput(outcome["code"], outcome["field"])
    account = queries.find_account(db, outcome["account_id"])
    assert account is not None  # just made, or just found
    return {
        "account_id": str(account.id),
        "learner_no": account.learner_no or "",
        "created": outcome["outcome"] == "CREATED",
    }
