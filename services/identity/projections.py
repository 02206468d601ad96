"""What identity holds of others' facts."""

from __future__ import annotations

from services.identity.access.models import TenantPolicy
from services.identity.models import AccountGrants, Placement
from services.org.contract import GRANTS_CHANGED, MEMBERSHIP_CHANGED
from services.org.contract.units import TENANT_POLICY_CHANGED
from services.shared.bus.resync import Projection
from services.shared.bus.snapshots import Facts

PROJECTIONS = (
    Projection(MEMBERSHIP_CHANGED, "on_membership_changed", Facts((Placement.teacher_id,), Placement.version)),
    Projection(
        TENANT_POLICY_CHANGED, "on_tenant_policy_changed", Facts((TenantPolicy.policy_id,), TenantPolicy.version)
    ),
    Projection(GRANTS_CHANGED, "on_grants_changed", Facts((AccountGrants.account_id,), AccountGrants.version)),
)
