"""Keeping what identity tells of accounts, so that nobody is given a right who is not there."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy.orm import Session

from services.org.delegation import queries


def keep_account(db: Session, payload: dict[str, Any]) -> None:
    queries.keep_account(db, uuid.UUID(payload["account_id"]))


def keep_name(db: Session, payload: dict[str, Any]) -> None:
    """Whether the account bears a true name now; events older than the field tell it of complete profiles only."""
    named = payload.get("named", payload["complete"])
    queries.keep_account(db, uuid.UUID(payload["account_id"]), profile=(payload["version"], named))


def keep_standing(db: Session, account_id: str, version: int, *, standing: bool, erased: bool = False) -> None:
    """Whether the account still stands for a person: not once it was merged away or erased."""
    queries.keep_account(db, uuid.UUID(account_id), standing=(version, standing), erased=erased)
