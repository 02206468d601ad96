"""Who may call which method of org/transfers."""

from __future__ import annotations

from services.org.transfers.rules.transfer import ALL_APPROVERS
from services.shared.actor import REGION_ADMINS, Role
from services.shared.policy import Policy, granted, own

SCHOOL_ADMIN = granted(Role.SCHOOL_ADMIN)
APPROVERS = granted(*ALL_APPROVERS)
READERS = SCHOOL_ADMIN | granted(Role.PRINCIPAL, *REGION_ADMINS) | APPROVERS

POLICIES: dict[str, Policy] = {
    "preview_transfer": SCHOOL_ADMIN.seeing_everything("a learner number leads to a teacher wherever she is"),
    "request_transfer": SCHOOL_ADMIN.seeing_everything("a learner number leads to a teacher wherever she is"),
    "withdraw_transfer": SCHOOL_ADMIN,
    "approve_transfer": APPROVERS.seeing_everything(
        "a debt anywhere, and whatever the teacher administers elsewhere, has to be known when she moves"
    ),
    "reject_transfer": APPROVERS,
    "get_transfer": READERS | own(),
    "list_transfers": READERS,
    "list_transfers_to_decide": APPROVERS,
    "list_own_transfers": own(),
}
