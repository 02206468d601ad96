"""Tables of org/units. The constraints that hold them together stand in the migration."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy.orm import Mapped, mapped_column

from services.org.models import Model, Place


class TenantPolicy(Model):
    """What a province, city or county has decided for itself and all below. Withdrawn ones stay, for their version."""

    __tablename__ = "tenant_policy"

    policy_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)  # follows from the place
    place: Mapped[str] = mapped_column(Place)
    version: Mapped[int]
    mode: Mapped[str]
    max_school_admins: Mapped[int]
    profile_review: Mapped[str]
    withdrawn: Mapped[bool]
    changed_at: Mapped[dt.datetime]


class SchoolCode(Model):
    """A school code that was ever given, and to whom. A void one is never used again, but by its own school reopened."""

    __tablename__ = "school_code"

    code: Mapped[str] = mapped_column(primary_key=True)
    school_id: Mapped[uuid.UUID]
    given_at: Mapped[dt.datetime]
    void_at: Mapped[dt.datetime | None]
    void_reason: Mapped[str | None]


class SchoolFormerPlace(Model):
    """Where a school stood before it was moved, from when until when: statistics of those days belong there."""

    __tablename__ = "school_former_place"

    school_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    until_at: Mapped[dt.datetime] = mapped_column(primary_key=True)
    from_at: Mapped[dt.datetime]
    place: Mapped[str] = mapped_column(Place)
    division_code: Mapped[str]


class SchoolMove(Model):
    """A school's way to another division: asked below, executed above both sides."""

    __tablename__ = "school_move"

    move_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    school_id: Mapped[uuid.UUID]
    from_parent: Mapped[str] = mapped_column(Place)
    to_parent: Mapped[str] = mapped_column(Place)
    to_division: Mapped[str]
    executing_place: Mapped[str] = mapped_column(Place)
    state: Mapped[str]
    reason: Mapped[str]
    requested_by: Mapped[uuid.UUID]
    requested_at: Mapped[dt.datetime]
    decided_by: Mapped[uuid.UUID | None]
    decided_at: Mapped[dt.datetime | None]
    decision_reason: Mapped[str]
    version: Mapped[int]


class SchoolRequest(Model):
    """A school that teachers of a county miss; colleagues who miss the same one share the request."""

    __tablename__ = "school_request"

    request_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(Place)  # of the county
    division_code: Mapped[str]
    name: Mapped[str]
    name_key: Mapped[str]
    school_type: Mapped[str]
    town: Mapped[str]
    askers: Mapped[int]  # who have not taken it back
    state: Mapped[str]
    school_id: Mapped[uuid.UUID | None]  # the answer
    reason: Mapped[str]
    version: Mapped[int]
    requested_at: Mapped[dt.datetime]
    decided_by: Mapped[uuid.UUID | None]
    decided_at: Mapped[dt.datetime | None]


class SchoolRequestAsker(Model):
    """A teacher who misses the school."""

    __tablename__ = "school_request_asker"

    request_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    teacher_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(Place)
    asked_at: Mapped[dt.datetime]
    withdrawn_at: Mapped[dt.datetime | None]
