"""What becomes of codes when something else changes: their unit, their grant, their issuer, the day."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy.orm import Session

from services.org.contract import delegation as contract
from services.org.contract.delegation import CodeState, Ending
from services.org.delegation import queries
from services.org.delegation.models import AuthorityCode
from services.org.delegation.rules import codes as rules
from services.org.delegation.rules.codes import Act
from services.shared import outbox


def void(db: Session, codes: Sequence[AuthorityCode], why: Ending, by: str, now: dt.datetime) -> None:
    """End codes that wait to be activated; whoever calls this refreshes their seats."""
    for code in codes:
        _end(code, Act.VOID, why, by, now)
    announce(db, codes)


def revoke_used(db: Session, grant_ids: Iterable[uuid.UUID], by: str, now: dt.datetime) -> None:
    """The codes that gave these grants end with them."""
    codes = queries.lock_codes_of_grants(db, grant_ids)
    for code in codes:
        _end(code, Act.REVOKE, Ending.GRANT_ENDED, by, now)
    announce(db, codes)


def announce(db: Session, codes: Sequence[AuthorityCode]) -> None:
    """Tell what became of codes."""
    db.flush()
    outbox.announce_many(db, contract.AUTHORITY_CODE_CHANGED, [(code.code_id, payload_of(code)) for code in codes])


def payload_of(code: AuthorityCode) -> dict[str, Any]:
    return {
        "code_id": str(code.code_id),
        "version": code.version,
        "role": str(code.role),
        "place": code.place,
        "state": str(code.state),
        "account_id": str(code.activated_by) if code.activated_by else None,
    }


def _end(code: AuthorityCode, act: Act, why: Ending, by: str, now: dt.datetime) -> None:
    code.state = rules.next_state(CodeState(code.state), act)
    code.end_reason, code.ended_by, code.ended_at = why, by, now
    code.version += 1
