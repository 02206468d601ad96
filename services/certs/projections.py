"""What certs holds of others' facts. The order matters: a season is due once its programme and its standings are here."""

from __future__ import annotations

from services.catalog import contract as catalog
from services.certs.exports.models import AccountGrants
from services.certs.models import MergedPerson, Placement, Programme, Standing
from services.credits import contract as credits_contract
from services.identity import contract as identity
from services.org import contract as org
from services.shared.bus.resync import Projection
from services.shared.bus.snapshots import UNCHANGING, Facts

_PROGRAMME = (Programme.programme_id,)
_due = Programme.due_at.is_not(None)

PROJECTIONS = (
    Projection(org.MEMBERSHIP_CHANGED, "on_membership_changed", Facts((Placement.teacher_id,), Placement.version)),
    Projection(org.GRANTS_CHANGED, "on_grants_changed", Facts((AccountGrants.account_id,), AccountGrants.version)),
    Projection(
        identity.person.PERSONS_MERGED,
        "on_persons_merged",
        Facts((MergedPerson.merged_id,), MergedPerson.version, (MergedPerson.live,)),
    ),
    # A closing has nothing of its own to hold: it names the end that the publication named.
    Projection(catalog.PROGRAMME_PUBLISHED, "on_programme_published", Facts(_PROGRAMME, Programme.version)),
    Projection(
        credits_contract.HOURS_RECOGNISED,
        "record_standings",
        Facts((Standing.teacher_id, Standing.programme_id), Standing.version),
    ),
    Projection(credits_contract.RECOGNITION_CLOSED, "on_recognition_closed", Facts(_PROGRAMME, UNCHANGING, (_due,))),
)
