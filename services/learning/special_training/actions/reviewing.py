"""The three reviews: principal, district, institution (S3:734)."""

from __future__ import annotations

import uuid

from sqlalchemy.orm import Session

from services.learning.contract.special_training import ReviewStage, TrainingState
from services.learning.selection.queries import find_place
from services.learning.special_training import queries, rules
from services.learning.special_training.actions import stepping
from services.learning.special_training.models import TrainingApplication
from services.learning.special_training.policy import REVIEWERS
from services.shared.actor import covers
from services.shared.bus import Call
from services.shared.errors import Conflict, NotAllowed, NotFound


def review(
    db: Session, call: Call, application_id: uuid.UUID, stage: ReviewStage, *, passed: bool, reason: str
) -> TrainingApplication:
    """Pass an application on, or reject it; the last pass admits, while there are places.

    Raises NotFound for whoever reviews nothing of this stage there, NotAllowed for the caller's own application, Conflict
    once the stage is over ("learning.application_state") or the class is full.
    """
    found = queries.get_application(db, application_id)
    if stage is ReviewStage.INSTITUTION_REVIEW:
        # The class before its applications, as everybody locks them.
        training_class = queries.lock_class_seen(db, found.project_id)
    application = queries.get_application(db, application_id, lock=True)
    require_reviewer(db, call, application, stage)
    if application.teacher_id == call.actor.account_id:
        raise NotAllowed("learning.own_application")
    if application.state != stage:
        raise Conflict("learning.application_state")
    after = rules.state_after_pass(stage) if passed else TrainingState.REJECTED
    if after is TrainingState.ADMITTED:
        assert training_class is not None  # whoever reviews for the institution sees its class
        capacity = queries.get_project(db, application.project_id).capacity
        if capacity is not None and training_class.admitted >= capacity:
            raise Conflict("learning.class_full")
        training_class.admitted += 1
    before = application.state
    stepping.step(db, application, after, call.actor.account_id, call.now, reason)
    stepping.record(db, call, application, before, reason)
    return application


def require_reviewer(db: Session, call: Call, application: TrainingApplication, stage: ReviewStage) -> None:
    """School and district answer for the teacher where she is now, the institution for its project. Raises NotFound."""
    if stage is ReviewStage.INSTITUTION_REVIEW:
        place = queries.get_project(db, application.project_id).institution_place
    else:
        place = find_place(db, application.teacher_id) or ""
    call.authorise(place=place, missing=queries.NO_APPLICATION, field="application_id")
    if not any(covers(at, place) for at in call.actor.places(REVIEWERS[stage])):
        raise NotFound(queries.NO_APPLICATION, "application_id")
