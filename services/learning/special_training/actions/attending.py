"""Checking in 签到 by a code that changes."""

from __future__ import annotations

import uuid

from sqlalchemy.orm import Session

from services.learning.special_training import queries, rules
from services.learning.special_training.actions import classes
from services.learning.special_training.models import ClassSession
from services.shared.bus import Call
from services.shared.errors import Conflict, LimitReached, NotFound

Position = tuple[float, float]


def check_in(
    db: Session, call: Call, teacher_id: uuid.UUID, session_id: uuid.UUID, code: str, position: Position | None
) -> str:
    """Write down that the teacher is here; "" or the code of why not. A wrong code counts, so it is no exception: it would
    undo the counting. Who is checked in already stays so.

    Raises NotFound for a session of a class that is not hers, Conflict outside its time and for whoever is not in the
    class, LimitReached after too many wrong codes. Where she is, is judged and not kept.
    """
    session = queries.get_session(db, session_id)
    application = queries.lock_application_of(db, teacher_id, session.project_id)
    if application is None:
        raise NotFound(queries.NO_SESSION, "session_id")
    if application.state not in rules.IN_CLASS:
        raise Conflict("learning.not_admitted")
    row = classes.attendance_of(db, session, teacher_id)
    if row.checked_in_at is not None:
        return ""
    if not rules.is_check_in_open(session.starts_at, session.ends_at, call.now):
        raise Conflict("learning.check_in_closed")
    if row.wrong_codes >= rules.MOST_WRONG_CODES:
        raise LimitReached("learning.check_in_locked")
    if not rules.is_code(queries.secret_of(db, session_id), code, call.now):
        row.wrong_codes += 1
        db.flush()
        return "learning.check_in_code_wrong"
    if refusal := rules.place_refusal(spot_of(session), position):
        db.flush()
        return refusal
    classes.keep_attendance(db, session, application, call, by_institution=False)
    return ""


def spot_of(session: ClassSession) -> rules.Spot | None:
    if session.latitude is None or session.longitude is None or session.radius_metres is None:
        return None
    return rules.Spot(session.latitude, session.longitude, session.radius_metres)
