"""Learner numbers: issued once, by the school's verification or a roster, kept for life."""

import uuid

import pytest

from services.identity.person.queries import find_by_learner_no
from services.identity.person.rules.learner_no import is_learner_no
from tests.component.identity.stories import COUNTY, new_id_no, new_phone
from tests.component.identity.test_people import CLI, imported, row


def number_of(people, actor):
    return people.call("get_profile", {}, actor)["learner_no"]


def told(people, actor):
    return [event["learner_no"] for event in people.events("identity.learner_no_issued", actor.account_id)]


@pytest.mark.parametrize("state", ["PENDING", "REJECTED"])
def test_before_verification_there_is_none(people, a_teacher, state):
    actor, _, _ = a_teacher()
    people.place(actor, state=state)
    assert number_of(people, actor) == ""
    assert told(people, actor) == []


def test_verification_brings_it_and_nothing_takes_it(people, a_teacher):
    actor, _, _ = a_teacher(f"{COUNTY}/s1")
    number = number_of(people, actor)
    assert is_learner_no(number)
    people.place(actor, "", state="RELEASED", version=2)
    people.place(actor, f"{COUNTY}/s2", state="VERIFIED", version=3)
    assert number_of(people, actor) == number
    assert told(people, actor) == [number]


def test_a_redelivered_or_late_event_issues_none(people, a_teacher):
    actor, _, _ = a_teacher()
    people.place(actor, "", state="RELEASED", version=5)
    people.place(actor, state="VERIFIED", version=4)
    assert number_of(people, actor) == ""


def test_verified_twice_at_once_one_number(people, a_teacher, in_parallel):
    actor, _, _ = a_teacher()
    outcomes = in_parallel(4, lambda: people.place(actor, state="VERIFIED"))
    assert set(map(type, outcomes)) == {type(None)}
    assert len(told(people, actor)) == 1


def test_who_is_told_of_before_identity_knows_them_harms_nobody(people):
    stranger = people.actor({"account_id": str(uuid.uuid4()), "active_identity": "TEACHER"})
    people.place(stranger, state="VERIFIED")


def test_a_roster_brings_one_for_each_and_none_twice(people):
    rows = [row(1), row(2)]
    ids = [each["account_id"] for each in imported(people, *rows)]
    imported(people, *rows)
    for account_id in ids:
        events = people.events("identity.learner_no_issued", account_id)
        assert len(events) == 1


def test_a_roster_brings_one_to_whom_it_finds(people, a_teacher):
    actor, phone, id_no = a_teacher(name="王小明")
    assert imported(people, row(1, phone=phone, id_no=id_no))[0]["outcome"] == "UNCHANGED"
    assert is_learner_no(number_of(people, actor))


def test_rosters_are_read_as_people_type_them(people):
    id_no, phone = new_id_no(), new_phone()
    wide = id_no.translate({ord(str(digit)): 0xFF10 + digit for digit in range(10)})
    first = imported(people, row(1, name="王　小明", id_no=f" {wide.lower()} ", phone=phone))
    assert [each["outcome"] for each in first] == ["CREATED"]
    again = imported(people, row(1, name=" 王小明", id_no=id_no, phone=phone), actor=CLI)
    assert [each["outcome"] for each in again] == ["UNCHANGED"]


def test_an_account_is_found_by_it(people, a_teacher):
    actor, _, _ = a_teacher(f"{COUNTY}/s1")
    with people.database.work() as db:
        assert find_by_learner_no(db, number_of(people, actor)).id == actor.account_id
        assert find_by_learner_no(db, "1000000000007") is None


def test_no_log_line_holds_one(people, a_teacher, capfd):
    actor, _, _ = a_teacher(f"{COUNTY}/s1")
    number = number_of(people, actor)
    captured = capfd.readouterr()
    assert number not in captured.out + captured.err
