"""What certs does when two accounts turn out to be one person's, and when a person asks to be forgotten."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.certs import contract, queries
from services.certs.actions.changing import change_state
from services.certs.models import (
    Certificate,
    CertificateHistory,
    Decision,
    Document,
    MergedPerson,
    MovedCertificate,
    Standing,
)
from services.certs.overview import counting
from services.certs.registrations.models import Registration
from services.certs.rules import State
from services.certs.shares.models import Share

BY_ITSELF = f"service:{contract.SERVICE}"
MERGED, UNDONE = "certs.person_merged", "certs.merge_undone"


@dataclasses.dataclass(frozen=True)
class Merge:
    """What identity says of two accounts; `live` is false when it took the merge back."""

    merged_id: uuid.UUID
    kept_id: uuid.UUID
    version: int
    live: bool

    @classmethod
    def of(cls, payload: dict[str, Any], *, live: bool) -> Merge:
        return cls(uuid.UUID(payload["merged_id"]), uuid.UUID(payload["kept_id"]), payload["version"], live)


def keep_merge(db: Session, merge: Merge, now: dt.datetime) -> None:
    """Keep what identity says, unless something newer is known, and move the certificates accordingly.

    Statement and signature stay as they were signed: they name no account. Where both accounts hold a valid certificate
    of one programme, the kept account's stays valid and the other is replaced, so a person never has two.
    """
    before = db.get(MergedPerson, merge.merged_id, with_for_update=True)
    if before is not None and before.version >= merge.version:
        return
    was_live = before is not None and before.live
    counting.mark(db, [merge.kept_id, merge.merged_id], now)
    db.merge(MergedPerson(**vars(merge)))
    db.flush()
    if merge.live and not was_live:
        _move_certificates(db, merge, now)
    elif was_live and not merge.live:
        _return_certificates(db, merge, now)


def erase_holder(db: Session, account_id: uuid.UUID) -> list[str]:
    """Destroy the names on a person's certificates and forget their PDFs and links; returns the storage keys to delete.

    The certificates stay valid and verifiable: what was signed holds the name masked, and a digest whose salt is gone.
    """
    db.execute(sa.update(Certificate).where(Certificate.teacher_id == account_id).values(holder_sealed=""))
    db.execute(sa.delete(Share).where(Share.teacher_id == account_id))
    removed = sa.delete(Document).where(Document.teacher_id == account_id).returning(Document.storage_key)
    return list(db.scalars(removed))


def _move_certificates(db: Session, merge: Merge, now: dt.datetime) -> None:
    taken = {
        (certificate.kind, certificate.programme_id)
        for certificate in queries.lock_certificates(db, merge.kept_id)
        if certificate.state == State.ISSUED
    }
    for certificate in queries.lock_certificates(db, merge.merged_id):
        superseded = certificate.state == State.ISSUED and (certificate.kind, certificate.programme_id) in taken
        if superseded:
            change_state(db, certificate, State.REPLACED, actor=BY_ITSELF, reason=MERGED, now=now)
        _assign(db, certificate, merge.kept_id)
        moved = {"merged_id": merge.merged_id, "superseded": superseded}
        db.execute(insert(MovedCertificate).values(certificate_id=certificate.certificate_id, **moved))
    _reconsider(db, merge)


def _return_certificates(db: Session, merge: Merge, now: dt.datetime) -> None:
    moved = {
        row.certificate_id: row.superseded
        for row in db.scalars(sa.select(MovedCertificate).where(MovedCertificate.merged_id == merge.merged_id))
    }
    for certificate in queries.lock_certificates(db, merge.kept_id):
        if certificate.certificate_id not in moved:
            continue
        _assign(db, certificate, merge.merged_id)
        if moved[certificate.certificate_id] and certificate.state == State.REPLACED:
            change_state(db, certificate, State.ISSUED, actor=BY_ITSELF, reason=UNDONE, now=now)
    db.execute(sa.delete(MovedCertificate).where(MovedCertificate.merged_id == merge.merged_id))
    # The kept account's decision may rest on a certificate that is the other's again: it is made anew.
    db.execute(
        sa.delete(Decision).where(Decision.teacher_id == merge.kept_id, Decision.certificate_id.in_(list(moved)))
    )
    _reconsider(db, merge)


def _assign(db: Session, certificate: Certificate, account_id: uuid.UUID) -> None:
    """Give the certificate, what happened to it, its PDF, its links and its registration to the account."""
    certificate.teacher_id = account_id
    db.flush()
    for table in (CertificateHistory, Document, Share):
        of_it = table.certificate_id == certificate.certificate_id
        db.execute(sa.update(table).where(of_it).values(teacher_id=account_id))
    registered = Registration.subject_id == certificate.programme_id
    db.execute(sa.update(Registration).where(registered).values(teacher_id=account_id))


def _reconsider(db: Session, merge: Merge) -> None:
    both = Standing.teacher_id.in_([merge.kept_id, merge.merged_id])
    db.execute(sa.update(Standing).where(both).values(pending=True))
