"""Projects as the catalogue tells them."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.learning.contract.special_training import TrainingState
from services.learning.special_training import queries
from services.learning.special_training.actions import stepping
from services.learning.special_training.models import TrainingClass, TrainingProject
from services.shared import clock
from services.shared.newer import keep_newer

WITHDRAWN = "WITHDRAWN"


def keep_project(db: Session, payload: dict[str, Any], now: dt.datetime) -> None:
    """Store a project unless a newer version is known, with its class; whoever waits for or attends a withdrawn one is void."""
    project_id = uuid.UUID(payload["project_id"])
    made = insert(TrainingClass).values(project_id=project_id, admitted=0, notice_title="", notice="")
    db.execute(made.on_conflict_do_nothing())
    # Whoever is applying, admitting or grading at this moment is through before the project changes.
    queries.lock_class(db, project_id)
    if _keep_newer(db, project_id, payload) and payload["state"] == WITHDRAWN:
        for application in queries.lock_voidable(db, project_id):
            stepping.step(db, application, TrainingState.VOID, None, now)


def _keep_newer(db: Session, project_id: uuid.UUID, payload: dict[str, Any]) -> bool:
    values = {
        "project_id": project_id,
        "place": payload["place_id"],
        "amount": Decimal(payload["amount"]),
        "content": payload,
        **{name: dt.date.fromisoformat(payload[name]) for name in ("starts_on", "ends_on")},
        **{name: clock.parse_instant(payload[name]) for name in ("applies_from", "applies_until")},
        **{
            name: payload[name]
            for name in (
                "version", "shown_at", "institution_place", "title", "hour_type", "course_type", "unit", "capacity",
                "audience", "state",
            )
        },
    }  # fmt: skip
    return keep_newer(db, TrainingProject, "project_id", values)
