"""Asking for a school that is missing, and answering (`domain.md` §3.6, S0:107-112)."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy.orm import Session

from services.org import queries as org_queries
from services.org.actions import schools
from services.org.actions.memberships import state_of
from services.org.contract import SchoolState
from services.org.contract.units import SCHOOL_REQUEST_CHANGED, RequestState
from services.org.models import School
from services.org.rules import schools as school_rules
from services.org.rules.membership import require_teacher
from services.org.staffing.queries import list_accounts_of
from services.org.units import queries
from services.org.units.models import SchoolRequest, SchoolRequestAsker
from services.org.units.rules import lifecycle
from services.org.units.rules import requests as rules
from services.org.units.rules.requests import Act
from services.shared import audit, outbox
from services.shared.bus import Call
from services.shared.crypto import FieldCipher
from services.shared.errors import Conflict, NotFound
from services.shared.ids import new_id

Values = dict[str, Any]


def request_school(db: Session, call: Call, arguments: Values) -> SchoolRequest:
    """A teacher in 其他 asks for her school; colleagues who ask for the same one share the request.

    Raises NotAllowed for another identity than teacher, Conflict outside 其他, for a school that is in the list, and
    while another request of hers waits.
    """
    teacher_id = call.authorise_own()
    require_teacher(call.actor.identity)
    membership = org_queries.lock_membership(db, teacher_id)
    rules.require_waiting_in_other(state_of(membership), membership.place if membership else "")
    assert membership is not None  # the rule refused it
    county = queries.get_school(db, membership.school_id)
    if queries.find_listed(db, county.parent, arguments["name"]):
        raise Conflict("org.school_listed", "name")
    rules.require_none_open(sum(len(queries.list_open_askers(db, each)) for each in accounts_of(db, teacher_id)))
    request = queries.lock_open_request(
        db,
        {
            "request_id": new_id(),
            "place": county.parent,
            "division_code": county.division_code,
            "name": arguments["name"],
            "name_key": rules.name_key(arguments["name"]),
            "school_type": arguments["school_type"],
            "town": arguments["town"],
            "askers": 1,
            "state": RequestState.OPEN,
            "reason": "",
            "version": 0,
            "requested_at": call.now,
        },
    )
    db.add(
        SchoolRequestAsker(request_id=request.request_id, teacher_id=teacher_id, place=request.place, asked_at=call.now)
    )
    if request.version:
        request.askers += 1
    _tell(db, call, request, RequestState.OPEN if request.version else None)
    return request


def withdraw_request(db: Session, call: Call, request_id: uuid.UUID) -> SchoolRequest:
    """A teacher asks no longer; with the last one the request is over. Raises NotFound for a request not hers."""
    accounts = accounts_of(db, call.authorise_own())
    asker = queries.lock_asker(db, request_id, accounts)
    if asker is None:
        raise NotFound("org.request_unknown")
    return _leave(db, call, asker)


def forget_asker(db: Session, call: Call, account_id: uuid.UUID) -> None:
    """An erased person asks for nothing any more."""
    for asker in queries.list_open_askers(db, account_id):
        _leave(db, call, asker)


def accounts_of(db: Session, account_id: uuid.UUID) -> list[uuid.UUID]:
    """The account, and those that were merged into it: what they asked for is the same person's."""
    return [account_id, *(merge.merged_id for merge in list_accounts_of(db, [account_id]))]


def _leave(db: Session, call: Call, asker: SchoolRequestAsker) -> SchoolRequest:
    request = queries.lock_request(db, asker.request_id)
    after = rules.next_state(RequestState(request.state), Act.WITHDRAW)
    asker.withdrawn_at = call.now
    request.askers -= 1
    if request.askers == 0:
        request.state, request.decided_at = after, call.now
    _tell(db, call, request, RequestState.OPEN)
    return request


def create_requested_school(
    db: Session, call: Call, request_id: uuid.UUID, school: Values, cipher: FieldCipher
) -> SchoolRequest:
    """Create the school that is missing; whoever asked is told, and chooses it. Raises also as `create_school`."""
    request = _decidable(db, call, request_id, Act.CREATE)
    created = schools.create_school(db, call, school, cipher)
    return _answer(db, call, request, Act.CREATE, created, "")


def answer_with_school(db: Session, call: Call, request_id: uuid.UUID, school_id: uuid.UUID) -> SchoolRequest:
    """The school is in the list, under another name. Raises Conflict for one that takes no teachers."""
    request = _decidable(db, call, request_id, Act.FIND)
    queries.hold_schools(db, [school_id])
    school = queries.get_school(db, school_id)
    lifecycle.require_real(other=school.other)
    school_rules.require_open(SchoolState(school.state))
    return _answer(db, call, request, Act.FIND, school, "")


def reject_request(db: Session, call: Call, request_id: uuid.UUID, reason: str) -> SchoolRequest:
    """There is no such school here, or it is somebody else's to create."""
    request = _decidable(db, call, request_id, Act.REJECT)
    return _answer(db, call, request, Act.REJECT, None, reason)


def payload_of(request: SchoolRequest, school_name: str, askers: list[uuid.UUID]) -> Values:
    """The request as `org.school_request_changed` tells it."""
    return {
        "request_id": str(request.request_id),
        "version": request.version,
        "place": request.place,
        "state": str(request.state),
        "school_id": str(request.school_id) if request.school_id else None,
        "school_name": school_name,
        "account_ids": [str(account_id) for account_id in askers],
    }


def _decidable(db: Session, call: Call, request_id: uuid.UUID, act: Act) -> SchoolRequest:
    request = queries.lock_request(db, request_id)
    call.authorise(place=request.place, missing="org.request_unknown")
    rules.require_other_person(queries.list_askers(db, request_id), call.actor.account_id)
    rules.next_state(RequestState(request.state), act)
    return request


def _answer(
    db: Session, call: Call, request: SchoolRequest, act: Act, school: School | None, reason: str
) -> SchoolRequest:
    before = RequestState(request.state)
    request.state = rules.next_state(before, act)
    request.school_id, request.reason = school.school_id if school else None, reason
    request.decided_by, request.decided_at = call.actor.account_id, call.now
    _tell(db, call, request, before, school.name if school else "")
    return request


def _tell(db: Session, call: Call, request: SchoolRequest, before: RequestState | None, school_name: str = "") -> None:
    request.version += 1
    db.flush()
    askers = queries.list_askers(db, request.request_id)
    outbox.announce(db, SCHOOL_REQUEST_CHANGED, request.request_id, payload_of(request, school_name, askers))
    audit.record(
        db,
        call,
        subject=request.request_id,
        place=request.place,
        reason=request.reason,
        before={"state": before} if before else {},
        after={"state": str(request.state), "askers": request.askers, "school_id": str(request.school_id or "")},
    )
