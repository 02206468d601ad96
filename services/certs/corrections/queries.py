"""Selects of corrections."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.certs import rules, showing
from services.certs.contract import CorrectionState
from services.certs.corrections.models import CorrectedCertificate, Correction
from services.certs.corrections.rules import PROPOSAL_LIVES, shown_state
from services.certs.models import Certificate
from services.certs.rules import State
from services.shared.errors import NotFound

NOT_FOUND = "certs.correction_not_found"


@dataclasses.dataclass(frozen=True)
class CorrectionView:
    """A correction as it is shown: with its certificates, holders masked."""

    correction: Correction
    items: Sequence[tuple[CorrectedCertificate, Certificate]]

    def as_shown(self, now: dt.datetime) -> dict[str, Any]:
        told = self.correction
        return {
            "correction_id": told.correction_id,
            "act": told.act,
            "state": shown_state(CorrectionState(told.state), told.proposed_at, now),
            "reason": told.reason,
            "proposed_by": told.proposed_by,
            "proposed_at": told.proposed_at,
            "decided_by": told.decided_by,
            "decided_at": told.decided_at,
            "decision_reason": told.decision_reason,
            "certificates": [_shown(item, certificate) for item, certificate in self.items],
        }


def _shown(item: CorrectedCertificate, certificate: Certificate) -> dict[str, Any]:
    return {
        "certificate_id": certificate.certificate_id,
        "number": rules.format_number(certificate.number),
        "edition": certificate.edition,
        "state": showing.PUBLIC_STATES[State(certificate.state)],
        "holder_name": showing.masked_name(certificate),
        "school_name": certificate.school_name,
        "successor_id": item.successor_id,
    }


def get_correction(db: Session, correction_id: uuid.UUID) -> Correction:
    """Raises NotFound."""
    correction = db.get(Correction, correction_id)
    if correction is None:
        raise NotFound(NOT_FOUND)
    return correction


def lock_correction(db: Session, correction_id: uuid.UUID) -> Correction:
    """As `get_correction`; nobody else decides on it before this transaction ends."""
    correction = db.get(Correction, correction_id, with_for_update=True)
    if correction is None:
        raise NotFound(NOT_FOUND)
    return correction


def list_corrections(
    db: Session,
    places: Sequence[str],
    state: CorrectionState | None,
    before: uuid.UUID | None,
    limit: int,
    now: dt.datetime,
) -> list[Correction]:
    """Of the issuers at these places, newest first. Whether one has lapsed is told by the clock, as it is shown."""
    select = sa.select(Correction).where(Correction.place.in_(places))
    has_lapsed = sa.and_(Correction.state == CorrectionState.PROPOSED, Correction.proposed_at <= now - PROPOSAL_LIVES)
    if state is CorrectionState.LAPSED:
        select = select.where(sa.or_(has_lapsed, Correction.state == state))
    elif state is not None:
        select = select.where(Correction.state == state, sa.not_(has_lapsed))
    if before is not None:
        select = select.where(Correction.correction_id < before)
    return list(db.scalars(select.order_by(Correction.correction_id.desc()).limit(limit)))


def views(db: Session, corrections: Sequence[Correction]) -> list[CorrectionView]:
    """Each with its certificates, in the order of their ids."""
    rows = db.execute(
        sa.select(CorrectedCertificate, Certificate)
        .join(Certificate, Certificate.certificate_id == CorrectedCertificate.certificate_id)
        .where(CorrectedCertificate.correction_id.in_([each.correction_id for each in corrections]))
        .order_by(Certificate.certificate_id)
    ).all()
    found: dict[uuid.UUID, list[tuple[CorrectedCertificate, Certificate]]] = {}
    for item, certificate in rows:
        found.setdefault(item.correction_id, []).append((item, certificate))
    return [CorrectionView(each, found.get(each.correction_id, [])) for each in corrections]


def list_holders(db: Session, correction_id: uuid.UUID) -> list[uuid.UUID]:
    """Whose certificates are in it."""
    return list(
        db.scalars(
            sa.select(Certificate.teacher_id)
            .join(CorrectedCertificate, CorrectedCertificate.certificate_id == Certificate.certificate_id)
            .where(CorrectedCertificate.correction_id == correction_id)
            .distinct()
        )
    )


def lock_items(db: Session, correction_id: uuid.UUID) -> list[tuple[CorrectedCertificate, Certificate]]:
    """The certificates of a correction with their items, locked in one order."""
    rows = db.execute(
        sa.select(CorrectedCertificate, Certificate)
        .join(Certificate, Certificate.certificate_id == CorrectedCertificate.certificate_id)
        .where(CorrectedCertificate.correction_id == correction_id)
        .order_by(Certificate.certificate_id)
        .with_for_update(of=Certificate)
    )
    return [(item, certificate) for item, certificate in rows]


def get_certificates(db: Session, certificate_ids: Sequence[uuid.UUID]) -> list[Certificate]:
    return list(
        db.scalars(
            sa.select(Certificate)
            .where(Certificate.certificate_id.in_(certificate_ids))
            .order_by(Certificate.certificate_id)
        )
    )
