"""Tables of the person's record: drafts under review, merges, erasures, consents."""

from __future__ import annotations

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.identity.models import Model


class ProfileDraft(Model):
    """What a verified teacher has changed and her school has not passed yet, a row per field."""

    __tablename__ = "profile_draft"

    account_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    field: Mapped[str] = mapped_column(primary_key=True)
    value_sealed: Mapped[str]


class PersonMerge(Model):
    """Two accounts that one of support takes for one person, and what became of that.

    `undo_sealed` holds what the merge took from both accounts; it is destroyed when the merge can be undone no more.
    """

    __tablename__ = "person_merge"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    kept_id: Mapped[uuid.UUID]
    merged_id: Mapped[uuid.UUID]
    state: Mapped[str]
    phone_of: Mapped[str]  # KEPT or MERGED: whose phone the person goes on with
    document_of: Mapped[str]  # KEPT or MERGED: whose name and ID number are right
    proof: Mapped[str]
    reason: Mapped[str]
    proposed_by: Mapped[uuid.UUID]
    proposed_at: Mapped[dt.datetime]
    decided_by: Mapped[uuid.UUID | None]
    decided_at: Mapped[dt.datetime | None]
    decision_reason: Mapped[str] = mapped_column(server_default="", default="")
    undo_until: Mapped[dt.datetime | None]
    undo_sealed: Mapped[str | None]
    undone_by: Mapped[uuid.UUID | None]
    undone_at: Mapped[dt.datetime | None]


class Erasure(Model):
    """A person's wish to be forgotten."""

    __tablename__ = "erasure"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    account_id: Mapped[uuid.UUID]
    state: Mapped[str]
    requested_at: Mapped[dt.datetime]
    due_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]


class RetiredLearnerNo(Model):
    """Numbers of erased persons: nobody gets them again, and nothing says whose they were."""

    __tablename__ = "retired_learner_no"

    learner_no: Mapped[str] = mapped_column(primary_key=True)


class Consent(Model):
    """One answer to one text, in the version that was shown. Rows are only added; the newest one holds."""

    __tablename__ = "consent"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    account_id: Mapped[uuid.UUID]
    kind: Mapped[str]
    text_version: Mapped[str]
    text_digest: Mapped[str]
    given: Mapped[bool] = mapped_column(sa.Boolean)
    at: Mapped[dt.datetime]
