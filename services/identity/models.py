"""Tables of identity. Whatever names a person is sealed (`services/shared/crypto.py`) or a keyed index of it."""

from __future__ import annotations

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from services.shared.placement import PlacementMixin


class Model(DeclarativeBase):
    type_annotation_map = {  # noqa: RUF012  read by SQLAlchemy
        dt.datetime: sa.DateTime(timezone=True),
        str: sa.Text(),
        uuid.UUID: UUID(as_uuid=True),
    }


class Account(Model):
    """One natural person. `version` counts announced changes of the account and its profile together."""

    __tablename__ = "account"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    # ACTIVE; MERGED and ERASED ones have no phone and no password, and nobody signs in to them.
    state: Mapped[str] = mapped_column(server_default="ACTIVE", default="ACTIVE")
    phone_sealed: Mapped[str | None]
    phone_index: Mapped[str | None]
    password_hash: Mapped[str | None]
    one_time_until: Mapped[dt.datetime | None]  # set: an administrator gave out this password, to be changed by then
    identities: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    active_identity: Mapped[str]
    failed_count: Mapped[int] = mapped_column(server_default="0", default=0)
    locked_at: Mapped[dt.datetime | None]
    # Access tokens issued at or before this are void; the next ones are issued after it, whatever the clock says.
    tokens_not_before: Mapped[dt.datetime | None]
    version: Mapped[int]
    origin: Mapped[str]  # SELF or IMPORT
    registered_as: Mapped[str | None]  # the identity that was announced; None in rows older than this column
    registered_at: Mapped[dt.datetime]
    learner_no: Mapped[str | None]  # 继续教育学号: issued once, kept for life
    # A copy of `placement.place`: row security reads off the row who may see it.
    place: Mapped[str] = mapped_column(sa.Text(collation="C"), server_default="", default="")
    merged_into: Mapped[uuid.UUID | None]  # of a MERGED one: the account that stands for this person


class Profile(Model):
    __tablename__ = "profile"

    account_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    name_sealed: Mapped[str | None]
    id_type: Mapped[str | None]
    id_no_sealed: Mapped[str | None]
    id_no_index: Mapped[str | None]
    gender: Mapped[str] = mapped_column(server_default="0", default="0")
    segment: Mapped[str] = mapped_column(server_default="", default="")
    subject: Mapped[str] = mapped_column(server_default="", default="")
    birth_date_sealed: Mapped[str | None]
    ethnicity_sealed: Mapped[str | None]
    title: Mapped[str] = mapped_column(server_default="", default="")
    post_category: Mapped[str] = mapped_column(server_default="", default="")
    employed_since: Mapped[dt.date | None]
    email_sealed: Mapped[str | None]
    address_sealed: Mapped[str | None]
    nickname_sealed: Mapped[str | None]
    email_confirmed_at: Mapped[dt.datetime | None]  # by a code that was sent there; warnings go there too
    # Keyed index of the name's key, and where the person is, as in the account: a name is looked for inside a territory by
    # one range of one index.
    name_index: Mapped[str | None]
    place: Mapped[str] = mapped_column(sa.Text(collation="C"), server_default="", default="")
    review_state: Mapped[str] = mapped_column(server_default="EDITABLE", default="EDITABLE")
    review_round: Mapped[int] = mapped_column(server_default="0", default=0)  # counts submissions: which one was seen
    submitted_at: Mapped[dt.datetime | None]
    return_reason: Mapped[str] = mapped_column(server_default="", default="")
    changed_at: Mapped[dt.datetime]
    # The account's version when the profile was last announced, 0 for never; None in rows older than this column.
    announced_version: Mapped[int | None] = mapped_column(default=0)


class ProfileHistory(Model):
    """Former names and ID numbers: kept because credit was earned under them, shown to support only, masked."""

    __tablename__ = "profile_history"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    account_id: Mapped[uuid.UUID]
    field: Mapped[str]
    value_sealed: Mapped[str]
    # Of an ID number: who comes with a former number of somebody else's is perhaps the same person.
    value_index: Mapped[str | None]
    id_type: Mapped[str | None]
    replaced_at: Mapped[dt.datetime]
    cause: Mapped[str] = mapped_column(server_default="EDIT", default="EDIT")  # EDIT, REVIEW or MERGE


class SignIn(Model):
    """One sign-in on one device: the family of its refresh tokens. Its id is the `sid` of access tokens."""

    __tablename__ = "sign_in"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    account_id: Mapped[uuid.UUID]
    by_code: Mapped[bool]  # begun by SMS code: for a few minutes that proves the phone
    method: Mapped[str]
    device: Mapped[str] = mapped_column(server_default="", default="")  # program and system, nothing finer
    address: Mapped[str] = mapped_column(server_default="", default="")  # masked
    started_at: Mapped[dt.datetime]
    last_used_at: Mapped[dt.datetime]
    desk: Mapped[str] = mapped_column(server_default="TEACHER", default="TEACHER")
    desk_opened_at: Mapped[dt.datetime | None]
    elevated_until: Mapped[dt.datetime | None]  # end of the step-up
    # As the account's, for this sign-in alone: set when its administrator's desk is closed.
    tokens_not_before: Mapped[dt.datetime | None]
    ended_at: Mapped[dt.datetime | None]
    end_reason: Mapped[str] = mapped_column(server_default="", default="")


class RefreshToken(Model):
    """Only a hash: who reads the table cannot sign in. A used one stays, so that its theft shows when used again."""

    __tablename__ = "refresh_token"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    sign_in_id: Mapped[uuid.UUID]
    account_id: Mapped[uuid.UUID]
    issued_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]
    used_by: Mapped[str | None]  # the command that used it: repeated, it is a lost answer and no theft
    replaces: Mapped[str | None]


class Revocation(Model):
    """What the gateways must refuse, kept as long as an access token can live (`list_revocations`)."""

    __tablename__ = "revocation"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    account_id: Mapped[uuid.UUID]
    sign_in_id: Mapped[uuid.UUID | None]
    not_before: Mapped[dt.datetime]
    revoked_at: Mapped[dt.datetime]


class AccountGrants(Model):
    """Projection of org's grants: the complete list of [role, place], and the version it came with."""

    __tablename__ = "account_grants"

    account_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    grants: Mapped[list[list[str]]] = mapped_column(JSONB)


class Placement(PlacementMixin, Model):
    """Projection of org's memberships: who belongs to which school, and whether the school has vouched for them."""


class SmsCode(Model):
    """A code sent to a phone. `code_sealed` is there only until the provider has taken the message."""

    __tablename__ = "sms_code"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    phone_index: Mapped[str]
    phone_sealed: Mapped[str]
    address_index: Mapped[str]
    purpose: Mapped[str]
    code_index: Mapped[str]
    code_sealed: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(server_default="0", default=0)
    issued_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]


class DevelopmentMessage(Model):
    """The mailbox that stands in for phones and e-mail in development installations."""

    __tablename__ = "development_message"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    channel: Mapped[str]
    to_sealed: Mapped[str]
    to_index: Mapped[str]
    text_sealed: Mapped[str]
    sent_at: Mapped[dt.datetime]


class AttemptWindow(Model):
    """How often something was refused for one subject within one window of time."""

    __tablename__ = "attempt_window"

    kind: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    starts_at: Mapped[dt.datetime] = mapped_column(primary_key=True)
    attempts: Mapped[int]
