"""The nightly computation of years that are not frozen yet: what a school, a county and a city see of them."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa

from services.credits.verification import open_years
from services.shared import clock
from services.shared.actor import Role
from services.shared.errors import NotAllowed, NotFound
from tests.component.credits.conftest import employed, membership
from tests.conftest import person


@pytest.fixture
def compute(credits_service, at):
    """The night's run, at an instant."""

    def run(instant="2023-11-21T00:10:00+08:00"):
        at(instant)
        # Other tests computed the same years of the same scheme.
        with credits_service.database.work() as db:
            db.execute(sa.text("DELETE FROM year_computation"))
        credits_service.service.compute_years(clock.now())

    return run


@pytest.fixture
def head(county):
    return person(None, (Role.COUNTY_ADMIN, county))


@pytest.fixture
def page(credits_service, county, head):
    def read(actor=head, place=county, **more):
        given = {"place": place, "year": 2023, "frozen": None, **more}
        return credits_service.call("list_year_verifications", given, actor)

    return read


@pytest.fixture
def summary(credits_service, county, head):
    def read(place=county, actor=head):
        shown = credits_service.call("get_verification_summary", {"place": place, "year": 2023}, actor)
        return {name: shown[name] for name in ("teachers", "met", "open_teachers", "open_met", "computed_at", "below")}

    return read


def totals(place, *numbers):
    names = ("teachers", "met", "open_teachers", "open_met")
    return {"place": place, **dict(zip(names, numbers, strict=True))}


def test_each_night_tells_a_place_who_is_short_of_what(recognition, teacher, earn, compute, page, county):
    other = person()
    recognition.deliver("on_membership_changed", *membership(other.account_id, f"{county}/s0"))
    earn(teacher, "30")
    compute()
    nobody, short = page()["items"]
    assert nobody["teacher_id"] == str(other.account_id)
    assert (short["state"], short["version"], short["met"], short["total"]) == ("OPEN", 0, False, "10.00")
    assert short["shortfalls"] == [{"rule_id": "GX.YEAR", "measure": "total", "missing": "6.00"}]
    assert list(short["amounts"]) == ["集中培训", "远程培训", "校本研修"]  # as the pack lists them
    assert (short["frozen_at"], short["hash"]) == (None, None)
    assert short["computed_at"] == "2023-11-20T16:10:00.000000Z"
    earn(teacher, "18", "远程培训")
    assert page()["items"][1]["total"] == "10.00"  # of last night
    compute("2023-11-22T00:10:00+08:00")
    assert [each["met"] for each in page()["items"]] == [False, True]
    assert [each["teacher_id"] for each in page(met=True)["items"]] == [str(teacher.account_id)]
    first = page(limit=1)
    assert [each["teacher_id"] for each in page(limit=1, cursor=first["next_cursor"])["items"]] == [
        str(teacher.account_id)
    ]


def test_a_place_is_told_how_many_would_meet_the_requirement(
    recognition, teacher, earn, compute, summary, county, freeze
):
    other = person()
    recognition.deliver("on_membership_changed", *membership(other.account_id, f"{county}/s2"))
    earn(teacher, "48")
    compute()
    shown = summary()
    assert (shown["teachers"], shown["open_teachers"], shown["open_met"]) == (0, 2, 1)
    assert shown["computed_at"] == "2023-11-20T16:10:00.000000Z"
    assert shown["below"] == [totals(f"{county}/s1", 0, 0, 1, 1), totals(f"{county}/s2", 0, 0, 1, 0)]
    school = summary(f"{county}/s1", person(None, (Role.PRINCIPAL, f"{county}/s1")))
    assert (school["open_teachers"], school["open_met"], school["below"]) == (1, 1, [])
    freeze()
    shown = summary()
    assert (shown["teachers"], shown["met"], shown["open_teachers"], shown["open_met"]) == (2, 1, 0, 0)
    assert shown["computed_at"] is None


def test_a_night_is_computed_once_whoever_runs(credits_service, teacher, earn, compute, page, at):
    compute()
    earn(teacher, "30")
    at("2023-11-21T23:59:00+08:00")
    credits_service.service.compute_years(clock.now())
    assert page()["items"][0]["total"] == "0.00"
    at("2023-11-22T00:00:00+08:00")
    threads = [threading.Thread(target=credits_service.service.compute_years, args=(clock.now(),)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    credits_service.service.compute_years(clock.now())
    assert [each["total"] for each in page()["items"]] == ["10.00"]


def test_a_computation_that_dies_goes_on_where_it_stopped(
    credits_service, recognition, teacher, county, at, compute, page, monkeypatch, summary
):
    for _ in range(4):
        recognition.deliver("on_membership_changed", *membership(person().account_id, f"{county}/s1"))
    monkeypatch.setattr(open_years, "BATCH", 2)
    compute_batch, batches = open_years.compute_batch, []

    def die_after_two(*arguments):
        if len(batches) == 2:
            raise KeyboardInterrupt
        batches.append(1)
        return compute_batch(*arguments)

    monkeypatch.setattr(open_years, "compute_batch", die_after_two)
    with pytest.raises(KeyboardInterrupt):
        compute()
    monkeypatch.setattr(open_years, "compute_batch", compute_batch)
    credits_service.service.compute_years(clock.now())
    assert len(page()["items"]) == 5
    assert summary()["open_teachers"] == 5


def test_who_left_is_gone_with_the_next_night_and_who_moved_is_told_where_she_is(
    recognition, teacher, compute, page, summary, county
):
    gone = person()
    recognition.deliver("on_membership_changed", *membership(gone.account_id, f"{county}/s1"))
    compute()
    assert summary()["open_teachers"] == 2
    recognition.deliver("on_membership_changed", *membership(teacher.account_id, f"{county}/s2", version=2))
    recognition.deliver("on_membership_changed", *membership(gone.account_id, "CN/110000/110100/110101/s1", version=2))
    [line] = page()["items"]
    assert (line["place"], line["school_name"]) == (f"{county}/s1", "第1小学")  # as it was computed
    compute("2023-11-22T00:10:00+08:00")
    [line] = page()["items"]
    assert (line["place"], line["school_name"]) == (f"{county}/s2", "第2小学")
    assert summary()["below"] == [totals(f"{county}/s2", 0, 0, 1, 0)]


def test_who_is_archived_is_in_no_denominator_and_nothing_of_hers_is_frozen(
    recognition, teacher, compute, freeze, page, summary, county
):
    compute()
    assert summary()["open_teachers"] == 1
    recognition.deliver("on_employment_changed", *employed(teacher.account_id, "RETIRED", 2))
    recognition.deliver("on_employment_changed", *employed(teacher.account_id, "ON_DUTY", 1))  # late
    compute("2023-11-22T00:10:00+08:00")
    assert (page()["items"], summary()["open_teachers"]) == ([], 0)
    freeze()
    assert (page()["items"], summary()["teachers"]) == ([], 0)
    # Restored: the next pass finds her year.
    recognition.deliver("on_employment_changed", *employed(teacher.account_id, "ON_DUTY", 3))
    freeze("2024-02-02T00:10:00+08:00")
    [line] = page()["items"]
    assert (line["teacher_id"], summary()["teachers"]) == (str(teacher.account_id), 1)


def test_a_frozen_year_stands_before_what_was_computed(
    credits_service, recognition, teacher, earn, compute, page, freeze, county
):
    earn(teacher, "30")
    compute()
    freeze()
    late = person()
    recognition.deliver("on_membership_changed", *membership(late.account_id, f"{county}/s2"))
    [line] = page()["items"]
    assert (line["state"], line["total"], line["computed_at"]) == ("FROZEN", "10.00", None)
    assert page(frozen=True)["items"] == [line]
    assert page(frozen=False)["items"] == []
    # Who asks as before is told what is frozen.
    head = person(None, (Role.COUNTY_ADMIN, county))
    asked = {"place": county, "year": 2023}
    assert credits_service.call("list_year_verifications", asked, head)["items"] == [line]


def test_until_its_closing_the_year_before_is_computed_as_well(teacher, earn, compute, page):
    earn(teacher, "30")
    compute("2024-01-20T00:10:00+08:00")
    assert [each["total"] for each in page()["items"]] == ["10.00"]
    assert [each["total"] for each in page(year=2024)["items"]] == ["0.00"]
    assert page(year=2022)["items"] == []


def test_nobody_sees_computed_years_outside_the_own_territory(teacher, compute, page, summary, county):
    compute()
    principal = person(None, (Role.PRINCIPAL, f"{county}/s1"))
    assert len(page(principal, f"{county}/s1")["items"]) == 1
    for place in (county, f"{county}/s0"):
        with pytest.raises(NotFound):
            page(principal, place)
    with pytest.raises(NotFound):
        summary(county, principal)
    with pytest.raises(NotAllowed):
        page(teacher, f"{county}/s1")
