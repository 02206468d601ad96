"""Disclosing people for an export: whole, in the territory only, after a fresh code, and written down for each."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest

from services.shared.actor import Role
from services.shared.errors import InvalidInput, NotAllowed
from services.shared.ids import new_id
from services.shared.tables import audit

pytestmark = pytest.mark.postgres

YUEXIU = "CN/440000/440100/440104"
SCHOOL = f"{YUEXIU}/s{'0' * 31}1"
ROW = {"row": 1, "name": "王小明", "id_type": "RESIDENT_ID", "segment": "小学", "subject": "语文"}


@pytest.fixture
def teacher(people: Any) -> str:
    """Somebody of a roster, placed at the school."""
    from yanxiu.journey.people import complete_id_no

    number = new_id().int % 100_000_000
    id_no = complete_id_no(f"440104{1960 + number % 40}01{number % 28 + 1:02d}{number % 999:03d}")
    row = {**ROW, "phone": f"139{number:08d}", "id_no": id_no}
    reply = people.component.call("import_people", {"rows": [row]}, people_actor(Role.COUNTY_ADMIN, YUEXIU))
    account_id = reply["rows"][0]["account_id"]
    payload = {
        "teacher_id": account_id,
        "version": 1,
        "state": "VERIFIED",
        "school_id": str(new_id()),
        "school_name": "测试小学",
        "place": SCHOOL,
        "effective_at": "2023-01-10T02:00:00.000000Z",
    }
    people.component.deliver("on_membership_changed", "org.membership_changed", payload)
    return str(account_id)


def people_actor(role: Role, place: str, *, elevated: bool = True) -> Any:
    from services.shared import clock
    from tests.conftest import person

    until = clock.now() + dt.timedelta(minutes=30) if elevated else None
    return dataclasses.replace(person(None, (role, place)), elevated_until=until)


def disclose(people: Any, actor: Any, *account_ids: str, reason: str = "年度核对", **options: Any) -> Any:
    arguments = {"account_ids": list(account_ids), "reason": reason, "job_id": str(new_id())}
    return people.component.call("disclose_people", arguments, actor, **options)["people"]


def test_a_person_of_the_territory_is_told_whole(people: Any, teacher: str) -> None:
    [told] = disclose(people, people_actor(Role.SCHOOL_ADMIN, SCHOOL), teacher)
    assert (told["account_id"], told["name"], told["id_type"]) == (teacher, "王小明", "RESIDENT_ID")
    assert len(told["id_no"]) == 18
    assert told["phone"].startswith("139")


@pytest.mark.parametrize("place", ["CN/440000/440100/440105", f"{YUEXIU}/s{'0' * 32}"])
def test_others_are_left_out_without_a_word(people: Any, teacher: str, place: str) -> None:
    role = Role.SCHOOL_ADMIN if "/s" in place else Role.COUNTY_ADMIN
    assert disclose(people, people_actor(role, place), teacher, str(new_id())) == []


def test_each_person_and_the_purpose_are_written_down(people: Any, teacher: str) -> None:
    actor = people_actor(Role.COUNTY_ADMIN, YUEXIU)
    disclose(people, actor, teacher, reason="核对名册")
    with people.component.database.work() as db:
        rows = db.execute(audit.select().where(audit.c.actor == str(actor.account_id))).all()
    assert [(row.action, str(row.subject), row.reason) for row in rows] == [("disclose_people", teacher, "核对名册")]


def test_the_answer_is_kept_nowhere(people: Any, teacher: str) -> None:
    from services.shared.tables import idempotency

    actor = people_actor(Role.COUNTY_ADMIN, YUEXIU)
    disclose(people, actor, teacher, command_id="once-only-0001")
    with people.component.database.work() as db:
        assert db.execute(idempotency.select().where(idempotency.c.actor == str(actor.account_id))).all() == []


@pytest.mark.parametrize("role", [Role.PRINCIPAL, Role.AUDITOR, Role.SUPPORT_AGENT])
def test_not_every_role_exports(people: Any, teacher: str, role: Role) -> None:
    with pytest.raises(NotAllowed, match=r"shared\.not_allowed"):
        disclose(people, people_actor(role, "CN"), teacher)


def test_without_a_fresh_code_nobody_does(people: Any, teacher: str) -> None:
    with pytest.raises(NotAllowed, match=r"shared\.step_up_needed"):
        disclose(people, people_actor(Role.COUNTY_ADMIN, YUEXIU, elevated=False), teacher)


def test_without_a_purpose_nothing_is_told(people: Any, teacher: str) -> None:
    with pytest.raises(InvalidInput, match=r"shared\.invalid"):
        disclose(people, people_actor(Role.COUNTY_ADMIN, YUEXIU), teacher, reason="x")
