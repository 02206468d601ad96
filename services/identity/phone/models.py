"""Tables of phone changes. Everything that names a person is sealed, and goes when the ticket is forgotten."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy.orm import Mapped, mapped_column

from services.identity.models import Model


class PhoneChange(Model):
    """One change by way of the old phone, within one sign-in."""

    __tablename__ = "phone_change"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    account_id: Mapped[uuid.UUID]
    sign_in_id: Mapped[uuid.UUID | None]  # whoever else is signed in cannot go on with it
    state: Mapped[str]
    new_phone_sealed: Mapped[str | None]
    started_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    finished_at: Mapped[dt.datetime | None]


class PhoneTicket(Model):
    """A request to bind another phone because the old one is dead. Whoever asks need not be able to sign in."""

    __tablename__ = "phone_ticket"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=1)
    state: Mapped[str]
    account_id: Mapped[uuid.UUID | None]  # of the old phone when the ticket was sent off
    language: Mapped[str]
    name_sealed: Mapped[str | None]
    id_type: Mapped[str]
    id_no_sealed: Mapped[str | None]
    old_phone_sealed: Mapped[str | None]
    old_phone_index: Mapped[str | None]
    new_phone_sealed: Mapped[str | None]
    new_phone_index: Mapped[str | None]
    claimed_by: Mapped[uuid.UUID | None]
    claimed_at: Mapped[dt.datetime | None]
    first_approved_by: Mapped[uuid.UUID | None]
    decided_by: Mapped[uuid.UUID | None]
    decided_at: Mapped[dt.datetime | None]
    cools_until: Mapped[dt.datetime | None]
    stop_hash: Mapped[str | None]  # of the token in the link sent to the old number
    reason: Mapped[str] = mapped_column(server_default="", default="")
    note_sealed: Mapped[str | None]
    opened_at: Mapped[dt.datetime]
    submitted_at: Mapped[dt.datetime | None]
    over_at: Mapped[dt.datetime | None]
    forget_at: Mapped[dt.datetime | None]
    forgotten_at: Mapped[dt.datetime | None]


class TicketEvidence(Model):
    """One image. The file is sealed under a key of its own: once `file_key_sealed` is gone, nothing opens it again."""

    __tablename__ = "ticket_evidence"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    ticket_id: Mapped[uuid.UUID]
    sha256: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int]
    file_key_sealed: Mapped[str | None]
    storage_key: Mapped[str | None]  # None until the file is there, and again when it has been deleted
    added_at: Mapped[dt.datetime]
