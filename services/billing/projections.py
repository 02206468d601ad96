"""What billing holds of others' facts, in the order in which they are rebuilt."""

from __future__ import annotations

from services.billing.bulk.models import AccountGrants
from services.billing.models import LearnerNumber, MergedPerson, Placement
from services.billing.queries import ERASED_VERSION
from services.billing.selection.models import Choice, Closing, Offering, Period, Unit
from services.catalog.contract.periods import OFFERING_CHANGED, PERIOD_CHANGED
from services.identity.contract import person
from services.learning.contract.selection import CHOICE_CHANGED, SELECTION_CLOSED
from services.org import contract as org
from services.org.contract.units import SCHOOL_CHANGED
from services.shared.bus.resync import Projection
from services.shared.bus.snapshots import UNCHANGING, Facts

# What is kept of an erased person's number is no fact of identity's any more.
_leads_to_somebody = LearnerNumber.version < ERASED_VERSION

PROJECTIONS = (
    Projection(org.GRANTS_CHANGED, "on_grants_changed", Facts((AccountGrants.account_id,), AccountGrants.version)),
    Projection(org.MEMBERSHIP_CHANGED, "on_membership_changed", Facts((Placement.teacher_id,), Placement.version)),
    Projection(
        person.LEARNER_NO_ISSUED,
        "on_learner_no_issued",
        Facts((LearnerNumber.account_id,), UNCHANGING, (_leads_to_somebody,)),
    ),
    Projection(
        person.PERSONS_MERGED,
        "on_persons_merged",
        Facts((MergedPerson.merged_id,), MergedPerson.version, (MergedPerson.live,)),
    ),
    Projection(SCHOOL_CHANGED, "on_school_changed", Facts((Unit.unit_id,), Unit.version)),
    Projection(PERIOD_CHANGED, "on_period_changed", Facts((Period.period_id,), Period.version)),
    Projection(OFFERING_CHANGED, "on_offering_changed", Facts((Offering.offering_id,), Offering.version)),
    Projection(CHOICE_CHANGED, "on_choice_changed", Facts((Choice.choice_id,), Choice.version)),
    Projection(SELECTION_CLOSED, "on_selection_closed", Facts((Closing.period_id,), UNCHANGING)),
)
