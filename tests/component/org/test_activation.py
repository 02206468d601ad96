"""Activation progress: seats follow their units, and the counts follow the seats."""

from __future__ import annotations

import threading
import time
import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from services.org.delegation import queries
from services.org.delegation.actions import note_unit, note_units, proof
from services.org.delegation.models import ActivationDelta, AdminSeat
from services.org.delegation.rules.seats import places_above
from services.shared import clock
from services.shared.actor import Actor, Role, covers
from services.shared.bus import Call
from services.shared.errors import NotAllowed, NotFound
from services.shared.policy import anyone
from tests.component.org.conftest import GUANGDONG, GUANGZHOU, HAIZHU, YUEXIU, Org

pytestmark = pytest.mark.postgres


def a_place(parent: str = YUEXIU) -> str:
    return f"{parent}/s{uuid.uuid4().hex}"


def deltas(org: Org, place: str) -> list[tuple[int, int, int, int]]:
    columns = (ActivationDelta.expected, ActivationDelta.generated, ActivationDelta.activated, ActivationDelta.disabled)
    with org.component.database.work() as db:
        rows = db.execute(sa.select(*columns).where(ActivationDelta.place == place).order_by(ActivationDelta.delta_id))
        return [tuple(row) for row in rows]


def seat(org: Org, place: str) -> AdminSeat | None:
    with org.component.database.work() as db:
        return db.get(AdminSeat, (place, "SCHOOL_ADMIN"))


def test_a_unit_gets_its_seat_once(org: Org) -> None:
    place = a_place()
    with org.component.database.work() as db:
        note_unit(db, None, place)
        note_unit(db, None, place)
    assert deltas(org, place) == [(1, 0, 0, 0)]
    found = seat(org, place)
    assert found is not None
    assert (found.parent, found.level, found.state, found.standing) == (YUEXIU, "SCHOOL", "NOT_GENERATED", True)


def test_a_unit_that_moves_counts_at_its_new_place(org: Org) -> None:
    place = a_place()
    moved = f"{HAIZHU}/{place.rpartition('/')[2]}"
    with org.component.database.work() as db:
        note_unit(db, None, place)
        note_unit(db, place, moved)
        note_unit(db, place, moved)
    assert deltas(org, place) == [(1, 0, 0, 0), (-1, 0, 0, 0)]
    assert deltas(org, moved) == [(1, 0, 0, 0)]
    assert seat(org, place) is None
    found = seat(org, moved)
    assert found is not None
    assert found.parent == HAIZHU


def test_a_unit_that_ends_counts_nowhere_until_it_opens_again(org: Org) -> None:
    place = a_place()
    with org.component.database.work() as db:
        note_unit(db, None, place)
        note_unit(db, place, None)
        note_unit(db, place, None)
    assert deltas(org, place) == [(1, 0, 0, 0), (-1, 0, 0, 0)]
    with org.component.database.work() as db:
        note_unit(db, None, place)
    assert [sum(column) for column in zip(*deltas(org, place), strict=True)] == [1, 0, 0, 0]


def test_other_and_regions_are_no_units(org: Org) -> None:
    with org.component.database.work() as db:
        before = db.scalar(sa.select(sa.func.count()).select_from(AdminSeat))
        note_units(db, [(None, f"{YUEXIU}/other"), (f"{YUEXIU}/other", None), (None, YUEXIU)])
        assert db.scalar(sa.select(sa.func.count()).select_from(AdminSeat)) == before


# --- what administrators read ---------------------------------------------------------------------------------------


def progress(org: Org, place: str, by: Actor | None = None) -> dict[tuple[str, str], tuple[int, int, int, int, int]]:
    reader = by or org.person(None, (Role.NATIONAL_OPERATOR, "CN"))
    tallies = org.call("get_activation_progress", {"place": place}, reader)["tallies"]
    columns = ("expected", "not_generated", "generated", "activated", "disabled")
    return {(tally["level"], tally["role"]): tuple(tally[name] for name in columns) for tally in tallies}


SCHOOLS = ("SCHOOL", "SCHOOL_ADMIN")
FRESH_COUNTY = "CN/440000/440200/440203"  # where no other test does anything


def test_every_region_has_its_seats_from_the_first_import(org: Org) -> None:
    nation = progress(org, "CN")
    assert nation["PROVINCE", "SUPER_ADMIN"][0] == 31  # without Hong Kong, Macao and Taiwan
    assert nation["PROVINCE", "PROVINCE_ADMIN"][0] == 31
    assert nation["COUNTY", "SUPER_ADMIN"][0] == nation["COUNTY", "COUNTY_ADMIN"][0] > 2800
    assert list(progress(org, GUANGDONG)) == [
        ("PROVINCE", "SUPER_ADMIN"),
        ("PROVINCE", "PROVINCE_ADMIN"),
        ("CITY", "SUPER_ADMIN"),
        ("CITY", "CITY_ADMIN"),
        ("COUNTY", "SUPER_ADMIN"),
        ("COUNTY", "COUNTY_ADMIN"),
        *([SCHOOLS] if SCHOOLS in progress(org, GUANGDONG) else []),
    ]


def test_progress_is_exact_at_once_at_every_level_before_and_after_folding(org: Org) -> None:
    county = org.holder(Role.COUNTY_ADMIN, FRESH_COUNTY)
    before = {place: progress(org, place).get(SCHOOLS, (0,) * 5) for place in ("CN", GUANGDONG, "CN/440000/440200")}
    places = [org.school("440203")["place"] for _ in range(4)]
    made = [
        org.call("generate_authority_code", {"place": place, "role": "SCHOOL_ADMIN"}, county) for place in places[1:]
    ]
    for each in made[1:]:
        org.call("activate_authority_code", {"code": each["code"]}, org.person(org.account()))
    org.call("revoke_authority_code", {"code_id": made[2]["code_id"]}, county)
    for _ in range(2):
        assert progress(org, FRESH_COUNTY)[SCHOOLS] == (4, 1, 1, 1, 1)
        for place, counts in before.items():
            more = [now - then for now, then in zip(progress(org, place)[SCHOOLS], counts, strict=True)]
            assert more == [4, 1, 1, 1, 1]
        org.component.service.fold_activation(clock.now())
    assert waiting_deltas(org) == 0
    assert progress(org, FRESH_COUNTY)["COUNTY", "COUNTY_ADMIN"] == (1, 0, 0, 1, 0)


def waiting_deltas(org: Org) -> int:
    with org.component.database.work() as db:
        return int(db.scalar(sa.select(sa.func.count()).select_from(ActivationDelta)) or 0)


def test_the_way_down_from_the_country_to_a_school(org: Org) -> None:
    nation = org.person(None, (Role.NATIONAL_OPERATOR, "CN"))
    place = org.school("440106")["place"]

    def units(parent: str, **more: Any) -> dict[str, dict[str, Any]]:
        found, cursor = {}, None
        while True:
            page = org.call("list_activation_progress", {"place": parent, "cursor": cursor, "limit": 7, **more}, nation)
            found |= {unit["place"]: unit for unit in page["items"]}
            cursor = page["next_cursor"]
            if cursor is None:
                return found

    provinces = units("CN")
    assert len(provinces) == 31
    assert provinces[GUANGDONG]["name"] == "广东省"
    assert {seat["role"] for seat in provinces[GUANGDONG]["seats"]} == {"SUPER_ADMIN", "PROVINCE_ADMIN"}
    below = {(tally["level"], tally["role"]): tally["expected"] for tally in units(GUANGDONG)[GUANGZHOU]["tallies"]}
    assert below["COUNTY", "SUPER_ADMIN"] == 11
    counties = units(GUANGZHOU)
    assert {tally["level"] for tally in counties["CN/440000/440100/440106"]["tallies"]} == {"COUNTY", "SCHOOL"}
    schools = units("CN/440000/440100/440106", state="NOT_GENERATED")
    assert schools[place]["seats"] == [
        {
            "role": "SCHOOL_ADMIN",
            "state": "NOT_GENERATED",
            "changed_at": schools[place]["seats"][0]["changed_at"],
            "code_expires_at": None,
        }
    ]
    assert schools[place]["tallies"] == []
    assert place not in units("CN/440000/440100/440106", state="ACTIVATED")
    # What the way down shows is what each region is told of itself.
    for region, unit in counties.items():
        shown = {(tally["level"], tally["role"]): tally["expected"] for tally in unit["tallies"]}
        assert shown == {key: counts[0] for key, counts in progress(org, region).items()}


def test_whom_to_remind_anywhere_below(org: Org) -> None:
    city = org.person(None, (Role.CITY_ADMIN, GUANGZHOU))
    wanted = {org.school("440112")["place"] for _ in range(3)} | {org.school("440113")["place"]}
    question = {"place": GUANGZHOU, "role": "SCHOOL_ADMIN", "state": "NOT_GENERATED", "limit": 2}
    found, cursor = [], None
    while True:
        page = org.call("list_admin_seats", {**question, "cursor": cursor}, city)
        found += [seat["place"] for seat in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert wanted <= set(found)
    assert found == sorted(set(found))


def test_progress_is_told_inside_the_own_territory_only(org: Org) -> None:
    county = org.person(None, (Role.COUNTY_ADMIN, YUEXIU))
    for place in (HAIZHU, GUANGZHOU, "CN", "CN/440000/440100/999999"):
        for method in ("get_activation_progress", "list_activation_progress"):
            with pytest.raises(NotFound, match=r"org\.place_unknown"):
                org.call(method, {"place": place}, county)
        with pytest.raises(NotFound, match=r"org\.place_unknown"):
            org.call("list_admin_seats", {"place": place, "role": "SCHOOL_ADMIN", "state": "GENERATED"}, county)


@pytest.mark.parametrize("role", [Role.SCHOOL_ADMIN, Role.PRINCIPAL, Role.DISTRICT_INSTITUTION, Role.AUDITOR])
def test_others_have_no_business_with_it(org: Org, role: Role) -> None:
    with pytest.raises(NotAllowed, match=r"shared\.not_allowed"):
        org.call("get_activation_progress", {"place": YUEXIU}, org.person(None, (role, YUEXIU)))


def test_two_who_fold_at_once_count_nothing_twice(org: Org) -> None:
    before = progress(org, FRESH_COUNTY)[SCHOOLS][0] if SCHOOLS in progress(org, FRESH_COUNTY) else 0
    for _ in range(6):
        org.school("440203")
    threads = [threading.Thread(target=org.component.service.fold_activation, args=(clock.now(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert progress(org, FRESH_COUNTY)[SCHOOLS][0] == before + 6
    assert waiting_deltas(org) == 0


def test_folding_visits_each_delta_once_whatever_the_planner_knows(org: Org) -> None:
    """A join was planned as a scan of the whole table for each of 20,000 rows, right after an import."""
    with org.component.database.work() as db:
        plan = "\n".join(db.scalars(sa.text(f"EXPLAIN {queries.FOLD_DELTAS}"), {"limit": 20_000}))
    assert "Tid Scan on activation_delta" in plan
    assert "Join" not in plan.split("CTE spread")[0]


# --- the proof ------------------------------------------------------------------------------------------------------


def prove(org: Org) -> list[dict[str, Any]]:
    differences, after, checked = [], None, 0
    while True:
        page = org.call("reconcile_activation", {"after": after, "limit": 1000})
        differences += page["differences"]
        checked += page["checked"]
        after = page["after"]
        if after is None:
            assert checked > 6000
            return differences


def test_the_counts_are_what_grants_codes_and_schools_make_them(org: Org) -> None:
    county = org.holder(Role.COUNTY_ADMIN, YUEXIU)
    places = [org.school()["place"] for _ in range(3)]
    made = org.call("generate_authority_code", {"place": places[0], "role": "SCHOOL_ADMIN"}, county)
    org.call("activate_authority_code", {"code": made["code"]}, org.person(org.account()))
    mine = own_places(org, places)
    assert [found for found in prove(org) if found["place"] in mine] == []


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        (
            "UPDATE activation_count SET activated = activated + 1 WHERE place = 'CN/440000' AND level = 'SCHOOL'",
            "counts",
        ),
        ("UPDATE admin_seat SET state = 'ACTIVATED' WHERE place = :place", "seats"),
        ("UPDATE admin_seat SET standing = false WHERE place = :place", "seats"),
    ],
)
def test_the_proof_notices_damage(org: Org, damage: str, what: str) -> None:
    """The sabotage twin: what the proof calls right, it calls wrong once a row was touched behind its back."""
    place = org.school("440203")["place"]
    org.component.service.fold_activation(clock.now())
    clean = prove(org)
    statement = sa.text(damage)
    with org.component.database.work() as db:
        found = []
        db.execute(statement, {"place": place} if ":place" in damage else {})
        after = None
        while True:
            page = proof.prove_activation(db, after, 1000)
            found += page["differences"]
            after = page["after"]
            if after is None:
                break
        db.rollback()
    new = [each for each in found if each not in clean]
    assert {each["what"] for each in new} >= {what}


def own_places(org: Org, places: list[str]) -> set[str]:
    return {*places, *(above for place in places for above in places_above(place))}


# --- the second wall ------------------------------------------------------------------------------------------------


def raw(org: Org, actor: Actor, statement: str, **values: Any) -> list[Any]:
    """In the application's role, in that person's scope."""
    call = Call("org", "raw", {}, actor, anyone(), time.monotonic() + 5)
    with org.component.database.transaction(call) as db:
        result = db.execute(sa.text(statement), values)
        return list(result.all()) if result.returns_rows else []


def test_raw_sql_reaches_the_own_territory_only(org: Org) -> None:
    county, place = org.holder(Role.COUNTY_ADMIN, YUEXIU), org.school()["place"]
    org.call("generate_authority_code", {"place": place, "role": "SCHOOL_ADMIN"}, county)
    outsider = org.person(None, (Role.COUNTY_ADMIN, HAIZHU))
    for table in ("admin_seat", "authority_code", "activation_delta", "activation_count"):
        mine = {row.place for row in raw(org, county, f"SELECT place FROM {table}")}
        theirs = {row.place for row in raw(org, outsider, f"SELECT place FROM {table}")}
        assert mine
        assert all(covers(YUEXIU, each) for each in mine)
        assert all(covers(HAIZHU, each) for each in theirs)
        assert raw(org, org.person(), f"SELECT 1 FROM {table}") == []


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1 FROM known_account",
        "SELECT 1 FROM code_guess",
        "DELETE FROM authority_code",
        "DELETE FROM admin_seat",
        "UPDATE activation_count SET activated = 0",
        "DELETE FROM activation_delta",
        # A seat pulled over from another county, and one put there.
        "UPDATE admin_seat SET place = 'CN/440000/440100/440105/s', parent = 'CN/440000/440100/440105'",
        "INSERT INTO admin_seat VALUES ('CN/440000/440200/s1', 'X', 'SCHOOL', 'CN/440000/440200', true, 'GENERATED', now())",
    ],
)
def test_the_application_role_lacks_the_right_to_more(org: Org, statement: str) -> None:
    county = org.holder(Role.COUNTY_ADMIN, YUEXIU)
    org.school()
    with pytest.raises(DBAPIError, match=r"permission denied|row-level security"):
        raw(org, county, statement)
