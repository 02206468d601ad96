"""Selects of registrations."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.certs.models import Certificate
from services.certs.registrations.models import Registration
from services.certs.rules import Kind


def list_registered(
    db: Session, places: Sequence[str], before: uuid.UUID | None, limit: int
) -> list[tuple[Registration, Certificate]]:
    """Every edition of what institutions at these places registered, newest first."""
    select = (
        sa.select(Registration, Certificate)
        .join(Certificate, Certificate.programme_id == Registration.subject_id)
        .where(Registration.place.in_(places), Certificate.kind == Kind.COMPLETION)
    )
    if before:
        select = select.where(Certificate.certificate_id < before)
    rows = db.execute(select.order_by(Certificate.certificate_id.desc()).limit(limit))
    return [(registration, certificate) for registration, certificate in rows]
