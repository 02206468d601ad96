"""What org does when identity says that two accounts are one person, were not after all, or that a person is erased."""

from __future__ import annotations

import itertools
import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from services.identity.contract.person import MERGE_UNDONE, PERSON_ERASED, PERSONS_MERGED
from services.org import contract
from services.org.contract.staffing import EMPLOYMENT_CHANGED
from services.org.models import MembershipPeriod
from services.org.transfers.models import Transfer
from services.shared.actor import Actor
from services.shared.errors import Conflict, NotFound
from services.shared.ids import new_id
from services.shared.tables import audit
from tests.component.org.conftest import Org
from tests.component.org.test_staffing import proof
from tests.component.org.test_transfers import number

pytestmark = pytest.mark.postgres


def merge(org: Org, merged: Actor, kept: Actor, version: int = 1) -> None:
    org.component.deliver("on_persons_merged", PERSONS_MERGED, pair(merged, kept, version))


def undo(org: Org, merged: Actor, kept: Actor, version: int = 2) -> None:
    org.component.deliver("on_merge_undone", MERGE_UNDONE, pair(merged, kept, version))


def erase(org: Org, account: Actor) -> None:
    org.component.deliver("on_person_erased", PERSON_ERASED, {"account_id": str(account.account_id), "version": 1})


def pair(merged: Actor, kept: Actor, version: int) -> dict[str, Any]:
    return {"merged_id": str(merged.account_id), "kept_id": str(kept.account_id), "version": version}


def where(org: Org, teacher: Actor) -> tuple[str, str | None]:
    """Her state and school; ("", None) before the first choice."""
    try:
        found = org.call("get_own_membership", actor=teacher)
    except NotFound:
        return "", None
    return found["state"], None if found["state"] == "RELEASED" else found["school_id"]


def stays(org: Org, teacher: Actor) -> list[tuple[str, str | None]]:
    return [(s["opened_by"], s["closed_by"]) for s in org.call("list_own_periods", actor=teacher)["items"]]


def test_the_merged_account_belongs_nowhere_and_the_kept_one_goes_on(org: Org) -> None:
    school, other = org.school(), org.school()
    kept, merged = org.member(school, "VERIFIED"), org.member(other, "VERIFIED")
    merge(org, merged, kept)
    assert where(org, kept) == ("VERIFIED", school["school_id"])
    assert where(org, merged) == ("RELEASED", None)
    assert stays(org, merged) == [("CHOOSE", "MERGE")]
    told = org.announced(contract.MEMBERSHIP_CHANGED, teacher_id=str(merged.account_id))[-1]
    assert (told["state"], told["place"], told["school_id"]) == ("RELEASED", "", None)
    undo(org, merged, kept)
    assert where(org, merged) == ("VERIFIED", other["school_id"])
    assert stays(org, merged) == [("CHOOSE", "MERGE"), ("REOPEN", None)]
    assert where(org, kept) == ("VERIFIED", school["school_id"])
    assert proof(org) == []


# From nothing to verified: of two stays the one that says more goes on.
STANDINGS = ("NONE", "OTHER", "PENDING", "VERIFIED")


@pytest.mark.parametrize(("merged_at", "kept_at"), list(itertools.product(STANDINGS, STANDINGS)))
def test_every_pair_of_stays_merged_and_taken_apart_again(org: Org, merged_at: str, kept_at: str) -> None:
    def somebody(standing: str) -> Actor:
        if standing in ("PENDING", "VERIFIED"):
            return org.member(org.school(), standing)
        teacher = org.person()
        if standing == "OTHER":
            org.call("choose_school", {"other_of": "440104"}, teacher)
        return teacher

    merged, kept = somebody(merged_at), somebody(kept_at)
    before = where(org, merged), where(org, kept)
    merge(org, merged, kept)
    takes_over = STANDINGS.index(merged_at) > STANDINGS.index(kept_at)
    assert where(org, kept) == (before[0] if takes_over else before[1])
    assert where(org, merged)[1] is None
    undo(org, merged, kept)
    after = where(org, merged), where(org, kept)
    # An account that had no row at all now has one that says "nowhere".
    assert [("", None) if state == "RELEASED" else (state, school) for state, school in after] == list(before)


def test_the_employment_status_goes_with_the_stay(org: Org) -> None:
    school = org.school()
    merged, kept = org.member(school, "VERIFIED"), org.person()
    org.call("archive_teacher", {"teacher_id": str(merged.account_id), "status": "SECONDED"}, org.admin_of(school))
    merge(org, merged, kept)
    told = org.announced(EMPLOYMENT_CHANGED, teacher_id=str(kept.account_id))
    assert [(event["version"], event["status"], event["place"]) for event in told] == [(1, "SECONDED", school["place"])]
    undo(org, merged, kept)
    told = org.announced(EMPLOYMENT_CHANGED, teacher_id=str(kept.account_id))
    assert [(event["version"], event["status"]) for event in told] == [(1, "SECONDED"), (2, "ON_DUTY")]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_events_that_come_late_twice_or_out_of_order_end_the_same(org: Org, order: tuple[int, ...]) -> None:
    school = org.school()
    merged, kept = org.member(school, "VERIFIED"), org.person()
    steps = [
        lambda: merge(org, merged, kept, 1),
        lambda: undo(org, merged, kept, 2),
        lambda: merge(org, merged, kept, 3),
    ]
    for number_ in order:
        steps[number_]()
        steps[number_]()
    assert where(org, kept) == ("VERIFIED", school["school_id"])
    assert where(org, merged) == ("RELEASED", None)
    undo(org, merged, kept, 4)
    assert where(org, merged) == ("VERIFIED", school["school_id"])
    assert where(org, kept)[1] is None


def test_undoing_leaves_alone_what_has_happened_since(org: Org) -> None:
    first, second = org.school(), org.school()
    merged, kept = org.member(first, "VERIFIED"), org.person()
    merge(org, merged, kept)
    decided = {"teacher_id": str(kept.account_id), "reason": "调离"}
    org.call("release_membership", decided, org.admin_of(first))
    org.call("choose_school", {"school_id": second["school_id"]}, kept)
    undo(org, merged, kept)
    assert where(org, kept) == ("PENDING", second["school_id"])
    assert where(org, merged) == ("VERIFIED", first["school_id"])


def test_a_stay_is_not_taken_up_again_at_a_school_that_has_ended(org: Org) -> None:
    school = org.school()
    merged, kept = org.member(school, "VERIFIED"), org.member(org.school(), "VERIFIED")
    merge(org, merged, kept)
    with org.component.database.work() as db:
        db.execute(sa.text("UPDATE school SET state = 'CLOSED' WHERE school_id = :id"), {"id": school["school_id"]})
    undo(org, merged, kept)
    assert where(org, merged) == ("RELEASED", None)


def test_the_merged_accounts_rights_end_and_do_not_come_back_by_themselves(org: Org) -> None:
    school = org.school()
    merged, kept = org.member(school, "VERIFIED"), org.member(school, "VERIFIED")
    held = {"account_id": str(merged.account_id), "role": "PRINCIPAL", "place": school["place"]}
    org.call("bootstrap_grant", held)
    merge(org, merged, kept)
    assert org.announced(contract.GRANTS_CHANGED, account_id=str(merged.account_id))[-1]["grants"] == []
    undo(org, merged, kept)
    assert org.announced(contract.GRANTS_CHANGED, account_id=str(merged.account_id))[-1]["grants"] == []
    with org.component.database.work() as db:
        rows = db.execute(
            sa.select(audit).where(audit.c.subject == merged.account_id, audit.c.action == "on_persons_merged")
        ).all()
    assert [(row.actor, row.reason, row.after["state"]) for row in rows] == [("service:identity", "MERGE", "REVOKED")]


def test_a_number_leads_to_the_person_and_so_does_what_billing_is_asked(org: Org) -> None:
    old, new = org.school(), org.school()
    kept, merged = org.member(old, "VERIFIED"), org.member(old, "VERIFIED")
    number(org, kept)
    second_number = number(org, merged)
    merge(org, merged, kept)
    # That a merge settles no debt is billing's to know: org asks about the person who goes on.
    org.billing.hold(kept.account_id, "SPECIAL_USER")
    ask = {"school_id": new["school_id"], "learner_no": second_number}
    with pytest.raises(Conflict, match=r"org\.transfer_special_user"):
        org.call("request_transfer", ask, org.admin_of(new))
    org.billing.lift(kept.account_id)
    assert org.call("request_transfer", ask, org.admin_of(new))["teacher_id"] == str(kept.account_id)


def test_a_request_for_the_merged_account_is_over(org: Org) -> None:
    old, new = org.school(), org.school()
    merged, kept = org.member(old, "VERIFIED"), org.member(old, "VERIFIED")
    ask = {"school_id": new["school_id"], "learner_no": number(org, merged)}
    asked = org.call("request_transfer", ask, org.admin_of(new))
    merge(org, merged, kept)
    found = org.call("get_transfer", {"transfer_id": asked["transfer_id"]}, org.admin_of(new))
    assert (found["state"], found["reason"]) == ("WITHDRAWN", "MERGE")


def test_an_erased_person_belongs_nowhere_holds_nothing_and_nobodys_words_about_her_are_left(org: Org) -> None:
    school, new = org.school(), org.school()
    teacher = org.member(school, "VERIFIED")
    ask = {"school_id": new["school_id"], "learner_no": number(org, teacher), "note": "张老师随迁"}
    org.call("request_transfer", ask, org.admin_of(new))
    granted = {"account_id": str(teacher.account_id), "role": "PRINCIPAL", "place": school["place"]}
    org.call("bootstrap_grant", granted)
    for _ in range(2):
        erase(org, teacher)
    assert where(org, teacher) == ("RELEASED", None)
    assert org.announced(contract.GRANTS_CHANGED, account_id=str(teacher.account_id))[-1]["grants"] == []
    with org.component.database.work() as db:
        transfer = db.scalars(sa.select(Transfer).where(Transfer.teacher_id == teacher.account_id)).one()
        stay = db.scalars(sa.select(MembershipPeriod).where(MembershipPeriod.teacher_id == teacher.account_id)).one()
    assert (transfer.state, transfer.note, transfer.reason) == ("WITHDRAWN", "", "ERASE")
    # Hours stay attributed by it, under the id that leads to nobody.
    assert (stay.closed_by, str(stay.school_id)) == ("ERASE", school["school_id"])


def test_the_reason_of_an_old_rejection_goes_with_the_person(org: Org) -> None:
    school = org.school()
    teacher = org.member(school)
    rejected = {"teacher_id": str(teacher.account_id), "reason": "张老师不是本校教师"}
    org.call("reject_membership", rejected, org.admin_of(school))
    erase(org, teacher)
    assert org.call("get_own_membership", actor=teacher)["reason"] == "ERASE"


def test_whoever_has_nothing_here_is_merged_and_erased_without_a_trace(org: Org) -> None:
    one, other = org.person(uuid.uuid4()), org.person(new_id())
    merge(org, one, other)
    undo(org, one, other)
    erase(org, one)
    for teacher in (one, other):
        assert where(org, teacher) == ("", None)
