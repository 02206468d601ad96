"""Who may search the trail and what they find there, and attempts that were refused."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from services.shared import audit_denials, audit_trail
from services.shared.actor import Actor, Role, service_actor
from services.shared.errors import NotAllowed, NotFound, ServiceError
from services.shared.tables import audit
from tests.component.org.conftest import GUANGDONG, HAIZHU, Org, new_school

NATION = "CN"
FUJIAN = "CN/350000"


@pytest.fixture(autouse=True)
def fresh_allowance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_denials, "_allowance", audit_denials.Allowance())


def auditor(org: Org, place: str = NATION) -> Actor:
    return org.person(None, (Role.AUDITOR, place))


def search(org: Org, looking: Actor, /, **wanted: Any) -> list[dict[str, Any]]:
    return org.call("search_audit", wanted, looking)["items"]


def verified(org: Org, division: str = "440104") -> tuple[Actor, Actor]:
    """An admin who has just verified a teacher."""
    school = org.school(division)
    admin = org.admin_of(school)
    return admin, org.member(school, "VERIFIED", admin)


def test_an_auditor_finds_who_did_what_to_whom_from_where_and_what_changed(org: Org) -> None:
    admin, teacher = verified(org)
    [row] = search(org, auditor(org), subject=str(teacher.account_id), action="verify_membership")
    assert row["actor"] == str(admin.account_id)
    assert row["session_id"] == str(admin.session_id)
    assert (row["address"], row["call_id"], row["refusal"]) == ("127.0.0.1", "test", "")
    assert (row["before"]["state"], row["after"]["state"]) == ("PENDING", "VERIFIED")
    assert row["place"].startswith("CN/440000/440100/440104/")


@pytest.mark.parametrize(
    ("role", "place"),
    [
        (Role.NATIONAL_OPERATOR, NATION),
        (Role.SUPPORT_AGENT, NATION),
        (Role.PROVINCE_ADMIN, GUANGDONG),
        (Role.SUPER_ADMIN, GUANGDONG),
        (Role.SCHOOL_ADMIN, f"{GUANGDONG}/440100/440104/s1"),
    ],
)
def test_nobody_but_an_auditor_searches(org: Org, role: Role, place: str) -> None:
    with pytest.raises(NotAllowed):
        search(org, org.person(None, (role, place)))


def test_a_provinces_auditor_sees_the_own_province_only(org: Org) -> None:
    here, _ = verified(org)
    there, _ = verified(org, "350102")
    for place, seen in ((GUANGDONG, {here}), (FUJIAN, {there}), (NATION, {here, there})):
        rows = [*search(org, auditor(org, place), actor=str(here.account_id)),
                *search(org, auditor(org, place), actor=str(there.account_id))]  # fmt: skip
        assert {row["actor"] for row in rows} == {str(admin.account_id) for admin in seen}, place


def test_the_sabotaged_search_would_show_the_other_province(org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin: what keeps an auditor at home is the condition in the query."""
    there, _ = verified(org, "350102")
    monkeypatch.setattr(audit_trail, "_inside", lambda _places: sa.true())
    assert search(org, auditor(org, GUANGDONG), actor=str(there.account_id))


def test_a_place_outside_the_own_territory_is_unknown(org: Org) -> None:
    for place in (FUJIAN, NATION, "CN/44000", "CN/440000x", "nowhere"):
        with pytest.raises(NotFound):
            search(org, auditor(org, GUANGDONG), place=place)
    assert search(org, auditor(org, GUANGDONG), place=HAIZHU, actor=str(uuid.uuid4())) == []


def test_a_place_narrows_the_search_to_what_lies_below(org: Org) -> None:
    yuexiu, _ = verified(org)
    haizhu, _ = verified(org, "440105")
    for place, seen in ((HAIZHU, haizhu), ("CN/440000/440100/440104", yuexiu)):
        for admin in (yuexiu, haizhu):
            assert bool(search(org, auditor(org), place=place, actor=str(admin.account_id))) is (admin is seen)


def test_the_list_goes_on_where_it_stopped_newest_first(org: Org) -> None:
    school = org.school()
    admin = org.admin_of(school)
    for _ in range(5):
        org.member(school, "VERIFIED", admin)
    looking = auditor(org)
    seen: list[str] = []
    cursor = None
    while True:
        page = org.call("search_audit", {"actor": str(admin.account_id), "limit": 2, "cursor": cursor}, looking)
        seen += [row["id"] for row in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert len(seen) == len(set(seen)) == 5
    assert seen == sorted(seen, reverse=True)


def test_times_bound_the_search(org: Org) -> None:
    admin, _ = verified(org)
    [row] = search(org, auditor(org), actor=str(admin.account_id))
    at = dt.datetime.fromisoformat(row["at"])
    later = (at + dt.timedelta(microseconds=1)).isoformat()
    for wanted, found in (
        ({"since": row["at"]}, True),
        ({"since": later}, False),
        ({"until": row["at"]}, False),
        ({"until": later}, True),
    ):
        assert bool(search(org, auditor(org), actor=str(admin.account_id), **wanted)) is found, wanted


def test_who_looks_at_the_trail_stands_in_it(org: Org) -> None:
    looking = auditor(org, GUANGDONG)
    subject = str(uuid.uuid4())
    search(org, looking, subject=subject)
    [row] = search(org, auditor(org), actor=str(looking.account_id))
    assert (row["action"], row["subject"], row["place"]) == ("search_audit", subject, GUANGDONG)
    assert row["after"] == {"asked": {"subject": subject}, "page": "first"}


# --- refused attempts ---------------------------------------------------------------------------------------------------


def refused(org: Org, method: str, arguments: dict[str, Any], actor: Actor) -> str:
    with pytest.raises(ServiceError) as error:
        org.call(method, arguments, actor)
    return error.value.code


def denials(org: Org, actor: Actor) -> list[dict[str, Any]]:
    return search(org, auditor(org), actor=str(actor.account_id), refused=True)


def test_a_role_that_lacks_the_right_is_recorded_with_what_it_reached_for(org: Org) -> None:
    teacher = org.member(org.school())
    principal = org.person(None, (Role.PRINCIPAL, HAIZHU))
    code = refused(
        org, "release_membership", {"teacher_id": str(teacher.account_id), "reason": "13800138000"}, principal
    )
    [row] = denials(org, principal)
    assert (row["action"], row["refusal"], row["subject"]) == ("release_membership", code, str(teacher.account_id))
    assert row["after"] == {"asked": {"teacher_id": str(teacher.account_id)}}, "ids only, never free text"
    assert row["session_id"] == str(principal.session_id)


def test_a_target_outside_the_scope_is_recorded_though_it_looks_unknown(org: Org) -> None:
    teacher = org.member(org.school())
    stranger = org.admin_of(org.school("440105"))
    code = refused(org, "verify_membership", {"teacher_id": str(teacher.account_id)}, stranger)
    assert [row["refusal"] for row in denials(org, stranger)] == [code]
    assert search(org, auditor(org), actor=str(stranger.account_id), refused=False) == []


def test_an_attempt_is_seen_by_the_auditor_of_whoever_made_it(org: Org) -> None:
    fujian = org.person(None, (Role.COUNTY_ADMIN, f"{FUJIAN}/350100/350102"))
    refused(org, "list_grants", {"place": HAIZHU}, fujian)
    for place, seen in ((FUJIAN, 1), (GUANGDONG, 0), (NATION, 1)):
        rows = search(org, auditor(org, place), actor=str(fujian.account_id), refused=True)
        assert [row["after"]["asked"]["place"] for row in rows] == [HAIZHU] * seen


def test_what_is_missing_inside_the_own_reach_is_no_denial(org: Org) -> None:
    teacher = org.person()
    assert refused(org, "get_own_membership", {}, teacher) == "org.no_membership"
    assert denials(org, teacher) == []


def test_visitors_and_services_leave_no_denials(org: Org) -> None:
    before = count(org)
    for actor in (Actor(address="203.0.113.7"), service_actor("catalog")):
        refused(org, "verify_membership", {"teacher_id": str(uuid.uuid4())}, actor)
    assert count(org) == before


def count(org: Org) -> int:
    with org.component.database.work() as db:
        return db.execute(sa.select(sa.func.count()).where(audit.c.refusal != "")).scalar_one()


def test_whoever_tries_all_day_fills_no_table(org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    minute = [0]
    monkeypatch.setattr(audit_denials, "_allowance", audit_denials.Allowance(lambda: minute[0]))
    stranger = org.person()
    for _ in range(25):
        refused(org, "create_school", new_school(), stranger)
    assert len(denials(org, stranger)) == audit_denials.PER_ACTOR_AND_MINUTE
    minute[0] += 1
    refused(org, "create_school", new_school(), stranger)
    newest, *_ = denials(org, stranger)
    assert newest["after"]["not_recorded_before"] == 15


def test_many_actors_together_fill_no_table_either() -> None:
    allowance = audit_denials.Allowance(lambda: 0)
    taken = [allowance.take(f"actor-{number}") for number in range(audit_denials.PER_MINUTE + 5)]
    assert taken.count(None) == 5


def test_a_trail_that_cannot_be_written_changes_no_refusal(org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: Any, **_options: Any) -> None:
        raise RuntimeError("full")

    monkeypatch.setattr(audit_denials.audit, "record_many", fail)
    assert refused(org, "create_school", new_school(), org.person()) == "shared.not_allowed"


# --- jobs ----------------------------------------------------------------------------------------------------------------


def test_the_jobs_seal_and_write_down_the_head(org: Org) -> None:
    service = org.component.service
    verified(org)
    now = dt.datetime.now(dt.UTC)
    service.seal_audit(now)
    with org.component.database.work() as db:
        assert db.execute(sa.text("SELECT count(*) FROM audit_unsealed")).scalar_one() == 0
    service.anchor_audit(now)
    newest = service.audit_book.heads.newest()
    assert newest is not None
    with org.component.database.work() as db:
        assert audit_trail.audit_chain.find_head(db) == newest


def test_the_anchoring_job_tells_of_a_chain_that_lost_its_head(org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    service = org.component.service
    verified(org)
    now = dt.datetime.now(dt.UTC)
    service.seal_audit(now)
    service.anchor_audit(now)
    newest = service.audit_book.heads.newest()
    monkeypatch.setattr(audit_trail.audit_chain, "find_seal", lambda _db, _position: None)
    gauge = audit_trail.metrics.audit_chain_intact.labels("org")
    verified(org)
    service.seal_audit(now)
    service.anchor_audit(now)
    assert gauge._value.get() == 0
    assert service.audit_book.heads.newest() == newest, "no later head covers the traces"
    monkeypatch.undo()
    service.anchor_audit(now)
    assert gauge._value.get() == 1
