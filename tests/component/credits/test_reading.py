"""What teachers and administrators read: their own, or those inside their territory, and nothing else."""

from __future__ import annotations

import dataclasses

import pytest
import sqlalchemy as sa

from services.credits.recognition import RecognitionService
from services.shared.actor import ANONYMOUS, Role, service_actor
from services.shared.errors import InvalidInput, NotAllowed, NotFound
from services.shared.ids import new_id
from tests.component.credits.conftest import membership
from tests.conftest import person

GUANGDONG = "CN/440000"


@pytest.fixture
def placed(recognition, season, record, teacher_id):
    """A teacher with six hours at a school of county 440103."""
    recognition.deliver("on_membership_changed", *membership(teacher_id))
    record(*season.everything(teacher_id))
    return teacher_id


@pytest.mark.parametrize(
    ("role", "place"),
    [
        (Role.SCHOOL_ADMIN, "CN/440000/440100/440103/s1"),
        (Role.COUNTY_ADMIN, "CN/440000/440100/440103"),
        (Role.PROVINCE_ADMIN, GUANGDONG),
    ],
)
def test_those_who_answer_for_her_place_see_her_hours(credits_service, season, placed, role, place):
    asked = {"programme_id": season.programme_id, "teacher_id": str(placed)}
    assert credits_service.call("get_hours", asked, person(None, (role, place)))["hours"] == "6.00"
    ledger = credits_service.call("list_ledger", {"teacher_id": str(placed)}, person(None, (role, place)))
    assert len(ledger["items"]) == 5


@pytest.mark.parametrize(
    "grants",
    [
        [],
        [(Role.SCHOOL_ADMIN, "CN/440000/440100/440103/s2")],
        [(Role.COUNTY_ADMIN, "CN/440000/440100/440104")],
        [(Role.COUNTY_ADMIN, "CN/440000/440100/44010")],  # a prefix of the text, not of the path
        [(Role.PROVINCE_ADMIN, "CN/450000")],
    ],
)
def test_for_everybody_else_she_does_not_exist(credits_service, season, placed, grants):
    stranger = person(None, *grants)
    for method, asked in (
        ("get_hours", {"programme_id": season.programme_id, "teacher_id": str(placed)}),
        ("list_ledger", {"teacher_id": str(placed)}),
    ):
        with pytest.raises(NotFound) as forbidden:
            credits_service.call(method, asked, stranger)
        with pytest.raises(NotFound) as unknown:
            credits_service.call(method, {**asked, "teacher_id": str(new_id())}, stranger)
        assert forbidden.value.args == unknown.value.args


def test_a_move_takes_the_view_along(recognition, credits_service, season, placed):
    old, new = (person(None, (Role.COUNTY_ADMIN, f"CN/440000/440100/{code}")) for code in ("440103", "440104"))
    asked = {"programme_id": season.programme_id, "teacher_id": str(placed)}
    recognition.deliver("on_membership_changed", *membership(placed, "CN/440000/440100/440104/s9", version=2))
    with pytest.raises(NotFound):
        credits_service.call("get_hours", asked, old)
    assert credits_service.call("get_hours", asked, new)["hours"] == "6.00"
    # Row security says the same to whoever would ask the table itself.
    for who, expected in ((old, 0), (new, 5)):
        with credits_service.database.app.begin() as connection:
            connection.execute(
                sa.text("SELECT set_config('app.places', :places, true)"), {"places": who.grants[0].place}
            )
            count = sa.text("SELECT count(*) FROM ledger WHERE teacher_id = :id")
            assert connection.execute(count, {"id": placed}).scalar_one() == expected


def test_visitors_and_the_wrong_services_are_refused(credits_service, season):
    with pytest.raises(NotAllowed):
        credits_service.call("get_hours", {"programme_id": season.programme_id}, ANONYMOUS)
    with pytest.raises(NotAllowed):
        credits_service.call("reconcile_ledger", {}, person(None, (Role.NATIONAL_OPERATOR, "CN")))
    with pytest.raises(NotAllowed):
        credits_service.call("reconcile_ledger", {}, service_actor("learning"))


def test_whoever_is_not_enrolled_has_no_hours(credits_service, season):
    with pytest.raises(NotFound) as refused:
        credits_service.call("get_hours", {"programme_id": season.programme_id}, person())
    assert refused.value.code == "credits.not_enrolled"
    assert credits_service.call("list_ledger", {}, person()) == {"items": [], "next_cursor": None}


def test_the_ledger_is_read_page_by_page_with_explanations(credits_service, placed):
    seen, cursor = [], None
    while True:
        page = credits_service.call("list_ledger", {"limit": 2, "cursor": cursor, "year": 2023}, person(placed))
        assert len(page["items"]) <= 2
        seen += page["items"]
        if (cursor := page["next_cursor"]) is None:
            break
    ids = [entry["entry_id"] for entry in seen]
    assert len(set(ids)) == 5
    assert ids == sorted(ids, reverse=True)
    first = next(entry for entry in seen if entry["explanation"]["rule_id"] == "SW23.PARTY20")
    assert (first["amount"], first["unit"], first["year"]) == ("2.00", "HOUR", 2023)
    assert "90" in first["explanation"]["rule"]["zh"]
    assert first["explanation"]["why"] == "SW23.PARTY20: 0.00 -> 2.00, 7200 s counted"
    assert len(first["explanation"]["pack_version"]) == 64
    assert credits_service.call("list_ledger", {"year": 2022}, person(placed))["items"] == []


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"cursor": "next"}, "cursor"),
        ({"limit": 0}, "limit"),
        ({"limit": 201}, "limit"),
        ({"year": "2023"}, "year"),
        ({"order": "up"}, "order"),
    ],
)
def test_faulty_arguments_are_named(credits_service, arguments, field):
    with pytest.raises(InvalidInput) as refused:
        credits_service.call("list_ledger", arguments, person())
    assert refused.value.field == field


# --- the proof ------------------------------------------------------------------------------------------------------


@pytest.fixture
def proof(settings, keyring, component, fixed_clock):
    """A database of this test's own, so that the numbers are exact: (recognition, `reconcile()`)."""
    from services.credits.service import CreditsService
    from services.shared import migrations
    from services.shared.bus.providers import Environment, instantiate
    from tests.conftest import Component

    own = dataclasses.replace(settings, database_prefix=f"{settings.database_prefix}_proof")
    migrations.migrate_service(own, keyring, "credits")
    environment = Environment(own, keyring, lambda: None)
    recognition, service = (Component(instantiate(kind, environment)) for kind in (RecognitionService, CreditsService))

    def reconcile(limit=2):
        checked, differences, after = 0, [], None
        while True:
            page = service.call("reconcile_ledger", {"after": after, "limit": limit}, service_actor("cli"))
            checked += page["checked"]
            differences += page["differences"]
            if (after := page["after"]) is None:
                return checked, differences

    yield recognition, reconcile
    recognition.database.dispose()
    service.database.dispose()
    migrations.drop_all(own, ("credits",))


def test_the_reconciler_proves_every_study_and_finds_each_kind_of_difference(proof, season):
    recognition, reconcile = proof
    recognition.deliver("on_programme_published", *season.published())
    teachers = sorted(new_id() for _ in range(5))
    for teacher_id in teachers:
        recognition.deliver_batch("record_progress", season.everything(teacher_id), events=True)
    assert reconcile() == (5, [])
    assert reconcile(limit=5) == (5, [])

    def work(statement, teacher_id):
        with recognition.database.work() as db:
            db.execute(sa.text(statement), {"id": teacher_id})

    work("UPDATE evidence SET videos = '[]' WHERE teacher_id = :id", teachers[0])  # hours without evidence
    work("DELETE FROM standing WHERE teacher_id = :id", teachers[1])
    work("UPDATE standing SET hours = 7 WHERE teacher_id = :id", teachers[2])
    checked, differences = reconcile()
    assert checked == 5
    found = {
        teacher_id: {(each["course"], each["expected"], each["in_ledger"], each["in_standing"]) for each in differences
                     if each["teacher_id"] == str(teacher_id)}
        for teacher_id in teachers
    }  # fmt: skip
    assert ("party20", "0.00", "2.00", "2.00") in found[teachers[0]]
    assert ("party20", "2.00", "2.00", "none") in found[teachers[1]]
    assert found[teachers[2]] == {("", "6.00", "", "7.00")}
    assert not found[teachers[3]]
    assert not found[teachers[4]]
