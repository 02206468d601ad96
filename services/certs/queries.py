"""Selects of certs."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.certs.holds.models import IssueHold
from services.certs.models import (
    Certificate,
    CertificateHistory,
    Decision,
    Document,
    Placement,
    Programme,
    Standing,
)
from services.certs.rules import State
from services.shared.errors import NotFound

NOT_FOUND = "certs.certificate_not_found"


def get_programme(db: Session, programme_id: uuid.UUID) -> Programme:
    """Raises NotFound."""
    programme = db.get(Programme, programme_id)
    if programme is None:
        raise NotFound("certs.programme_not_found", "programme_id")
    return programme


def find_standing(db: Session, programme_id: uuid.UUID, teacher_id: uuid.UUID) -> Standing | None:
    return db.get(Standing, (programme_id, teacher_id))


def find_decision(db: Session, programme_id: uuid.UUID, teacher_id: uuid.UUID, kind: str) -> Decision | None:
    return db.get(Decision, (programme_id, teacher_id, kind))


def count_standings(db: Session, programme_id: uuid.UUID) -> tuple[int, int]:
    """(how many, sum of their versions)."""
    row = db.execute(
        sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(Standing.version), 0)).where(
            Standing.programme_id == programme_id
        )
    ).one()
    return row[0], int(row[1])


# --- what the decision run reads ------------------------------------------------------------------------------------


def is_held(programme_id: Any) -> sa.Exists:
    """Condition: credits' proof of the programme failed, and nobody has said that issuing may go on."""
    return sa.exists().where(IssueHold.programme_id == programme_id, IssueHold.lifted_at.is_(None))


def holds(db: Session, programme_id: uuid.UUID) -> bool:
    """Whether issuing of the programme is held now."""
    return bool(db.scalar(sa.select(is_held(programme_id))))


def list_due_programmes(db: Session) -> list[Programme]:
    """Programmes whose season is over and that have standings to look at, the longest waiting first; none that is held."""
    waiting = sa.exists().where(Standing.programme_id == Programme.programme_id, Standing.pending)
    return list(
        db.scalars(
            sa.select(Programme)
            .where(Programme.due_at.is_not(None), waiting, ~is_held(Programme.programme_id))
            .order_by(Programme.due_at)
        )
    )


def list_pending(db: Session, programme_id: uuid.UUID, after: uuid.UUID | None, limit: int) -> list[uuid.UUID]:
    """Teachers to decide on, in order of their ids, beginning after one."""
    select = sa.select(Standing.teacher_id).where(Standing.programme_id == programme_id, Standing.pending)
    if after:
        select = select.where(Standing.teacher_id > after)
    return list(db.scalars(select.order_by(Standing.teacher_id).limit(limit)))


def list_entitled(db: Session, programme_id: uuid.UUID, teacher_ids: list[uuid.UUID]) -> list[uuid.UUID]:
    """Those among the teachers whose name a certificate would need now."""
    return list(
        db.scalars(
            sa.select(Standing.teacher_id)
            .join(Placement, Placement.teacher_id == Standing.teacher_id)
            .where(
                Standing.programme_id == programme_id,
                Standing.teacher_id.in_(teacher_ids),
                Standing.requirement_met,
                Placement.state == "VERIFIED",
            )
        )
    )


def lock_pending(db: Session, programme_id: uuid.UUID, teacher_ids: list[uuid.UUID]) -> list[Standing]:
    """The pending standings of the teachers, locked; those that another run holds are left to it."""
    return list(
        db.scalars(
            sa.select(Standing)
            .where(
                Standing.programme_id == programme_id,
                Standing.teacher_id.in_(teacher_ids),
                Standing.pending,
                # Also what a run had read before the hold came.
                ~is_held(programme_id),
            )
            .order_by(Standing.teacher_id)
            .with_for_update(skip_locked=True)
        )
    )


def placements_of(db: Session, teacher_ids: list[uuid.UUID]) -> dict[uuid.UUID, Placement]:
    rows = db.scalars(sa.select(Placement).where(Placement.teacher_id.in_(teacher_ids)))
    return {row.teacher_id: row for row in rows}


def decisions_of(
    db: Session, programme_id: uuid.UUID, kind: str, teacher_ids: list[uuid.UUID]
) -> dict[uuid.UUID, Decision]:
    rows = db.scalars(
        sa.select(Decision).where(
            Decision.programme_id == programme_id, Decision.kind == kind, Decision.teacher_id.in_(teacher_ids)
        )
    )
    return {row.teacher_id: row for row in rows}


def valid_certificates(
    db: Session, programme_id: uuid.UUID, kind: str, teacher_ids: list[uuid.UUID]
) -> dict[uuid.UUID, uuid.UUID]:
    """{teacher: certificate} of the valid ones."""
    rows = db.execute(
        sa.select(Certificate.teacher_id, Certificate.certificate_id).where(
            Certificate.programme_id == programme_id,
            Certificate.kind == kind,
            Certificate.teacher_id.in_(teacher_ids),
            Certificate.state == State.ISSUED,
        )
    )
    return {teacher_id: certificate_id for teacher_id, certificate_id in rows}  # noqa: C416  rows are not pairs to mypy


def numbers_of(db: Session, certificate_ids: list[uuid.UUID]) -> dict[uuid.UUID, str]:
    """{certificate: its number}"""
    if not certificate_ids:
        return {}
    rows = db.execute(
        sa.select(Certificate.certificate_id, Certificate.number).where(Certificate.certificate_id.in_(certificate_ids))
    )
    return {certificate_id: number for certificate_id, number in rows}  # noqa: C416  rows are not pairs to mypy


# --- certificates ---------------------------------------------------------------------------------------------------


def get_certificate(db: Session, certificate_id: uuid.UUID) -> Certificate:
    """Raises NotFound."""
    certificate = db.get(Certificate, certificate_id)
    if certificate is None:
        raise NotFound(NOT_FOUND)
    return certificate


def list_certificates(db: Session, teacher_id: uuid.UUID, before: uuid.UUID | None, limit: int) -> list[Certificate]:
    """Newest first."""
    select = sa.select(Certificate).where(Certificate.teacher_id == teacher_id)
    if before:
        select = select.where(Certificate.certificate_id < before)
    return list(db.scalars(select.order_by(Certificate.certificate_id.desc()).limit(limit)))


def lock_certificates(db: Session, teacher_id: uuid.UUID) -> list[Certificate]:
    """All of a teacher's, locked in the order of their ids."""
    select = sa.select(Certificate).where(Certificate.teacher_id == teacher_id).order_by(Certificate.certificate_id)
    return list(db.scalars(select.with_for_update()))


def editions_of(db: Session, numbers: Collection[str]) -> dict[str, list[Certificate]]:
    """{number: all its editions, newest first}; nothing of a number that nobody ever got."""
    found: dict[str, list[Certificate]] = {}
    rows = sa.select(Certificate).where(Certificate.number.in_(numbers)).order_by(Certificate.edition.desc())
    for certificate in db.scalars(rows):
        found.setdefault(certificate.number, []).append(certificate)
    return found


def history_of(db: Session, certificate_ids: list[uuid.UUID]) -> list[CertificateHistory]:
    """What happened to the certificates, in order."""
    return list(
        db.scalars(
            sa.select(CertificateHistory)
            .where(CertificateHistory.certificate_id.in_(certificate_ids))
            .order_by(CertificateHistory.at, CertificateHistory.certificate_id)
        )
    )


def newest_edition_about(db: Session, teacher_id: uuid.UUID, kind: str, subject_id: uuid.UUID) -> Certificate | None:
    """The newest edition, locked: valid, revoked, or replaced because its person was merged."""
    select = sa.select(Certificate).where(
        Certificate.teacher_id == teacher_id, Certificate.kind == kind, Certificate.programme_id == subject_id
    )
    # A merged person may bring a second number: the valid one goes before any other.
    order = ((Certificate.state == State.ISSUED).desc(), Certificate.edition.desc(), Certificate.certificate_id.desc())
    return db.scalars(select.order_by(*order).limit(1).with_for_update()).first()


def find_document(db: Session, certificate_id: uuid.UUID) -> Document | None:
    return db.get(Document, certificate_id)


def placement_of(db: Session, teacher_id: uuid.UUID) -> Placement | None:
    return db.get(Placement, teacher_id)
