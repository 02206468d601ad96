"""Connections of services: what is prepared stays so through a refusal, and what was refused is taken back."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.shared.driver import Connection, run_plain
from services.shared.keys import KeyRing
from services.shared.settings import Settings
from tests.conftest import Component

_ASKED = "SELECT %(number)s::int + 1 AS answer"


class Refused(Exception):
    """What an action raises, and its transaction is taken back."""


def refuse(probe: Component, act: Callable[[Session], object]) -> None:
    with pytest.raises(Refused), probe.database.work() as db:
        _act_and_refuse(db, act)


def _act_and_refuse(db: Session, act: Callable[[Session], object]) -> None:
    act(db)
    raise Refused


def ask_and_refuse(probe: Component, times: int) -> int:
    """The connection's process, after as many refused transactions."""
    for number in range(times):
        refuse(probe, lambda db, number=number: run_plain(db, _ASKED, {"number": number}))  # type: ignore[misc]
    with probe.database.work() as db:
        return int(run_plain(db, "SELECT pg_backend_pid() AS pid", {})[0].pid)


def prepared(probe: Component) -> set[str]:
    with probe.database.work() as db:
        rows = run_plain(db, "SELECT statement FROM pg_prepared_statements", {})
    return {row.statement for row in rows}


def test_a_refusal_keeps_what_is_prepared(probe: Component) -> None:
    ask_and_refuse(probe, 7)
    assert "SELECT $1::int + 1 AS answer" in prepared(probe)


def test_sabotage_psycopgs_own_rollback_forgets_it(probe: Component, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(Connection, "rollback")
    ask_and_refuse(probe, 7)
    assert prepared(probe) == set()


def test_what_was_refused_is_taken_back(probe: Component) -> None:
    name = f"n{uuid.uuid4().hex}"
    insert = sa.text("INSERT INTO counter (name, total) VALUES (:name, 1)")
    refuse(probe, lambda db: db.execute(insert, {"name": name}))
    with probe.database.work() as db:
        assert db.scalar(sa.text("SELECT count(*) FROM counter WHERE name = :name"), {"name": name}) == 0


def test_a_failed_statement_leaves_a_connection_that_works(probe: Component) -> None:
    with pytest.raises(sa.exc.DataError), probe.database.work() as db:
        run_plain(db, "SELECT 1 / %(zero)s::int AS never", {"zero": 0})
    assert ask_and_refuse(probe, 1)


def test_a_connection_that_dies_in_a_transaction_is_replaced(
    probe: Component, settings: Settings, keyring: KeyRing
) -> None:
    before = ask_and_refuse(probe, 1)
    administrator = sa.create_engine(sa.make_url(settings.database_url).set(drivername="postgresql+psycopg"))

    def die(db: Session) -> None:
        run_plain(db, _ASKED, {"number": 1})
        with administrator.connect() as other:
            other.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": before})
        run_plain(db, _ASKED, {"number": 2})

    with pytest.raises(sa.exc.DBAPIError), probe.database.work() as db:
        die(db)
    administrator.dispose()
    assert ask_and_refuse(probe, 1) != before
