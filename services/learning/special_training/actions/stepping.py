"""Moving an application: each step is kept, numbered and announced."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from services.learning.contract.special_training import TRAINING_CHANGED, TrainingState
from services.learning.special_training import queries
from services.learning.special_training.models import TrainingApplication, TrainingStep
from services.shared import audit, clock, outbox
from services.shared.bus import Call


def step(
    db: Session,
    application: TrainingApplication,
    state: TrainingState,
    by: uuid.UUID | None,
    now: dt.datetime,
    reason: str = "",
) -> None:
    """Make a locked application `state`."""
    application.state, application.changed_at = state, now
    application.version += 1
    db.flush()
    db.add(
        TrainingStep(
            application_id=application.application_id,
            position=queries.count_steps(db, application.application_id) + 1,
            teacher_id=application.teacher_id,
            project_id=application.project_id,
            state=state,
            reason=reason,
            by=by,
            at=now,
        )
    )
    db.flush()
    announce(db, [application])


def announce(db: Session, applications: Sequence[TrainingApplication]) -> None:
    told = [(application.application_id, changed_payload(application)) for application in applications]
    outbox.announce_many(db, TRAINING_CHANGED, told)


def changed_payload(application: TrainingApplication) -> dict[str, Any]:
    return {
        "application_id": str(application.application_id),
        "version": application.version,
        "teacher_id": str(application.teacher_id),
        "project_id": str(application.project_id),
        "state": str(application.state),
        "at": clock.format_instant(application.changed_at),
    }


def record(db: Session, call: Call, application: TrainingApplication, before: str, reason: str = "") -> None:
    """An act of somebody else on the teacher, on record."""
    told = {"application_id": str(application.application_id)}
    audit.record(
        db,
        call,
        subject=application.teacher_id,
        place=application.place,
        reason=reason,
        before={**told, "state": before},
        after={**told, "state": str(application.state)},
    )
