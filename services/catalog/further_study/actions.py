"""Keeping offers, applying for them, and deciding about applications."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy.orm import Session

from services.catalog.contract.further_study import ApplicationState, OfferState
from services.catalog.courses.actions import plain
from services.catalog.courses.rules import require_home
from services.catalog.further_study import queries, rules
from services.catalog.further_study.models import Application, StudyOffer
from services.shared import audit
from services.shared.actor import covers
from services.shared.bus import Call
from services.shared.errors import NotFound
from services.shared.ids import new_id

Values = dict[str, Any]
CONTENT = (
    "kind", "title", "institution", "level", "fee", "duration", "summary", "applies_from", "applies_until",
)  # fmt: skip


def create_offer(db: Session, call: Call, place: str, values: Values) -> StudyOffer:
    """A new offer of the caller's city, district or institution. Raises NotAllowed, InvalidInput."""
    call.authorise(place=place, missing="catalog.keeper_elsewhere", field="place")
    require_home(call.actor.grants, place)
    rules.require_window(values["applies_from"], values["applies_until"])
    offer = StudyOffer(
        offer_id=new_id(),
        version=1,
        place=place,
        shown_at=rules.shown_at(call.actor.grants, place),
        state=OfferState.OPEN,
        changed_at=call.now,
        **values,
    )
    db.add(offer)
    _record(db, call, offer, {}, {"title": offer.title, "state": str(offer.state)})
    return offer


def change_offer(db: Session, call: Call, offer_id: uuid.UUID, version: int, values: Values) -> StudyOffer:
    """Raises NotFound out of reach, Conflict for an outdated `version` or a withdrawn offer."""
    offer = _lock_kept(db, call, offer_id, version)
    rules.require_window(values["applies_from"], values["applies_until"])
    before = {name: plain(getattr(offer, name)) for name in CONTENT if getattr(offer, name) != values[name]}
    if not before:
        return offer
    for name, value in values.items():
        setattr(offer, name, value)
    offer.version += 1
    offer.changed_at = call.now
    _record(db, call, offer, before, {name: plain(getattr(offer, name)) for name in before})
    return offer


def withdraw_offer(db: Session, call: Call, offer_id: uuid.UUID, version: int, reason: str) -> StudyOffer:
    """No further applications; those that were made stay to be decided. Raises as `change_offer`."""
    offer = _lock_kept(db, call, offer_id, version)
    offer.state = OfferState.WITHDRAWN
    offer.version += 1
    offer.changed_at = call.now
    _record(db, call, offer, {"state": str(OfferState.OPEN)}, {"state": str(offer.state)}, reason)
    return offer


def _lock_kept(db: Session, call: Call, offer_id: uuid.UUID, version: int) -> StudyOffer:
    offer = queries.get_offer(db, offer_id, lock=True)
    call.authorise(place=offer.place, missing=queries.NO_OFFER, field="offer_id")
    rules.require_version(version, offer.version)
    rules.require_open(OfferState(offer.state))
    return offer


def _record(db: Session, call: Call, offer: StudyOffer, before: Values, after: Values, reason: str = "") -> None:
    db.flush()
    after = {"version": offer.version, **after}
    audit.record(db, call, subject=offer.offer_id, place=offer.place, reason=reason, before=before, after=after)


def apply(db: Session, call: Call, offer_id: uuid.UUID, note: str) -> Application:
    """Apply for an offer; who took an application back may apply again.

    Raises NotFound for an offer of elsewhere, Conflict outside its time, when it is withdrawn, and for a second application.
    """
    teacher_id = call.authorise_own()
    # A withdrawal and an application at the same moment: one of them comes second.
    offer = queries.get_offer(db, offer_id, lock=True)
    if not call.actor.place or not covers(offer.shown_at, call.actor.place):
        raise NotFound(queries.NO_OFFER, "offer_id")
    rules.require_open(OfferState(offer.state))
    rules.require_time(offer.applies_from, offer.applies_until, call.now)
    known = queries.lock_application_of(db, offer_id, teacher_id)
    rules.require_new(ApplicationState(known.state) if known else None)
    application = known or Application(
        application_id=new_id(), offer_id=offer_id, teacher_id=teacher_id, place=offer.place, reason=""
    )
    application.state, application.note = ApplicationState.APPLIED, note
    application.applied_at = application.changed_at = call.now
    db.add(application)
    return application


def take_back(db: Session, call: Call, application_id: uuid.UUID) -> Application:
    """The teacher's own, while nobody has decided. Raises NotFound, Conflict("catalog.application_settled")."""
    application = queries.lock_application(db, application_id)
    call.authorise(application.teacher_id, missing=queries.NO_APPLICATION, field="application_id")
    rules.require_unsettled(ApplicationState(application.state))
    application.state, application.changed_at = ApplicationState.TAKEN_BACK, call.now
    return application


def decide(
    db: Session, call: Call, application_id: uuid.UUID, state: ApplicationState, reason: str = ""
) -> Application:
    """Accept or reject. Raises NotFound out of reach, NotAllowed for the own, Conflict once settled."""
    application = queries.lock_application(db, application_id)
    call.authorise(place=application.place, missing=queries.NO_APPLICATION, field="application_id")
    rules.require_another(call.actor.account_id, application.teacher_id)
    rules.require_unsettled(ApplicationState(application.state))
    application.state, application.reason, application.changed_at = state, reason, call.now
    application.decided_by = call.actor.account_id
    audit.record(
        db,
        call,
        subject=application.teacher_id,
        place=application.place,
        reason=reason,
        before={"state": str(ApplicationState.APPLIED)},
        after={"application_id": str(application_id), "state": str(state)},
    )
    return application
