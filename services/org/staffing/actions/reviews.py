"""The review queue of a school: who waits for its word, and giving it for many at once."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy.orm import Session

from services.org import queries as org_queries
from services.org.actions import memberships
from services.org.actions.rosters import authorise_territory
from services.org.models import Membership
from services.org.rules.membership import Act
from services.org.staffing.actions.rows import RowOutcome, each
from services.shared import audit
from services.shared.bus import Call


def verify_memberships(db: Session, call: Call, teacher_ids: Sequence[uuid.UUID]) -> dict[str, list[RowOutcome]]:
    """The school confirms many teachers; each by herself, as `verify_membership` would."""
    return _decide(db, call, teacher_ids, Act.VERIFY, "")


def reject_memberships(
    db: Session, call: Call, teacher_ids: Sequence[uuid.UUID], reason: str
) -> dict[str, list[RowOutcome]]:
    """The school refuses many teachers for one reason; each by herself, as `reject_membership` would."""
    return _decide(db, call, teacher_ids, Act.REJECT, reason)


def _decide(
    db: Session, call: Call, teacher_ids: Sequence[uuid.UUID], act: Act, reason: str
) -> dict[str, list[RowOutcome]]:
    authorise_territory(call)
    present = org_queries.lock_memberships(db, teacher_ids)
    decided: list[tuple[Membership, audit.Act]] = []

    def decide(teacher_id: uuid.UUID) -> None:
        membership = present.get(teacher_id)
        record = memberships.judge(call, membership, teacher_id, act, reason)
        assert membership is not None  # `judge` refused it
        decided.append((membership, record))

    outcomes = each(teacher_ids, decide)
    memberships.settle(db, call, act, decided)
    return {"rows": outcomes}
