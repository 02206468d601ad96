"""What the catalogue holds of others' facts. What teachers teach comes first: choices are counted by it."""

from __future__ import annotations

from services.billing.contract.bills import PERIOD_BILLED
from services.catalog.bulk.models import AccountGrants
from services.catalog.courses.models import Unit
from services.catalog.periods.models import Period
from services.catalog.periods.rules import BILLED
from services.catalog.shelf.models import Choice, Teaching
from services.identity.contract import PROFILE_CHANGED
from services.learning.contract.selection import CHOICE_CHANGED
from services.org.contract import GRANTS_CHANGED
from services.org.contract.units import SCHOOL_CHANGED
from services.shared.bus.resync import Projection
from services.shared.bus.snapshots import UNCHANGING, Facts

PROJECTIONS = (
    Projection(SCHOOL_CHANGED, "on_school_changed", Facts((Unit.unit_id,), Unit.version)),
    Projection(GRANTS_CHANGED, "on_grants_changed", Facts((AccountGrants.account_id,), AccountGrants.version)),
    # That a period is billed is its own state, which goes on from there.
    Projection(PERIOD_BILLED, "on_period_billed", Facts((Period.period_id,), UNCHANGING, (Period.state.in_(BILLED),))),
    Projection(PROFILE_CHANGED, "on_profile_changed", Facts((Teaching.teacher_id,), Teaching.version)),
    Projection(CHOICE_CHANGED, "record_choices", Facts((Choice.choice_id,), Choice.version)),
)
