"""What org holds of others' facts."""

from __future__ import annotations

from services.identity import contract as identity
from services.identity.contract import person
from services.org.delegation.models import KnownAccount
from services.org.staffing.models import PersonMerge
from services.org.transfers.models import LearnerNumber
from services.shared.bus.resync import Projection
from services.shared.bus.snapshots import UNCHANGING, Facts

_ACCOUNT = (KnownAccount.account_id,)
_told = KnownAccount.profile_version > 0

PROJECTIONS = (
    Projection(identity.ACCOUNT_REGISTERED, "on_account_registered", Facts(_ACCOUNT, UNCHANGING)),
    Projection(identity.PROFILE_CHANGED, "on_profile_changed", Facts(_ACCOUNT, KnownAccount.profile_version, (_told,))),
    Projection(person.LEARNER_NO_ISSUED, "on_learner_no_issued", Facts((LearnerNumber.account_id,), UNCHANGING)),
    Projection(
        person.PERSONS_MERGED,
        "on_persons_merged",
        Facts((PersonMerge.merged_id,), PersonMerge.version, (PersonMerge.live,)),
    ),
)
