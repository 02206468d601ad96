"""What org holds of others' facts."""

from __future__ import annotations

from services.identity import contract as identity
from services.identity.contract import person
from services.org.delegation.models import KnownAccount
from services.org.staffing.models import PersonMerge
from services.org.transfers.models import LearnerNumber
from services.org.transfers.queries import ERASED_VERSION
from services.shared.bus.resync import Projection
from services.shared.bus.snapshots import UNCHANGING, Facts

_ACCOUNT = (KnownAccount.account_id,)
_told = KnownAccount.profile_version > 0
# What is kept of an erased person's number is no fact of identity's any more.
_leads_to_somebody = LearnerNumber.version < ERASED_VERSION
_merged_away = (KnownAccount.standing.is_(False), KnownAccount.erased.is_(False))

PROJECTIONS = (
    Projection(identity.ACCOUNT_REGISTERED, "on_account_registered", Facts(_ACCOUNT, UNCHANGING)),
    Projection(identity.PROFILE_CHANGED, "on_profile_changed", Facts(_ACCOUNT, KnownAccount.profile_version, (_told,))),
    Projection(
        person.LEARNER_NO_ISSUED,
        "on_learner_no_issued",
        Facts((LearnerNumber.account_id,), UNCHANGING, (_leads_to_somebody,)),
    ),
    # Who stands no more; two of this table's facts come with other events than those of its rows.
    Projection(
        person.PERSONS_MERGED,
        "on_account_merged_away",
        Facts(_ACCOUNT, KnownAccount.standing_version, _merged_away),
    ),
    Projection(
        person.PERSON_ERASED,
        "on_account_erased",
        Facts(_ACCOUNT, KnownAccount.standing_version, (KnownAccount.erased,)),
    ),
    Projection(
        person.PERSONS_MERGED,
        "on_persons_merged",
        Facts((PersonMerge.merged_id,), PersonMerge.version, (PersonMerge.live,)),
    ),
)
