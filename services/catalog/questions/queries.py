"""Selects of question banks."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.catalog.questions.models import QuestionBank, QuestionBankVersion
from services.shared.errors import NotFound
from services.shared.placement import is_below

MISSING = "catalog.question_bank_unknown"


def lock_bank(db: Session, first: QuestionBank) -> QuestionBank | None:
    """The bank of this code, locked; `first` becomes its row when there is none. None: it belongs to others."""
    values = {column.name: getattr(first, column.name) for column in QuestionBank.__table__.columns}
    db.execute(insert(QuestionBank).values(values).on_conflict_do_nothing())
    return db.scalars(_locked(first.bank_id)).one_or_none()


def lock_bank_by_id(db: Session, bank_id: uuid.UUID) -> QuestionBank:
    """Raises NotFound."""
    bank = db.scalars(_locked(bank_id)).one_or_none()
    if bank is None:
        raise NotFound(MISSING)
    return bank


def _locked(bank_id: uuid.UUID) -> sa.Select[Any]:
    select = sa.select(QuestionBank).where(QuestionBank.bank_id == bank_id).with_for_update()
    return select.execution_options(populate_existing=True)


def get_bank(db: Session, bank_id: uuid.UUID) -> QuestionBank:
    bank = db.get(QuestionBank, bank_id)
    if bank is None:
        raise NotFound(MISSING)
    return bank


def get_version(db: Session, bank_id: uuid.UUID, version: int) -> QuestionBankVersion:
    found = db.get(QuestionBankVersion, (bank_id, version))
    if found is None:
        raise NotFound(MISSING, "version")
    return found


def list_banks(db: Session, place: str, after: str | None, limit: int) -> list[QuestionBank]:
    """Those of the place and below it, by code."""
    select = sa.select(QuestionBank).where(sa.or_(QuestionBank.place == place, is_below(QuestionBank.place, place)))
    if after is not None:
        select = select.where(QuestionBank.code > after)
    return list(db.scalars(select.order_by(QuestionBank.code).limit(limit)))


def find_versions(
    db: Session, wanted: Collection[tuple[uuid.UUID, int]]
) -> dict[tuple[uuid.UUID, int], QuestionBankVersion]:
    if not wanted:
        return {}
    key = sa.tuple_(QuestionBankVersion.bank_id, QuestionBankVersion.version)
    rows = db.scalars(sa.select(QuestionBankVersion).where(key.in_(set(wanted))))
    return {(row.bank_id, row.version): row for row in rows}


def find_banks(db: Session, codes: Collection[str]) -> dict[str, QuestionBank]:
    return {row.code: row for row in db.scalars(sa.select(QuestionBank).where(QuestionBank.code.in_(set(codes))))}
