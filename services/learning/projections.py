"""What learning holds of others' facts."""

from __future__ import annotations

import sqlalchemy as sa

from services.catalog import contract as catalog
from services.identity import contract as identity
from services.learning.models import ClosingMarker, Learner, MergedPerson, Placement, Programme
from services.org import contract as org
from services.shared.bus.resync import Projection
from services.shared.bus.snapshots import Facts

_PROGRAMME = (Programme.programme_id,)
_closing = sa.exists().where(ClosingMarker.programme_id == Programme.programme_id)

PROJECTIONS = (
    Projection(org.MEMBERSHIP_CHANGED, "on_membership_changed", Facts((Placement.teacher_id,), Placement.version)),
    Projection(identity.PROFILE_CHANGED, "on_profile_changed", Facts((Learner.teacher_id,), Learner.version)),
    Projection(
        identity.person.PERSONS_MERGED,
        "on_persons_merged",
        Facts((MergedPerson.merged_id,), MergedPerson.version, (MergedPerson.live,)),
    ),
    Projection(catalog.PROGRAMME_PUBLISHED, "on_programme_published", Facts(_PROGRAMME, Programme.version)),
    # A closing is held as its markers, without its version. Nothing is published after it, so that is always the next.
    Projection(catalog.PROGRAMME_CLOSED, "on_programme_closed", Facts(_PROGRAMME, Programme.version + 1, (_closing,))),
)
