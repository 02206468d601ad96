"""Moving a school to another division: asked below, executed above both sides, everything at once."""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from services.org import contract
from services.org.contract.units import SCHOOL_CHANGED, SCHOOL_MOVE_CHANGED
from services.org.models import Membership
from services.shared import clock
from services.shared.actor import Actor, Role
from services.shared.errors import Conflict, InvalidInput, NotAllowed, NotFound, ServiceError
from services.shared.ids import new_id
from services.shared.tables import audit
from tests.component.org.conftest import GUANGDONG, GUANGZHOU, HAIZHU, YUEXIU, Org
from tests.component.org.test_school_editing import code_of, keeper
from tests.component.org.test_school_lifecycle import act, grants_at, hold, membership_of, periods_of
from tests.component.org.test_transfers import number
from tests.conftest import FixedClock

pytestmark = pytest.mark.postgres

FUTIAN, NANNING_COUNTY = "CN/440000/440300/440304", "CN/450000/450100/450102"


def city(org: Org) -> Actor:
    return org.person(None, (Role.CITY_ADMIN, GUANGZHOU))


def ask(org: Org, school: dict[str, Any], to: str = "440105", actor: Actor | None = None) -> dict[str, Any]:
    arguments = {"school_id": school["school_id"], "division_code": to, "reason": "区划调整"}
    reply: dict[str, Any] = org.call("request_school_move", arguments, actor or keeper(org))
    return reply


def decide(org: Org, method: str, move: dict[str, Any], actor: Actor) -> dict[str, Any]:
    reply: dict[str, Any] = org.call(method, {"move_id": move["move_id"], "reason": "同意"}, actor)
    return reply


def moved(org: Org, school: dict[str, Any], to: str = "440105", actor: Actor | None = None) -> dict[str, Any]:
    decide(org, "execute_school_move", ask(org, school, to), actor or city(org))
    shown: dict[str, Any] = org.component.call("get_school", {"school_id": school["school_id"]})
    return shown


# --- what follows the school ----------------------------------------------------------------------------------------


def test_a_school_moves_with_its_record_code_and_history(org: Org, fixed_clock: FixedClock) -> None:
    school = org.school(code=code_of())
    created_at = clock.now()
    fixed_clock.instant += dt.timedelta(days=30)
    now = moved(org, school)
    assert now["place"] == f"{HAIZHU}/s{uuid.UUID(school['school_id']).hex}"
    assert (now["division_code"], now["attachment"], now["code"]) == ("440105", "COUNTY", school["code"])
    assert org.call("get_school", {"school_id": school["school_id"]}, keeper(org))["contact"] is None
    new_keeper = keeper(org, HAIZHU)
    assert org.call("get_school", {"school_id": school["school_id"]}, new_keeper)["contact"]["head_mobile"]
    history = org.call("get_school_history", {"school_id": school["school_id"]}, new_keeper)
    assert history["former_places"] == [
        {
            "place": school["place"],
            "division_code": "440104",
            "from_at": clock.format_instant(created_at),
            "until_at": clock.format_instant(clock.now()),
        }
    ]
    _, told = org.announced(SCHOOL_CHANGED, school_id=school["school_id"])
    assert (told["place"], told["effective_at"]) == (now["place"], clock.format_instant(clock.now()))
    # And back again: each stay has its dates.
    fixed_clock.instant += dt.timedelta(days=30)
    decide(org, "execute_school_move", ask(org, now, "440104", new_keeper), city(org))
    places = org.call("get_school_history", {"school_id": school["school_id"]}, keeper(org))["former_places"]
    assert [each["place"] for each in places] == [school["place"], now["place"]]
    assert places[0]["until_at"] == places[1]["from_at"]


def test_the_teachers_follow_and_their_stays_are_divided_at_that_day(org: Org, fixed_clock: FixedClock) -> None:
    school = org.school()
    verified, waiting = org.member(school, "VERIFIED"), org.member(school)
    rejected, released = org.member(school), org.member(school, "VERIFIED")
    admin = org.admin_of(school)
    org.call("reject_membership", {"teacher_id": str(rejected.account_id), "reason": "非本校"}, admin)
    org.call("release_membership", {"teacher_id": str(released.account_id), "reason": "调离"}, admin)
    verified_at = periods_of(org, verified)[0].verified_at
    fixed_clock.instant += dt.timedelta(days=10)
    now = moved(org, school)
    for teacher, state in ((verified, "VERIFIED"), (waiting, "PENDING"), (rejected, "REJECTED")):
        shown = membership_of(org, teacher)
        assert (shown["state"], shown["place"], shown["school_id"]) == (state, now["place"], school["school_id"])
        told = org.announced(contract.MEMBERSHIP_CHANGED, teacher_id=str(teacher.account_id))[-1]
        assert (told["place"], told["version"]) == (now["place"], shown["version"])
        assert told["effective_at"] == clock.format_instant(clock.now())
    first, second = periods_of(org, verified)
    assert (first.place, first.closed_by, first.closed_at) == (school["place"], "SCHOOL_MOVED", clock.now())
    assert (second.place, second.opened_by, second.opened_at) == (now["place"], "SCHOOL_MOVED", clock.now())
    assert second.verified_at == verified_at
    # Whom it released belongs nowhere, as before, and the school still finds her.
    assert org.announced(contract.MEMBERSHIP_CHANGED, teacher_id=str(released.account_id))[-1]["place"] == ""
    with org.component.database.work() as db:
        assert db.get_one(Membership, released.account_id).place == now["place"]
    # The former county sees none of them any more, the new one all.
    arguments = {"school_id": school["school_id"]}
    assert len(org.call("list_memberships", arguments, keeper(org, HAIZHU))["items"]) == 4
    with pytest.raises(NotFound):
        org.call("list_memberships", arguments, keeper(org))


def test_the_staffs_grants_and_codes_stay_good(org: Org) -> None:
    school = org.school()
    admin = hold(org, Role.PRINCIPAL, school["place"])
    org.call("bootstrap_grant", {"account_id": admin, "role": Role.COUNTY_ADMIN, "place": FUTIAN})
    generate = {"place": school["place"], "role": "SCHOOL_ADMIN"}
    org.call("generate_authority_code", generate, org.holder(Role.COUNTY_ADMIN, YUEXIU))
    now = moved(org, school)
    assert (grants_at(org, school["place"]), grants_at(org, now["place"])) == ([], ["ACTIVE"])
    told = org.announced(contract.GRANTS_CHANGED, account_id=admin)[-1]["grants"]
    assert sorted(told) == sorted([["PRINCIPAL", now["place"]], ["COUNTY_ADMIN", FUTIAN]])
    with org.component.database.work() as db:
        codes = db.execute(sa.text("SELECT place, state FROM authority_code WHERE role = 'SCHOOL_ADMIN'")).all()
    assert (now["place"], "ISSUED") in [tuple(row) for row in codes]
    assert school["place"] not in [row.place for row in codes]


def test_open_transfers_of_teachers_follow_and_are_decided_by_the_right_level(org: Org) -> None:
    school, target = org.school(), org.school("440105")
    teacher = org.member(target, "VERIFIED")
    learner_no = number(org, teacher)
    asked = org.call(
        "request_transfer", {"school_id": school["school_id"], "learner_no": learner_no}, org.admin_of(school)
    )
    assert asked["level"] == "CITY"
    moved(org, school)
    shown = org.call("get_transfer", {"transfer_id": asked["transfer_id"]}, keeper(org, HAIZHU))
    assert (shown["level"], shown["place"]) == ("DISTRICT", HAIZHU)


def test_a_suspended_school_moves_and_stays_suspended(org: Org) -> None:
    school = org.school()
    act(org, "suspend_school", school)
    assert moved(org, school)["state"] == "SUSPENDED"


def test_to_its_own_city_it_becomes_a_direct_unit(org: Org) -> None:
    now = moved(org, org.school(), "440100")
    assert (now["attachment"], now["place"].startswith(f"{GUANGZHOU}/s")) == ("CITY_DIRECT", True)


def test_the_province_moves_across_cities_and_the_nation_across_provinces(org: Org) -> None:
    school = org.school(code=code_of())
    province = org.person(None, (Role.PROVINCE_ADMIN, GUANGDONG))
    now = moved(org, school, "440304", province)
    assert (now["place"].startswith(FUTIAN), now["code"]) == (True, school["code"])
    move = ask(org, now, "450102", keeper(org, FUTIAN))
    assert move["executing_place"] == "CN"
    decide(org, "execute_school_move", move, org.person(None, (Role.NATIONAL_OPERATOR, "CN")))
    abroad = org.component.call("get_school", {"school_id": school["school_id"]})
    # A code carries its province's number, so it does not go along.
    assert (abroad["place"].startswith(NANNING_COUNTY), abroad["code"]) == (True, None)
    with pytest.raises(Conflict, match=r"org\.code_taken"):
        org.school(code=school["code"])


# --- who, and when --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "place", "code"),
    [
        (Role.CITY_ADMIN, GUANGZHOU, "org.move_not_asked_here"),
        (Role.PROVINCE_ADMIN, GUANGDONG, "org.move_not_asked_here"),
        (Role.COUNTY_ADMIN, FUTIAN, "org.school_unknown"),
        (Role.SCHOOL_ADMIN, f"{YUEXIU}/s{'0' * 32}", "shared.not_allowed"),
        (Role.DISTRICT_INSTITUTION, YUEXIU, "shared.not_allowed"),
    ],
)
def test_only_the_level_below_asks(org: Org, role: Role, place: str, code: str) -> None:
    with pytest.raises(ServiceError) as refused:
        ask(org, org.school(), actor=org.person(None, (role, place)))
    assert refused.value.code == code


@pytest.mark.parametrize("place", [YUEXIU, HAIZHU])
def test_either_side_asks_and_both_see_it(org: Org, place: str) -> None:
    school = org.school()
    move = ask(org, school, actor=keeper(org, place))
    for side in (keeper(org), keeper(org, HAIZHU), city(org)):
        assert org.call("get_school_move", {"move_id": move["move_id"]}, side)["state"] == "REQUESTED"
    for division, side in (("440104", keeper(org)), ("440105", keeper(org, HAIZHU)), ("440100", city(org))):
        page = org.call("list_school_moves", {"division": division, "state": "REQUESTED", "limit": 200}, side)
        assert move["move_id"] in [item["move_id"] for item in page["items"]]
    stranger = keeper(org, FUTIAN)
    with pytest.raises(NotFound, match=r"org\.move_unknown"):
        org.call("get_school_move", {"move_id": move["move_id"]}, stranger)
    with pytest.raises(NotFound):
        org.call("list_school_moves", {"division": "440104"}, stranger)
    seen = org.call("list_school_moves", {"division": "440304", "limit": 200}, stranger)["items"]
    assert move["move_id"] not in [item["move_id"] for item in seen]


@pytest.mark.parametrize("method", ["execute_school_move", "reject_school_move"])
@pytest.mark.parametrize(
    ("role", "place", "code"),
    [
        (Role.COUNTY_ADMIN, YUEXIU, "org.move_other_level"),
        (Role.COUNTY_ADMIN, HAIZHU, "org.move_other_level"),
        (Role.PROVINCE_ADMIN, GUANGDONG, "org.move_other_level"),
        (Role.CITY_ADMIN, "CN/440000/440300", "org.move_unknown"),
        (Role.CITY_CENTRE, GUANGZHOU, "shared.not_allowed"),
        (Role.AUDITOR, "CN", "shared.not_allowed"),
    ],
)
def test_only_the_level_above_both_decides(org: Org, method: str, role: Role, place: str, code: str) -> None:
    move = ask(org, org.school())
    with pytest.raises(ServiceError) as refused:
        decide(org, method, move, org.person(None, (role, place)))
    assert refused.value.code == code


@pytest.mark.parametrize("method", ["execute_school_move", "reject_school_move"])
def test_nobody_decides_what_he_asked(org: Org, method: str) -> None:
    both = org.person(None, (Role.COUNTY_ADMIN, YUEXIU), (Role.CITY_ADMIN, GUANGZHOU))
    move = ask(org, org.school(), actor=both)
    with pytest.raises(NotAllowed, match=r"org\.move_own_request"):
        decide(org, method, move, both)


def test_only_who_asked_takes_it_back(org: Org) -> None:
    asker = keeper(org)
    move = ask(org, org.school(), actor=asker)
    with pytest.raises(NotAllowed, match=r"org\.move_not_yours"):
        decide(org, "withdraw_school_move", move, keeper(org))
    with pytest.raises(NotFound, match=r"org\.move_unknown"):
        decide(org, "withdraw_school_move", move, keeper(org, FUTIAN))
    assert decide(org, "withdraw_school_move", move, asker)["state"] == "WITHDRAWN"


@pytest.mark.parametrize("first", ["execute_school_move", "reject_school_move", "withdraw_school_move"])
@pytest.mark.parametrize("second", ["execute_school_move", "reject_school_move", "withdraw_school_move"])
def test_a_request_is_decided_once(org: Org, first: str, second: str) -> None:
    school, asker = org.school(), keeper(org)
    move = ask(org, school, actor=asker)
    decide(org, first, move, asker if "withdraw" in first else city(org))
    with pytest.raises(Conflict, match=r"org\.move_decided"):
        decide(org, second, move, asker if "withdraw" in second else city(org))
    told = [each["state"] for each in org.announced(SCHOOL_MOVE_CHANGED, move_id=move["move_id"])]
    assert len(told) == 2


def test_a_rejected_school_stays_and_may_be_asked_for_again(org: Org) -> None:
    school = org.school()
    decide(org, "reject_school_move", ask(org, school), city(org))
    assert org.component.call("get_school", {"school_id": school["school_id"]})["place"] == school["place"]
    assert ask(org, school)["state"] == "REQUESTED"


def test_one_request_at_a_time_also_from_a_side_that_does_not_see_the_other(org: Org) -> None:
    school = org.school()
    ask(org, school)
    with pytest.raises(Conflict, match=r"org\.move_open"):
        ask(org, school)
    with pytest.raises(Conflict, match=r"org\.move_open"):
        ask(org, school, "440304", keeper(org, FUTIAN))


def test_what_cannot_be_asked_for(org: Org) -> None:
    school = org.school()
    with pytest.raises(InvalidInput, match=r"org\.move_nowhere"):
        ask(org, school, "440104")
    with pytest.raises(NotFound, match=r"org\.division_unknown"):
        ask(org, school, "999999")
    with pytest.raises(NotFound, match=r"org\.division_unknown"):
        ask(org, school, "CN")
    with pytest.raises(NotFound, match=r"org\.school_unknown"):
        ask(org, {"school_id": str(new_id())})
    other = org.call("choose_school", {"other_of": "440104"}, org.person())
    with pytest.raises(Conflict, match=r"org\.other_is_fixed"):
        ask(org, other)
    act(org, "close_school", school)
    with pytest.raises(Conflict, match=r"org\.school_ended"):
        ask(org, school)


def test_a_school_that_ends_meanwhile_goes_nowhere(org: Org) -> None:
    school = org.school()
    move = ask(org, school)
    act(org, "close_school", school)
    shown = org.call("get_school_move", {"move_id": move["move_id"]}, keeper(org))
    assert shown["state"] == "REJECTED"
    with pytest.raises(Conflict, match=r"org\.move_decided"):
        decide(org, "execute_school_move", move, city(org))


def test_a_name_that_is_taken_there_is_refused_and_nothing_has_moved(org: Org) -> None:
    school = org.school()
    org.school("440105", name=school["name"])
    move = ask(org, school)
    with pytest.raises(Conflict, match=r"org\.name_taken"):
        decide(org, "execute_school_move", move, city(org))
    assert org.component.call("get_school", {"school_id": school["school_id"]})["place"] == school["place"]
    assert org.call("get_school_move", {"move_id": move["move_id"]}, keeper(org))["state"] == "REQUESTED"


def test_a_move_is_recorded_with_both_sides(org: Org) -> None:
    school, executor = org.school(), city(org)
    now = moved(org, school, actor=executor)
    with org.component.database.work() as db:
        rows = db.execute(sa.select(audit).where(audit.c.actor == str(executor.account_id)).order_by(audit.c.id)).all()
    places = [(row.before.get("place"), row.after.get("place")) for row in rows if "place" in row.after]
    assert places == [(school["place"], now["place"])]
    assert {row.action for row in rows} == {"execute_school_move"}


# --- two at once ----------------------------------------------------------------------------------------------------


def test_whoever_chooses_a_school_while_it_moves_arrives_with_it(org: Org) -> None:
    for _ in range(10):
        school = org.school()
        move = ask(org, school)
        teachers = [org.person() for _ in range(3)]
        start = threading.Barrier(len(teachers) + 1)
        failed: list[str] = []

        def choose(teacher: Actor, school: dict[str, Any] = school, start: Any = start, out: Any = failed) -> None:
            start.wait()
            try:
                org.call("choose_school", {"school_id": school["school_id"]}, teacher)
            except ServiceError as error:
                out.append(error.code)

        threads = [threading.Thread(target=choose, args=(teacher,)) for teacher in teachers]
        for thread in threads:
            thread.start()
        start.wait()
        decide(org, "execute_school_move", move, city(org))
        for thread in threads:
            thread.join()
        assert failed == []
        with org.component.database.work() as db:
            left = sa.text("SELECT count(*) FROM membership WHERE place = :place")
            assert db.scalar(left, {"place": school["place"]}) == 0
            assert db.scalar(left, {"place": f"{HAIZHU}/s{uuid.UUID(school['school_id']).hex}"}) == len(teachers)
