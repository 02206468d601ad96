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
    merged_into: Mapped[uuid.UUID | None]
    version: Mapped[int]
    created_at: Mapped[dt.datetime]
    changed_at: Mapped[dt.datetime]  # of this version


class SchoolContact(Model):
    """What only those who manage the school may see; names and numbers of people are sealed."""

    __tablename__ = "school_contact"

    school_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(Place)
    seal_name: Mapped[str]  # printed on payment notices; must equal the name on the invoice
    head_name: Mapped[str]  # of rows that wait to be sealed, else ""
    head_name_sealed: Mapped[str | None]
    head_mobile_sealed: Mapped[str]
    # Whom notices by SMS reach: the school's own administrator, where that is not the head.
    notice_name_sealed: Mapped[str | None]
    notice_mobile_sealed: Mapped[str | None]


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
    # It belongs to the person, not to the stay: who was archived as 离职 arrives at the next school as 离职 (S3:192).
    employment: Mapped[str] = mapped_column(default="ON_DUTY")
    employment_version: Mapped[int] = mapped_column(default=0)  # 0: never changed, never announced
    employment_at: Mapped[dt.datetime]


class MembershipPeriod(Model):
    """The history: hours belong to the school where they were earned, so periods are closed and never deleted."""

    __tablename__ = "membership_period"

    period_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    teacher_id: Mapped[uuid.UUID]
    school_id: Mapped[uuid.UUID]
    place: Mapped[str] = mapped_column(Place)
    opened_by: Mapped[str]  # CHOOSE, ADD or TRANSFER; MERGE or REOPEN
    opened_at: Mapped[dt.datetime]
    verified_at: Mapped[dt.datetime | None]
    closed_by: Mapped[str | None]  # CHOOSE, ADD, REJECT, RELEASE or TRANSFER; MERGE, REOPEN or ERASE
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
