"""A year from the ledger to its freezing, complaints and corrections."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa

from services.credits.verification import actions
from services.shared import clock
from services.shared.actor import Role
from services.shared.errors import Conflict, InvalidInput, NotAllowed, NotFound
from services.shared.ids import new_id
from tests.component.credits.conftest import membership
from tests.conftest import person


def figures(shown):
    return shown["state"], shown["verification"]["total"], shown["verification"]["met"]


def test_a_year_is_open_until_its_closing_and_shows_what_is_missing(teacher, earn, verification):
    earn(teacher, "30")  # ten credits
    shown = verification(teacher)
    assert figures(shown) == ("OPEN", "10.00", False)
    assert shown["verification"]["shortfalls"] == [{"rule_id": "GX.YEAR", "measure": "total", "missing": "6.00"}]
    earn(teacher, "18", "远程培训")
    assert figures(verification(teacher)) == ("OPEN", "16.00", True)
    assert verification(teacher)["cycle"]["years"] == [2021, 2022, 2023, 2024, 2025]


def test_every_figure_can_be_told_as_of_a_past_moment(teacher, earn, verification, at):
    earn(teacher, "30")
    at("2023-11-22T10:00:00+08:00")
    earn(teacher, "18", "远程培训")
    assert figures(verification(teacher, as_of="2023-11-21T10:00:00+08:00"))[1] == "10.00"
    assert figures(verification(teacher))[1] == "16.00"


def test_a_frozen_year_keeps_its_figures_and_takes_no_more_entries(
    credits_service, teacher, earn, verification, freeze, handler, county
):
    earn(teacher, "30")
    text = {
        "year": 2023,
        "kind": "DECLARATION",
        "title": "晚到的申报",
        "institution": "县教研室",
        "hours": "9",
        "started_on": "2023-10-01",
        "ended_on": "2023-10-03",
    }
    late = {"declaration_id": credits_service.call("create_declaration", text, teacher)["declaration_id"]}
    credits_service.call("submit_declaration", late, teacher)
    credits_service.call("pass_declaration", late, person(None, (Role.SCHOOL_ADMIN, f"{county}/s1")))
    freeze()
    frozen = verification(teacher)
    assert (figures(frozen), frozen["version"]) == (("FROZEN", "10.00", False), 1)
    assert len(frozen["hash"]) == 64
    with pytest.raises(Conflict, match="year_frozen"):
        credits_service.call("approve_declaration", late, handler)
    assert verification(teacher) == frozen
    told = list(credits_service.outbox("credits.year_frozen"))
    assert [t["version"] for t in told if t["teacher_id"] == str(teacher.account_id)] == [1]


def test_the_closing_instant_decides(teacher, earn, verification, freeze):
    earn(teacher, "30")
    freeze("2024-01-31T23:59:59+08:00")
    assert verification(teacher)["state"] == "OPEN"


def test_freezing_twice_or_by_two_processes_at_once_makes_one_snapshot(
    credits_service, recognition, county, at, earn, teacher
):
    earn(teacher, "30")
    at("2024-02-01T00:00:00+08:00")
    with credits_service.database.work() as db:
        db.execute(sa.text("DELETE FROM year_closing"))
    threads = [threading.Thread(target=credits_service.service.freeze_years, args=(clock.now(),)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    credits_service.service.freeze_years(clock.now())
    with credits_service.database.work() as db:
        count = db.execute(
            sa.text("SELECT count(*) FROM year_verification_history WHERE teacher_id = :id"),
            {"id": teacher.account_id},
        ).scalar_one()
    assert count == 1


def test_a_freezing_that_dies_goes_on_where_it_stopped(credits_service, recognition, county, at, monkeypatch):
    teachers = []
    for _ in range(5):
        actor = person()
        recognition.deliver("on_membership_changed", *membership(actor.account_id, f"{county}/s1"))
        teachers.append(actor)
    at("2024-02-01T00:00:00+08:00")
    monkeypatch.setattr(actions, "BATCH", 2)
    with credits_service.database.work() as db:
        db.execute(sa.text("DELETE FROM year_closing"))
    freeze_batch, batches = actions.freeze_batch, []

    def die_after_two(db, scheme, year, now):
        if len(batches) == 2:
            raise KeyboardInterrupt
        batches.append(year)
        return freeze_batch(db, scheme, year, now)

    monkeypatch.setattr(actions, "freeze_batch", die_after_two)
    with pytest.raises(KeyboardInterrupt):
        credits_service.service.freeze_years(clock.now())
    monkeypatch.setattr(actions, "freeze_batch", freeze_batch)
    credits_service.service.freeze_years(clock.now())
    arguments = [{"year": 2023, "teacher_id": str(actor.account_id)} for actor in teachers]
    shown = [
        credits_service.call("get_year_verification", each, actor)
        for each, actor in zip(arguments, teachers, strict=True)
    ]
    assert [(each["state"], each["version"]) for each in shown] == [("FROZEN", 1)] * 5


def test_who_comes_after_the_closing_is_frozen_by_the_next_days_pass(
    credits_service, recognition, county, freeze, verification, at
):
    freeze()
    late = person()
    recognition.deliver("on_membership_changed", *membership(late.account_id, f"{county}/s1"))
    credits_service.service.freeze_years(clock.now())
    assert verification(late)["state"] == "OPEN"
    at("2024-02-02T00:00:00+08:00")
    credits_service.service.freeze_years(clock.now())
    assert verification(late)["state"] == "FROZEN"


@pytest.fixture
def complaint(credits_service, teacher, earn, freeze):
    """A complaint about a frozen year of ten credits."""
    earn(teacher, "30")
    freeze()
    given = {"year": 2023, "about": "HOURS_MISSING", "text": "集中培训未计入"}
    return credits_service.call("file_complaint", given, teacher)


def on(complaint, **more):
    return {"complaint_id": complaint["complaint_id"], **more}


def test_an_accepted_complaint_corrects_the_ledger_and_freezes_the_year_again(
    credits_service, teacher, complaint, handler, verification
):
    before = verification(teacher)
    credits_service.call("assign_complaint", on(complaint), handler)
    answer = on(
        complaint,
        accepted=True,
        reply="补记集中培训6学分",
        corrections=[{"amount": "6", "training_form": "集中培训"}],
    )
    assert credits_service.call("answer_complaint", answer, handler)["state"] == "ANSWERED"
    after = verification(teacher)
    assert (figures(after), after["version"]) == (("REFROZEN", "16.00", True), 2)
    assert after["hash"] != before["hash"]
    (correction, _) = credits_service.call("list_ledger", {}, teacher)["items"]
    assert (correction["amount"], correction["source_kind"]) == ("6.00", "CORRECTION")
    assert complaint["complaint_id"] in correction["explanation"]["why"]
    with credits_service.database.work() as db:
        history = db.execute(
            sa.text("SELECT version, hash FROM year_verification_history WHERE teacher_id = :id ORDER BY version"),
            {"id": teacher.account_id},
        ).all()
    assert [tuple(row) for row in history] == [(1, before["hash"]), (2, after["hash"])]


def test_a_correction_names_a_category_that_the_rules_know(credits_service, teacher, complaint, handler, verification):
    credits_service.call("assign_complaint", on(complaint), handler)
    corrections = [{"amount": "1"}, {"amount": "6", "training_form": "线上"}]
    with pytest.raises(InvalidInput) as refused:
        credits_service.call(
            "answer_complaint", on(complaint, accepted=True, reply="补记", corrections=corrections), handler
        )
    assert (refused.value.code, refused.value.field) == ("credits.category_unknown", "corrections.1.training_form")
    assert figures(verification(teacher)) == ("FROZEN", "10.00", False)  # nothing was entered


def test_where_nothing_is_required_of_a_cycle_it_is_not_met(credits_service, recognition, at, freeze):
    """Guangdong requires hours of a year, and nothing of five."""
    place = "CN/440000/440600/440604/s1"
    elsewhere = person()
    recognition.deliver("on_membership_changed", *membership(elsewhere.account_id, place))
    freeze()
    head = person(None, (Role.SCHOOL_ADMIN, place))
    asked = {"place": place, "year": 2023}
    lines = credits_service.call("list_year_verifications", asked, head)["items"]
    [line] = [each for each in lines if each["teacher_id"] == str(elsewhere.account_id)]
    assert (line["met"], line["cycle_met"]) == (False, None)


def test_an_entry_is_taken_back_once(credits_service, teacher, complaint, handler, verification):
    (entry,) = credits_service.call("list_ledger", {}, teacher)["items"]
    credits_service.call("assign_complaint", on(complaint), handler)
    twice = [{"reverse_entry_id": entry["entry_id"]}] * 2
    with pytest.raises(Conflict, match="entry_reversed"):
        credits_service.call("answer_complaint", on(complaint, accepted=True, reply="重复", corrections=twice), handler)
    once = on(complaint, accepted=True, reply="误记", corrections=twice[:1])
    credits_service.call("answer_complaint", once, handler)
    assert figures(verification(teacher))[1] == "0.00"
    foreign = on(complaint, accepted=True, reply="他人", corrections=[{"reverse_entry_id": str(new_id())}])
    with pytest.raises(Conflict, match="complaint_state"):
        credits_service.call("answer_complaint", foreign, handler)


def test_complaints_keep_to_their_window_and_to_one_at_a_time(credits_service, teacher, complaint, at, handler):
    given = {"year": 2023, "about": "OTHER", "text": "再次"}
    with pytest.raises(Conflict, match="complaint_open"):
        credits_service.call("file_complaint", given, teacher)
    with pytest.raises(Conflict, match="complaint_window"):
        credits_service.call("file_complaint", {**given, "year": 2022}, teacher)
    credits_service.call("assign_complaint", on(complaint), handler)
    credits_service.call("answer_complaint", on(complaint, accepted=False, reply="已核实无误"), handler)
    reopened = credits_service.call("reopen_complaint", on(complaint, text="仍有异议"), teacher)
    assert (reopened["state"], "仍有异议" in reopened["text"]) == ("FILED", True)
    credits_service.call("assign_complaint", on(complaint), handler)
    credits_service.call("answer_complaint", on(complaint, accepted=False, reply="维持"), handler)
    with pytest.raises(Conflict, match="complaint_reopened"):
        credits_service.call("reopen_complaint", on(complaint, text="第三次"), teacher)
    credits_service.call("close_complaint", on(complaint), teacher)
    at("2024-03-02T00:00:00+08:00")
    with pytest.raises(Conflict, match="complaint_window"):
        credits_service.call("file_complaint", given, teacher)


def test_after_the_window_the_year_is_final(teacher, earn, freeze, verification, at):
    earn(teacher, "30")
    freeze()
    at("2024-03-02T00:00:00+08:00")
    assert verification(teacher)["state"] == "FINAL"


def test_handlers_keep_to_their_county_and_to_others_complaints(credits_service, teacher, complaint, county, handler):
    elsewhere = person(None, (Role.COUNTY_ADMIN, "CN/450000/450200/450202"))
    with pytest.raises(NotFound, match="complaint_unknown"):
        credits_service.call("assign_complaint", on(complaint), elsewhere)
    with pytest.raises(NotAllowed):
        credits_service.call("assign_complaint", on(complaint), person(None, (Role.SCHOOL_ADMIN, f"{county}/s1")))
    himself = person(teacher.account_id, (Role.COUNTY_ADMIN, county))
    with pytest.raises(NotAllowed, match="complaint_own"):
        credits_service.call("assign_complaint", on(complaint), himself)
    with pytest.raises(Conflict, match="complaint_state"):
        credits_service.call("answer_complaint", on(complaint, accepted=False, reply="未受理"), handler)
    listed = credits_service.call("list_complaints", {"place": county}, handler)["items"]
    assert [item["complaint_id"] for item in listed] == [complaint["complaint_id"]]
    with pytest.raises(NotFound):
        credits_service.call("list_complaints", {"place": county}, elsewhere)
    mine = credits_service.call("list_own_complaints", {}, teacher)["items"]
    assert [item["complaint_id"] for item in mine] == [complaint["complaint_id"]]


def test_years_are_read_by_oneself_and_by_those_above(teacher, earn, verification, county):
    earn(teacher, "30")
    for role, place in ((Role.PRINCIPAL, f"{county}/s1"), (Role.CITY_ADMIN, "CN/450000/450100")):
        assert figures(verification(teacher, actor=person(None, (role, place))))[1] == "10.00"
    for stranger in (person(), person(None, (Role.SCHOOL_ADMIN, f"{county}/s2"))):
        with pytest.raises(NotFound, match="no_scheme"):
            verification(teacher, actor=stranger)


def test_the_matrix_page(credits_service, teacher, earn):
    earn(teacher, "30")
    page = credits_service.call("get_credit_matrix", {}, teacher)
    rows = {row["category"]: row for row in page["rows"]}
    assert page["years"] == [2021, 2022, 2023, 2024, 2025]
    assert rows["校本研修"]["years"][2] == {
        "year": 2023,
        "amount": "10.00",
        "required": "10.00",
        "status": "COMPLETED",
    }
    assert rows["集中培训"]["years"][2]["status"] == "NO_REQUIREMENT"


def test_where_nobody_adopted_rules_there_is_no_verification(credits_service, recognition, at):
    beijing = person()
    recognition.deliver("on_membership_changed", *membership(beijing.account_id, "CN/110000/110101/s1"))
    with pytest.raises(NotFound, match="no_scheme"):
        credits_service.call("get_year_verification", {"year": 2023}, beijing)


def test_what_was_earned_under_other_rules_is_listed_and_not_added(
    credits_service, recognition, teacher, earn, verification, at
):
    """Credits of Guangxi mean nothing in Guangdong until somebody converts them."""
    earn(teacher, "30")
    recognition.deliver("on_membership_changed", *membership(teacher.account_id, "CN/440000/440100/440103/s1", 2))
    shown = verification(teacher)
    assert (shown["scheme"], shown["verification"]["total"]) == ("guangdong", "0.00")
    assert [(each["unit"], each["amount"]) for each in shown["not_converted"]] == [("CREDIT", "10.00")]


@pytest.mark.parametrize(
    "corrections",
    [
        [{"amount": "0"}],
        [{"amount": "6", "reverse_entry_id": str(new_id())}],
        [{}],
        [{"amount": "-6"}],
        [{"amount": "1e1"}],
    ],
)
def test_bad_corrections_are_refused(credits_service, complaint, handler, corrections):
    credits_service.call("assign_complaint", on(complaint), handler)
    with pytest.raises(InvalidInput):
        credits_service.call(
            "answer_complaint", on(complaint, accepted=True, reply="改", corrections=corrections), handler
        )


# --- sheets and lists -----------------------------------------------------------------------------------------------------


@pytest.fixture
def sheet(credits_service):
    def read(teacher, actor=None, year=2023):
        arguments = {"year": year, "teacher_id": str(teacher.account_id)}
        return credits_service.call("get_year_sheet", arguments, actor or teacher)

    return read


def test_a_sheet_is_of_a_frozen_year_only_and_says_whose_and_against_what(teacher, earn, freeze, sheet, county):
    earn(teacher, "30")
    with pytest.raises(Conflict) as refusal:
        sheet(teacher)
    assert refusal.value.code == "credits.year_open"
    freeze()
    printed = sheet(teacher)
    assert printed["teacher_id"] == str(teacher.account_id)
    assert (printed["school_name"], printed["place"]) == ("第1小学", f"{county}/s1")
    assert (printed["state"], printed["version"], printed["total"], printed["met"]) == ("FROZEN", 1, "10.00", False)
    assert printed["verification"]["required"] == [
        {"rule_id": "GX.YEAR", "measure": "total", "required": "16.00"},
        {"rule_id": "GX.YEAR", "measure": "校本研修", "required": "10.00"},
    ]
    assert {"rule_id": "GX.TOTAL", "measure": "total", "required": "120.00"} in printed["cycle"]["required"]
    assert printed["pack"]["titles"]["zh"].startswith("广西")


def test_a_snapshot_that_does_not_fit_its_hash_is_not_printed(credits_service, teacher, earn, freeze, sheet):
    earn(teacher, "30")
    freeze()
    with credits_service.database.work() as db:
        db.execute(
            sa.text(
                "UPDATE year_verification SET body = jsonb_set(body, '{verification,total}', '\"99.00\"')"
                " WHERE teacher_id = :id"
            ),
            {"id": teacher.account_id},
        )
    with pytest.raises(Conflict) as refusal:
        sheet(teacher)
    assert refusal.value.code == "credits.snapshot_damaged"


def test_the_snapshot_keeps_the_school_of_its_closing(recognition, teacher, earn, freeze, sheet, county):
    earn(teacher, "30")
    freeze()
    recognition.deliver("on_membership_changed", *membership(teacher.account_id, f"{county}/s2", version=2))
    assert sheet(teacher)["school_name"] == "第1小学"
    with pytest.raises(NotFound):
        sheet(teacher, person(None, (Role.SCHOOL_ADMIN, f"{county}/s1")))
    assert sheet(teacher, person(None, (Role.PRINCIPAL, f"{county}/s2")))["total"] == "10.00"


def test_a_place_lists_its_frozen_years_school_by_school(credits_service, recognition, teacher, earn, freeze, county):
    other = person()
    recognition.deliver("on_membership_changed", *membership(other.account_id, f"{county}/s0"))
    earn(teacher, "48")
    freeze()
    head = person(None, (Role.COUNTY_ADMIN, county))

    def page(actor=head, place=county, **more):
        return credits_service.call("list_year_verifications", {"place": place, "year": 2023, **more}, actor)

    assert [each["teacher_id"] for each in page()["items"]] == [str(other.account_id), str(teacher.account_id)]
    assert [(each["met"], each["total"]) for each in page(met=True)["items"]] == [(True, "16.00")]
    first = page(limit=1)
    assert [each["teacher_id"] for each in page(limit=1, cursor=first["next_cursor"])["items"]] == [
        str(teacher.account_id)
    ]
    principal = person(None, (Role.PRINCIPAL, f"{county}/s1"))
    assert len(page(principal, f"{county}/s1")["items"]) == 1
    for place in (county, f"{county}/s0"):
        with pytest.raises(NotFound):
            page(principal, place)
    with pytest.raises(NotAllowed):
        page(teacher, f"{county}/s1")


@pytest.fixture
def summary(credits_service, county):
    def read(place=county, actor=None):
        actor = actor or person(None, (Role.CITY_CENTRE, county.rpartition("/")[0]))
        return credits_service.call("get_verification_summary", {"place": place, "year": 2023}, actor)

    return read


def test_a_place_is_told_how_many_years_are_frozen_and_met_and_what_a_correction_changes(
    credits_service, recognition, teacher, complaint, handler, summary, county, freeze
):
    other = person()
    recognition.deliver("on_membership_changed", *membership(other.account_id, f"{county}/s2"))
    freeze()
    freeze()  # again: nobody is counted twice
    before = summary()
    assert (before["teachers"], before["met"]) == (2, 0)
    assert [(each["place"], each["teachers"], each["met"]) for each in before["below"]] == [
        (f"{county}/s1", 1, 0),
        (f"{county}/s2", 1, 0),
    ]
    credits_service.call("assign_complaint", on(complaint), handler)
    corrections = [{"amount": "6", "training_form": "集中培训"}]
    credits_service.call(
        "answer_complaint", on(complaint, accepted=True, reply="补记", corrections=corrections), handler
    )
    assert (summary()["teachers"], summary()["met"]) == (2, 1)
    school = summary(f"{county}/s1", person(None, (Role.PRINCIPAL, f"{county}/s1")))
    assert (school["teachers"], school["met"], school["below"]) == (1, 1, [])
    with pytest.raises(NotFound):
        summary(county, person(None, (Role.PRINCIPAL, f"{county}/s1")))
    with pytest.raises(NotAllowed):
        summary(f"{county}/s1", teacher)


def test_complaints_are_counted_school_by_school(credits_service, teacher, complaint, handler, county):
    def counted(place=county, actor=None):
        actor = actor or person(None, (Role.SUPER_ADMIN, county))
        return credits_service.call("count_complaints", {"place": place, "year": 2023}, actor)["schools"]

    [school] = counted()
    assert (school["place"], school["school_name"], school["complaints"], school["filed"]) == (
        f"{county}/s1",
        "第1小学",
        1,
        1,
    )
    credits_service.call("assign_complaint", on(complaint), handler)
    credits_service.call("answer_complaint", on(complaint, accepted=False, reply="已核实无误"), handler)
    credits_service.call("reopen_complaint", on(complaint, text="仍有异议"), teacher)
    [school] = counted(f"{county}/s1", person(None, (Role.PRINCIPAL, f"{county}/s1")))
    assert (school["filed"], school["answered"], school["reopened"], school["accepted"]) == (1, 0, 1, 0)
    for actor in (person(None, (Role.COUNTY_ADMIN, "CN/440000/440100/440103")),):
        with pytest.raises(NotFound):
            counted(county, actor)


def test_the_matrix_too_can_be_told_as_of_a_past_moment(credits_service, teacher, earn, at):
    earn(teacher, "30")
    at("2023-11-22T10:00:00+08:00")
    earn(teacher, "18", "远程培训")

    def total(**asked):
        page = credits_service.call("get_credit_matrix", {"year": 2023, **asked}, teacher)
        return page["rows"][-1]["cycle"]["amount"]

    assert total() == "16.00"
    assert total(as_of="2023-11-21T10:00:00+08:00") == "10.00"
    assert total(as_of="2023-11-19T10:00:00+08:00") == "0.00"
