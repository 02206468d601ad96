"""Statistics are kept as things happen, for every place above, and equal what a count would give."""

from __future__ import annotations

import itertools
import threading

import pytest
import sqlalchemy as sa

from services.certs import contract as certs
from services.credits.statistics import counting
from services.shared import clock
from services.shared.actor import Role
from services.shared.errors import InvalidInput, NotAllowed, NotFound
from services.shared.ids import new_id
from tests.component.credits.conftest import employed, membership
from tests.conftest import person

_provinces = itertools.count(101)
NATIONAL = person(None, (Role.NATIONAL_OPERATOR, "CN"))


@pytest.fixture
def city():
    """A city of the test's own, in a province of its own."""
    province = f"CN/{next(_provinces)}000"
    return f"{province}/{province[3:6]}100"


@pytest.fixture
def teach(recognition, season):
    """A teacher at a place, who may study all of the season."""
    recognition.deliver("on_programme_published", *season.published())

    def make(place, *, studies=False, finishes=False):
        actor = person()
        recognition.deliver("on_membership_changed", *membership(actor.account_id, place))
        if studies:
            events = [season.enrolled(actor.account_id), season.progressed(actor.account_id, "course_c", 1)]
            recognition.deliver_batch("record_progress", events, events=True)
        if finishes:
            recognition.deliver_batch("record_progress", season.everything(actor.account_id), events=True)
        return actor

    return make


@pytest.fixture
def figures(credits_service, season):
    def read(place, *names, programme=True, actor=NATIONAL):
        credits_service.service.fold_statistics(clock.now())
        arguments = {"place": place, "programme_id": season.programme_id if programme else None}
        shown = credits_service.call("get_statistics", arguments, actor)
        return tuple(shown[name] for name in names)

    return read


def test_every_place_above_holds_the_sum(city, teach, figures):
    teach(f"{city}/440103/s1", studies=True)
    teach(f"{city}/440103/s2", finishes=True)
    teach(f"{city}/440105/s3")
    names = ("enrolled", "studying", "finished", "hours")
    assert figures(f"{city}/440103/s1", *names) == (1, 1, 0, "1.00")
    assert figures(f"{city}/440103", *names) == (2, 2, 1, "7.00")
    assert figures(city, *names) == (2, 2, 1, "7.00")
    assert figures(city, "registered", "verified", programme=False) == (3, 3)
    assert figures(f"{city}/440106", *names) == (0, 0, 0, "0.00")


def test_a_teacher_who_moves_takes_her_counts_along(city, teach, figures, recognition):
    teacher = teach(f"{city}/440103/s1", finishes=True)
    recognition.deliver("on_membership_changed", *membership(teacher.account_id, f"{city}/440105/s3", 2))
    assert figures(f"{city}/440103", "enrolled", "finished", "hours") == (0, 0, "0.00")
    assert figures(f"{city}/440105", "enrolled", "finished", "hours") == (1, 1, "6.00")
    assert figures(city, "enrolled", "finished", "hours") == (1, 1, "6.00")
    assert figures(city, "registered", programme=False) == (1,)


def test_who_is_archived_is_in_no_denominator_and_what_she_did_stays(city, teach, figures, teachers, recognition):
    school = f"{city}/440103/s1"
    teacher = teach(school, finishes=True)
    for version, status, persons in ((1, "LEFT", 0), (2, "ON_DUTY", 1)):
        recognition.deliver("on_employment_changed", *employed(teacher.account_id, status, version))
        assert figures(city, "registered", "verified", programme=False) == (persons, persons)
        assert figures(city, "enrolled", "finished", "hours") == (1, 1, "6.00")
        assert len(teachers(school)["items"]) == persons


def test_a_certificate_is_counted_once_however_often_it_is_told(city, teach, figures, recognition, season):
    teacher = teach(f"{city}/440103/s1", finishes=True)
    payload = {
        "teacher_id": str(teacher.account_id),
        "programme_id": season.programme_id,
        "version": 1,
        "state": "ISSUED",
        "certificate_id": str(new_id()),
    }
    assert certs.EVENTS[certs.CERTIFICATE_ISSUED]().validate(payload) == {}
    for _ in range(2):
        recognition.deliver("on_certificate_issued", certs.CERTIFICATE_ISSUED, payload)
    assert figures(city, "certified") == (1,)


def test_counting_again_adds_nothing(city, teach, figures, recognition, season):
    teacher = teach(f"{city}/440103/s1", finishes=True)
    before = figures(city, "enrolled", "hours")
    with recognition.database.work() as db:
        counting.count_person(db, teacher.account_id, clock.now())
        deltas = db.execute(sa.text("SELECT count(*) FROM statistic_delta")).scalar_one()
    assert (deltas, figures(city, "enrolled", "hours")) == (0, before)


def test_a_move_and_a_study_at_the_same_moment_add_up(city, teach, figures, recognition, season, credits_service):
    teachers = [teach(f"{city}/440103/s1", studies=True) for _ in range(6)]

    def move(teacher):
        recognition.deliver("on_membership_changed", *membership(teacher.account_id, f"{city}/440105/s3", 2))

    def study(teacher):
        recognition.deliver_batch("record_progress", season.everything(teacher.account_id)[2:], events=True)

    threads = [threading.Thread(target=act, args=(teacher,)) for teacher in teachers for act in (move, study)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert figures(f"{city}/440103", "enrolled", "hours") == (0, "0.00")
    assert figures(f"{city}/440105", "enrolled")[0] == 6
    assert credits_service.call("reconcile_statistics", {}, _cli())["differences"] == []


def test_the_proof_finds_a_figure_that_was_tampered_with(city, teach, figures, credits_service):
    teach(f"{city}/440103/s1", studies=True)
    figures(city, "enrolled")
    with credits_service.database.work() as db:
        db.execute(sa.text("UPDATE statistic SET enrolled = enrolled + 1 WHERE place = :city"), {"city": city})
    found = credits_service.call("reconcile_statistics", {}, _cli())["differences"]
    # Of the programme and of the persons: both rows say one too many.
    assert [difference["place"] for difference in found] == [city, city]
    with credits_service.database.work() as db:
        db.execute(sa.text("UPDATE statistic SET enrolled = enrolled - 1 WHERE place = :city"), {"city": city})


def test_places_below_come_in_the_order_of_the_tree_by_the_page(city, teach, figures, credits_service, season):
    for county, count in ((440105, 1), (440103, 2), (440104, 3)):
        for number in range(count):
            teach(f"{city}/{county}/s{number}", studies=True)
    figures(city, "enrolled")
    arguments = {"programme_id": season.programme_id, "place": city, "limit": 2}
    first = credits_service.call("list_statistics_below", arguments, NATIONAL)
    assert [(item["place"][-6:], item["enrolled"]) for item in first["items"]] == [("440103", 2), ("440104", 3)]
    rest = credits_service.call("list_statistics_below", {**arguments, "cursor": first["next_cursor"]}, NATIONAL)
    assert [(item["place"][-6:], item["enrolled"]) for item in rest["items"]] == [("440105", 1)]
    assert rest["next_cursor"] is None


def test_days_add_up_to_the_total(city, teach, figures, credits_service, season, fixed_clock):
    teach(f"{city}/440103/s1", studies=True)
    fixed_clock.instant = clock.parse_instant("2023-01-11T00:30:00+08:00")  # a Beijing day, not a UTC one
    teach(f"{city}/440103/s1", finishes=True)
    figures(city, "enrolled")
    arguments = {
        "programme_id": season.programme_id,
        "place": city,
        "first": "2023-01-01",
        "last": "2023-01-31",
    }
    days = credits_service.call("list_statistics_by_day", arguments, NATIONAL)["items"]
    assert [(day["day"], day["enrolled"], day["hours"]) for day in days] == [
        ("2023-01-10", 1, "1.00"),
        ("2023-01-11", 1, "6.00"),
    ]
    with pytest.raises(InvalidInput):
        credits_service.call("list_statistics_by_day", {**arguments, "last": "2022-12-31"}, NATIONAL)


def test_what_is_not_folded_yet_is_said(city, teach, credits_service, season, fixed_clock):
    credits_service.service.fold_statistics(clock.now())
    told = clock.format_instant(clock.now())
    teach(f"{city}/440103/s1", studies=True)
    fixed_clock.instant = clock.parse_instant("2023-01-10T10:05:00+08:00")
    arguments = {"place": city, "programme_id": season.programme_id}
    assert credits_service.call("get_statistics", arguments, NATIONAL)["as_of"] == told
    credits_service.service.fold_statistics(clock.now())
    assert credits_service.call("get_statistics", arguments, NATIONAL)["as_of"] == clock.format_instant(clock.now())


def test_each_sees_the_own_territory(city, teach, figures, credits_service, season):
    teach(f"{city}/440103/s1", studies=True)
    county = f"{city}/440103"
    for role, place in ((Role.PRINCIPAL, f"{county}/s1"), (Role.COUNTY_ADMIN, county), (Role.CITY_CENTRE, city)):
        assert figures(place, "enrolled", actor=person(None, (role, place))) == (1,)
    for role, place in ((Role.COUNTY_ADMIN, f"{city}/440105"), (Role.SCHOOL_ADMIN, f"{county}/s1")):
        with pytest.raises(NotFound, match="statistics_unknown"):
            figures(county, "enrolled", actor=person(None, (role, place)))
    with pytest.raises(NotAllowed):
        figures(county, "enrolled", actor=person())


def _cli():
    from services.shared.actor import service_actor

    return service_actor("cli")


@pytest.fixture
def teachers(credits_service, season):
    def read(place, actor=NATIONAL, **more):
        asked = {"place": place, "programme_id": season.programme_id, **more}
        return credits_service.call("list_teacher_statistics", asked, actor)

    return read


def test_below_the_school_its_teachers_are_told_as_far_as_they_have_come(city, teach, teachers, recognition, season):
    school = f"{city}/440103/s1"
    idle = teach(school)
    enrolled = teach(school)
    recognition.deliver_batch("record_progress", [season.enrolled(enrolled.account_id)], events=True)
    studying = teach(school, studies=True)
    finished = teach(school, finishes=True)
    teach(f"{city}/440103/s2", finishes=True)
    found = {each["teacher_id"]: each for each in teachers(school)["items"]}
    stages = {str(idle.account_id): "NOT_ENROLLED", str(enrolled.account_id): "NOT_STARTED"}
    stages |= {str(studying.account_id): "STUDYING", str(finished.account_id): "FINISHED"}
    assert {teacher_id: each["stage"] for teacher_id, each in found.items()} == stages
    for teacher_id, stage in stages.items():
        assert [each["teacher_id"] for each in teachers(school, stage=stage)["items"]] == [teacher_id]
    best = found[str(finished.account_id)]
    assert (best["hours"], best["courses_done"], best["certified"], best["verified"]) == ("6.00", 5, False, True)
    assert found[str(idle.account_id)]["hours"] == "0.00"


def test_teachers_come_page_by_page_school_by_school(city, teach, teachers):
    made = [teach(f"{city}/440103/{school}") for school in ("s2", "s1", "s3")]
    first = teachers(f"{city}/440103", limit=2)
    last = teachers(f"{city}/440103", limit=2, cursor=first["next_cursor"])
    assert [each["place"][-2:] for page in (first, last) for each in page["items"]] == ["s1", "s2", "s3"]
    assert {each["teacher_id"] for page in (first, last) for each in page["items"]} == {
        str(each.account_id) for each in made
    }
    assert last["next_cursor"] is None


def test_a_certificate_is_told_of_those_who_hold_a_valid_one(city, teach, teachers, recognition, season):
    school = f"{city}/440103/s1"
    holder = teach(school, finishes=True)
    payload = {
        "certificate_id": str(new_id()),
        "teacher_id": str(holder.account_id),
        "programme_id": season.programme_id,
        "version": 1,
        "number": "2023TEST",
        "edition": 1,
    }
    recognition.deliver("on_certificate_issued", certs.CERTIFICATE_ISSUED, payload)
    principal = person(None, (Role.PRINCIPAL, school))
    assert [each["certified"] for each in teachers(school, principal)["items"]] == [True]


def test_a_schools_teachers_are_told_to_those_who_answer_for_it(city, teach, teachers):
    her = teach(f"{city}/440103/s1")
    assert len(teachers(f"{city}/440103/s1", person(None, (Role.SCHOOL_ADMIN, f"{city}/440103/s1")))["items"]) == 1
    with pytest.raises(NotFound):
        teachers(f"{city}/440103/s1", person(None, (Role.SCHOOL_ADMIN, f"{city}/440103/s2")))
    with pytest.raises(NotAllowed):
        teachers(f"{city}/440103/s1", her)
