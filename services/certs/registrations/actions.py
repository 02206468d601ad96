"""Registering a certificate that an institution issued."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.certs import queries
from services.certs.actions.issuing import Subject, issue_single, require_placement
from services.certs.actions.projections import table_of
from services.certs.actions.writing import Office
from services.certs.corrections.rules import require_not_own
from services.certs.models import Certificate
from services.certs.registrations import rules
from services.certs.registrations.models import Registration
from services.certs.rules import Kind
from services.shared import clock
from services.shared.actor import covers
from services.shared.bus import Call
from services.shared.errors import Conflict


def register_completion(
    db: Session, call: Call, office: Office, given: dict[str, Any], name: str
) -> tuple[Registration, Certificate]:
    """The certificate of what the institution says; the same number for the same teacher again changes nothing.

    Raises NotFound for a teacher out of the caller's reach, NotAllowed for the caller's own, InvalidInput for days out of
    order, Conflict("certs.issued_number_taken") for a number that another teacher's certificate has, and what
    `issue_single` refuses.
    """
    teacher_id = given["teacher_id"]
    placement = queries.placement_of(db, teacher_id)
    call.authorise(place=placement.place if placement else None, missing="certs.teacher_unknown", field="teacher_id")
    require_not_own(call.actor.account_id, {teacher_id})
    placement = require_placement(placement)
    today = call.now.astimezone(clock.BEIJING).date()
    rules.require_order(given["started_on"], given["ended_on"], given["issued_on"], today)
    # The narrowest of the caller's places that reaches the teacher is the institution's.
    place = max((own for own in call.actor.places(call.policy.roles) if covers(own, placement.place)), key=len)
    registration = _keep(db, call, place, given)
    subject = Subject(
        kind=Kind.COMPLETION,
        subject_id=registration.subject_id,
        code=registration.issued_number,
        zh=given["title_zh"],
        en=given["title_en"],
        opens_on=given["started_on"],
        closes_on=given["ended_on"],
        hours=given["hours"].quantize(Decimal("0.01")),
        issuer=given["institution"],
        template="completion-certificate",
    )
    return registration, issue_single(db, call, office, subject, placement, name)


def _keep(db: Session, call: Call, place: str, given: dict[str, Any]) -> Registration:
    """The registration of this number, new or not. Raises Conflict("certs.issued_number_taken")."""
    subject_id = rules.registered_subject(place, given["issued_number"])
    values = {
        "subject_id": subject_id,
        "place": place,
        "issued_number": given["issued_number"],
        "teacher_id": given["teacher_id"],
        "registered_by": call.actor.account_id,
        "registered_at": call.now,
    }
    db.execute(insert(table_of(Registration)).values(values).on_conflict_do_nothing())
    kept = db.scalars(sa.select(Registration).where(Registration.subject_id == subject_id).with_for_update()).one()
    if kept.teacher_id != given["teacher_id"]:
        raise Conflict("certs.issued_number_taken", "issued_number")
    return kept
