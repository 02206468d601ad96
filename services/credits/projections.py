"""What credits holds of others' facts, in the order in which they are rebuilt.

Evidence waits for its programme, the closing for all. Evidence comes before enrolments: an enrolment is judged with
whatever evidence is there, and none would take back the hours that the ledger still has.
"""

from __future__ import annotations

from services.catalog import contract as catalog
from services.credits.exports.models import AccountGrants
from services.credits.grades.models import CourseGrade, TrainingResult
from services.credits.models import EmploymentStatus, Evidence, ExamScore, Placement, Programme, Standing
from services.learning import contract as learning
from services.org import contract as org
from services.org.contract.staffing import EMPLOYMENT_CHANGED
from services.shared.bus.resync import Projection
from services.shared.bus.snapshots import UNCHANGING, Facts

_PROGRAMME = (Programme.programme_id,)
_STUDY = (Standing.teacher_id, Standing.programme_id)
_EVIDENCE = (Evidence.teacher_id, Evidence.course_id)
_SCORE = (ExamScore.teacher_id, ExamScore.exam_id)
_GRADE = (CourseGrade.teacher_id, CourseGrade.choice_id)
_TRAINING = (TrainingResult.teacher_id, TrainingResult.application_id)
_enrolled = Standing.enrolled_at.is_not(None)
_closed = Programme.recognition_closed_at.is_not(None)

PROJECTIONS = (
    Projection(org.MEMBERSHIP_CHANGED, "on_membership_changed", Facts((Placement.teacher_id,), Placement.version)),
    Projection(
        EMPLOYMENT_CHANGED, "on_employment_changed", Facts((EmploymentStatus.teacher_id,), EmploymentStatus.version)
    ),
    Projection(org.GRANTS_CHANGED, "on_grants_changed", Facts((AccountGrants.account_id,), AccountGrants.version)),
    Projection(catalog.PROGRAMME_PUBLISHED, "on_programme_published", Facts(_PROGRAMME, Programme.version)),
    Projection(learning.COURSE_PROGRESSED, "record_progress", Facts(_EVIDENCE, Evidence.version)),
    Projection(learning.EXAM_JUDGED, "record_progress", Facts(_SCORE, ExamScore.version)),
    Projection(learning.ENROLLED, "record_progress", Facts(_STUDY, UNCHANGING, (_enrolled,))),
    Projection(learning.grades.COURSE_GRADED, "on_course_graded", Facts(_GRADE, CourseGrade.version)),
    Projection(
        learning.special_training.TRAINING_GRADED,
        "on_training_graded",
        Facts(_TRAINING, TrainingResult.version),
    ),
    Projection(learning.STUDY_CLOSED, "on_study_closed", Facts(_PROGRAMME, UNCHANGING, (_closed,))),
)
