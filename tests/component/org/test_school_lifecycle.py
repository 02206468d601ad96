"""Suspending, merging, closing and reopening a school, with its teachers, staff and codes."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from services.org import contract
from services.org.contract.delegation import CodeState
from services.org.contract.units import SCHOOL_CHANGED
from services.org.delegation.models import AdminSeat
from services.org.models import AdminGrant, MembershipPeriod
from services.shared.actor import Actor, Role
from services.shared.errors import Conflict, InvalidInput, NotAllowed, NotFound, ServiceError
from services.shared.ids import new_id
from services.shared.tables import audit
from tests.component.org.conftest import GUANGZHOU, HAIZHU, YUEXIU, Org
from tests.component.org.test_school_editing import code_of, edit, keeper

pytestmark = pytest.mark.postgres

COMMANDS = ("suspend_school", "resume_school", "merge_school", "close_school", "reopen_school")


def act(org: Org, method: str, school: dict[str, Any], actor: Actor | None = None, **more: Any) -> dict[str, Any]:
    shown = org.component.call("get_school", {"school_id": school["school_id"]})
    arguments = {"school_id": school["school_id"], "version": shown["version"], "reason": "区教育局文件", **more}
    reply: dict[str, Any] = org.call(method, arguments, actor or keeper(org))
    return reply


def state_of(org: Org, school: dict[str, Any]) -> str:
    shown: dict[str, Any] = org.component.call("get_school", {"school_id": school["school_id"]})
    return str(shown["state"])


def membership_of(org: Org, teacher: Actor) -> dict[str, Any]:
    reply: dict[str, Any] = org.call("get_own_membership", {}, teacher)
    return reply


def periods_of(org: Org, teacher: Actor) -> list[MembershipPeriod]:
    with org.component.database.work() as db:
        return list(
            db.scalars(
                sa.select(MembershipPeriod)
                .where(MembershipPeriod.teacher_id == teacher.account_id)
                .order_by(MembershipPeriod.opened_at, MembershipPeriod.period_id)
            )
        )


def grants_at(org: Org, place: str) -> list[str]:
    with org.component.database.work() as db:
        rows = db.scalars(sa.select(AdminGrant).where(AdminGrant.place == place).order_by(AdminGrant.grant_id))
        return [row.state for row in rows]


def hold(org: Org, role: Role, place: str) -> str:
    account_id = str(new_id())
    org.call("bootstrap_grant", {"account_id": account_id, "role": role, "place": place})
    return account_id


# --- who, and when --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", COMMANDS)
@pytest.mark.parametrize(
    ("role", "place", "error"),
    [
        (Role.COUNTY_ADMIN, HAIZHU, NotFound),
        (Role.CITY_ADMIN, GUANGZHOU, NotAllowed),
        (Role.SCHOOL_ADMIN, "", NotAllowed),
        (Role.PRINCIPAL, "", NotAllowed),
        (Role.DISTRICT_INSTITUTION, YUEXIU, NotAllowed),
        (Role.AUDITOR, "CN", NotAllowed),
    ],
)
def test_only_the_keeper_ends_or_resumes_a_school(
    org: Org, method: str, role: Role, place: str, error: type[Exception]
) -> None:
    school, into = org.school(), org.school()
    more = {"into": into["school_id"]} if method == "merge_school" else {}
    with pytest.raises(error):
        act(org, method, school, org.person(None, (role, place or school["place"])), **more)


@pytest.mark.parametrize("method", COMMANDS)
def test_neither_an_unknown_school_nor_other_is_acted_upon(org: Org, method: str) -> None:
    into = org.school()
    more = {"into": into["school_id"]} if method == "merge_school" else {}
    unknown = {"school_id": str(new_id()), "version": 1, "reason": "无", **more}
    with pytest.raises(NotFound, match=r"org\.school_unknown"):
        org.call(method, unknown, keeper(org))
    other = org.call("choose_school", {"other_of": "440104"}, org.person())
    with pytest.raises(Conflict, match=r"org\.other_is_fixed"):
        act(org, method, other, **more)


@pytest.mark.parametrize("method", COMMANDS)
def test_each_act_needs_the_version_and_a_reason(org: Org, method: str) -> None:
    school, into = org.school(), org.school()
    more = {"into": into["school_id"]} if method == "merge_school" else {}
    with pytest.raises(Conflict, match=r"org\.school_version"):
        act(org, method, school, **{"version": 7, **more})
    with pytest.raises(InvalidInput):
        act(org, method, school, **{"reason": " ", **more})


def brought_to(org: Org, state: str) -> dict[str, Any]:
    school = org.school(code=code_of())
    if state == "SUSPENDED":
        act(org, "suspend_school", school)
    elif state == "CLOSED":
        act(org, "close_school", school)
    elif state == "MERGED":
        act(org, "merge_school", school, into=org.school()["school_id"])
    return school


@pytest.mark.parametrize(
    ("state", "method", "refusal"),
    [
        ("SUSPENDED", "suspend_school", "org.school_not_active"),
        ("MERGED", "suspend_school", "org.school_not_active"),
        ("CLOSED", "suspend_school", "org.school_not_active"),
        ("ACTIVE", "resume_school", "org.school_not_suspended"),
        ("MERGED", "resume_school", "org.school_not_suspended"),
        ("CLOSED", "resume_school", "org.school_not_suspended"),
        ("MERGED", "merge_school", "org.school_ended"),
        ("CLOSED", "merge_school", "org.school_ended"),
        ("MERGED", "close_school", "org.school_ended"),
        ("CLOSED", "close_school", "org.school_ended"),
        ("ACTIVE", "reopen_school", "org.school_not_ended"),
        ("SUSPENDED", "reopen_school", "org.school_not_ended"),
    ],
)
def test_every_refused_transition(org: Org, state: str, method: str, refusal: str) -> None:
    school = brought_to(org, state)
    more = {"into": org.school()["school_id"]} if method == "merge_school" else {}
    with pytest.raises(Conflict) as refused:
        act(org, method, school, **more)
    assert refused.value.code == refusal
    assert state_of(org, school) == state


@pytest.mark.parametrize("state", ["MERGED", "CLOSED"])
def test_a_school_that_has_ended_is_not_edited(org: Org, state: str) -> None:
    school = brought_to(org, state)
    shown = org.component.call("get_school", {"school_id": school["school_id"]})
    with pytest.raises(Conflict, match=r"org\.school_ended"):
        edit(org, shown, keeper(org), town="某")


# --- suspended ------------------------------------------------------------------------------------------------------


def test_a_suspended_school_takes_nobody_and_keeps_whom_it_has(org: Org) -> None:
    school = org.school()
    member = org.member(school, "VERIFIED")
    admin = hold(org, Role.SCHOOL_ADMIN, school["place"])
    suspended = act(org, "suspend_school", school)
    assert suspended["state"] == "SUSPENDED"
    assert membership_of(org, member)["state"] == "VERIFIED"
    with pytest.raises(Conflict, match=r"org\.school_closed"):
        org.member(school)
    found = org.component.call("list_schools", {"division": "440104", "q": school["name"]})["items"]
    assert found == []
    assert org.announced(contract.GRANTS_CHANGED, account_id=admin)[-1]["grants"] != []
    resumed = act(org, "resume_school", school)
    assert (resumed["state"], resumed["version"]) == ("ACTIVE", 3)
    org.member(school)
    states = [told["state"] for told in org.announced(SCHOOL_CHANGED, school_id=school["school_id"])]
    assert states == ["ACTIVE", "SUSPENDED", "ACTIVE"]


# --- merged ---------------------------------------------------------------------------------------------------------


def test_a_merger_takes_the_teachers_along_as_sure_as_they_were(org: Org) -> None:
    school, into = org.school(code=code_of()), org.school(code=code_of())
    verified, waiting = org.member(school, "VERIFIED"), org.member(school)
    archived, rejected = org.member(school, "VERIFIED"), org.member(school)
    admin = org.admin_of(school)
    org.call("archive_teacher", {"teacher_id": str(archived.account_id), "status": "RETIRED", "reason": "退休"}, admin)
    org.call("reject_membership", {"teacher_id": str(rejected.account_id), "reason": "非本校"}, admin)
    verified_at = periods_of(org, verified)[0].verified_at
    survivor = act(org, "merge_school", school, into=into["school_id"])
    assert survivor["school_id"] == into["school_id"]
    ended = org.component.call("get_school", {"school_id": school["school_id"]})
    assert (ended["state"], ended["merged_into"], ended["code"]) == ("MERGED", into["school_id"], None)
    for teacher, state in ((verified, "VERIFIED"), (waiting, "PENDING"), (archived, "VERIFIED")):
        now = membership_of(org, teacher)
        assert (now["school_id"], now["state"], now["place"]) == (into["school_id"], state, into["place"])
        told = org.announced(contract.MEMBERSHIP_CHANGED, teacher_id=str(teacher.account_id))[-1]
        assert (told["school_name"], told["place"], told["version"]) == (into["name"], into["place"], now["version"])
    first, second = periods_of(org, verified)
    assert (first.closed_by, str(first.school_id)) == ("SCHOOL_MERGED", school["school_id"])
    assert (second.opened_by, str(second.school_id), second.closed_at) == ("SCHOOL_MERGED", into["school_id"], None)
    assert first.closed_at == second.opened_at
    assert second.verified_at == verified_at
    # Whom it had rejected belongs nowhere, and chooses.
    assert membership_of(org, rejected)["state"] == "REJECTED"
    org.call("choose_school", {"school_id": into["school_id"]}, rejected)


def test_a_merger_ends_the_merged_schools_staff_and_no_other(org: Org) -> None:
    school, into = org.school(), org.school()
    admin, principal = hold(org, Role.SCHOOL_ADMIN, school["place"]), hold(org, Role.PRINCIPAL, school["place"])
    org.call("bootstrap_grant", {"account_id": admin, "role": Role.COUNTY_ADMIN, "place": HAIZHU})
    kept = hold(org, Role.SCHOOL_ADMIN, into["place"])
    act(org, "merge_school", school, into=into["school_id"])
    assert grants_at(org, school["place"]) == ["REVOKED", "REVOKED"]
    assert grants_at(org, into["place"]) == ["ACTIVE"]
    # Announced whole, also with what he holds elsewhere.
    assert org.announced(contract.GRANTS_CHANGED, account_id=admin)[-1]["grants"] == [["COUNTY_ADMIN", HAIZHU]]
    assert org.announced(contract.GRANTS_CHANGED, account_id=principal)[-1]["grants"] == []
    assert org.announced(contract.GRANTS_CHANGED, account_id=kept)[-1]["grants"] != []
    with org.component.database.work() as db:
        seats = db.scalars(sa.select(AdminSeat.standing).where(AdminSeat.place == school["place"])).all()
    assert seats == [False]


@pytest.mark.parametrize(
    ("keep", "kept", "void"), [("SURVIVING", "into", "school"), ("MERGED", "school", "into"), (None, "into", "school")]
)
def test_of_two_codes_one_remains(org: Org, keep: str | None, kept: str, void: str) -> None:
    codes = {"school": code_of(), "into": code_of()}
    school, into = org.school(code=codes["school"]), org.school(code=codes["into"])
    more = {"keep_code_of": keep} if keep else {}
    survivor = act(org, "merge_school", school, into=into["school_id"], **more)
    assert survivor["code"] == codes[kept]
    with pytest.raises(Conflict, match=r"org\.code_taken"):
        org.school(code=codes[void])
    with pytest.raises(Conflict, match=r"org\.code_taken"):
        org.school(code=codes[kept])


def test_a_code_of_another_kind_is_not_kept(org: Org) -> None:
    school = org.school(code=code_of("11"), school_type="KINDERGARTEN")
    into = org.school(code=code_of("21"))
    with pytest.raises(InvalidInput, match=r"org\.school_code_kind"):
        act(org, "merge_school", school, into=into["school_id"], keep_code_of="MERGED")
    temporary = org.school()
    with pytest.raises(Conflict, match=r"org\.no_code_to_keep"):
        act(org, "merge_school", temporary, into=into["school_id"], keep_code_of="MERGED")
    assert state_of(org, school) == state_of(org, temporary) == "ACTIVE"


def test_a_school_merges_with_a_neighbour_that_takes_teachers(org: Org) -> None:
    school = org.school()
    with pytest.raises(InvalidInput, match=r"org\.merge_into_itself"):
        act(org, "merge_school", school, into=school["school_id"])
    with pytest.raises(NotFound, match=r"org\.school_unknown"):
        act(org, "merge_school", school, into=str(new_id()))
    # Out of reach looks like unknown; the operator reaches both, and is told to move one first.
    abroad = org.school("440105")
    with pytest.raises(NotFound, match=r"org\.school_unknown"):
        act(org, "merge_school", school, into=abroad["school_id"])
    operator = org.person(None, (Role.NATIONAL_OPERATOR, "CN"))
    with pytest.raises(Conflict, match=r"org\.merge_elsewhere"):
        act(org, "merge_school", school, operator, into=abroad["school_id"])
    closed = brought_to(org, "SUSPENDED")
    with pytest.raises(Conflict, match=r"org\.school_closed"):
        act(org, "merge_school", school, into=closed["school_id"])
    other = org.call("choose_school", {"other_of": "440104"}, org.person())
    with pytest.raises(Conflict, match=r"org\.other_is_fixed"):
        act(org, "merge_school", school, into=other["school_id"])
    assert state_of(org, school) == "ACTIVE"


def test_the_same_merger_twice_is_one(org: Org) -> None:
    school, into = org.school(), org.school()
    arguments = {"school_id": school["school_id"], "version": 1, "reason": "合并", "into": into["school_id"]}
    actor = keeper(org)
    first = org.call("merge_school", arguments, actor, command_id="merge-once")
    assert org.call("merge_school", arguments, actor, command_id="merge-once") == first
    assert len(org.announced(SCHOOL_CHANGED, school_id=school["school_id"])) == 2


def test_a_merger_is_recorded_with_both_sides(org: Org) -> None:
    school, into = org.school(), org.school()
    org.member(school, "VERIFIED")
    actor = keeper(org)
    act(org, "merge_school", school, actor, into=into["school_id"])
    with org.component.database.work() as db:
        rows = db.execute(sa.select(audit).where(audit.c.actor == str(actor.account_id)).order_by(audit.c.id)).all()
    of_school = {str(row.subject): row for row in rows}
    merged = of_school[school["school_id"]]
    assert (merged.before["state"], merged.after["state"], merged.after["teachers"]) == ("ACTIVE", "MERGED", 1)
    assert merged.after["merged_into"] == into["school_id"]
    assert of_school[into["school_id"]].after["merged"] == school["school_id"]
    assert merged.reason == "区教育局文件"


def test_a_large_school_merges_within_a_calls_deadline(org: Org) -> None:
    school, into = org.school(), org.school()
    teachers = [new_id() for _ in range(3000)]
    with org.component.database.work() as db:
        values = {"ids": teachers, "school": uuid.UUID(school["school_id"]), "place": school["place"]}
        db.execute(
            sa.text(
                "INSERT INTO membership (teacher_id, school_id, place, state, reason, version, changed_at)"
                " SELECT id, :school, :place, 'VERIFIED', '', 1, now() FROM unnest(CAST(:ids AS uuid[])) AS id"
            ),
            values,
        )
        db.execute(
            sa.text(
                "INSERT INTO membership_period (period_id, teacher_id, school_id, place, opened_by, opened_at)"
                " SELECT gen_random_uuid(), id, :school, :place, 'ADD', now() FROM unnest(CAST(:ids AS uuid[])) AS id"
            ),
            values,
        )
    act(org, "merge_school", school, into=into["school_id"])
    with org.component.database.work() as db:
        place = sa.text("SELECT count(*) FROM membership WHERE place = :place")
        assert db.scalar(place, {"place": into["place"]}) == 3000


# --- closed, reopened -----------------------------------------------------------------------------------------------


def test_a_school_with_teachers_on_duty_is_not_closed(org: Org) -> None:
    school = org.school()
    teacher = org.member(school, "VERIFIED")
    with pytest.raises(Conflict, match=r"org\.school_has_teachers"):
        act(org, "close_school", school)
    admin = org.admin_of(school)
    archive = {"teacher_id": str(teacher.account_id), "status": "RETIRED", "reason": "退休"}
    org.call("archive_teacher", archive, admin)
    assert act(org, "close_school", school)["state"] == "CLOSED"


def test_closing_lets_go_whoever_is_left(org: Org) -> None:
    """A teacher who merely waits must not be able to keep a phantom school alive."""
    code = code_of()
    school = org.school(code=code)
    waiting, archived = org.member(school), org.member(school, "VERIFIED")
    archive = {"teacher_id": str(archived.account_id), "status": "LEFT", "reason": "离职"}
    org.call("archive_teacher", archive, org.admin_of(school))
    admin = hold(org, Role.SCHOOL_ADMIN, school["place"])
    closed = act(org, "close_school", school)
    assert (closed["state"], closed["code"]) == ("CLOSED", None)
    left = membership_of(org, waiting)
    assert (left["state"], left["reason"]) == ("REJECTED", "区教育局文件")
    assert membership_of(org, archived)["state"] == "RELEASED"
    assert org.announced(contract.MEMBERSHIP_CHANGED, teacher_id=str(archived.account_id))[-1]["place"] == ""
    assert [period.closed_by for period in periods_of(org, archived)] == ["SCHOOL_CLOSED"]
    assert grants_at(org, school["place"]) == ["REVOKED"]
    assert org.announced(contract.GRANTS_CHANGED, account_id=admin)[-1]["grants"] == []
    with pytest.raises(Conflict, match=r"org\.code_taken"):
        org.school("440105", code=code)
    with pytest.raises(Conflict, match=r"org\.school_closed"):
        org.member(school)
    org.call("choose_school", {"school_id": org.school()["school_id"]}, waiting)
    # The name is free again, as a school's name is not its own for ever.
    org.school(name=school["name"])


def test_a_school_that_hangs_its_sign_again_takes_its_old_code(org: Org) -> None:
    code = code_of()
    school = org.school(code=code)
    act(org, "close_school", school)
    reopened = act(org, "reopen_school", school)
    assert (reopened["state"], reopened["code"], reopened["merged_into"]) == ("ACTIVE", code, None)
    org.member(school)
    with org.component.database.work() as db:
        seats = db.scalars(sa.select(AdminSeat.standing).where(AdminSeat.place == school["place"])).all()
    assert seats == [True]


def test_a_merged_school_comes_back_without_the_code_it_gave_away(org: Org) -> None:
    code = code_of()
    school, into = org.school(code=code), org.school()
    act(org, "merge_school", school, into=into["school_id"], keep_code_of="MERGED")
    reopened = act(org, "reopen_school", school)
    assert (reopened["state"], reopened["code"]) == ("ACTIVE", None)
    given, again = org.school(code=code_of()), org.school()
    act(org, "merge_school", given, into=again["school_id"])
    assert act(org, "reopen_school", given)["code"] == given["code"]


def test_a_code_void_by_a_change_of_kind_does_not_come_back(org: Org) -> None:
    school = org.school(code=code_of())
    edit(org, school, keeper(org), school_type="NINE_YEAR", code=None)
    act(org, "close_school", school)
    assert act(org, "reopen_school", school)["code"] is None


def test_a_school_does_not_reopen_under_a_name_that_is_taken(org: Org) -> None:
    school = org.school()
    act(org, "close_school", school)
    org.school(name=school["name"])
    with pytest.raises(Conflict, match=r"org\.name_taken"):
        act(org, "reopen_school", school)


# --- two at once ----------------------------------------------------------------------------------------------------


def test_whoever_chooses_a_school_while_it_closes_is_never_left_behind(org: Org) -> None:
    """Either she is there first, and is let go; or the school is closed first, and refuses her."""
    for _ in range(10):
        school = org.school()
        teachers = [org.person() for _ in range(3)]
        start = threading.Barrier(len(teachers) + 1)
        outcomes: list[str] = []

        def choose(teacher: Actor, school: dict[str, Any] = school, start: Any = start, out: Any = outcomes) -> None:
            start.wait()
            try:
                org.call("choose_school", {"school_id": school["school_id"]}, teacher)
                out.append("in")
            except ServiceError as error:
                out.append(error.code)

        threads = [threading.Thread(target=choose, args=(teacher,)) for teacher in teachers]
        for thread in threads:
            thread.start()
        start.wait()
        act(org, "close_school", school)
        for thread in threads:
            thread.join()
        assert set(outcomes) <= {"in", "org.school_closed"}
        with org.component.database.work() as db:
            left = db.scalar(
                sa.text("SELECT count(*) FROM membership WHERE place = :place AND state IN ('PENDING', 'VERIFIED')"),
                {"place": school["place"]},
            )
        assert left == 0


def test_issued_codes_of_a_closed_school_are_void(org: Org) -> None:
    school = org.school()
    generate = {"place": school["place"], "role": "SCHOOL_ADMIN"}
    org.call("generate_authority_code", generate, org.holder(Role.COUNTY_ADMIN, YUEXIU))
    act(org, "close_school", school)
    with org.component.database.work() as db:
        states = db.execute(
            sa.text("SELECT state, end_reason FROM authority_code WHERE place = :place"), {"place": school["place"]}
        ).all()
    assert [tuple(row) for row in states] == [(CodeState.VOID, "UNIT_ENDED")]
