"""Issuing one certificate at a time, for what a teacher asks for or an institution registers; seasons issue in batches."""

from __future__ import annotations

import dataclasses
import datetime as dt
import secrets
import uuid
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.certs import fonts, queries, rules
from services.certs.actions.changing import change_state
from services.certs.actions.documents import open_holder
from services.certs.actions.writing import Holder, Office, certificate_row
from services.certs.models import Certificate, Placement
from services.certs.rules import Kind, State
from services.shared import audit, clock
from services.shared.bus import Call
from services.shared.errors import Conflict

FIGURES_CHANGED = "certs.figures_changed"  # why an edition was replaced, in its history


@dataclasses.dataclass(frozen=True)
class Subject:
    """What one certificate is about. `subject_id` stands where a season's certificate names its programme."""

    kind: Kind
    subject_id: uuid.UUID
    code: str
    zh: str
    en: str
    opens_on: dt.date
    closes_on: dt.date
    hours: Decimal
    issuer: str
    template: str


def require_placement(placement: Placement | None) -> Placement:
    """A certificate names the holder's school. Raises Conflict("certs.teacher_not_verified")."""
    if placement is None or placement.state != "VERIFIED":
        raise Conflict("certs.teacher_not_verified")
    return placement


def issue_single(
    db: Session, call: Call, office: Office, subject: Subject, placement: Placement, name: str
) -> Certificate:
    """The valid certificate of this teacher and subject: the one there is, or a new one with its history and audit row.

    Where name or hours have changed since, it becomes the next edition of the same number, and the former is REPLACED.
    Raises Conflict: "certs.holder_unknown", "certs.name_not_printable", and "certs.already_revoked", for what people took
    back no calculation gives again.
    """
    teacher_id = placement.teacher_id
    if not name:
        raise Conflict("certs.holder_unknown")
    if fonts.unprintable(name + placement.school_name + subject.zh + subject.en + subject.issuer):
        raise Conflict("certs.name_not_printable")
    # Two requests at once would both find nothing; the second one waits here.
    db.execute(
        sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(f"{teacher_id}{subject.subject_id}", 0)))
    )
    former = queries.newest_edition_about(db, teacher_id, subject.kind, subject.subject_id)
    if former is not None and former.state == State.REVOKED:
        raise Conflict("certs.already_revoked")
    if former is not None and former.state == State.ISSUED:
        if former.hours == subject.hours and open_holder(office.cipher, former).name == name:
            return former
        change_state(db, former, State.REPLACED, actor=call.actor.key, reason=FIGURES_CHANGED, now=call.now)
    certificate = Certificate(**_row(office, subject, placement, Holder.named(name), former, call.now))
    db.add(certificate)
    change_state(db, certificate, State.ISSUED, actor=call.actor.key, reason="", now=call.now)
    after = {"certificate_id": str(certificate.certificate_id), "kind": subject.kind, "edition": certificate.edition}
    audit.record(db, call, subject=teacher_id, place=placement.place, after=after)
    return certificate


def _row(
    office: Office,
    subject: Subject,
    placement: Placement,
    holder: Holder,
    former: Certificate | None,
    now: dt.datetime,
) -> dict[str, object]:
    year = now.astimezone(clock.BEIJING).year
    statement = rules.Statement(
        number=former.number if former else rules.make_number(year, secrets.randbelow(rules.RANDOM_RANGE)),
        edition=former.edition + 1 if former else 1,
        kind=subject.kind,
        programme_code=subject.code,
        programme_zh=subject.zh,
        programme_en=subject.en,
        opens_on=subject.opens_on.isoformat(),
        closes_on=subject.closes_on.isoformat(),
        hours=str(subject.hours),
        issued_at=clock.format_instant(now),
        issuer=subject.issuer,
        school_name=placement.school_name,
        holder_masked=holder.masked,
        holder_digest=holder.digest,
    )
    return certificate_row(
        office,
        statement,
        holder,
        teacher_id=placement.teacher_id,
        programme_id=subject.subject_id,
        template=subject.template,
        issued_at=now,
    )
