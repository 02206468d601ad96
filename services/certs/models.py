"""Tables of certs: what it knows of others (standing, programme, placement) and what it decides and issues."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from services.certs import rules
from services.shared.merged_persons import MergedPersonMixin
from services.shared.placement import PlacementMixin


class Model(DeclarativeBase):
    type_annotation_map = {  # noqa: RUF012
        dt.datetime: sa.DateTime(timezone=True),
        str: sa.Text,
        list[str]: ARRAY(sa.Text),
        Decimal: sa.Numeric(8, 2),
    }


class Placement(PlacementMixin, Model):
    """Who is where and whether verified, from org."""


class Programme(Model):
    """A season as far as its certificates need it, from catalog; `due_at` is ours: all its standings have arrived."""

    __tablename__ = "programme"

    programme_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    code: Mapped[str]
    title_zh: Mapped[str]
    title_en: Mapped[str]
    opens_at: Mapped[dt.datetime]
    closes_at: Mapped[dt.datetime]
    template: Mapped[str]
    due_at: Mapped[dt.datetime | None]


class Standing(Model):
    """Recognised hours of one teacher in one programme, from credits.

    `pending`: something changed since the last decision, so the next run looks at it again.
    """

    __tablename__ = "standing"

    programme_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    teacher_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    hours: Mapped[Decimal]
    courses_done: Mapped[int]
    courses_total: Mapped[int]
    requirement_met: Mapped[bool]
    pending: Mapped[bool]

    @property
    def facts(self) -> rules.Standing:
        return rules.Standing(self.hours, self.courses_done, self.courses_total, self.requirement_met)


class Decision(Model):
    """What was decided for one teacher in one programme, and why."""

    __tablename__ = "decision"

    programme_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    teacher_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    decision_id: Mapped[uuid.UUID] = mapped_column(unique=True)
    version: Mapped[int]
    state: Mapped[str]
    reasons: Mapped[list[str]]
    certificate_id: Mapped[uuid.UUID | None]
    decided_at: Mapped[dt.datetime]


class Certificate(Model):
    """One edition of a certificate. The statement and its signature never change; only the state does.

    A number survives re-issue: the corrected certificate is the next edition of the same number.
    """

    __tablename__ = "certificate"

    certificate_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    number: Mapped[str]
    edition: Mapped[int]
    kind: Mapped[str]
    teacher_id: Mapped[uuid.UUID]
    programme_id: Mapped[uuid.UUID]
    state: Mapped[str]
    holder_sealed: Mapped[str]  # name and salt, encrypted
    school_name: Mapped[str]
    hours: Mapped[Decimal]
    template: Mapped[str]
    statement: Mapped[str]  # the canonical form, as signed
    signature: Mapped[str]
    key_id: Mapped[str]
    seal: Mapped[
        str | None
    ]  # signature of what the QR code tells (`offline.py`); None of those issued before there was one
    issued_at: Mapped[dt.datetime]
    # Its bit in the status lists of its badge (`badges/`); the database counts.
    status_index: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(always=True))


class CertificateHistory(Model):
    """Each state that a certificate took, by whom and why; only added to."""

    __tablename__ = "certificate_history"

    certificate_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(primary_key=True)
    teacher_id: Mapped[uuid.UUID]
    actor: Mapped[str]
    reason: Mapped[str]


class MergedPerson(MergedPersonMixin, Model):
    """Of whom two accounts were made one, from identity."""


class MovedCertificate(Model):
    """A certificate that went with its person to the kept account; `superseded`: that account had one already."""

    __tablename__ = "moved_certificate"

    certificate_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    merged_id: Mapped[uuid.UUID]
    superseded: Mapped[bool]


class Document(Model):
    """The PDF of a certificate once somebody asked for it; only added to, and removed when its person is erased."""

    __tablename__ = "document"

    certificate_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    teacher_id: Mapped[uuid.UUID]
    storage_key: Mapped[str]
    sha256: Mapped[str]
    size: Mapped[int]
    rendered_at: Mapped[dt.datetime]
