"""Tables of org. The constraints that hold them together stand in the migrations."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, UUID
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

# "C" so that a subtree is a range: every place below P lies between P/ and P0 ('0' follows '/').
Place = sa.Text(collation="C")
_Id = UUID(as_uuid=True)
_Instant = sa.DateTime(timezone=True)


class Model(DeclarativeBase):
    type_annotation_map: ClassVar[dict[Any, Any]] = {dt.datetime: _Instant, uuid.UUID: _Id, str: sa.Text}


class Division(Model):
    """A province, city or county, with its stored parent."""

    __tablename__ = "division"

    code: Mapped[str] = mapped_column(primary_key=True)
    level: Mapped[str]
    parent: Mapped[str]  # code of the parent, or CN
    place: Mapped[str] = mapped_column(Place)
    name: Mapped[str]
    leaf: Mapped[bool]


class School(Model):
    """A school or institution: what anybody may know of it. The pseudo-schools 其他 are rows here too."""

    __tablename__ = "school"

    school_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(Place)
    parent: Mapped[str] = mapped_column(Place)  # the place directly above
    division_code: Mapped[str]
    name: Mapped[str]
    name_tokens: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    code: Mapped[str | None]  # temporary schools have none yet
    kind: Mapped[str]
    attachment: Mapped[str]
    school_type: Mapped[str]
    nature: Mapped[str]
    town: Mapped[str]
    other: Mapped[bool]  # the pseudo-school 其他 of a county
    state: Mapped[str]
    version: Mapped[int]
    created_at: Mapped[dt.datetime]


class SchoolContact(Model):
    """What only those who manage the school may see; the head's mobile number is sealed."""

    __tablename__ = "school_contact"

    school_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(Place)
    seal_name: Mapped[str]  # printed on payment notices; must equal the name on the invoice
    head_name: Mapped[str]
    head_mobile_sealed: Mapped[str]


class Membership(Model):
    """Where a teacher is now. After a release the school stays, so that it still finds whom it released."""

    __tablename__ = "membership"

    teacher_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    school_id: Mapped[uuid.UUID]
    place: Mapped[str] = mapped_column(Place)
    state: Mapped[str]
    reason: Mapped[str]  # of the last rejection or release
    version: Mapped[int]
    changed_at: Mapped[dt.datetime]


class MembershipPeriod(Model):
    """The history: hours belong to the school where they were earned, so periods are closed and never deleted."""

    __tablename__ = "membership_period"

    period_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    teacher_id: Mapped[uuid.UUID]
    school_id: Mapped[uuid.UUID]
    place: Mapped[str] = mapped_column(Place)
    opened_by: Mapped[str]  # CHOOSE or ADD
    opened_at: Mapped[dt.datetime]
    verified_at: Mapped[dt.datetime | None]
    closed_by: Mapped[str | None]  # CHOOSE, ADD, REJECT or RELEASE
    closed_at: Mapped[dt.datetime | None]


class GrantHolder(Model):
    """One row per account that ever held a grant: its version, and the lock under which its grants change."""

    __tablename__ = "grant_holder"

    account_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    version: Mapped[int]


class AdminGrant(Model):
    """A role of an account at a place, from a day to a day. Ended ones stay: who held what when must be answerable."""

    __tablename__ = "admin_grant"

    grant_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    account_id: Mapped[uuid.UUID]
    role: Mapped[str]
    place: Mapped[str] = mapped_column(Place)
    state: Mapped[str]
    valid_from: Mapped[dt.datetime]
    valid_to: Mapped[dt.datetime | None]
    announced: Mapped[bool]  # whether the last announcement named it as live
    granted_by: Mapped[str]
    granted_at: Mapped[dt.datetime]
    ended_by: Mapped[str | None]
    ended_at: Mapped[dt.datetime | None]
