"""The one place where a certificate changes its state: never without a line of its history."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from services.certs.models import Certificate, CertificateHistory
from services.certs.overview import counting
from services.certs.rules import State


def change_state(
    db: Session, certificate: Certificate, state: State, *, actor: str, reason: str, now: dt.datetime
) -> None:
    """Give the certificate another state. Written at once: the database allows one valid one per person and programme."""
    certificate.state = state
    db.flush()
    counting.mark(db, [certificate.teacher_id], now)
    db.add(
        CertificateHistory(
            certificate_id=certificate.certificate_id,
            state=state,
            teacher_id=certificate.teacher_id,
            at=now,
            actor=actor,
            reason=reason,
        )
    )
    db.flush()
