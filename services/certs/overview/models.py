"""Tables of the figures."""

from __future__ import annotations

import uuid
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.certs.models import Model

# Editions by what became of them, and those who have none yet for a reason.
MEASURES: Final = ("valid", "replaced", "revoked", "blocked")
NO_PROGRAMME: Final = uuid.UUID(int=0)  # of the kinds that are about no season


class CertificateFigures(Model):
    """Totals of one kind (and of one programme, of learning certificates) at one place and everything below it."""

    __tablename__ = "certificate_figures"

    place: Mapped[str] = mapped_column(sa.Text(collation="C"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    programme_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    parent: Mapped[str] = mapped_column(sa.Text(collation="C"))
    valid: Mapped[int] = mapped_column(sa.BigInteger)
    replaced: Mapped[int] = mapped_column(sa.BigInteger)
    revoked: Mapped[int] = mapped_column(sa.BigInteger)
    blocked: Mapped[int] = mapped_column(sa.BigInteger)
