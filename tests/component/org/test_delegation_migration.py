"""An installation that had schools and administrators before there were seats."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from alembic import command

from services.org.delegation import queries
from services.org.delegation.actions import proof
from services.org.delegation.models import AdminSeat
from services.shared import migrations
from services.shared.database import Database
from services.shared.keys import KeyRing
from services.shared.row_security import DatabaseRoles
from services.shared.settings import Settings
from tests.conftest import PREFIX

pytestmark = pytest.mark.postgres

PROVINCE, CITY, COUNTY = "CN/440000", "CN/440000/440100", "CN/440000/440100/440104"
HELD, LEFT, PLAIN, CLOSED = (f"{COUNTY}/s{digit * 32}" for digit in "1234")


@pytest.fixture
def older(settings: Settings, keyring: KeyRing) -> Iterator[Settings]:
    """A database as it was at the revision before, with what it held."""
    older = dataclasses.replace(settings, database_prefix=f"{PREFIX}_test_{uuid.uuid4().hex[:8]}")
    name = older.database_name("org")
    migrations._create_database(older, keyring, "org", name)
    folder = migrations.SERVICES_FOLDER / "org"
    with migrations._connect(older, name) as connection:
        connection.execute(sa.text(f'SET ROLE "{DatabaseRoles.of(name).owner}"'))
        connection.commit()
        command.upgrade(migrations._config(folder, connection), "0002")
    with migrations._connect(older, name) as connection:
        fill(connection)
        connection.commit()
    yield older
    migrations.drop_all(older, ("org",))


def fill(connection: sa.Connection) -> None:
    for code, level, place, leaf in (
        ("440000", "PROVINCE", PROVINCE, False),
        ("440100", "CITY", CITY, False),
        ("440104", "COUNTY", COUNTY, True),
        ("710000", "PROVINCE", "CN/710000", True),
    ):
        row = {"code": code, "level": level, "place": place, "leaf": leaf}
        connection.execute(
            sa.text(
                "INSERT INTO division (code, level, parent, place, name, leaf) VALUES (:code, :level, '', :place, '', :leaf)"
            ),
            row,
        )
    for place in (HELD, LEFT, PLAIN, CLOSED, f"{COUNTY}/other"):
        connection.execute(
            sa.text(
                "INSERT INTO school (school_id, place, parent, division_code, name, name_tokens, kind, attachment,"
                " school_type, nature, town, other, state, version, created_at) VALUES (:id, :place, :parent, '440104',"
                " :place, '{}', 'BASIC_EDUCATION', 'COUNTY', 'PRIMARY', 'PUBLIC', '', :other, :state, 1, now())"
            ),
            {
                "id": uuid.uuid4(),
                "place": place,
                "parent": COUNTY,
                "other": place.endswith("other"),
                "state": "CLOSED" if place == CLOSED else "ACTIVE",
            },
        )
    for place, state, role in (
        (HELD, "ACTIVE", "SCHOOL_ADMIN"),
        (LEFT, "REVOKED", "SCHOOL_ADMIN"),
        (PLAIN, "ACTIVE", "PRINCIPAL"),
        (CITY, "ACTIVE", "SUPER_ADMIN"),
    ):
        account = uuid.uuid4()
        connection.execute(sa.text("INSERT INTO grant_holder VALUES (:id, 1)"), {"id": account})
        connection.execute(
            sa.text(
                "INSERT INTO admin_grant (grant_id, account_id, role, place, state, valid_from, announced, granted_by,"
                " granted_at, ended_at) VALUES (:grant, :id, :role, :place, :state, now(), true, '', now(),"
                " CASE WHEN :state = 'ACTIVE' THEN NULL ELSE now() END)"
            ),
            {"grant": uuid.uuid4(), "id": account, "role": role, "place": place, "state": state},
        )


def test_it_gets_its_seats_and_counts_with_the_migration(older: Settings, keyring: KeyRing) -> None:
    migrations.migrate_service(older, keyring, "org")
    database = Database("org", older, keyring)
    with database.work() as db:
        seats = {(seat.place, seat.role): seat.state for seat in db.scalars(sa.select(AdminSeat))}
        counts = {
            (tally.level, tally.role): dataclasses.astuple(tally.counts) for tally in queries.get_tallies(db, "CN")
        }
        forced = db.scalars(
            sa.text("SELECT relname FROM pg_class WHERE relrowsecurity AND NOT relforcerowsecurity AND relkind = 'r'")
        ).all()
        differences, after = [], None
        while True:
            page = proof.prove_activation(db, after, 3)
            differences += page["differences"]
            if (after := page["after"]) is None:
                break
    database.dispose()
    assert {key: state for key, state in seats.items() if key[1] == "SCHOOL_ADMIN"} == {
        (HELD, "SCHOOL_ADMIN"): "ACTIVATED",
        (LEFT, "SCHOOL_ADMIN"): "DISABLED",
        (PLAIN, "SCHOOL_ADMIN"): "NOT_GENERATED",
    }
    assert seats[CITY, "SUPER_ADMIN"] == "ACTIVATED"
    assert len(seats) == 3 + 6
    assert counts["SCHOOL", "SCHOOL_ADMIN"] == (3, 0, 1, 1)
    assert counts["CITY", "SUPER_ADMIN"] == (1, 0, 1, 0)
    assert forced == []
    assert differences == []
