"""A school's teachers: the review queue, archive and restore, lists of a territory, counts, stays, the desk."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from services.org.contract.staffing import EMPLOYMENT_CHANGED
from services.org.staffing.models import StaffCount, StaffCountChange
from services.shared import clock
from services.shared.actor import Actor, Role, service_actor
from services.shared.errors import Conflict, InvalidInput, NotAllowed, NotFound
from services.shared.tables import audit
from tests.component.org.conftest import CLI, GUANGZHOU, HAIZHU, YUEXIU, Org
from tests.conftest import FixedClock

pytestmark = pytest.mark.postgres


def one(teacher: Actor, **more: Any) -> dict[str, Any]:
    return {"teacher_id": str(teacher.account_id), **more}


def many(*teachers: Actor, **more: Any) -> dict[str, Any]:
    return {"teacher_ids": [str(teacher.account_id) for teacher in teachers], **more}


def outcomes(reply: dict[str, Any]) -> list[tuple[str, str]]:
    return [(row["outcome"], row["code"]) for row in reply["rows"]]


def ids(page: dict[str, Any]) -> list[str]:
    return [item["teacher_id"] for item in page["items"]]


def county(org: Org, place: str = YUEXIU) -> Actor:
    return org.person(None, (Role.COUNTY_ADMIN, place))


# --- the review queue -----------------------------------------------------------------------------------------------


def test_the_queue_shows_who_waits_longest_first_with_the_days(org: Org, fixed_clock: FixedClock) -> None:
    school, start = org.school(), fixed_clock.instant
    waiting = []
    for days in (0, 3, 10):
        fixed_clock.instant = start + dt.timedelta(days=days)
        waiting.append(org.member(school))
    org.member(school, "VERIFIED")
    fixed_clock.instant = start + dt.timedelta(days=10)
    admin = org.admin_of(school)
    first = org.call("list_reviews", {"school_id": school["school_id"], "limit": 2}, admin)
    rest = org.call("list_reviews", {"school_id": school["school_id"], "cursor": first["next_cursor"]}, admin)
    shown = first["items"] + rest["items"]
    assert [item["teacher_id"] for item in shown] == [str(teacher.account_id) for teacher in waiting]
    assert [item["days_waiting"] for item in shown] == [10, 7, 0]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize("role", [Role.COUNTY_ADMIN, Role.PROVINCE_ADMIN, Role.CITY_CENTRE, Role.AUDITOR])
def test_the_queue_is_the_schools_own(org: Org, role: Role) -> None:
    school = org.school()
    with pytest.raises(NotAllowed):
        org.call("list_reviews", {"school_id": school["school_id"]}, org.person(None, (role, "CN")))
    with pytest.raises(NotFound, match=r"org\.school_unknown"):
        org.call("list_reviews", {"school_id": school["school_id"]}, org.admin_of(org.school()))


def test_a_queue_is_decided_at_once_and_each_row_answers_for_itself(org: Org) -> None:
    school = org.school()
    admin, elsewhere = org.admin_of(school), org.member(org.school())
    first, second, verified = org.member(school), org.member(school), org.member(school, "VERIFIED")
    reply = org.call("verify_memberships", many(first, elsewhere, verified, second, first), admin)
    assert outcomes(reply) == [
        ("DONE", ""),
        ("REFUSED", "org.membership_unknown"),
        ("REFUSED", "org.not_pending"),
        ("DONE", ""),
        ("REFUSED", "org.not_pending"),  # named twice
    ]
    for teacher, state in ((first, "VERIFIED"), (second, "VERIFIED"), (elsewhere, "PENDING")):
        assert org.call("get_own_membership", actor=teacher)["state"] == state
    announced = org.announced("org.membership_changed", teacher_id=str(first.account_id))
    assert [event["state"] for event in announced] == ["PENDING", "VERIFIED"]
    with org.component.database.work() as db:
        recorded = db.scalars(sa.select(audit.c.subject).where(audit.c.actor == str(admin.account_id))).all()
    assert set(recorded) >= {first.account_id, second.account_id}
    assert elsewhere.account_id not in recorded


def test_many_are_rejected_for_one_reason(org: Org) -> None:
    school = org.school()
    teachers = [org.member(school) for _ in range(3)]
    reply = org.call("reject_memberships", many(*teachers, reason="不是本校教师"), org.admin_of(school))
    assert outcomes(reply) == [("DONE", "")] * 3
    assert {org.call("get_own_membership", actor=each)["reason"] for each in teachers} == {"不是本校教师"}


def test_the_bulk_decision_never_decides_about_the_one_who_decides(org: Org) -> None:
    school, account = org.school(), uuid.uuid4()
    admin = org.person(account, (Role.SCHOOL_ADMIN, school["place"]))
    org.call("choose_school", {"school_id": school["school_id"]}, admin)
    assert outcomes(org.call("verify_memberships", many(admin), admin)) == [("REFUSED", "org.not_yourself")]


def test_a_bulk_decision_without_any_success_is_an_answer_too(org: Org) -> None:
    stranger = org.admin_of(org.school())
    known, unknown = org.member(org.school()), org.person()
    assert (
        outcomes(org.call("verify_memberships", many(known, unknown), stranger))
        == [("REFUSED", "org.membership_unknown")] * 2
    )


@pytest.mark.parametrize("count", [0, 101])
def test_a_bulk_decision_takes_one_to_a_hundred(org: Org, count: int) -> None:
    with pytest.raises(InvalidInput) as refused:
        org.call("verify_memberships", many(*(org.person() for _ in range(count))), org.admin_of(org.school()))
    assert refused.value.field == "teacher_ids"


def test_a_hundred_take_a_handful_of_statements(org: Org) -> None:
    from sqlalchemy import event

    school = org.school()
    accounts = [uuid.uuid4() for _ in range(100)]
    rows = [{"row": n, "account_id": str(each), "school_id": school["school_id"]} for n, each in enumerate(accounts)]
    org.call("import_memberships", {"rows": rows}, CLI)
    statements: list[str] = []
    engine = org.component.database.app
    event.listen(engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    reply = org.call("verify_memberships", {"teacher_ids": [str(each) for each in accounts]}, org.admin_of(school))
    assert {row["outcome"] for row in reply["rows"]} == {"DONE"}
    assert len(statements) < 20


# --- archive and restore --------------------------------------------------------------------------------------------


def test_a_teacher_is_archived_and_restored_and_both_are_told_and_recorded(org: Org) -> None:
    school = org.school()
    admin, teacher = org.admin_of(school), org.member(school, "VERIFIED")
    gone = org.call("archive_teacher", one(teacher, status="RETIRED", reason="已办理退休"), admin)
    back = org.call("restore_teacher", one(teacher), admin)
    assert (gone["employment"], back["employment"], back["state"]) == ("RETIRED", "ON_DUTY", "VERIFIED")
    told = org.announced(EMPLOYMENT_CHANGED, teacher_id=str(teacher.account_id))
    assert [(event["version"], event["status"], event["place"]) for event in told] == [
        (1, "RETIRED", school["place"]),
        (2, "ON_DUTY", school["place"]),
    ]
    with org.component.database.work() as db:
        rows = db.execute(
            sa.select(audit).where(audit.c.subject == teacher.account_id, audit.c.action == "archive_teacher")
        ).all()
    assert [(row.before, row.after["employment"], row.reason) for row in rows] == [
        ({"employment": "ON_DUTY"}, "RETIRED", "已办理退休")
    ]


def test_every_refused_change_of_status(org: Org) -> None:
    school = org.school()
    admin, teacher, pending = org.admin_of(school), org.member(school, "VERIFIED"), org.member(school)
    with pytest.raises(InvalidInput, match=r"org\.archive_type"):
        org.call("archive_teacher", one(teacher, status="ON_DUTY"), admin)
    with pytest.raises(InvalidInput, match=r"shared\.invalid"):
        org.call("archive_teacher", one(teacher, status="GONE"), admin)
    with pytest.raises(Conflict, match=r"org\.not_archived"):
        org.call("restore_teacher", one(teacher), admin)
    with pytest.raises(Conflict, match=r"org\.not_verified"):
        org.call("archive_teacher", one(pending, status="LEFT"), admin)
    org.call("archive_teacher", one(teacher, status="LEFT"), admin)
    with pytest.raises(Conflict, match=r"org\.archived_already"):
        org.call("archive_teacher", one(teacher, status="RETIRED"), admin)
    assert len(org.announced(EMPLOYMENT_CHANGED, teacher_id=str(teacher.account_id))) == 1


def test_only_the_own_schools_admin_archives_and_nobody_himself(org: Org) -> None:
    school, account = org.school(), uuid.uuid4()
    teacher = org.member(school, "VERIFIED")
    for role, place in ((Role.COUNTY_ADMIN, YUEXIU), (Role.PRINCIPAL, school["place"])):
        with pytest.raises(NotAllowed):
            org.call("archive_teacher", one(teacher, status="LEFT"), org.person(None, (role, place)))
    stranger = org.admin_of(org.school())
    with pytest.raises(NotFound) as forbidden:
        org.call("archive_teacher", one(teacher, status="LEFT"), stranger)
    with pytest.raises(NotFound) as unknown:
        org.call("archive_teacher", one(org.person(), status="LEFT"), stranger)
    assert forbidden.value.args == unknown.value.args
    himself = org.person(account, (Role.SCHOOL_ADMIN, school["place"]))
    org.call("choose_school", {"school_id": school["school_id"]}, himself)
    org.call("verify_membership", one(himself), org.admin_of(school))
    with pytest.raises(NotAllowed, match=r"org\.not_yourself"):
        org.call("archive_teacher", one(himself, status="LEFT"), himself)


@pytest.mark.parametrize(("status", "refused"), [("LEFT", True), ("RETIRED", True), ("SICK_LEAVE", False)])
def test_whoever_administers_the_school_does_not_leave_it_unnoticed(org: Org, status: str, refused: bool) -> None:
    school = org.school()
    admin, colleague = org.admin_of(school), org.member(school, "VERIFIED")
    held = {"account_id": str(colleague.account_id), "role": "PRINCIPAL", "place": school["place"]}
    org.call("bootstrap_grant", held)
    if refused:
        with pytest.raises(Conflict, match=r"org\.ends_grants_first"):
            org.call("archive_teacher", one(colleague, status=status), admin)
    else:
        assert org.call("archive_teacher", one(colleague, status=status), admin)["employment"] == status


def test_many_are_archived_and_restored_each_by_herself(org: Org) -> None:
    school = org.school()
    admin = org.admin_of(school)
    teachers = [org.member(school, "VERIFIED") for _ in range(3)]
    waiting, elsewhere = org.member(school), org.member(org.school(), "VERIFIED")
    reply = org.call("archive_teachers", many(*teachers, waiting, elsewhere, status="LEFT", reason="调离"), admin)
    assert outcomes(reply) == [("DONE", "")] * 3 + [
        ("REFUSED", "org.not_verified"),
        ("REFUSED", "org.membership_unknown"),
    ]
    again = org.call("restore_teachers", many(teachers[0], teachers[0], waiting), admin)
    assert outcomes(again) == [("DONE", ""), ("REFUSED", "org.not_archived"), ("REFUSED", "org.not_verified")]
    told = org.announced(EMPLOYMENT_CHANGED, teacher_id=str(teachers[0].account_id))
    assert [event["status"] for event in told] == ["LEFT", "ON_DUTY"]


def test_the_snapshot_tells_a_status_as_the_event_did_and_only_where_one_was_told(org: Org) -> None:
    school = org.school()
    teacher, quiet = org.member(school, "VERIFIED"), org.member(school, "VERIFIED")
    org.call("archive_teacher", one(teacher, status="ABROAD"), org.admin_of(school))

    def told(who: Actor) -> list[dict[str, Any]]:
        assert who.account_id is not None
        before = str(uuid.UUID(int=who.account_id.int - 1))
        question = {"type": EMPLOYMENT_CHANGED, "after": [before], "limit": 1}
        items = org.call("read_snapshot", question, CLI)["items"]
        return [item["payload"] for item in items if item["key"] == [str(who.account_id)]]

    assert told(teacher) == org.announced(EMPLOYMENT_CHANGED, teacher_id=str(teacher.account_id))
    assert told(quiet) == []


# --- lists of a territory -------------------------------------------------------------------------------------------


@pytest.fixture
def staffed(org: Org) -> dict[str, Any]:
    """A county of its own with two schools: verified, waiting, archived, released teachers, and one in 其他."""
    code = "440112"  # 黄埔区: nothing else in these tests is there
    place = f"{GUANGZHOU}/{code}"
    here, there = org.school(code), org.school(code)
    people = {
        "verified": org.member(here, "VERIFIED"),
        "waiting": org.member(here),
        "archived": org.member(here, "VERIFIED"),
        "released": org.member(here, "VERIFIED"),
        "colleague": org.member(there, "VERIFIED"),
        "other": org.person(),
    }
    org.call("choose_school", {"other_of": code}, people["other"])
    org.call("archive_teacher", one(people["archived"], status="RETIRED"), org.admin_of(here))
    org.call("release_membership", one(people["released"], reason="调离"), org.admin_of(here))
    return {"place": place, "here": here, "there": there, **people}


def names(org: Org, staffed: dict[str, Any], actor: Actor, **arguments: Any) -> set[str]:
    by_id = {str(who.account_id): name for name, who in staffed.items() if isinstance(who, Actor)}
    listed = org.call("list_teachers", {"place": staffed["place"], "limit": 200, **arguments}, actor)
    assert listed["next_cursor"] is None
    return {by_id[teacher] for teacher in ids(listed) if teacher in by_id}


def test_the_list_leaves_out_the_archived_and_the_departed_unless_asked(org: Org, staffed: dict[str, Any]) -> None:
    admin = county(org, staffed["place"])
    assert names(org, staffed, admin) == {"verified", "waiting", "colleague", "other"}
    assert names(org, staffed, admin, with_archived=True) == {"verified", "waiting", "colleague", "other", "archived"}
    assert names(org, staffed, admin, employment="RETIRED") == {"archived"}
    assert names(org, staffed, admin, employment="LEFT") == set()
    assert names(org, staffed, admin, state="PENDING") == {"waiting", "other"}
    assert names(org, staffed, admin, state="RELEASED") == {"released"}
    assert names(org, staffed, admin, state="VERIFIED", with_archived=True) == {"verified", "colleague", "archived"}


def test_the_list_of_one_school_is_that_schools(org: Org, staffed: dict[str, Any]) -> None:
    place = staffed["here"]["place"]
    assert names(org, staffed, org.admin_of(staffed["here"]), place=place) == {"verified", "waiting"}
    assert names(org, staffed, county(org, staffed["place"]), place=staffed["there"]["place"]) == {"colleague"}
    assert names(org, staffed, county(org, staffed["place"]), place=f"{staffed['place']}/other") == {"other"}


def test_pages_join_without_a_gap_or_a_repetition_in_the_order_of_the_tree(org: Org) -> None:
    school, second = org.school("440113"), org.school("440113")
    everyone = {str(org.member(each).account_id) for each in (school, second) for _ in range(4)}
    admin, place = county(org, f"{GUANGZHOU}/440113"), f"{GUANGZHOU}/440113"
    seen: list[str] = []
    places: list[str] = []
    cursor = None
    while True:
        page = org.call("list_teachers", {"place": place, "limit": 3, "cursor": cursor}, admin)
        seen += ids(page)
        places += [item["place"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen))
    assert everyone <= set(seen)
    assert places == sorted(places)


def test_a_list_of_one_school_goes_on_after_its_own_rows(org: Org) -> None:
    """Exports walk on from the row they read last; at one school that differs in the teacher alone."""
    from services.org.staffing import queries

    school = org.school()
    everyone = sorted(str(org.member(school).account_id) for _ in range(3))
    walked: list[str] = []
    with org.component.database.work() as db:
        while found := queries.list_staff(
            db, school["place"], queries.StaffFilter(), (school["place"], walked[-1]) if walked else None, 1
        ):
            walked.append(found[0].teacher_id)
    assert walked == everyone


@pytest.mark.parametrize("cursor", ["x", "CN/440000 x", f"{YUEXIU}/s1 123", ""])
def test_a_cursor_that_nobody_gave_is_refused(org: Org, cursor: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        org.call("list_teachers", {"place": YUEXIU, "cursor": cursor}, county(org))
    assert refused.value.field == "cursor"
    school = org.school()
    with pytest.raises(InvalidInput):
        org.call("list_reviews", {"school_id": school["school_id"], "cursor": cursor}, org.admin_of(school))


def test_a_cursor_from_elsewhere_leads_nowhere_else(org: Org, staffed: dict[str, Any]) -> None:
    """Whatever the cursor says, the list stays below the place, and row security below the caller."""
    admin = county(org, staffed["place"])
    foreign = f"CN/110000/110101/s{uuid.uuid4().hex} {uuid.uuid4()}"
    listed = org.call("list_teachers", {"place": staffed["place"], "cursor": foreign, "limit": 200}, admin)
    assert all(item["place"].startswith(f"{staffed['place']}/") for item in listed["items"])


@pytest.mark.parametrize("place", [HAIZHU, "CN/440000", "CN"])
def test_a_list_outside_the_territory_is_not_found(org: Org, place: str) -> None:
    with pytest.raises(NotFound, match=r"org\.place_unknown"):
        org.call("list_teachers", {"place": place}, county(org))


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.SUPPORT_AGENT, Role.CITY_CENTRE, Role.DISTRICT_INSTITUTION])
def test_whoever_keeps_no_teachers_lists_none(org: Org, role: Role) -> None:
    with pytest.raises(NotAllowed):
        org.call("list_teachers", {"place": YUEXIU}, org.person(None, (role, "CN")))


# --- counts ---------------------------------------------------------------------------------------------------------


def counted(org: Org, place: str, actor: Actor) -> dict[str, int]:
    found = org.call("get_staff_counts", {"place": place}, actor)
    return {name: found[name] for name in ("teachers", "verified", "waiting", "archived")}


def fold(org: Org) -> None:
    org.component.service.fold_staff_counts(clock.now())


def test_counts_are_exact_before_and_after_the_fold(org: Org, staffed: dict[str, Any]) -> None:
    admin = county(org, staffed["place"])
    before = counted(org, staffed["place"], admin)
    assert counted(org, staffed["here"]["place"], admin) == {"teachers": 2, "verified": 1, "waiting": 1, "archived": 1}
    fold(org)
    with org.component.database.work() as db:
        assert db.scalar(sa.select(sa.func.count()).select_from(StaffCountChange)) == 0
    assert counted(org, staffed["place"], admin) == before
    org.member(staffed["there"], "VERIFIED")
    assert counted(org, staffed["place"], admin) == {
        **before, "teachers": before["teachers"] + 1, "verified": before["verified"] + 1,
    }  # fmt: skip
    fold(org)
    with org.component.database.work() as db:
        rows = db.execute(sa.select(StaffCount).where(StaffCount.place == staffed["here"]["place"])).all()
    assert len(rows) >= 3


def test_the_counts_of_what_stands_below_add_up(org: Org, staffed: dict[str, Any]) -> None:
    admin = county(org, staffed["place"])
    whole = counted(org, staffed["place"], admin)
    page = org.call("list_staff_counts", {"place": staffed["place"], "limit": 200}, admin)
    assert sum(item["teachers"] for item in page["items"]) == whole["teachers"]
    assert sum(item["archived"] for item in page["items"]) == whole["archived"]
    by_place = {item["place"]: item for item in page["items"]}
    assert by_place[staffed["here"]["place"]]["name"] == staffed["here"]["name"]
    assert by_place[f"{staffed['place']}/other"]["waiting"] >= 1
    city = org.person(None, (Role.CITY_ADMIN, GUANGZHOU))
    first = org.call("list_staff_counts", {"place": GUANGZHOU, "limit": 5}, city)
    rest = org.call("list_staff_counts", {"place": GUANGZHOU, "limit": 200, "cursor": first["next_cursor"]}, city)
    items = first["items"] + rest["items"]
    assert [item["place"] for item in items] == sorted({item["place"] for item in items})
    assert sum(item["teachers"] for item in items) == counted(org, GUANGZHOU, city)["teachers"]


def test_counts_outside_the_territory_are_not_found(org: Org) -> None:
    for method in ("get_staff_counts", "list_staff_counts"):
        with pytest.raises(NotFound, match=r"org\.place_unknown"):
            org.call(method, {"place": HAIZHU}, county(org))
    with pytest.raises(NotFound, match=r"org\.place_unknown"):
        org.call("get_staff_counts", {"place": f"{YUEXIU}/s{uuid.uuid4().hex}"}, county(org))


def proof(org: Org) -> list[dict[str, Any]]:
    differences, after = [], None
    while True:
        page = org.call("reconcile_staff_counts", {"after": after, "limit": 500}, CLI)
        differences += page["differences"]
        after = page["after"]
        if after is None:
            return differences


def test_the_reconciler_agrees_with_every_membership_and_finds_a_count_that_was_touched(
    org: Org, staffed: dict[str, Any]
) -> None:
    assert proof(org) == []
    fold(org)
    assert proof(org) == []
    # The twin: a count that is wrong by one has to be found, at this very place.
    wrong = sa.update(StaffCount).where(StaffCount.place == staffed["there"]["place"], StaffCount.state == "VERIFIED")
    with org.component.database.work() as db:
        db.execute(wrong.values(teachers=StaffCount.teachers + 1))
    try:
        assert [row["place"] for row in proof(org)] == [staffed["there"]["place"]]
    finally:
        with org.component.database.work() as db:
            db.execute(wrong.values(teachers=StaffCount.teachers - 1))


def test_without_the_trigger_the_reconciler_complains(org: Org) -> None:
    """The trigger is what keeps the counts; the twin shows that the proof would notice its absence."""
    school = org.school()
    teacher = org.member(school)
    with org.component.database.work() as db:
        db.execute(sa.delete(StaffCountChange).where(StaffCountChange.place == school["place"]))
    assert school["place"] in {row["place"] for row in proof(org)}
    with org.component.database.work() as db:
        change = {"place": school["place"], "state": "PENDING", "employment": "ON_DUTY", "teachers": 1}
        db.execute(sa.insert(StaffCountChange).values(**change))
    assert proof(org) == []
    assert teacher.account_id is not None


def test_folds_in_parallel_lose_and_double_nothing(org: Org) -> None:
    import threading

    school = org.school()
    for _ in range(5):
        org.member(school)
    threads = [threading.Thread(target=fold, args=(org,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counted(org, school["place"], org.admin_of(school))["waiting"] == 5
    assert proof(org) == []


def test_a_fold_of_a_whole_provinces_schools_is_one_statement(org: Org) -> None:
    """An import of a province changes more schools between two folds than a statement has parameters."""
    places = [f"CN/440000/440100/440114/s{number:032x}" for number in range(17_000)]
    for one_more in (1, -1):
        changes = [
            {"place": place, "state": "PENDING", "employment": "ON_DUTY", "teachers": one_more} for place in places
        ]
        with org.component.database.work() as db:
            db.execute(sa.insert(StaffCountChange), changes)
        fold(org)
        with org.component.database.work() as db:
            found = db.scalars(sa.select(StaffCount.teachers).where(StaffCount.place == places[-1])).one()
        assert found == max(0, one_more)
    assert proof(org) == []


# --- stays ----------------------------------------------------------------------------------------------------------


def test_what_was_earned_belongs_to_the_school_of_that_moment(org: Org, fixed_clock: FixedClock) -> None:
    asking, start = service_actor("credits"), fixed_clock.instant
    day = dt.timedelta(days=1)
    first, second = org.school(), org.school("440105")
    teacher = org.member(first, "VERIFIED")
    fixed_clock.instant = start + 10 * day
    org.call("release_membership", one(teacher, reason="调离"), org.admin_of(first))
    fixed_clock.instant = start + 20 * day
    org.call("choose_school", {"school_id": second["school_id"]}, teacher)

    def at(days: float) -> str:
        moment = clock.format_instant(start + days * day)
        return str(org.call("get_placement_at", one(teacher, at=moment), asking)["school_id"])

    assert [at(0), at(9.99), at(20), at(99)] == [first["school_id"]] * 2 + [second["school_id"]] * 2
    for days in (-1, 10, 15):
        with pytest.raises(NotFound, match=r"org\.no_membership"):
            at(days)
    own = org.call("list_own_periods", actor=teacher)["items"]
    assert [(stay["school_id"], stay["closed_by"]) for stay in own] == [
        (first["school_id"], "RELEASE"),
        (second["school_id"], None),
    ]


def test_each_sees_the_stays_of_the_own_territory_only(org: Org) -> None:
    first, second = org.school(), org.school("440105")
    teacher = org.member(first)
    org.call("choose_school", {"school_id": second["school_id"]}, teacher)

    def seen(actor: Actor) -> list[str]:
        return [stay["school_id"] for stay in org.call("list_periods", one(teacher), actor)["items"]]

    assert seen(org.admin_of(first)) == [first["school_id"]]
    assert seen(county(org, HAIZHU)) == [second["school_id"]]
    assert seen(org.person(None, (Role.CITY_ADMIN, GUANGZHOU))) == [first["school_id"], second["school_id"]]
    with pytest.raises(NotFound, match=r"org\.membership_unknown"):
        seen(org.person(None, (Role.PROVINCE_ADMIN, "CN/110000")))


# --- the desk -------------------------------------------------------------------------------------------------------


def test_the_desk_says_what_waits(org: Org, fixed_clock: FixedClock) -> None:
    school, start = org.school(), fixed_clock.instant
    org.member(school)
    fixed_clock.instant = start + dt.timedelta(days=4)
    org.member(school)
    desk = org.call("get_school_desk", {"school_id": school["school_id"]}, org.admin_of(school))
    assert (desk["reviews_waiting"], desk["longest_waiting_days"]) == (2, 4)
    assert (desk["transfers_requested"], desk["transfers_leaving"]) == (0, 0)
    assert desk["archived_arrivals"] == []
    with pytest.raises(NotFound, match=r"org\.school_unknown"):
        org.call("get_school_desk", {"school_id": school["school_id"]}, org.admin_of(org.school()))


def test_an_archived_arrival_is_on_the_desk_until_the_school_says_something(org: Org) -> None:
    old, new = org.school(), org.school()
    teacher = org.member(old, "VERIFIED")
    org.call("archive_teacher", one(teacher, status="LEFT"), org.admin_of(old))
    org.call("release_membership", one(teacher, reason="调离"), org.admin_of(old))
    org.call("choose_school", {"school_id": new["school_id"]}, teacher)
    admin = org.admin_of(new)

    def arrivals() -> list[tuple[str, str]]:
        found = org.call("get_school_desk", {"school_id": new["school_id"]}, admin)["archived_arrivals"]
        return [(item["teacher_id"], item["employment"]) for item in found]

    assert arrivals() == []  # not hers yet
    org.call("verify_membership", one(teacher), admin)
    assert arrivals() == [(str(teacher.account_id), "LEFT")]
    org.call("restore_teacher", one(teacher), admin)
    assert arrivals() == []
    org.call("archive_teacher", one(teacher, status="LEFT"), admin)
    assert arrivals() == []  # the school's own decision is no to-do


def test_a_school_that_moves_has_no_arrivals(org: Org) -> None:
    """Its stays begin anew at the new place, and whoever it had archived before is no news to it."""
    school = org.school()
    teacher, admin = org.member(school, "VERIFIED"), org.admin_of(school)
    org.call("archive_teacher", one(teacher, status="RETIRED"), admin)
    asked = {"school_id": school["school_id"], "division_code": "440105", "reason": "区划调整"}
    move = org.call("request_school_move", asked, org.holder(Role.COUNTY_ADMIN, YUEXIU))
    executed = {"move_id": move["move_id"], "reason": "同意"}
    org.call("execute_school_move", executed, org.holder(Role.CITY_ADMIN, GUANGZHOU))
    now = org.call("get_school", {"school_id": school["school_id"]}, admin)
    desk = org.call("get_school_desk", {"school_id": school["school_id"]}, org.admin_of(now))
    assert (now["place"].startswith(HAIZHU), desk["archived_arrivals"]) == (True, [])
    assert org.call("list_own_periods", actor=teacher)["items"][-1]["closed_by"] is None


def test_what_a_list_writes_out_is_what_the_schema_says(org: Org, staffed: dict[str, Any]) -> None:
    from services.org.staffing import queries, schemas

    listed = org.call("list_teachers", {"place": staffed["place"]}, county(org, staffed["place"]))["items"]
    with org.component.database.work() as db:
        for item in listed:
            assert item == schemas.Staff().dump(queries.get_staff(db, uuid.UUID(item["teacher_id"])))
