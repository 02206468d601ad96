"""Learner numbers 继续教育学号: issued once, kept for life."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy.orm import Session

from services.identity import contract
from services.identity.models import Account
from services.identity.person.rules.learner_no import BODY, learner_no
from services.shared import outbox
from services.shared.driver import run_plain
from services.shared.many_rows import words_of

_KNOWN = """
    SELECT learner_no FROM account WHERE learner_no = ANY (string_to_array(%(numbers)s, ' '))
    UNION ALL SELECT learner_no FROM retired_learner_no WHERE learner_no = ANY (string_to_array(%(numbers)s, ' '))
"""
_DRAWS = 20  # one in 48,000 numbers is taken in a full nation: twenty bad draws in a row do not happen


def issue(db: Session, accounts: Sequence[Account]) -> None:
    """Give each of these accounts that has none its number, and announce it."""
    without = [account for account in accounts if account.learner_no is None and account.state == "ACTIVE"]
    for account, number in zip(without, draw(db, len(without)), strict=True):
        account.learner_no = number
    db.flush()
    outbox.announce_many(
        db, contract.person.LEARNER_NO_ISSUED, [(account.id, issued_payload(account)) for account in without]
    )


def issued_payload(account: Account) -> dict[str, Any]:
    """What is told of a number: it never changes, so its version is always the first."""
    return told_number(account.id, account.learner_no)


def told_number(account_id: uuid.UUID | str, number: str | None) -> dict[str, Any]:
    return {"account_id": str(account_id), "version": 1, "learner_no": number}


def draw(db: Session, count: int) -> list[str]:
    """So many numbers that nobody has or had. The unique index refuses whoever draws the same at this very moment."""
    drawn: list[str] = []
    for _ in range(_DRAWS):
        fresh = {learner_no(BODY.start + secrets.randbelow(len(BODY))) for _ in range(count - len(drawn))}
        drawn += sorted(fresh - _known(db, fresh) - set(drawn))
        if len(drawn) == count:
            return drawn
    raise RuntimeError("no free learner number")  # a defect: the generator is broken


def _known(db: Session, numbers: Collection[str]) -> set[str]:
    return {number for (number,) in run_plain(db, _KNOWN, {"numbers": words_of(numbers)})} if numbers else set()
