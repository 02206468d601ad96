"""Pure rules of employment status and archive 归档 (`domain.md` §3.4); no I/O."""

from __future__ import annotations

import datetime as dt

from services.org.contract import MembershipState
from services.org.contract.staffing import Employment
from services.shared.errors import Conflict, InvalidInput

ARCHIVED = frozenset(Employment) - {Employment.ON_DUTY}
# Whoever is gone for good must not keep the school's keys; one on leave or lent to another school may.
ENDS_SERVICE = frozenset({Employment.LEFT, Employment.RETIRED, Employment.DECEASED})


def archived(status: Employment, wanted: Employment) -> Employment:
    """The status after archiving as `wanted`.

    Raises InvalidInput("org.archive_type") for being on duty, which is no type of archive, and
    Conflict("org.archived_already"): another type is chosen by restoring first.
    """
    if wanted not in ARCHIVED:
        raise InvalidInput("org.archive_type", "status")
    if status in ARCHIVED:
        raise Conflict("org.archived_already")
    return wanted


def restored(status: Employment) -> Employment:
    """On duty again. Raises Conflict("org.not_archived") for a teacher who is."""
    if status not in ARCHIVED:
        raise Conflict("org.not_archived")
    return Employment.ON_DUTY


def require_own_teacher(state: MembershipState) -> None:
    """Only whom the school has verified is its own to archive. Raises Conflict("org.not_verified")."""
    if state is not MembershipState.VERIFIED:
        raise Conflict("org.not_verified")


def require_no_grants(wanted: Employment, grants: int) -> None:
    """Raises Conflict("org.ends_grants_first") for somebody who leaves for good and still administers the school.

    The grant is ended by whoever may revoke it: a school's admin must not get rid of another one by archiving him.
    """
    if grants and wanted in ENDS_SERVICE:
        raise Conflict("org.ends_grants_first")


def arrived_archived(status: Employment, changed_at: dt.datetime, opened_at: dt.datetime) -> bool:
    """Whether a teacher came to the school with a status from before: a to-do of its desk (S3:192)."""
    return status in ARCHIVED and changed_at < opened_at


def days_waiting(since: dt.date, today: dt.date) -> int:
    """Whole Beijing days that a teacher has waited for the school's word; 0 on the first."""
    return max(0, (today - since).days)
