"""What identity holds of others' facts."""

from __future__ import annotations

from services.identity.models import AccountGrants, Placement
from services.org.contract import GRANTS_CHANGED, MEMBERSHIP_CHANGED
from services.shared.bus.resync import Projection
from services.shared.bus.snapshots import Facts

PROJECTIONS = (
    Projection(MEMBERSHIP_CHANGED, "on_membership_changed", Facts((Placement.teacher_id,), Placement.version)),
    Projection(GRANTS_CHANGED, "on_grants_changed", Facts((AccountGrants.account_id,), AccountGrants.version)),
)
