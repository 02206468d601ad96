"""Selects of badges."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.certs.badges.building import LIST_LENGTH
from services.certs.models import Certificate
from services.certs.rules import State


def find_edition(db: Session, number: str, edition: int) -> Certificate | None:
    of_it = (Certificate.number == number, Certificate.edition == edition)
    return db.scalars(sa.select(Certificate).where(*of_it)).one_or_none()


def has_list(db: Session, list_number: int) -> bool:
    """Whether any certificate stands in the list."""
    return bool(db.scalar(sa.select(sa.exists().where(_in_list(list_number)))))


def list_ended(db: Session, list_number: int) -> list[int]:
    """Indexes of the certificates that are no longer valid."""
    ended = sa.select(Certificate.status_index).where(_in_list(list_number), Certificate.state != State.ISSUED)
    return list(db.scalars(ended))


def _in_list(list_number: int) -> sa.ColumnElement[bool]:
    return Certificate.status_index.between(list_number * LIST_LENGTH, (list_number + 1) * LIST_LENGTH - 1)
