"""A season's hours enter a local register from an issued certificate, by the local pack's rule, once, or not at all."""

from __future__ import annotations

import dataclasses
import threading
from decimal import Decimal

import pytest
import sqlalchemy as sa

from services.certs import contract as certs
from services.credits import schemes
from services.credits.handover import actions
from services.credits.rules.pack import Kind, LedgerRule, Per
from services.shared import clock
from services.shared.actor import Role
from services.shared.bus import NotYet
from services.shared.errors import NotAllowed, NotFound
from services.shared.ids import new_id
from tests.component.credits.conftest import membership
from tests.conftest import person

NUMBER = "YX-2023-7K3M-9QPX-2"
RULE = LedgerRule(
    "GX.HANDOVER",
    Kind.HANDOVER,
    {},
    "made for the test",
    "b",
    per=Per.YEAR,
    seasons=("smartedu-2023-winter",),
    training_form="远程培训",
)
_towns = iter(range(450101, 459999))


@pytest.fixture
def county():
    return f"CN/450000/450200/{next(_towns)}"


@pytest.fixture
def adopted(monkeypatch):
    """Guangxi's pack takes over the season's hours; no shipped pack does."""

    def adopt(*rules):
        changed = tuple(
            dataclasses.replace(scheme, pack=dataclasses.replace(scheme.pack, rules=(*scheme.pack.rules, *rules)))
            if scheme.place == "CN/450000"
            else scheme
            for scheme in schemes.list_schemes()
        )
        monkeypatch.setattr(schemes, "list_schemes", lambda: changed)

    return adopt


@pytest.fixture
def teacher(recognition, season, record, county, fixed_clock):
    """Six hours of the season, verified in the county."""
    fixed_clock.instant = clock.parse_instant("2023-03-05T10:00:00+08:00")
    actor = person()
    recognition.deliver("on_membership_changed", *membership(actor.account_id, f"{county}/s1"))
    record(*season.everything(actor.account_id))
    return actor


@pytest.fixture
def issue(recognition, season):
    def tell(teacher, certificate_id=None, **changes):
        payload = {
            "teacher_id": str(teacher.account_id),
            "programme_id": season.programme_id,
            "version": 1,
            "state": "ISSUED",
            "certificate_id": str(certificate_id or new_id()),
            "number": NUMBER,
            **changes,
        }
        payload = {name: value for name, value in payload.items() if value is not None}
        assert certs.EVENTS[certs.CERTIFICATE_ISSUED]().validate(payload) == {}
        recognition.deliver("on_certificate_issued", certs.CERTIFICATE_ISSUED, payload)
        return payload

    return tell


@pytest.fixture
def entered(credits_service):
    def rows(teacher):
        items = credits_service.call("list_ledger", {"limit": 100}, teacher)["items"]
        return [item for item in items if item["source_ref"].startswith("handover:")]

    return rows


def handovers(credits_service, county, **more):
    handler = person(None, (Role.COUNTY_ADMIN, county))
    return credits_service.call("list_handovers", {"place": county, **more}, handler)["items"]


def test_an_issued_certificate_brings_its_hours_once_quoting_its_number(
    credits_service, teacher, issue, entered, adopted, county
):
    adopted(RULE)
    told = issue(teacher)
    for _ in range(2):  # the same certificate under new event ids
        issue(teacher, told["certificate_id"])
    [entry] = entered(teacher)
    assert (entry["source_ref"], entry["source_kind"]) == (f"handover:{told['certificate_id']}", "HANDOVER")
    # Six hours at three hours a credit, in the year in which the season ended.
    assert (entry["amount"], entry["unit"], entry["year"], entry["training_form"]) == (
        "2.00",
        "CREDIT",
        2023,
        "远程培训",
    )
    assert NUMBER in entry["explanation"]["why"]
    assert entry["explanation"]["rule_id"] == "GX.HANDOVER"
    assert entry["programme_id"] is None
    [shown] = handovers(credits_service, county)
    assert (shown["state"], shown["hours"], shown["number"]) == ("ENTERED", "6.00", NUMBER)
    year = credits_service.call("get_year_verification", {"year": 2023}, teacher)
    assert (year["verification"]["total"], year["verification"]["amounts"]["远程培训"]) == ("2.00", "2.00")
    # The season's own hours stay what they were, and the proof does not confuse the two.
    hours = credits_service.call("get_hours", {"programme_id": told["programme_id"]}, teacher)
    assert hours["hours"] == "6.00"


def test_eight_deliveries_at_once_make_one_entry(teacher, issue, entered, adopted):
    adopted(RULE)
    certificate_id, start, failures = new_id(), threading.Barrier(8), []

    def deliver():
        start.wait()
        try:
            issue(teacher, certificate_id)
        except Exception as error:  # noqa: BLE001  whatever it is, the test shows it
            failures.append(error)

    threads = [threading.Thread(target=deliver) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(entered(teacher)) == 1


@pytest.mark.parametrize("rules", [(), (dataclasses.replace(RULE, seasons=("smartedu-2026-summer",)),)])
def test_without_the_rule_for_this_season_nothing_enters(
    credits_service, teacher, issue, entered, adopted, county, rules
):
    adopted(*rules)
    issue(teacher)
    assert entered(teacher) == []
    assert handovers(credits_service, county) == []


def test_hours_without_a_certificate_never_enter(credits_service, teacher, entered, adopted, county):
    adopted(RULE)
    assert entered(teacher) == []
    year = credits_service.call("get_year_verification", {"year": 2023}, teacher)
    assert year["verification"]["total"] == "0.00"


def test_a_frozen_year_takes_nothing_and_whoever_must_decide_sees_it(
    credits_service, teacher, issue, entered, adopted, county, fixed_clock
):
    adopted(RULE)
    fixed_clock.instant = clock.parse_instant("2024-02-02T10:00:00+08:00")
    with credits_service.database.work() as db:
        db.execute(sa.text("DELETE FROM year_closing"))
    credits_service.service.freeze_years(clock.now())
    told = issue(teacher)
    assert entered(teacher) == []
    [held] = handovers(credits_service, county, state="HELD")
    assert (held["certificate_id"], held["reason"], held["year"]) == (told["certificate_id"], "YEAR_FROZEN", 2023)
    assert handovers(credits_service, county, state="ENTERED") == []


def test_a_certificate_without_its_number_is_held(credits_service, teacher, issue, entered, adopted, county):
    adopted(RULE)
    issue(teacher, number=None)
    assert entered(teacher) == []
    assert [each["reason"] for each in handovers(credits_service, county)] == ["NUMBER_UNKNOWN"]


def test_a_revoked_certificate_takes_its_hours_back_exactly_and_once(
    recognition, credits_service, teacher, issue, entered, adopted, county
):
    adopted(RULE)
    certificate_id = new_id()
    issue(teacher, certificate_id)
    for _ in range(2):
        with recognition.database.work() as db:
            actions.take_back_handover(db, certificate_id, "certificate revoked", clock.now())
    back, award = entered(teacher)
    assert (back["amount"], back["reversal_of"], back["source_kind"]) == ("-2.00", award["entry_id"], "CORRECTION")
    year = credits_service.call("get_year_verification", {"year": 2023}, teacher)
    assert year["verification"]["total"] == "0.00"
    assert [each["state"] for each in handovers(credits_service, county)] == ["TAKEN_BACK"]
    # The news of its issue, told once more, brings nothing back.
    issue(teacher, certificate_id)
    assert len(entered(teacher)) == 2


def test_what_a_frozen_year_holds_is_not_taken_back_behind_anybodys_back(
    recognition, credits_service, teacher, issue, entered, adopted, county, fixed_clock
):
    adopted(RULE)
    certificate_id = new_id()
    issue(teacher, certificate_id)
    fixed_clock.instant = clock.parse_instant("2024-02-02T10:00:00+08:00")
    with credits_service.database.work() as db:
        db.execute(sa.text("DELETE FROM year_closing"))
    credits_service.service.freeze_years(clock.now())
    with recognition.database.work() as db:
        actions.take_back_handover(db, certificate_id, "certificate revoked", clock.now())
    assert len(entered(teacher)) == 1
    [held] = handovers(credits_service, county, state="HELD_BACK")
    assert held["reason"] == "YEAR_FROZEN"


def test_it_waits_for_its_programme(teacher, issue):
    with pytest.raises(NotYet):
        issue(teacher, programme_id=str(new_id()))


def test_hand_overs_are_listed_for_those_who_recognise_hours_there(credits_service, teacher, issue, adopted, county):
    adopted(RULE)
    issue(teacher)
    arguments = {"place": county}
    with pytest.raises(NotFound):
        credits_service.call("list_handovers", arguments, person(None, (Role.COUNTY_ADMIN, "CN/440000/440100/440103")))
    with pytest.raises(NotAllowed):
        credits_service.call("list_handovers", arguments, teacher)


# --- settling, revoking, issuing again ------------------------------------------------------------------------------------


@pytest.fixture
def settle(credits_service, county):
    def run(place=county, actor=None, **more):
        handler = actor or person(None, (Role.COUNTY_ADMIN, county))
        return credits_service.call("settle_handovers", {"place": place, **more}, handler)

    return run


@pytest.fixture
def revoke(recognition):
    def tell(told):
        payload = {name: told[name] for name in ("teacher_id", "programme_id", "certificate_id")}
        payload |= {"version": told["version"] + 1, "state": "REVOKED", "number": NUMBER}
        assert certs.EVENTS[certs.CERTIFICATE_REVOKED]().validate(payload) == {}
        recognition.deliver("on_certificate_revoked", certs.CERTIFICATE_REVOKED, payload)

    return tell


@pytest.fixture
def reissue(recognition, season):
    class Reissue:
        programme_id = season.programme_id

        def __call__(self, told, certificate_id=None):
            payload = {
                **told,
                "version": told["version"] + 1,
                "certificate_id": certificate_id or str(new_id()),
                "replaces": told["certificate_id"],
                "edition": 2,
                "hours": "6.00",
            }
            assert certs.EVENTS[certs.CERTIFICATE_REISSUED]().validate(payload) == {}
            recognition.deliver("on_certificate_issued", certs.CERTIFICATE_REISSUED, payload)
            return payload

    return Reissue()


def test_a_pack_that_gets_its_rule_takes_over_what_was_issued_before(
    credits_service, teacher, issue, entered, adopted, settle, county
):
    issue(teacher)
    assert settle() == {"entered": 0, "held": 0, "next": None}
    adopted(RULE)
    assert settle() == {"entered": 1, "held": 0, "next": None}
    assert settle() == {"entered": 0, "held": 0, "next": None}
    [entry] = entered(teacher)
    assert NUMBER in entry["explanation"]["why"]
    with credits_service.database.work() as db:
        query = sa.text("SELECT count(*) FROM audit WHERE action = 'settle_handovers' AND subject = :id")
        assert db.scalar(query, {"id": teacher.account_id}) == 1


def test_a_number_that_arrives_later_settles_what_was_held(teacher, issue, entered, adopted, settle):
    adopted(RULE)
    told = issue(teacher, number=None)
    assert settle()["held"] == 1
    issue(teacher, told["certificate_id"])
    assert len(entered(teacher)) == 1
    assert settle() == {"entered": 0, "held": 0, "next": None}


def test_what_a_frozen_year_refuses_stays_held_however_often_it_is_tried(
    credits_service, teacher, issue, entered, adopted, settle, fixed_clock
):
    issue(teacher)
    fixed_clock.instant = clock.parse_instant("2024-02-02T10:00:00+08:00")
    with credits_service.database.work() as db:
        db.execute(sa.text("DELETE FROM year_closing"))
    credits_service.service.freeze_years(clock.now())
    adopted(RULE)
    for _ in range(2):
        assert settle() == {"entered": 0, "held": 1, "next": None}
    assert entered(teacher) == []


def test_settling_goes_batch_by_batch_and_no_further_than_the_own_territory(
    recognition, record, season, teacher, issue, entered, adopted, settle, county
):
    others = [person() for _ in range(2)]
    for other in others:
        recognition.deliver("on_membership_changed", *membership(other.account_id, f"{county}/s2"))
        record(*season.everything(other.account_id))
    everybody = sorted([teacher, *others], key=lambda each: each.account_id)
    for each in everybody:
        issue(each)
    adopted(RULE)
    first = settle(limit=2)
    assert (first["entered"], first["next"]) == (2, str(everybody[1].account_id))
    assert settle(limit=2, after=first["next"]) == {"entered": 1, "held": 0, "next": None}
    assert [len(entered(each)) for each in everybody] == [1, 1, 1]
    with pytest.raises(NotFound):
        settle(actor=person(None, (Role.COUNTY_ADMIN, "CN/440000/440100/440103")))
    with pytest.raises(NotAllowed):
        settle(actor=teacher)


def test_a_revocation_takes_the_hours_back_and_names_the_certificate(teacher, issue, revoke, entered, adopted):
    adopted(RULE)
    told = issue(teacher)
    for _ in range(2):
        revoke(told)
    back, award = entered(teacher)
    assert (back["amount"], back["reversal_of"]) == ("-2.00", award["entry_id"])
    assert f"certificate {NUMBER} was revoked" in back["explanation"]["why"]


@pytest.mark.parametrize("edition", [1, 2])
def test_news_that_come_after_the_revocation_bring_nothing(teacher, issue, reissue, revoke, entered, adopted, edition):
    # The last edition's own news are late, by a broker that was wiped or an event that was parked.
    adopted(RULE)
    told = {"teacher_id": str(teacher.account_id), "certificate_id": str(new_id()), "version": edition}
    if edition == 2:
        told["programme_id"] = issue(teacher)["programme_id"]
    else:
        told["programme_id"] = reissue.programme_id
    revoke(told)
    issue(teacher, told["certificate_id"], version=edition)
    assert sum(Decimal(each["amount"]) for each in entered(teacher)) == 0
    assert len(entered(teacher)) == (2 if edition == 2 else 0)


def test_a_certificate_issued_anew_after_a_correction_brings_the_hours_once(
    credits_service, teacher, issue, reissue, entered, adopted, county
):
    adopted(RULE)
    first = issue(teacher)
    second = reissue(first)
    issue(teacher, first["certificate_id"])  # old news, told once more
    reissue(first, second["certificate_id"])
    year = credits_service.call("get_year_verification", {"year": 2023}, teacher)
    assert year["verification"]["total"] == "2.00"
    assert [each["amount"] for each in entered(teacher)] == ["2.00", "-2.00", "2.00"]
    states = {each["certificate_id"]: each["state"] for each in handovers(credits_service, county)}
    assert states == {first["certificate_id"]: "TAKEN_BACK", second["certificate_id"]: "ENTERED"}


@pytest.mark.parametrize("revoked_first", [True, False])
def test_a_certificate_that_is_issued_again_enters_under_the_next_turn(
    credits_service, recognition, teacher, issue, revoke, entered, adopted, county, revoked_first
):
    adopted(RULE)
    first = issue(teacher)
    if revoked_first:
        revoke(first)
    second = issue(teacher, version=3)
    if not revoked_first:
        revoke(first)
    with recognition.database.work() as db:
        query = "SELECT source_ref, turn, amount FROM ledger WHERE teacher_id = :id AND source_ref LIKE 'handover:%'"
        rows = db.execute(sa.text(f"{query} ORDER BY turn"), {"id": teacher.account_id}).all()
    source = f"handover:{first['certificate_id']}"
    assert [tuple(map(str, row)) for row in rows] == [
        (source, "1", "2.00"),
        (source, "2", "-2.00"),
        (source, "3", "2.00"),
    ]
    year = credits_service.call("get_year_verification", {"year": 2023}, teacher)
    assert year["verification"]["total"] == "2.00"
    states = {each["certificate_id"]: each["state"] for each in handovers(credits_service, county)}
    assert states == {first["certificate_id"]: "TAKEN_BACK", second["certificate_id"]: "ENTERED"}
    revoke(second)
    assert credits_service.call("get_year_verification", {"year": 2023}, teacher)["verification"]["total"] == "0.00"
