"""Asking for a school that is missing, from 其他 to the certificate's right name (S0:107-112, W11)."""

from __future__ import annotations

import dataclasses
import threading
import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from services.identity.contract.person import MERGE_UNDONE, PERSON_ERASED, PERSONS_MERGED
from services.org.contract.units import SCHOOL_REQUEST_CHANGED
from services.shared.actor import Actor, Role
from services.shared.errors import Conflict, InvalidInput, NotAllowed, NotFound, ServiceError
from services.shared.ids import new_id
from services.shared.tables import audit
from tests.component.org.conftest import GUANGZHOU, HAIZHU, YUEXIU, Org, new_school
from tests.component.org.test_school_editing import keeper
from tests.component.org.test_school_lifecycle import act, membership_of

pytestmark = pytest.mark.postgres

DECISIONS = ("create_requested_school", "answer_school_request", "reject_school_request")


def waiting(org: Org, division: str = "440104") -> Actor:
    teacher = org.person()
    org.call("choose_school", {"other_of": division}, teacher)
    return teacher


def ask(org: Org, teacher: Actor, name: str | None = None, **changes: Any) -> dict[str, Any]:
    arguments = {"name": name or f"新办小学{uuid.uuid4().hex[:8]}", "school_type": "PRIMARY", "town": "北京街道"}
    reply: dict[str, Any] = org.call("request_school", {**arguments, **changes}, teacher)
    return reply


def answer(org: Org, method: str, request: dict[str, Any], actor: Actor | None = None, **more: Any) -> dict[str, Any]:
    extra: dict[str, Any] = {
        "create_requested_school": {"school": new_school(name=f"新办{uuid.uuid4().hex[:8]}")},
        "answer_school_request": {},
        "reject_school_request": {"reason": "不属本区"},
    }.get(method, {})
    if method == "answer_school_request" and "school_id" not in more:
        extra = {"school_id": org.school()["school_id"]}
    reply: dict[str, Any] = org.call(
        method, {"request_id": request["request_id"], **extra, **more}, actor or keeper(org)
    )
    return reply


def own(org: Org, teacher: Actor) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = org.call("list_own_school_requests", {}, teacher)["items"]
    return items


def test_from_other_to_the_new_school(org: Org) -> None:
    teacher = waiting(org)
    request = ask(org, teacher)
    assert (request["state"], request["place"], request["askers"]) == ("OPEN", YUEXIU, 1)
    created = answer(org, "create_requested_school", request, school=new_school(name=request["name"]))
    assert created["state"] == "CREATED"
    (mine,) = own(org, teacher)
    assert (mine["state"], mine["school_id"]) == ("CREATED", created["school_id"])
    org.call("choose_school", {"school_id": created["school_id"]}, teacher)
    assert membership_of(org, teacher)["school_name"] == request["name"]
    told = org.announced(SCHOOL_REQUEST_CHANGED, request_id=request["request_id"])
    assert [(each["state"], each["school_id"], each["school_name"]) for each in told] == [
        ("OPEN", None, ""),
        ("CREATED", created["school_id"], request["name"]),
    ]
    assert told[-1]["account_ids"] == [str(teacher.account_id)]


def test_colleagues_who_miss_the_same_school_ask_once_and_are_all_told(org: Org) -> None:
    first, second, third = waiting(org), waiting(org), waiting(org)
    name = f"第2中学{uuid.uuid4().hex[:6]}"
    request = ask(org, first, name)
    again = ask(org, second, f" {name.replace('2', '２')} ")
    assert (again["request_id"], again["askers"]) == (request["request_id"], 2)
    elsewhere = ask(org, waiting(org, "440105"), name)
    assert elsewhere["request_id"] != request["request_id"]
    rejected = answer(org, "reject_school_request", request)
    assert (rejected["state"], rejected["reason"]) == ("REJECTED", "不属本区")
    told = org.announced(SCHOOL_REQUEST_CHANGED, request_id=request["request_id"])[-1]
    assert told["account_ids"] == [str(first.account_id), str(second.account_id)]
    # Decided is decided: who asks later opens a new one.
    assert ask(org, third, name)["request_id"] != request["request_id"]


def test_the_school_was_there_under_another_name(org: Org) -> None:
    teacher, school = waiting(org), org.school()
    found = answer(org, "answer_school_request", ask(org, teacher), school_id=school["school_id"])
    assert (found["state"], found["school_id"]) == ("FOUND", school["school_id"])
    request = ask(org, waiting(org))
    suspended = org.school()
    act(org, "suspend_school", suspended)
    with pytest.raises(Conflict, match=r"org\.school_closed"):
        answer(org, "answer_school_request", request, school_id=suspended["school_id"])
    with pytest.raises(Conflict, match=r"org\.other_is_fixed"):
        answer(org, "answer_school_request", request, school_id=membership_of(org, teacher)["school_id"])
    with pytest.raises(NotFound, match=r"org\.school_unknown"):
        answer(org, "answer_school_request", request, school_id=str(new_id()))


def test_a_city_creates_its_direct_unit_for_a_countys_teacher(org: Org) -> None:
    request = ask(org, waiting(org))
    city = org.person(None, (Role.CITY_ADMIN, GUANGZHOU))
    with pytest.raises(NotAllowed, match=r"org\.not_directly_attached"):
        answer(org, "create_requested_school", request, city)
    created = answer(org, "create_requested_school", request, city, school=new_school("440100"))
    school = org.component.call("get_school", {"school_id": created["school_id"]})
    assert school["attachment"] == "CITY_DIRECT"


def test_who_asks_waits_in_other(org: Org) -> None:
    nobody, placed = org.person(), org.member(org.school())
    for teacher in (nobody, placed):
        with pytest.raises(Conflict, match=r"org\.not_in_other"):
            ask(org, teacher)


def test_a_guardian_asks_for_no_school(org: Org) -> None:
    teacher = waiting(org)
    with pytest.raises(NotAllowed, match=r"org\.teachers_only"):
        ask(org, dataclasses.replace(teacher, identity="GUARDIAN"))


def test_a_teacher_who_still_waits_for_approval_may_ask(org: Org) -> None:
    teacher = dataclasses.replace(waiting(org), waiting=True)
    assert ask(org, teacher)["state"] == "OPEN"
    assert len(own(org, teacher)) == 1


def test_one_school_at_a_time_and_not_one_that_is_listed(org: Org) -> None:
    teacher = waiting(org)
    for parent in ("440104", "440100"):
        school = org.school(parent)
        with pytest.raises(Conflict, match=r"org\.school_listed"):
            ask(org, teacher, school["name"])
    request = ask(org, teacher)
    with pytest.raises(Conflict, match=r"org\.request_open"):
        ask(org, teacher)
    with pytest.raises(Conflict, match=r"org\.request_open"):
        ask(org, teacher, request["name"])


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "校" * 101}, "name"),
        ({"name": "校\u202e门"}, "name"),
        ({"town": ""}, "town"),
        ({"school_type": "UNIVERSITY"}, "school_type"),
        ({"division_code": "440105"}, "division_code"),
    ],
)
def test_a_bad_request_is_refused_by_its_field(org: Org, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        ask(org, waiting(org), **changes)
    assert refused.value.field == field


def test_taking_it_back_leaves_it_to_the_others_and_the_last_one_ends_it(org: Org) -> None:
    first, second = waiting(org), waiting(org)
    name = f"撤回小学{uuid.uuid4().hex[:8]}"
    request = ask(org, first, name)
    ask(org, second, name)
    back = {"request_id": request["request_id"]}
    left = org.call("withdraw_school_request", back, first)
    assert (left["state"], left["askers"]) == ("OPEN", 1)
    with pytest.raises(NotFound, match=r"org\.request_unknown"):
        org.call("withdraw_school_request", back, first)
    ask(org, first)  # free to ask for another one
    over = org.call("withdraw_school_request", back, second)
    assert (over["state"], over["askers"]) == ("WITHDRAWN", 0)
    with pytest.raises(Conflict, match=r"org\.request_decided"):
        answer(org, "create_requested_school", request)


def test_nobody_takes_back_anothers_request(org: Org) -> None:
    request = ask(org, waiting(org))
    for stranger in (waiting(org), keeper(org)):
        with pytest.raises(NotFound, match=r"org\.request_unknown"):
            org.call("withdraw_school_request", {"request_id": request["request_id"]}, stranger)


@pytest.mark.parametrize("second", [*DECISIONS, "withdraw_school_request"])
@pytest.mark.parametrize("first", DECISIONS)
def test_a_request_is_decided_once(org: Org, first: str, second: str) -> None:
    teacher = waiting(org)
    request = ask(org, teacher)
    answer(org, first, request)
    with pytest.raises(Conflict, match=r"org\.request_decided"):
        answer(org, second, request, teacher if "withdraw" in second else None)


@pytest.mark.parametrize("method", DECISIONS)
@pytest.mark.parametrize(
    ("role", "place", "code"),
    [
        (Role.COUNTY_ADMIN, HAIZHU, "org.request_unknown"),
        (Role.SCHOOL_ADMIN, f"{YUEXIU}/s{'0' * 32}", "shared.not_allowed"),
        (Role.DISTRICT_INSTITUTION, YUEXIU, "shared.not_allowed"),
        (Role.AUDITOR, "CN", "shared.not_allowed"),
    ],
)
def test_only_the_regions_answer(org: Org, method: str, role: Role, place: str, code: str) -> None:
    request = ask(org, waiting(org))
    with pytest.raises(ServiceError) as refused:
        answer(org, method, request, org.person(None, (role, place)))
    assert refused.value.code == code


@pytest.mark.parametrize("method", DECISIONS)
def test_nobody_answers_what_he_asked(org: Org, method: str) -> None:
    account = new_id()
    teacher = org.person(account)
    org.call("choose_school", {"other_of": "440104"}, teacher)
    request = ask(org, teacher)
    with pytest.raises(NotAllowed, match=r"org\.request_own"):
        answer(org, method, request, org.person(account, (Role.COUNTY_ADMIN, YUEXIU)))


def test_a_refused_school_leaves_the_request_open(org: Org) -> None:
    request, school = ask(org, waiting(org)), org.school()
    with pytest.raises(Conflict, match=r"org\.name_taken"):
        answer(org, "create_requested_school", request, school=new_school(name=school["name"]))
    with pytest.raises(InvalidInput) as refused:
        answer(org, "create_requested_school", request, school={**new_school(), "head_mobile": "1"})
    assert refused.value.field == "school.head_mobile"
    assert answer(org, "reject_school_request", request)["state"] == "REJECTED"


def test_the_county_sees_what_waits_oldest_first_and_nobody_else_does(org: Org) -> None:
    made = [ask(org, waiting(org, "440106"))["request_id"] for _ in range(3)]
    tianhe = org.person(None, (Role.COUNTY_ADMIN, "CN/440000/440100/440106"))
    seen: list[str] = []
    cursor = None
    while True:
        arguments = {"division": "440106", "state": "OPEN", "limit": 2, "cursor": cursor}
        page = org.call("list_school_requests", arguments, tianhe)
        seen += [item["request_id"] for item in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert seen == made
    with pytest.raises(NotFound):
        org.call("list_school_requests", {"division": "440106"}, keeper(org))
    with pytest.raises(NotAllowed):
        org.call("list_school_requests", {"division": "440106"}, org.person())
    assert own(org, org.person()) == []


def test_a_decision_is_recorded(org: Org) -> None:
    request, actor = ask(org, waiting(org)), keeper(org)
    answer(org, "reject_school_request", request, actor)
    with org.component.database.work() as db:
        (row,) = db.execute(sa.select(audit).where(audit.c.actor == str(actor.account_id)))
    assert (row.before["state"], row.after["state"], row.reason) == ("OPEN", "REJECTED", "不属本区")


def test_two_who_ask_at_one_moment_share_one_request(org: Org) -> None:
    name = f"同时小学{uuid.uuid4().hex[:8]}"
    teachers = [waiting(org) for _ in range(6)]
    start = threading.Barrier(len(teachers))
    requests: list[str] = []

    def press(teacher: Actor) -> None:
        start.wait()
        requests.append(ask(org, teacher, name)["request_id"])

    threads = [threading.Thread(target=press, args=(teacher,)) for teacher in teachers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(requests) == len(teachers)
    assert len(set(requests)) == 1
    page = org.call("list_school_requests", {"division": "440104", "state": "OPEN", "limit": 200}, keeper(org))
    assert [item["askers"] for item in page["items"] if item["name"] == name] == [len(teachers)]


def test_what_a_merged_account_asked_for_is_the_same_persons(org: Org) -> None:
    merged, kept = waiting(org), org.person()
    request = ask(org, merged)
    pair = {"kept_id": str(kept.account_id), "merged_id": str(merged.account_id)}
    org.component.deliver("on_persons_merged", PERSONS_MERGED, {**pair, "version": 2})
    assert [mine["request_id"] for mine in own(org, kept)] == [request["request_id"]]
    with pytest.raises(Conflict, match=r"org\.request_open"):
        ask(org, kept)
    taken_back = org.call("withdraw_school_request", {"request_id": request["request_id"]}, kept)
    assert taken_back["state"] == "WITHDRAWN"
    org.component.deliver("on_merge_undone", MERGE_UNDONE, {**pair, "version": 3})
    assert own(org, kept) == []


def test_an_erased_person_asks_no_longer(org: Org) -> None:
    gone, colleague = waiting(org), waiting(org)
    name = f"注销小学{uuid.uuid4().hex[:8]}"
    request = ask(org, gone, name)
    ask(org, colleague, name)
    org.component.deliver("on_asker_erased", PERSON_ERASED, {"account_id": str(gone.account_id), "version": 2})
    (left,) = own(org, colleague)
    assert (left["request_id"], left["state"], left["askers"]) == (request["request_id"], "OPEN", 1)
