"""What learning holds of others' facts."""

from __future__ import annotations

import sqlalchemy as sa

from services.billing.contract.bills import CHARGE_CHANGED
from services.catalog import contract as catalog
from services.catalog.contract import periods, projects
from services.identity import contract as identity
from services.learning.bulk.models import AccountGrants, LearnerNumber
from services.learning.exams.models import Exam
from services.learning.models import ClosingMarker, Learner, MergedPerson, Placement, Programme
from services.learning.selection.models import Choice, EmploymentStatus, Offering, Period
from services.learning.special_training.models import TrainingProject
from services.org import contract as org
from services.org.contract.staffing import EMPLOYMENT_CHANGED
from services.shared.bus.resync import Projection
from services.shared.bus.snapshots import UNCHANGING, Facts

# What is kept of an erased person's number is no fact of identity's any more.
_leads_to_somebody = ~LearnerNumber.learner_no.startswith("erased ")
_charged = Choice.charge_version > 0
_PROGRAMME = (Programme.programme_id,)
_closing = sa.exists().where(ClosingMarker.programme_id == Programme.programme_id)

PROJECTIONS = (
    Projection(org.MEMBERSHIP_CHANGED, "on_membership_changed", Facts((Placement.teacher_id,), Placement.version)),
    Projection(
        EMPLOYMENT_CHANGED, "on_employment_changed", Facts((EmploymentStatus.teacher_id,), EmploymentStatus.version)
    ),
    Projection(identity.PROFILE_CHANGED, "on_profile_changed", Facts((Learner.teacher_id,), Learner.version)),
    Projection(
        identity.person.PERSONS_MERGED,
        "on_persons_merged",
        Facts((MergedPerson.merged_id,), MergedPerson.version, (MergedPerson.live,)),
    ),
    Projection(catalog.PROGRAMME_PUBLISHED, "on_programme_published", Facts(_PROGRAMME, Programme.version)),
    Projection(org.GRANTS_CHANGED, "on_grants_changed", Facts((AccountGrants.account_id,), AccountGrants.version)),
    Projection(
        identity.person.LEARNER_NO_ISSUED,
        "on_learner_no_issued",
        Facts((LearnerNumber.account_id,), UNCHANGING, (_leads_to_somebody,)),
    ),
    Projection(catalog.EXAM_PUBLISHED, "on_exam_published", Facts((Exam.exam_id,), Exam.version)),
    Projection(periods.PERIOD_CHANGED, "on_period_changed", Facts((Period.period_id,), Period.version)),
    Projection(periods.OFFERING_CHANGED, "on_offering_changed", Facts((Offering.offering_id,), Offering.version)),
    Projection(
        projects.PROJECT_CHANGED,
        "on_training_project_changed",
        Facts((TrainingProject.project_id,), TrainingProject.version),
    ),
    # Of a choice billing's last word is held beside its state.
    Projection(CHARGE_CHANGED, "on_charge_changed", Facts((Choice.choice_id,), Choice.charge_version, (_charged,))),
    # A closing is held as its markers, without its version. Nothing is published after it, so that is always the next.
    Projection(catalog.PROGRAMME_CLOSED, "on_programme_closed", Facts(_PROGRAMME, Programme.version + 1, (_closing,))),
)
