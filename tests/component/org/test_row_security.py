"""The second wall: raw SQL in the application's role, on connections that another caller used before."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from services.org.models import AdminGrant, GrantHolder, Membership, MembershipPeriod, School, SchoolContact
from services.shared.actor import ANONYMOUS, Actor, Role
from services.shared.bus import Call
from services.shared.ids import new_id
from services.shared.policy import anyone
from tests.component.org.conftest import HAIZHU, YUEXIU, Org

pytestmark = pytest.mark.postgres

PROTECTED = (SchoolContact, Membership, MembershipPeriod, AdminGrant, GrantHolder)


def in_scope_of(org: Org, actor: Actor, act: Callable[[Session], Any]) -> Any:
    call = Call("org", "raw", {}, actor, anyone(), time.monotonic() + 5)
    with org.component.database.transaction(call) as db:
        return act(db)


@pytest.fixture
def populated(org: Org) -> dict[str, Any]:
    """A school with a member and an admin in Yuexiu."""
    school = org.school()
    teacher = org.member(school)
    org.call("bootstrap_grant", {"account_id": str(new_id()), "role": "SCHOOL_ADMIN", "place": school["place"]})
    return {"school": school, "teacher": teacher, "org": org}


def test_whoever_is_nobody_sees_no_row_even_after_somebody_on_the_same_connection(populated: dict[str, Any]) -> None:
    org, school = populated["org"], populated["school"]
    insider = org.person(None, (Role.COUNTY_ADMIN, YUEXIU))
    backend = sa.text("SELECT pg_backend_pid()")
    for table in PROTECTED:
        pids, counts = set(), []
        for actor in (insider, ANONYMOUS, org.person(), org.person(None, (Role.COUNTY_ADMIN, HAIZHU))):
            pid, count = in_scope_of(
                org,
                actor,
                lambda db, table=table: (db.scalar(backend), db.scalar(sa.select(sa.func.count()).select_from(table))),
            )
            pids.add(pid)
            counts.append(count)
        assert len(pids) == 1, "the connection was not reused, so the test shows nothing"
        if table is not GrantHolder:
            assert counts[0] > 0
        in_haizhu = in_scope_of(
            org, org.person(None, (Role.COUNTY_ADMIN, HAIZHU)), lambda db, t=table: places_of(db, t)
        )
        assert counts[1:3] == [0, 0]
        assert all(place.startswith(HAIZHU) for place in in_haizhu)
    assert school["place"].startswith(YUEXIU)


def places_of(db: Session, table: Any) -> list[str]:
    return [] if table is GrantHolder else list(db.scalars(sa.select(table.place)))


def test_a_teacher_sees_her_own_membership_only(populated: dict[str, Any]) -> None:
    org, teacher = populated["org"], populated["teacher"]
    org.member(populated["school"])
    seen = in_scope_of(org, teacher, lambda db: db.scalars(sa.select(Membership.teacher_id)).all())
    assert seen == [teacher.account_id]


def test_an_empty_scope_covers_nothing(org: Org) -> None:
    """A reused connection holds '' where it once held a place; '' must not be the prefix of everything."""
    nobody = org.person()
    in_scope_of(org, org.person(None, (Role.NATIONAL_OPERATOR, "CN")), lambda db: db.scalar(sa.text("SELECT 1")))
    assert in_scope_of(org, nobody, lambda db: db.scalar(sa.text("SELECT app_covers('CN/440000')"))) is False


def test_a_sibling_whose_code_starts_alike_is_not_covered(org: Org) -> None:
    actor = org.person(None, (Role.COUNTY_ADMIN, "CN/440000/44010"))
    assert in_scope_of(org, actor, lambda db: db.scalar(sa.text(f"SELECT app_covers('{YUEXIU}')"))) is False


@pytest.mark.parametrize(
    "statement",
    [
        sa.delete(Membership),
        sa.delete(MembershipPeriod),
        sa.update(AdminGrant).values(state="ACTIVE"),
        sa.insert(GrantHolder).values(account_id=uuid.uuid4(), version=1),
        sa.delete(School),
        sa.delete(SchoolContact),
        sa.text("UPDATE division SET name = '改名'"),
        sa.text("SELECT * FROM audit"),
        sa.text("UPDATE audit SET reason = ''"),
    ],
    ids=str,
)
def test_the_application_role_lacks_the_right(populated: dict[str, Any], statement: Any) -> None:
    org = populated["org"]
    with pytest.raises(DBAPIError) as refused:
        in_scope_of(org, org.person(None, (Role.NATIONAL_OPERATOR, "CN")), lambda db: db.execute(statement))
    assert "permission denied" in str(refused.value.orig)


def test_an_admin_cannot_pull_a_member_of_another_county_over(populated: dict[str, Any]) -> None:
    org, teacher = populated["org"], populated["teacher"]
    statement = sa.update(Membership).where(Membership.teacher_id == teacher.account_id).values(place=f"{HAIZHU}/other")
    outsider = org.person(None, (Role.COUNTY_ADMIN, HAIZHU))
    assert in_scope_of(org, outsider, lambda db: db.execute(statement).rowcount) == 0
    insider = org.person(None, (Role.COUNTY_ADMIN, YUEXIU))
    with pytest.raises(DBAPIError, match="row-level security"):
        in_scope_of(org, insider, lambda db: db.execute(statement))


def test_a_school_cannot_be_put_under_another_county(org: Org) -> None:
    school = org.school()
    row = org.component.call("get_school", {"school_id": school["school_id"]})
    columns = {
        "school_id": uuid.uuid4(), "place": f"{HAIZHU}/s{uuid.uuid4().hex}", "parent": HAIZHU, "division_code": "440105",
        "name": "越界", "name_tokens": [], "kind": row["kind"], "attachment": "COUNTY", "school_type": "PRIMARY",
        "nature": "PUBLIC", "town": "", "other": False, "state": "ACTIVE", "version": 1, "created_at": sa.func.now(),
    }  # fmt: skip
    with pytest.raises(DBAPIError, match="row-level security"):
        in_scope_of(
            org,
            org.person(None, (Role.COUNTY_ADMIN, YUEXIU)),
            lambda db: db.execute(sa.insert(School).values(**columns)),
        )


def test_no_login_role_owns_a_table_or_passes_by(org: Org) -> None:
    with org.component.database.work() as db:
        roles = db.execute(
            sa.text("SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname LIKE current_database() || '%'")
        ).all()
        unforced = db.scalars(
            sa.text(
                "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
                " AND NOT (relrowsecurity AND relforcerowsecurity)"
            )
        ).all()
        owners = db.scalars(sa.text("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")).all()
    assert all(not role.rolsuper and not role.rolbypassrls for role in roles)
    assert sorted(unforced) == ["alembic_version", "division"]
    assert [owner.endswith("_owner") for owner in owners] == [True]


@pytest.mark.parametrize(
    ("places", "place", "covered"),
    [
        ("CN/440000", "CN/440000", True),
        ("CN/440000", "CN/440000/440100", True),
        ("CN/440000", "CN/4400001", False),
        ("CN/440000", "CN", False),
        ("CN/440000", "", False),
        ("CN/110000,CN/440000", "CN/440000/440100", True),
        ("CN/110000,CN/440000", "CN/110000", True),
        ("CN/110000,CN/440000", "CN/120000", False),
        ("CN", "CN/659001", True),
        ("", "CN", False),
        ("", "", False),
    ],
)
def test_what_a_territory_covers(org: Org, places: str, place: str, covered: bool) -> None:
    with org.component.database.app.begin() as connection:
        connection.execute(sa.text("SELECT set_config('app.places', :places, true)"), {"places": places})
        assert connection.scalar(sa.text("SELECT app_covers(:place)"), {"place": place}) is covered


def test_the_territory_is_compared_in_place_not_by_a_call_for_each_row(org: Org) -> None:
    """A list of a page looks at a page of rows; calling a function for each costs more than reading them."""
    plan = in_scope_of(
        org,
        org.person(None, (Role.COUNTY_ADMIN, YUEXIU)),
        lambda db: db.scalars(sa.text("EXPLAIN SELECT * FROM membership")).all(),
    )
    assert "app.places" in "".join(plan)
    assert "app_covers" not in "".join(plan)


def test_a_question_cannot_write(org: Org) -> None:
    call = Call("org", "raw", {}, org.person(None, (Role.NATIONAL_OPERATOR, "CN")), anyone(), time.monotonic() + 5)
    with pytest.raises(DBAPIError, match="read-only"), org.component.database.read(call) as db:
        db.execute(sa.update(Membership).values(reason=""))
    # Nor may it change its mind.
    with pytest.raises(DBAPIError, match="read-write mode"), org.component.database.read(call) as db:
        db.execute(sa.text("SET TRANSACTION READ WRITE"))
