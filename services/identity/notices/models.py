"""Tables of notices: messages that tell a person what was decided about them."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.identity.models import Model


class Notice(Model):
    """One message, written in the transaction of what it tells and sent after it. `cause` makes it the only one of it."""

    __tablename__ = "notice"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    cause: Mapped[str]  # what it tells, e.g. `membership <teacher> <version>`
    account_id: Mapped[uuid.UUID | None]  # None where nobody's account is known
    kind: Mapped[str]
    channel: Mapped[str] = mapped_column(server_default="SMS", default="SMS")
    details: Mapped[dict[str, Any]] = mapped_column(JSONB)  # names of schools and the like; nothing about the person
    language: Mapped[str | None]  # None: as the person has chosen
    phone_sealed: Mapped[str | None]  # None: the account's phone when it is sent
    email_sealed: Mapped[str | None]  # of a mail: the address that was confirmed when it was written
    secret_sealed: Mapped[str | None]  # what only the message may hold; gone once it is sent
    state: Mapped[str]
    attempts: Mapped[int] = mapped_column(server_default="0", default=0)
    created_at: Mapped[dt.datetime]
    due_at: Mapped[dt.datetime]
    sent_at: Mapped[dt.datetime | None]


class NoticeSetting(Model):
    """In which language a person wants to be told; Chinese without a row."""

    __tablename__ = "notice_setting"

    account_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    language: Mapped[str]
