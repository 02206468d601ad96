"""Two accounts are one person, or were not after all, or a person is erased: identity says so, org follows.

A merged account belongs nowhere and may do nothing. Of its stay and the kept account's the one that says more goes on, under
the kept account; taking the merge back restores both stays, unless life has gone on. Grants end and do not come back by
themselves: a right is given by somebody who may give it.
"""

from __future__ import annotations

import uuid

from sqlalchemy.orm import Session

from services.org import queries as org_queries
from services.org.actions import memberships
from services.org.actions.departures import end_grants_of
from services.org.actions.memberships import Move, state_of
from services.org.contract import MembershipState, SchoolState
from services.org.contract.staffing import Employment
from services.org.models import Membership
from services.org.rules import membership as rules
from services.org.rules import schools as school_rules
from services.org.rules.membership import Cause
from services.org.staffing import queries
from services.org.staffing.actions.employment import announce_employment, set_employment
from services.org.staffing.models import PersonMerge
from services.org.transfers import queries as transfer_queries
from services.org.transfers.actions.requests import end
from services.shared.bus import Call

# Where a stay can be taken up again: a school that is merged or closed has no teachers.
STANDING_SCHOOLS = frozenset({SchoolState.DRAFT, SchoolState.ACTIVE, SchoolState.SUSPENDED})


def merge_persons(db: Session, call: Call, merged_id: uuid.UUID, kept_id: uuid.UUID, version: int) -> None:
    """The merged account leaves its school, and the kept one goes on in its place where that says more of the person."""
    record = _newer(db, merged_id, kept_id, version)
    if record is None or record.live:
        return
    record.live = True
    present = org_queries.lock_memberships(db, [merged_id, kept_id])
    merged, kept = present.get(merged_id), present.get(kept_id)
    _remember(record, merged, kept)
    if merged is not None and merged.state in queries.PRESENT:
        state, place = MembershipState(merged.state), merged.place
        memberships.close(db, call, merged, Cause.MERGE, Cause.MERGE)
        if _standing(state, place) > _standing(state_of(kept), kept.place if kept else ""):
            _take_over(db, call, record, kept, merged, state)
    _end_everything(db, call, merged_id, Cause.MERGE)


def undo_merge(db: Session, call: Call, merged_id: uuid.UUID, kept_id: uuid.UUID, version: int) -> None:
    """Both stays are as they were before the merge, where the schools stand and nothing newer has happened since."""
    record = _newer(db, merged_id, kept_id, version)
    if record is None or not record.live:
        return
    record.live = False
    present = org_queries.lock_memberships(db, [merged_id, record.kept_id])
    kept, merged = present.get(record.kept_id), present.get(merged_id)
    if kept is not None and kept.version == record.kept_version:
        _give_back(db, call, record, kept)
    if merged is not None and merged.reason == Cause.MERGE and record.merged_school_id and record.merged_state:
        _stay_again(db, call, merged, record.merged_school_id, MembershipState(record.merged_state))


def erase_person(db: Session, call: Call, account_id: uuid.UUID) -> None:
    """The account belongs nowhere, holds nothing, and no word that anybody wrote about the person is left.

    Stays and transfers go on under the id that leads to nobody: hours are attributed by them.
    """
    membership = org_queries.lock_membership(db, account_id)
    if membership is not None and membership.state in queries.PRESENT:
        memberships.close(db, call, membership, Cause.ERASE, Cause.ERASE)
    elif membership is not None:
        membership.reason = Cause.ERASE
    _end_everything(db, call, account_id, Cause.ERASE)
    transfer_queries.forget_learner_number(db, account_id)
    for transfer in transfer_queries.lock_transfers_of_person(db, account_id):
        transfer.note, transfer.reason = "", Cause.ERASE


def _newer(db: Session, merged_id: uuid.UUID, kept_id: uuid.UUID, version: int) -> PersonMerge | None:
    """The locked record with the new version, None when something as new is known: events come late, twice, in any order."""
    record = queries.lock_merge(db, merged_id)
    if record is None:
        record = PersonMerge(merged_id=merged_id, kept_id=kept_id, version=0, live=False)
        db.add(record)
    if record.version >= version:
        return None
    record.version = version
    if not record.live:
        record.kept_id = kept_id
    return record


def _remember(record: PersonMerge, merged: Membership | None, kept: Membership | None) -> None:
    was_present = merged is not None and merged.state in queries.PRESENT
    record.merged_state = merged.state if merged and was_present else None
    record.merged_school_id = merged.school_id if merged and was_present else None
    record.kept_state = kept.state if kept else None
    record.kept_school_id = kept.school_id if kept else None
    record.kept_employment = kept.employment if kept else None
    record.kept_version = None


def _standing(state: MembershipState | None, place: str) -> int:
    return rules.standing(state, in_other=school_rules.is_other(place))


def _take_over(
    db: Session,
    call: Call,
    record: PersonMerge,
    kept: Membership | None,
    merged: Membership,
    state: MembershipState,
) -> None:
    school = org_queries.get_school(db, merged.school_id)
    memberships.move_all(db, call, [Move(record.kept_id, kept, school, state)], Cause.MERGE)
    after = org_queries.lock_memberships(db, [record.kept_id])[record.kept_id]
    record.kept_version = after.version
    _set_status(db, call, after, merged.employment)


def _give_back(db: Session, call: Call, record: PersonMerge, kept: Membership) -> None:
    """The kept account had the other's stay, and nothing has changed it since."""
    if record.kept_state in queries.PRESENT and record.kept_school_id:
        _stay_again(db, call, kept, record.kept_school_id, MembershipState(record.kept_state))
    else:
        memberships.close(db, call, kept, Cause.REOPEN, "")
    _set_status(db, call, kept, record.kept_employment or Employment.ON_DUTY)


def _stay_again(db: Session, call: Call, membership: Membership, school_id: uuid.UUID, state: MembershipState) -> None:
    school = org_queries.get_school(db, school_id)
    if SchoolState(school.state) in STANDING_SCHOOLS:
        memberships.move_all(db, call, [Move(membership.teacher_id, membership, school, state)], Cause.REOPEN)
    elif membership.state in queries.PRESENT:
        memberships.close(db, call, membership, Cause.REOPEN, "")


def _set_status(db: Session, call: Call, membership: Membership, status: str) -> None:
    if membership.employment != status:
        set_employment(membership, call, Employment(status))
        announce_employment(db, [membership])


def _end_everything(db: Session, call: Call, account_id: uuid.UUID, cause: Cause) -> None:
    for transfer in transfer_queries.lock_open_transfers(db, [account_id]):
        end(db, call, transfer, cause)
    end_grants_of(db, call, account_id, cause)
