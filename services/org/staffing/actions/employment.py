"""Archiving and restoring teachers (`domain.md` §3.4)."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy.orm import Session

from services.org import queries as org_queries
from services.org.actions.memberships import MISSING, Timed
from services.org.actions.rosters import authorise_territory
from services.org.contract import MembershipState
from services.org.contract.staffing import EMPLOYMENT_CHANGED, Employment
from services.org.models import Membership
from services.org.rules.membership import require_other_person
from services.org.staffing import queries
from services.org.staffing.actions.rows import RowOutcome, each
from services.org.staffing.queries import StaffView
from services.org.staffing.rules import employment as rules
from services.shared import audit, outbox
from services.shared.bus import Call
from services.shared.errors import NotFound

# From the present status to the next; raises the refusal.
Change = Callable[[Employment], Employment]


def archive_teacher(db: Session, call: Call, teacher_id: uuid.UUID, status: Employment, reason: str) -> StaffView:
    """The school archives a verified teacher as gone, lent or on leave; her hours stay as they are.

    Raises NotFound outside the caller's school, Conflict unless she is verified and on duty, and for somebody who leaves
    for good and still administers the school.
    """
    return _change_one(db, call, teacher_id, lambda present: rules.archived(present, status), reason)


def restore_teacher(db: Session, call: Call, teacher_id: uuid.UUID, reason: str) -> StaffView:
    """The school sets an archived teacher on duty again. Raises Conflict for one who is."""
    return _change_one(db, call, teacher_id, rules.restored, reason)


def archive_teachers(
    db: Session, call: Call, teacher_ids: Sequence[uuid.UUID], status: Employment, reason: str
) -> dict[str, list[RowOutcome]]:
    """As `archive_teacher` for many, each by herself."""
    return _change_many(db, call, teacher_ids, lambda present: rules.archived(present, status), reason)


def restore_teachers(
    db: Session, call: Call, teacher_ids: Sequence[uuid.UUID], reason: str
) -> dict[str, list[RowOutcome]]:
    """As `restore_teacher` for many, each by herself."""
    return _change_many(db, call, teacher_ids, rules.restored, reason)


def set_employment(membership: Membership, at: Timed, status: Employment) -> None:
    """Change the row; the caller announces it with `announce_employment`."""
    membership.employment, membership.employment_at = status, at.now
    membership.employment_version += 1


def announce_employment(db: Session, changed: Sequence[Membership]) -> None:
    db.flush()
    events = [(membership.teacher_id, payload_of(membership)) for membership in changed]
    outbox.announce_many(db, EMPLOYMENT_CHANGED, events)


def payload_of(membership: Membership) -> dict[str, Any]:
    """The status as `org.employment_changed` tells it."""
    released = membership.state == MembershipState.RELEASED
    return {
        "teacher_id": str(membership.teacher_id),
        "version": membership.employment_version,
        "status": str(membership.employment),
        "place": "" if released else membership.place,
    }


def _change_one(db: Session, call: Call, teacher_id: uuid.UUID, change: Change, reason: str) -> StaffView:
    present = org_queries.lock_memberships(db, [teacher_id])
    _settle(db, call, [_judge(call, present.get(teacher_id), teacher_id, change, _grants(db, present), reason)])
    return queries.get_staff(db, teacher_id)


def _change_many(
    db: Session, call: Call, teacher_ids: Sequence[uuid.UUID], change: Change, reason: str
) -> dict[str, list[RowOutcome]]:
    authorise_territory(call)
    present = org_queries.lock_memberships(db, teacher_ids)
    grants = _grants(db, present)
    decided: list[tuple[Membership, audit.Act]] = []
    outcomes = each(
        teacher_ids,
        lambda teacher_id: decided.append(_judge(call, present.get(teacher_id), teacher_id, change, grants, reason)),
    )
    _settle(db, call, decided)
    return {"rows": outcomes}


def _grants(db: Session, present: dict[uuid.UUID, Membership]) -> dict[uuid.UUID, int]:
    """How many grants each of them holds at the own school."""
    if not present:
        return {}
    return queries.count_grants(db, [(membership.teacher_id, membership.place) for membership in present.values()])


def _judge(
    call: Call,
    membership: Membership | None,
    teacher_id: uuid.UUID,
    change: Change,
    grants: dict[uuid.UUID, int],
    reason: str,
) -> tuple[Membership, audit.Act]:
    """Change one locked row and say what is to be recorded. Raises the refusal, and then nothing has changed."""
    if membership is None:
        raise NotFound(MISSING)
    call.authorise(place=membership.place, missing=MISSING)
    require_other_person(call.actor.account_id, teacher_id)
    rules.require_own_teacher(MembershipState(membership.state))
    before = Employment(membership.employment)
    after = change(before)
    rules.require_no_grants(after, grants.get(teacher_id, 0))
    set_employment(membership, call, after)
    record = audit.Act(
        teacher_id,
        membership.place,
        reason,
        before={"employment": str(before)},
        after={"employment": str(after), "version": membership.employment_version},
    )
    return membership, record


def _settle(db: Session, call: Call, decided: Sequence[tuple[Membership, audit.Act]]) -> None:
    announce_employment(db, [membership for membership, _ in decided])
    audit.record_many(db, call, [record for _, record in decided])
