"""Tables of corrections."""

from __future__ import annotations

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.certs.models import Model


class Correction(Model):
    """What one person proposed for some certificates, and what another decided."""

    __tablename__ = "correction"

    correction_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    act: Mapped[str]
    state: Mapped[str]
    place: Mapped[str] = mapped_column(sa.Text(collation="C"))  # of the issuer, whose people decide
    reason: Mapped[str]
    proposed_by: Mapped[uuid.UUID]
    proposed_at: Mapped[dt.datetime]
    decided_by: Mapped[uuid.UUID | None]
    decided_at: Mapped[dt.datetime | None]
    decision_reason: Mapped[str]


class CorrectedCertificate(Model):
    """One certificate of a correction. `is_open` while nobody has decided: a certificate is in one open correction at most."""

    __tablename__ = "corrected_certificate"

    correction_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    certificate_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(sa.Text(collation="C"))
    is_open: Mapped[bool]
    successor_id: Mapped[uuid.UUID | None]  # the edition that took its place
