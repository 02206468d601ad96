"""Tables of shares."""

from __future__ import annotations

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.certs.models import Model


class Share(Model):
    """One link. Only the hash of its token is kept: whoever reads the table opens nothing with it."""

    __tablename__ = "share"

    share_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    certificate_id: Mapped[uuid.UUID]
    teacher_id: Mapped[uuid.UUID]
    token_hash: Mapped[bytes] = mapped_column(sa.LargeBinary)
    created_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    revoked_at: Mapped[dt.datetime | None]
    opened: Mapped[int]  # how often
    opened_at: Mapped[dt.datetime | None]  # last
