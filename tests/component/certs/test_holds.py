"""No certificate is issued while credits' proof of its programme has failed, until somebody says why it may go on."""

import pytest
import sqlalchemy as sa

from services.certs import queries
from services.shared import clock
from services.shared.actor import Role
from services.shared.errors import Conflict, InvalidInput, NotAllowed, NotFound
from services.shared.ids import new_id

FAILED = "credits.reconciliation_failed"
REASON = "差异已更正，经复核"


@pytest.fixture
def fail(season):
    def tell(day="2023-03-01", differences=2):
        payload = {"programme_id": str(season.programme_id), "day": day, "differences": differences}
        season.deliver("on_reconciliation_failed", FAILED, payload)

    return tell


@pytest.fixture
def operator(a_person):
    return a_person(None, (Role.NATIONAL_OPERATOR, "CN"))


@pytest.fixture
def lift(season, operator):
    def act(actor=None, **changes):
        arguments = {"programme_id": str(season.programme_id), "reason": REASON, **changes}
        return season.certs.call("lift_issue_hold", arguments, actor or operator)

    return act


def issued(season, teacher, a_person):
    return season.standing_of(teacher, a_person)["state"] == "ISSUED"


def test_a_failed_proof_stops_the_issue_until_it_is_lifted(season, fail, lift, operator, a_person):
    teacher = season.teacher()
    season.close()
    fail()
    season.decide()
    assert not issued(season, teacher, a_person)
    assert season.events("certs.certificate_issued") == []
    [held] = [
        each
        for each in season.certs.call("list_issue_holds", {}, operator)["items"]
        if each["programme_id"] == str(season.programme_id)
    ]
    assert (held["day"], held["differences"], held["lifted_at"]) == ("2023-03-01", 2, None)
    assert lift()["reason"] == REASON
    season.decide()
    assert issued(season, teacher, a_person)
    with season.certs.database.work() as db:
        query = "SELECT reason FROM audit WHERE action = 'lift_issue_hold' AND after ->> 'programme_id' = :id AND refusal = ''"
        assert db.scalars(sa.text(query), {"id": str(season.programme_id)}).all() == [REASON]


def test_sabotage_without_the_hold_in_the_way_it_is_issued(season, fail, a_person, monkeypatch):
    """The twin of the test above: it is the hold that stops it."""
    teacher = season.teacher()
    season.close()
    fail()
    monkeypatch.setattr(queries, "is_held", lambda _programme_id: sa.false())
    season.decide()
    assert issued(season, teacher, a_person)


def test_a_run_that_had_begun_issues_nothing_after_the_hold(season, fail, a_person, monkeypatch):
    teacher = season.teacher()
    season.close()
    names = season.certs.service.names_of

    def meanwhile(teacher_ids):
        fail()
        return names(teacher_ids)

    monkeypatch.setattr(season.certs.service, "names_of", meanwhile)
    season.decide()
    assert not issued(season, teacher, a_person)


def test_old_news_holds_nothing_again_and_the_next_day_does(season, fail, lift, a_person):
    teacher = season.teacher()
    season.close()
    fail()
    lift()
    fail()  # the same proof, told again
    with pytest.raises(Conflict):
        lift()
    fail("2023-03-02")
    season.decide()
    assert not issued(season, teacher, a_person)
    lift()
    season.decide()
    assert issued(season, teacher, a_person)


def test_differences_of_one_proof_add_up(season, fail, lift):
    fail(differences=2)
    fail(differences=3)
    assert lift()["differences"] == 5


def test_only_the_nations_operator_lets_it_go_on_and_says_why(season, fail, lift, a_person):
    fail()
    for actor in (a_person(), a_person(None, (Role.SUPER_ADMIN, "CN/440000"))):
        with pytest.raises(NotAllowed):
            lift(actor)
    with pytest.raises(InvalidInput):
        lift(reason="")
    with pytest.raises(NotFound):
        lift(programme_id=str(new_id()))
    assert clock.parse_instant(lift()["lifted_at"]) == clock.now()
