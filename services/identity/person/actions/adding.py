"""A school adds its teachers, one by one or by roster: accounts, and learner numbers (`domain.md` §1.2, [S3:75])."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from services.identity import queries
from services.identity.actions.codes import count_attempt
from services.identity.actions.imports import Candour, import_people
from services.identity.actions.refusals import refused
from services.identity.vault import Vault
from services.shared.bus import Call
from services.shared.errors import Conflict, InvalidInput, LimitReached, ServiceError

REFUSALS = "add_teacher"
REFUSALS_PER_DAY = 20  # ours: typing errors of a busy day, too few to search for other people's numbers
ROSTER_REFUSALS = "import_teachers"
ROSTER_REFUSALS_PER_DAY = 100  # ours: a school most of whose teachers have registered themselves
# One answer for all that says "somebody has this": which of phone and number it is, is nobody's business.
KNOWN = "identity.person_known"


class SchoolCandour(Candour):
    """A school is told that somebody has phone or number, so often a day; after that nothing is done for it any more."""

    def __init__(self, told_today: int, limit: int) -> None:
        self._left = limit - told_today
        self.told = 0
        self._exhaust()

    def tell(self, _contradiction: Conflict) -> ServiceError:
        self._left -= 1
        self.told += 1
        self._exhaust()
        return Conflict(KNOWN)

    def _exhaust(self) -> None:
        if self._left <= 0:
            self.exhausted = LimitReached("identity.add_limit", "", "retry_after_seconds=86400")


def add_teacher(db: Session, call: Call, vault: Vault, wanted: Mapping[str, str]) -> dict[str, Any]:
    """Make the account of a teacher who is new to the school; one who is known by all three is found.

    Raises InvalidInput with the field at fault, LimitReached("identity.add_limit"). Refused and counted:
    "identity.person_known", where phone or number belong to somebody who is not this teacher by all that was typed.
    """
    candour = _candour(db, call, REFUSALS, REFUSALS_PER_DAY)
    if candour.exhausted:
        raise candour.exhausted
    [outcome] = import_people(db, call, vault, [{"row": 1, **wanted}], candour)
    if candour.told:
        _count(db, call, REFUSALS, candour)
        return refused(Conflict(KNOWN))
    if outcome["outcome"] == "REFUSED":
        raise InvalidInput(outcome["code"], outcome["field"])
    account = queries.find_account(db, outcome["account_id"])
    assert account is not None  # just made, or just found
    return {
        "account_id": str(account.id),
        "learner_no": account.learner_no or "",
        "created": outcome["outcome"] == "CREATED",
    }


def add_teachers(db: Session, call: Call, vault: Vault, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """As `import_people` for a school's own roster: a row that contradicts the register is "identity.person_known", and
    after a day's number of those every other row is refused with "identity.add_limit".
    """
    candour = _candour(db, call, ROSTER_REFUSALS, ROSTER_REFUSALS_PER_DAY)
    outcomes = import_people(db, call, vault, rows, candour)
    if candour.told:
        _count(db, call, ROSTER_REFUSALS, candour)
    return outcomes


def _candour(db: Session, call: Call, kind: str, limit: int) -> SchoolCandour:
    return SchoolCandour(queries.count_attempts(db, kind, [str(call.actor.account_id)], _day(call)), limit)


def _count(db: Session, call: Call, kind: str, candour: SchoolCandour) -> None:
    count_attempt(db, kind, str(call.actor.account_id), _day(call), candour.told)


def _day(call: Call) -> dt.datetime:
    return call.now.replace(hour=0, minute=0, second=0, microsecond=0)
