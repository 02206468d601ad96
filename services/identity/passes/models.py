"""Tables of national passes: which pass belongs to which account, and authorisations under way."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy.orm import Mapped, mapped_column

from services.identity.models import Model


class PassBinding(Model):
    """A pass that its holder has bound to the account. The issuer's name for the holder is personal data: sealed."""

    __tablename__ = "pass_binding"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    account_id: Mapped[uuid.UUID]
    issuer: Mapped[str]  # the provider's name in the settings
    subject_sealed: Mapped[str]
    subject_index: Mapped[str]
    bound_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]


class PassFlow(Model):
    """One authorisation under way: what has to come back from the browser and from the issuer."""

    __tablename__ = "pass_flow"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    state_hash: Mapped[str]
    client_key_hash: Mapped[str]  # only who began may finish: the answer of another browser is worth nothing
    issuer: Mapped[str]
    purpose: Mapped[str]
    account_id: Mapped[uuid.UUID | None]  # of a binding: whose
    sign_in_id: Mapped[uuid.UUID | None]
    redirect_uri: Mapped[str]
    nonce_sealed: Mapped[str]
    verifier_sealed: Mapped[str]
    started_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    used_by: Mapped[str | None]  # the command that redeemed it: repeated, it is a lost answer
    subject_sealed: Mapped[str | None]  # what the issuer said, for that repetition
