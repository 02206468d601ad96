"""Codes sent to e-mail addresses."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy.orm import Mapped, mapped_column

from services.identity.models import Model


class EmailCode(Model):
    """A code on its way to an account's address. `code_sealed` is there only until the provider has taken the message."""

    __tablename__ = "email_code"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    account_id: Mapped[uuid.UUID]
    # The address that the code confirms: if another one is in the profile by then, it confirms nothing.
    email_sealed: Mapped[str]
    email_index: Mapped[str]
    code_index: Mapped[str]
    code_sealed: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(server_default="0", default=0)
    issued_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]
