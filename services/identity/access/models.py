"""Tables of identity/access."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy.orm import Mapped, mapped_column

from services.identity.models import Model


class SpentCaptcha(Model):
    """A captcha that was accepted: it opens nothing a second time, but to the same command repeated."""

    __tablename__ = "spent_captcha"

    nonce: Mapped[str] = mapped_column(primary_key=True)
    spent_by: Mapped[str]
    expires_at: Mapped[dt.datetime]  # by the real clock, as the captcha's own


class TenantPolicy(Model):
    """Projection of org's tenant policies: where teachers wait for their school's approval, and where schools review profiles."""

    __tablename__ = "tenant_policy"

    policy_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    place: Mapped[str]
    version: Mapped[int]
    mode: Mapped[str]
    profile_review: Mapped[str]  # REQUIRED or NONE: `person/rules/review.py`
    withdrawn: Mapped[bool]
