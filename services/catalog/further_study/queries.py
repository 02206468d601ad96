"""Selects of degree and skills offers and applications."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.catalog.contract.further_study import ApplicationState, OfferKind, OfferState
from services.catalog.further_study.models import Application, StudyOffer
from services.shared.errors import NotFound

NO_OFFER = "catalog.offer_unknown"
NO_APPLICATION = "catalog.application_unknown"


def get_offer(db: Session, offer_id: uuid.UUID, *, lock: bool = False) -> StudyOffer:
    """Raises NotFound("catalog.offer_unknown")."""
    select = sa.select(StudyOffer).where(StudyOffer.offer_id == offer_id)
    offer = db.scalars(select.with_for_update() if lock else select).one_or_none()
    if offer is None:
        raise NotFound(NO_OFFER, "offer_id")
    return offer


def list_offers(
    db: Session, where: Any, kind: OfferKind | None, now: dt.datetime | None, before: uuid.UUID | None, limit: int
) -> list[StudyOffer]:
    """Newest first; with `now` only those that are open and not over."""
    select = sa.select(StudyOffer).where(where)
    if kind is not None:
        select = select.where(StudyOffer.kind == kind)
    if now is not None:
        select = select.where(StudyOffer.state == OfferState.OPEN, StudyOffer.applies_until > now)
    if before is not None:
        select = select.where(StudyOffer.offer_id < before)
    return list(db.scalars(select.order_by(StudyOffer.offer_id.desc()).limit(limit)))


def shown_at(places: Collection[str]) -> Any:
    return StudyOffer.shown_at.in_(places)


def lock_application(db: Session, application_id: uuid.UUID) -> Application:
    """Raises NotFound("catalog.application_unknown")."""
    select = sa.select(Application).where(Application.application_id == application_id).with_for_update()
    if (application := db.scalars(select).one_or_none()) is None:
        raise NotFound(NO_APPLICATION, "application_id")
    return application


def lock_application_of(db: Session, offer_id: uuid.UUID, teacher_id: uuid.UUID) -> Application | None:
    select = sa.select(Application).where(Application.offer_id == offer_id, Application.teacher_id == teacher_id)
    return db.scalars(select.with_for_update()).one_or_none()


def list_applications(
    db: Session, where: Any, state: ApplicationState | None, before: uuid.UUID | None, limit: int
) -> list[Application]:
    """Newest first."""
    select = sa.select(Application).where(where)
    if state is not None:
        select = select.where(Application.state == state)
    if before is not None:
        select = select.where(Application.application_id < before)
    return list(db.scalars(select.order_by(Application.application_id.desc()).limit(limit)))
