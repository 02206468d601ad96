"""Applying for a project, and taking the application back."""

from __future__ import annotations

import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.learning.bulk.models import AccountGrants
from services.learning.contract.special_training import TrainingState
from services.learning.selection.rules import Chooser
from services.learning.special_training import queries, rules
from services.learning.special_training.actions import stepping
from services.learning.special_training.models import TrainingApplication, TrainingProject
from services.shared.account_grants import list_grants
from services.shared.actor import Role
from services.shared.bus import Call
from services.shared.errors import Conflict, NotFound
from services.shared.ids import new_id


def apply(db: Session, call: Call, teacher_id: uuid.UUID, project_id: uuid.UUID, statement: str) -> TrainingApplication:
    """Apply, inside the time for it; who took an application back may apply again.

    Raises NotFound for a project of elsewhere, Conflict with the code of the guard that refuses.
    """
    # A withdrawal of the project and an application at the same moment: one of them comes second.
    project = queries.get_project_held_open(db, project_id)
    teacher = queries.find_teacher(db, teacher_id)
    known = queries.lock_application_of(db, teacher_id, project_id)
    state = TrainingState(known.state) if known else None
    if refusal := rules.application_refusal(facts_of(project), teacher, state, call.now):
        raise NotFound(refusal, "project_id") if refusal == queries.NO_PROJECT else Conflict(refusal)
    assert teacher.school_id is not None  # the rules want a school
    application = known or TrainingApplication(
        application_id=new_id(), teacher_id=teacher_id, project_id=project_id, version=0
    )
    application.school_id, application.place = teacher.school_id, teacher.place
    application.statement, application.applied_at = statement, call.now
    first = rules.first_state(is_principal=_is_principal(db, teacher_id, teacher))
    db.add(application)
    stepping.step(db, application, first, teacher_id, call.now)
    return application


def take_back(db: Session, call: Call, application_id: uuid.UUID) -> TrainingApplication:
    """The teacher's own, while it is under review.

    Raises NotFound for another's, Conflict("learning.application_state") for what is decided.
    """
    application = queries.get_application(db, application_id, lock=True)
    call.authorise(subject=application.teacher_id, missing=queries.NO_APPLICATION, field="application_id")
    if application.state not in rules.REVIEWS:
        raise Conflict("learning.application_state")
    stepping.step(db, application, TrainingState.TAKEN_BACK, application.teacher_id, call.now)
    return application


def forget_statements(db: Session, teacher_id: uuid.UUID) -> None:
    """Of an erased person: what she wrote for her reviewers. That she applied, and what became of it, stays."""
    own = TrainingApplication.teacher_id == teacher_id
    db.execute(sa.update(TrainingApplication).where(own).values(statement=""))


def facts_of(project: TrainingProject) -> rules.Project:
    return rules.Project(
        project.shown_at,
        project.audience,
        project.applies_from,
        project.applies_until,
        project.state != queries.PUBLISHED,
    )


def _is_principal(db: Session, teacher_id: uuid.UUID, teacher: Chooser) -> bool:
    grants = list_grants(db, AccountGrants, teacher_id)
    return any(grant.role is Role.PRINCIPAL and grant.place == teacher.place for grant in grants)
