"""Issuing a study proof or a credit certificate to the teacher who asks."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from services.certs import contract, queries
from services.certs.actions.deciding import last_day
from services.certs.actions.issuing import Subject, issue_single, require_placement
from services.certs.actions.writing import Office
from services.certs.models import Certificate
from services.certs.proofs import rules
from services.certs.rules import Kind
from services.shared import clock
from services.shared.bus import Call
from services.shared.errors import Conflict


def issue_study_proof(
    db: Session, call: Call, office: Office, teacher_id: uuid.UUID, programme_id: uuid.UUID, name: str
) -> Certificate:
    """What was recognised of a season that is over, whether or not it was enough for the learning certificate.

    Raises NotFound for an unknown programme, Conflict: "certs.season_open", "certs.nothing_recognised", "certs.issue_held",
    and what `issue_single` refuses.
    """
    placement = require_placement(queries.placement_of(db, teacher_id))
    programme = queries.get_programme(db, programme_id)
    standing = queries.find_standing(db, programme_id, teacher_id)
    if programme.due_at is None:
        raise Conflict("certs.season_open", "programme_id")
    if standing is None or not standing.hours:
        raise Conflict("certs.nothing_recognised", "programme_id")
    if queries.holds(db, programme_id):
        raise Conflict("certs.issue_held", "programme_id")
    subject = Subject(
        kind=Kind.STUDY_PROOF,
        subject_id=rules.season_subject(programme_id),
        code=programme.code,
        zh=programme.title_zh,
        en=programme.title_en,
        opens_on=programme.opens_at.astimezone(clock.BEIJING).date(),
        closes_on=last_day(programme.closes_at),
        hours=standing.hours,
        issuer=contract.ISSUER_ZH,
        template="study-proof",
    )
    return issue_single(db, call, office, subject, placement, name)


def issue_credit_certificate(
    db: Session, call: Call, office: Office, teacher_id: uuid.UUID, year: Mapping[str, Any], name: str
) -> Certificate:
    """The certificate of a frozen year whose requirements were met; `year` is credits' frozen sheet of this teacher.

    Raises Conflict: "certs.requirement_not_met", and what `issue_single` refuses.
    """
    placement = require_placement(queries.placement_of(db, teacher_id))
    if not year["met"]:
        raise Conflict("certs.requirement_not_met", "year")
    number, unit = year["year"], year["unit"]
    subject = Subject(
        kind=Kind.CREDIT,
        subject_id=rules.year_subject(number, unit),
        code=rules.year_code(number, unit),
        zh=f"{number}年度教师继续教育",
        en=f"professional development in {number}",
        opens_on=dt.date(number, 1, 1),
        closes_on=dt.date(number, 12, 31),
        hours=Decimal(year["total"]),
        issuer=contract.ISSUER_ZH,
        template="credit-certificate",
    )
    return issue_single(db, call, office, subject, placement, name)
