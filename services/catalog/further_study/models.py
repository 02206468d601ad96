"""Tables of degree and skills offers."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.catalog.courses.models import Place
from services.catalog.models import Model


class StudyOffer(Model):
    """An offer of a city, a district or an institution; shown to whoever stands in that city or district."""

    __tablename__ = "study_offer"

    offer_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    place: Mapped[str] = mapped_column(Place)
    shown_at: Mapped[str] = mapped_column(Place)  # the city or district whose teachers may apply
    kind: Mapped[str]
    title: Mapped[str]
    institution: Mapped[str]  # who teaches it: a university stands in no tree of ours
    level: Mapped[str]  # 本科, 硕士; 初级, 中级
    fee: Mapped[Decimal] = mapped_column(sa.Numeric(10, 2))
    duration: Mapped[str]
    summary: Mapped[str]
    applies_from: Mapped[dt.datetime]
    applies_until: Mapped[dt.datetime]
    state: Mapped[str]
    changed_at: Mapped[dt.datetime]


class Application(Model):
    """A teacher's application; `place` is the offer's, by which its keeper sees it."""

    __tablename__ = "study_application"

    application_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    offer_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("study_offer.offer_id"))
    teacher_id: Mapped[uuid.UUID]
    place: Mapped[str] = mapped_column(Place)
    note: Mapped[str]
    state: Mapped[str]
    reason: Mapped[str]  # of the decision
    decided_by: Mapped[uuid.UUID | None]
    applied_at: Mapped[dt.datetime]
    changed_at: Mapped[dt.datetime]
