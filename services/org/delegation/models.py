"""Tables of org/delegation: seats and their counts, authority codes, guesses, accounts known to exist."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy.orm import Mapped, mapped_column

from services.org.models import Model, Place


class AdminSeat(Model):
    """An administrator whom a unit is expected to have: one per school, two per region (super and specialised)."""

    __tablename__ = "admin_seat"

    place: Mapped[str] = mapped_column(Place, primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    level: Mapped[str]  # of the unit
    parent: Mapped[str] = mapped_column(Place)  # the place directly above
    standing: Mapped[bool]  # false once the unit is merged or closed: then it counts nowhere
    state: Mapped[str]
    changed_at: Mapped[dt.datetime]


class ActivationCount(Model):
    """Seats of one role and level at a place and below it, as far as folded."""

    __tablename__ = "activation_count"

    place: Mapped[str] = mapped_column(Place, primary_key=True)
    level: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    expected: Mapped[int]
    generated: Mapped[int]
    activated: Mapped[int]
    disabled: Mapped[int]


class ActivationDelta(Model):
    """A change of one seat, written with the change itself, until it is folded into the counts above it."""

    __tablename__ = "activation_delta"

    delta_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(Place)  # of the seat
    level: Mapped[str]
    role: Mapped[str]
    expected: Mapped[int]
    generated: Mapped[int]
    activated: Mapped[int]
    disabled: Mapped[int]


class AuthorityCode(Model):
    """权限码. Its text is nowhere: only a keyed hash, so whoever reads the table can activate nothing."""

    __tablename__ = "authority_code"

    code_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    code_index: Mapped[str]
    role: Mapped[str]
    place: Mapped[str] = mapped_column(Place)
    state: Mapped[str]
    version: Mapped[int]
    issued_by: Mapped[uuid.UUID]
    issued_with: Mapped[str]  # the command's id: whoever repeats it lost the first answer
    issued_at: Mapped[dt.datetime]
    approved_by: Mapped[uuid.UUID | None]  # the second person, where one is needed
    approved_at: Mapped[dt.datetime | None]
    expires_at: Mapped[dt.datetime]  # of this state: a proposed code waits a week, an issued one thirty days
    channel: Mapped[str]  # how it was handed out, "" before
    delivered_at: Mapped[dt.datetime | None]
    activated_by: Mapped[uuid.UUID | None]
    activated_at: Mapped[dt.datetime | None]
    grant_id: Mapped[uuid.UUID | None]
    ended_at: Mapped[dt.datetime | None]
    ended_by: Mapped[str | None]
    end_reason: Mapped[str]  # an `Ending`, "" before


class GrantProposal(Model):
    """A grant that one person wants and a second one has to approve."""

    __tablename__ = "grant_proposal"

    proposal_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    account_id: Mapped[uuid.UUID]
    role: Mapped[str]
    place: Mapped[str] = mapped_column(Place)
    valid_from: Mapped[dt.datetime | None]  # None: from the approval on
    valid_to: Mapped[dt.datetime | None]
    replace: Mapped[bool]
    state: Mapped[str]
    version: Mapped[int]
    reason: Mapped[str]
    proposed_by: Mapped[uuid.UUID]
    proposed_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    decided_by: Mapped[uuid.UUID | None]  # None also of one that expired
    decided_at: Mapped[dt.datetime | None]
    decision_reason: Mapped[str]
    grant_id: Mapped[uuid.UUID | None]


class CodeGuess(Model):
    """Refused activations of one account or one address in one window."""

    __tablename__ = "code_guess"

    guesser: Mapped[str] = mapped_column(primary_key=True)
    window_at: Mapped[dt.datetime] = mapped_column(primary_key=True)
    guesses: Mapped[int]


class KnownAccount(Model):
    """An account as identity tells of it. Who is not here, or stands here no more, is given nothing."""

    __tablename__ = "known_account"

    account_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    profile_version: Mapped[int]  # 0 until a profile was told
    named: Mapped[bool]
    # Of the account's end: merged into another, erased, or stood up again.
    standing_version: Mapped[int]
    standing: Mapped[bool]
    erased: Mapped[bool]  # why it stands no more; otherwise it was merged away
