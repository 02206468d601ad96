"""Tables of org/staffing. The constraints that hold them together stand in the migration."""

from __future__ import annotations

import uuid

from sqlalchemy.orm import Mapped, mapped_column

from services.org.models import Model, Place


class StaffCount(Model):
    """How many teachers are at a place and below it, by membership state and employment status, up to the last fold."""

    __tablename__ = "staff_count"

    place: Mapped[str] = mapped_column(Place, primary_key=True)
    state: Mapped[str] = mapped_column(primary_key=True)
    employment: Mapped[str] = mapped_column(primary_key=True)
    teachers: Mapped[int]


class StaffCountChange(Model):
    """What a statement changed at one school; written by a trigger on `membership`, folded away within seconds."""

    __tablename__ = "staff_count_change"

    change_id: Mapped[int] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(Place)
    state: Mapped[str]
    employment: Mapped[str]
    teachers: Mapped[int]


class PersonMerge(Model):
    """Identity's word that two accounts are one person, and what the memberships were before, for taking it back.

    `merged_*` are null when that account belonged nowhere; `kept_version` is null unless the kept account took over the
    other's stay, else its membership's version right after: an older one than now means that life has gone on.
    """

    __tablename__ = "person_merge"

    merged_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    kept_id: Mapped[uuid.UUID]
    version: Mapped[int]
    live: Mapped[bool]
    merged_state: Mapped[str | None]
    merged_school_id: Mapped[uuid.UUID | None]
    kept_state: Mapped[str | None]
    kept_school_id: Mapped[uuid.UUID | None]
    kept_employment: Mapped[str | None]
    kept_version: Mapped[int | None]
