"""Tables of billing that all its parts use: what it knows of people. Constraints stand in the migrations."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from services.shared.merged_persons import MergedPersonMixin
from services.shared.placement import PlacementMixin

# "C" so that a subtree is a range: every place below P lies between P/ and P0 ('0' follows '/').
Place = sa.Text(collation="C")


class Model(DeclarativeBase):
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        dt.datetime: sa.DateTime(timezone=True),
        uuid.UUID: UUID(as_uuid=True),
        str: sa.Text,
        Decimal: sa.Numeric(12, 2),  # yuan
    }


class Placement(PlacementMixin, Model):
    """Who is where, from org."""


class LearnerNumber(Model):
    """Whose learner number 继续教育学号 it is: identity's word, kept because institutions name teachers by it."""

    __tablename__ = "learner_number"

    account_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    learner_no: Mapped[str]
    version: Mapped[int]


class MergedPerson(MergedPersonMixin, Model):
    """Of whom two accounts were made one, from identity."""
