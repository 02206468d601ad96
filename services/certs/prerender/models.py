"""How far rendering ahead has come, and the stretches that somebody is at."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.certs.models import Model


class RenderPosition(Model):
    """One row: every certificate up to this `status_index` is in a stretch, done or not."""

    __tablename__ = "render_position"

    single: Mapped[bool] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(sa.BigInteger)


class RenderStretch(Model):
    """Certificates that a worker took; gone once all of them have their PDF. After `leased_until` anybody may take it."""

    __tablename__ = "render_stretch"

    first: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
    last: Mapped[int] = mapped_column(sa.BigInteger)
    leased_until: Mapped[dt.datetime]
