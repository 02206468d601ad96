"""The second wall of schools, codes, moves and requests in raw SQL, and the lock between choosing and closing."""

from __future__ import annotations

import contextlib
import threading
import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from services.org.actions import memberships
from services.org.units.actions import members
from services.org.units.models import (
    SchoolCode,
    SchoolFormerPlace,
    SchoolMove,
    SchoolRequest,
    SchoolRequestAsker,
    TenantPolicy,
)
from services.shared.actor import ANONYMOUS, Actor, Role
from services.shared.errors import ServiceError
from services.shared.ids import new_id
from tests.component.org.conftest import HAIZHU, YUEXIU, Org
from tests.component.org.test_row_security import in_scope_of
from tests.component.org.test_school_editing import code_of, keeper
from tests.component.org.test_school_lifecycle import act
from tests.component.org.test_school_moves import ask as ask_move
from tests.component.org.test_school_moves import moved
from tests.component.org.test_school_requests import ask as ask_school
from tests.component.org.test_school_requests import waiting

pytestmark = pytest.mark.postgres

TIANHE = "CN/440000/440100/440106"


def changed(org: Org, actor: Actor, statement: str, **values: Any) -> int:
    """How many rows the application changes for this caller."""
    return int(in_scope_of(org, actor, lambda db: db.execute(sa.text(statement), values).rowcount))


def test_a_county_neither_changes_a_foreign_school_nor_makes_it_its_own(org: Org) -> None:
    school = org.school()
    school_id = school["school_id"]
    outsider = keeper(org, HAIZHU)
    stolen = f"{HAIZHU}/s{uuid.UUID(school_id).hex}"
    grab = "UPDATE school SET parent = :parent, place = :place WHERE school_id = :id"
    assert changed(org, outsider, "UPDATE school SET name = '改' WHERE school_id = :id", id=school_id) == 0
    assert changed(org, outsider, grab, id=school_id, parent=HAIZHU, place=stolen) == 0
    with pytest.raises(DBAPIError, match="row-level security"):
        changed(org, keeper(org), grab, id=school_id, parent=HAIZHU, place=stolen)
    contact = "UPDATE school_contact SET seal_name = '改' WHERE school_id = :id"
    assert changed(org, outsider, contact, id=school_id) == 0
    # The twin: without that wall the same statement reaches the row.
    with org.component.database.work() as db:
        assert db.execute(sa.text(grab), {"id": school_id, "parent": HAIZHU, "place": stolen}).rowcount == 1
        db.rollback()


def test_a_school_admin_changes_the_own_row_only(org: Org) -> None:
    school, other = org.school(), org.school()
    admin = org.admin_of(school)
    rename = "UPDATE school SET town = '改' WHERE school_id = :id"
    assert changed(org, admin, rename, id=school["school_id"]) == 1
    assert changed(org, admin, rename, id=other["school_id"]) == 0


def test_codes_are_given_to_own_schools_and_taken_from_nobody(org: Org) -> None:
    school, foreign = org.school(code=code_of()), org.school("440105", code=code_of())
    outsider = keeper(org, HAIZHU)
    take = "UPDATE school_code SET school_id = :to WHERE code = :code"
    assert changed(org, outsider, take, to=foreign["school_id"], code=school["code"]) == 0
    insert = "INSERT INTO school_code (code, school_id, given_at) VALUES (:code, :id, now())"
    with pytest.raises(DBAPIError, match="row-level security"):
        changed(org, outsider, insert, code=code_of(), id=school["school_id"])
    with pytest.raises(DBAPIError, match="row-level security"):
        changed(org, keeper(org), take, to=foreign["school_id"], code=school["code"])


def test_moves_requests_and_former_places_are_for_those_they_concern(org: Org) -> None:
    ask_move(org, org.school())
    moved(org, org.school())
    teacher = waiting(org)
    request = ask_school(org, teacher)
    strangers = (keeper(org, TIANHE), org.person(), ANONYMOUS)
    for table in (SchoolMove, SchoolFormerPlace, SchoolRequest, SchoolRequestAsker):
        count = sa.select(sa.func.count()).select_from(table)
        assert in_scope_of(org, keeper(org), lambda db, q=count: db.scalar(q)) > 0
        for stranger in strangers:
            assert in_scope_of(org, stranger, lambda db, q=count, t=table: _foreign(db, q, t)) == 0
    own = in_scope_of(org, teacher, lambda db: db.scalars(sa.select(SchoolRequest.request_id)).all())
    assert [str(each) for each in own] == [request["request_id"]]
    # She sees it, and may not answer it.
    with pytest.raises(DBAPIError, match="row-level security"):
        changed(org, teacher, "UPDATE school_request SET askers = 99")


def _foreign(db: Any, count: Any, table: Any) -> int:
    """Rows that concern Yuexiu or Haizhu; others of this run may concern the stranger."""
    column = table.from_parent if table is SchoolMove else table.place
    return int(db.scalar(count.where(sa.or_(column.startswith(YUEXIU), column.startswith(HAIZHU)))) or 0)


def test_a_policy_is_decided_at_home(org: Org) -> None:
    insert = (
        "INSERT INTO tenant_policy (policy_id, place, version, mode, max_school_admins, profile_review, withdrawn,"
        " changed_at) VALUES (:id, :place, 1, 'GATED', 1, 'NONE', false, now())"
    )
    with pytest.raises(DBAPIError, match="row-level security"):
        changed(org, keeper(org), insert, id=new_id(), place=TIANHE)


@pytest.mark.parametrize(
    "table", [SchoolCode, SchoolFormerPlace, SchoolMove, SchoolRequest, SchoolRequestAsker, TenantPolicy]
)
def test_nothing_is_deleted(org: Org, table: Any) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        in_scope_of(org, org.person(None, (Role.NATIONAL_OPERATOR, "CN")), lambda db: db.execute(sa.delete(table)))


def left_behind(org: Org, monkeypatch: pytest.MonkeyPatch) -> int:
    """A teacher chooses a school, and it closes between her look at it and her writing; how many stay in it."""
    school, teacher = org.school(), org.person()
    looked, closed = threading.Event(), threading.Event()
    require_open = memberships.school_rules.require_open

    def slowly(state: Any) -> None:
        require_open(state)
        looked.set()
        closed.wait(0.5)

    monkeypatch.setattr(memberships.school_rules, "require_open", slowly)

    def choose() -> None:
        with contextlib.suppress(ServiceError):
            org.call("choose_school", {"school_id": school["school_id"]}, teacher)

    choosing = threading.Thread(target=choose)
    choosing.start()
    looked.wait(5)
    act(org, "close_school", school)
    closed.set()
    choosing.join()
    waiting_there = "SELECT count(*) FROM membership WHERE place = :place AND state = 'PENDING'"
    with org.component.database.work() as db:
        return int(db.scalar(sa.text(waiting_there), {"place": school["place"]}) or 0)


def test_nobody_stays_behind_in_a_school_that_closes(org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    assert left_behind(org, monkeypatch) == 0


def test_sabotage_without_holding_the_school_somebody_does(org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memberships, "hold_schools", lambda *_: None)
    assert left_behind(org, monkeypatch) == 1


def test_whoever_is_verified_while_the_school_closes_is_not_let_go(org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    """The count of teachers on duty still holds when the others are let go: they are locked in between."""
    school = org.school()
    teacher = org.member(school)
    counted, verified = threading.Event(), threading.Event()
    count = members.count_on_duty

    def slowly(db: Any, of: Any) -> int:
        on_duty = count(db, of)
        counted.set()
        verified.wait(0.5)
        return on_duty

    monkeypatch.setattr(members, "count_on_duty", slowly)
    outcome: list[str] = []

    def verify() -> None:
        counted.wait(5)
        try:
            org.call("verify_membership", {"teacher_id": str(teacher.account_id)}, org.admin_of(school))
            outcome.append("verified")
        except ServiceError as error:
            outcome.append(error.code)
        verified.set()

    verifying = threading.Thread(target=verify)
    verifying.start()
    act(org, "close_school", school)
    verifying.join()
    assert outcome == ["org.not_pending"]
    assert org.call("get_own_membership", {}, teacher)["state"] == "REJECTED"
