"""The table of training projects."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.catalog.courses.models import Place
from services.catalog.models import Model


class TrainingProject(Model):
    """A project of a city, a district or an institution (`place`), for the teachers of the region `shown_at`.

    `published_at` is None until it was first announced: what was withdrawn as a draft nobody has heard of.
    """

    __tablename__ = "training_project"

    project_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    place: Mapped[str] = mapped_column(Place)
    shown_at: Mapped[str] = mapped_column(Place)
    title: Mapped[str]
    level: Mapped[str]
    project_type: Mapped[str]  # 项目类型, as the authority names it
    course_type: Mapped[str]
    funding: Mapped[str]  # 经费
    hour_type: Mapped[str]
    unit: Mapped[str]
    amount: Mapped[Decimal] = mapped_column(sa.Numeric(8, 2))  # 标准: what a pass brings
    subject: Mapped[str]  # 学科领域, as it is shown; who may apply says the audience
    institution_unit_id: Mapped[uuid.UUID]
    institution_place: Mapped[str] = mapped_column(Place)
    venue: Mapped[str]
    starts_on: Mapped[dt.date]
    ends_on: Mapped[dt.date]
    applies_from: Mapped[dt.datetime]
    applies_until: Mapped[dt.datetime]
    capacity: Mapped[int | None]
    audience: Mapped[dict[str, Any]]
    conditions: Mapped[str]  # 参训条件 that a reviewer judges
    summary: Mapped[str]
    state: Mapped[str]
    published_at: Mapped[dt.datetime | None]
    changed_at: Mapped[dt.datetime]


CONTENT = (
    "title", "level", "project_type", "course_type", "funding", "hour_type", "unit", "amount", "subject",
    "institution_unit_id", "venue", "starts_on", "ends_on", "applies_from", "applies_until", "capacity", "audience",
    "conditions", "summary",
)  # fmt: skip
