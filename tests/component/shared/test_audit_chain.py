"""The audit trail as a chain: what is sealed, and that no way of tampering with the tables goes unnoticed."""

from __future__ import annotations

import datetime as dt
import json
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from psycopg import errors as postgres_errors

from services.shared import audit_chain
from services.shared.audit_anchors import FolderAnchors, HeadBook
from services.shared.audit_chain import FaultKind, Head, Report, Seals
from services.shared.crypto import KeySet
from services.shared.database import Database
from services.shared.ids import new_id
from services.shared.settings import Settings
from services.shared.tables import audit
from tests.conftest import Component

SEALS = Seals("probe", KeySet("k1", {"k1": b"1" * 32}))
NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)


def audit_row(**changes: Any) -> dict[str, Any]:
    return {
        "id": new_id(),
        "at": NOW,
        "actor": str(uuid.uuid4()),
        "address": "127.0.0.1",
        "session_id": None,
        "action": "verify_membership",
        "subject": uuid.uuid4(),
        "place": "CN/440000/440100/440104",
        "reason": "a\ttab, a \\ and\na line; 教研员",
        "refusal": "",
        "before": {"state": "PENDING"},
        "after": {"state": "VERIFIED", "number": 1.50, "text": 'quoted "x" \\N'},
        "call_id": "c",
        **changes,
    }


@pytest.fixture
def database(probe: Component, settings: Settings) -> Iterator[Database]:
    """The probe's database with an empty trail, and nothing left behind."""
    empty(settings, probe.database)
    yield probe.database
    empty(settings, probe.database)


def as_owner(settings: Settings, database: Database, *statements: str, **values: Any) -> None:
    """What somebody with every right in the database can do."""
    url = database.url.set(username=sa.make_url(settings.database_url).username, password=None)
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement), values)
    engine.dispose()


def empty(settings: Settings, database: Database) -> None:
    as_owner(settings, database, "TRUNCATE audit, audit_chain, audit_unsealed")


def fill(database: Database, rows: int, **changes: Any) -> None:
    with database.work() as db:
        db.execute(sa.insert(audit).inline(), [audit_row(**changes) for _ in range(rows)])


def sealed(database: Database, rows: int) -> None:
    fill(database, rows)
    assert audit_chain.seal_waiting(database, SEALS) == rows


def head_of(database: Database) -> Head:
    with database.work() as db:
        return audit_chain.find_head(db)


def check(database: Database, heads: dict[int, bytes] | None = None) -> Report:
    return audit_chain.verify(database, SEALS, heads or {})


def kinds(report: Report) -> list[FaultKind]:
    assert len(report.faults) == report.fault_count
    return [fault.kind for fault in report.faults]


def test_every_row_gets_its_seal_and_the_chain_verifies(database: Database) -> None:
    fill(database, 7)
    assert audit_chain.seal_waiting(database, SEALS, batch=3) == 7
    report = check(database)
    assert (report.rows, report.unsealed, report.fault_count) == (7, 0, 0)
    assert report.head == head_of(database)
    assert report.head.position == 7


def test_an_empty_chain_verifies(database: Database) -> None:
    assert check(database).fault_count == 0
    assert head_of(database).position == 0


def test_a_row_that_is_not_committed_yet_is_sealed_when_it_is(database: Database) -> None:
    """Rows commit in another order than they were written; none may be passed over."""
    with database.work() as slow:
        slow.execute(sa.insert(audit).inline(), [audit_row()])
        sealed(database, 2)
    assert check(database).unsealed == 1
    assert audit_chain.seal_waiting(database, SEALS) == 1
    assert check(database).rows == 3


def test_a_row_that_was_rolled_back_leaves_no_gap(database: Database) -> None:
    sealed(database, 1)
    with database.work() as db:
        db.execute(sa.insert(audit).inline(), [audit_row()])
        db.rollback()
    sealed(database, 1)
    report = check(database)
    assert (report.rows, report.fault_count) == (2, 0)


def test_two_sealers_at_once_make_one_chain(database: Database) -> None:
    fill(database, 300)
    threads = [threading.Thread(target=audit_chain.seal_waiting, args=(database, SEALS, 10)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    report = check(database)
    assert (report.rows, report.unsealed, report.fault_count) == (300, 0, 0)


def test_the_application_fills_the_queue_too_but_reads_nothing(database: Database) -> None:
    with database.app.begin() as connection:
        connection.execute(sa.insert(audit).inline(), [audit_row()])
    assert audit_chain.seal_waiting(database, SEALS) == 1
    for statement in ("SELECT 1 FROM audit_chain", "SELECT 1 FROM audit_unsealed", "DELETE FROM audit_unsealed"):
        with pytest.raises(sa.exc.ProgrammingError) as refused, database.app.begin() as connection:
            connection.execute(sa.text(statement))
        assert isinstance(refused.value.orig, postgres_errors.InsufficientPrivilege)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_chain SET seal = seal",
        "DELETE FROM audit_chain",
        "UPDATE audit SET reason = ''",
        "DELETE FROM audit",
        "TRUNCATE audit_chain",
    ],
)
def test_not_even_the_worker_changes_what_is_written(database: Database, statement: str) -> None:
    with pytest.raises(sa.exc.ProgrammingError) as refused, database.work() as db:
        db.execute(sa.text(statement))
    assert isinstance(refused.value.orig, postgres_errors.InsufficientPrivilege)


# --- tampering, by somebody who has every right in the database but not the key ------------------------------------------

AT_4 = "(SELECT audit_id FROM audit_chain WHERE position = 4)"


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        *[
            ([f"UPDATE audit SET {change} WHERE id = {AT_4}"], [FaultKind.ALTERED])
            for change in (
                "at = at + interval '1 microsecond'",
                "actor = 'somebody else'",
                "address = '10.0.0.1'",
                "session_id = gen_random_uuid()",
                "action = 'reject_membership'",
                "subject = NULL",
                "place = 'CN'",
                "reason = reason || ' '",
                "refusal = 'shared.not_allowed'",
                """before = '{"state": "REJECTED"}'""",
                """after = '{}'""",
                "call_id = 'd'",
            )
        ],
        (
            [
                "UPDATE audit_chain SET audit_id = gen_random_uuid() WHERE position = 4",
            ],
            [FaultKind.OUTSIDE, FaultKind.REMOVED],
        ),
        (["UPDATE audit_chain SET seal = set_byte(seal, 0, get_byte(seal, 0) # 1) WHERE position = 4"],
         [FaultKind.ALTERED, FaultKind.ALTERED]),
        (["UPDATE audit_chain SET key_id = 'k2' WHERE position = 4"], [FaultKind.UNKNOWN_KEY]),
        ([f"DELETE FROM audit WHERE id = {AT_4}"], [FaultKind.REMOVED]),
        ([f"DELETE FROM audit WHERE id = {AT_4}", "DELETE FROM audit_chain WHERE position = 4"], [FaultKind.GAP]),
        (
            [
                f"DELETE FROM audit WHERE id = {AT_4}",
                "DELETE FROM audit_chain WHERE position = 4",
                # One by one from below: a primary key is checked row by row.
                "UPDATE audit_chain SET position = 4 WHERE position = 5",
                "UPDATE audit_chain SET position = 5 WHERE position = 6",
            ],
            [FaultKind.ALTERED, FaultKind.ALTERED],
        ),
        (["DELETE FROM audit_chain WHERE position = 1"], [FaultKind.OUTSIDE, FaultKind.GAP]),
    ],
)  # fmt: skip
def test_what_is_done_to_a_sealed_row_shows(
    database: Database, settings: Settings, statements: list[str], expected: list[FaultKind]
) -> None:
    sealed(database, 6)
    as_owner(
        settings, database, "ALTER TABLE audit_chain DROP CONSTRAINT IF EXISTS audit_chain_audit_id_key", *statements
    )
    as_owner(settings, database, "ALTER TABLE audit_chain ADD CONSTRAINT audit_chain_audit_id_key UNIQUE (audit_id)")
    assert kinds(check(database)) == expected


def test_two_rows_that_changed_places_show(database: Database, settings: Settings) -> None:
    sealed(database, 6)
    as_owner(
        settings,
        database,
        "CREATE TEMP TABLE moved AS SELECT position, audit_id FROM audit_chain WHERE position IN (3, 5)",
        "UPDATE audit_chain SET audit_id = gen_random_uuid() WHERE position IN (3, 5)",
        "UPDATE audit_chain c SET audit_id = m.audit_id FROM moved m WHERE c.position = 8 - m.position",
    )
    report = check(database)
    assert kinds(report) == [FaultKind.ALTERED, FaultKind.ALTERED]
    assert [fault.position for fault in report.faults] == [3, 5]


def test_a_row_put_in_past_the_trigger_shows(database: Database, settings: Settings) -> None:
    sealed(database, 2)
    as_owner(
        settings,
        database,
        "SET LOCAL session_replication_role = 'replica'",
        "INSERT INTO audit SELECT gen_random_uuid(), at, actor, address, action, subject, place, reason, before, after,"
        " call_id, session_id, refusal FROM audit LIMIT 1",
    )
    assert kinds(check(database)) == [FaultKind.OUTSIDE]


def test_a_row_put_in_with_a_guessed_seal_shows(database: Database, settings: Settings) -> None:
    sealed(database, 2)
    as_owner(
        settings,
        database,
        "INSERT INTO audit SELECT gen_random_uuid(), at, actor, address, action, subject, place, reason, before, after,"
        " call_id, session_id, refusal FROM audit LIMIT 1",
        "INSERT INTO audit_chain SELECT 3, id, 'k1', sha256('guess') FROM audit_unsealed",
        "DELETE FROM audit_unsealed",
    )
    assert kinds(check(database)) == [FaultKind.ALTERED]


def test_a_row_removed_before_its_seal_shows(database: Database, settings: Settings) -> None:
    fill(database, 1)
    as_owner(settings, database, "DELETE FROM audit")
    assert kinds(check(database)) == [FaultKind.LOST]


def test_the_sabotaged_verifier_sees_none_of_it(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: what finds an altered row is the seal, not something beside it."""
    sealed(database, 6)
    as_owner(settings, database, f"UPDATE audit SET actor = 'x' WHERE id = {AT_4}")
    monkeypatch.setattr(audit_chain._Walk, "_judge", lambda *_arguments: None)
    assert check(database).fault_count == 0


# --- what is cut off the end --------------------------------------------------------------------------------------------


@pytest.fixture
def book(tmp_path: Path) -> HeadBook:
    return HeadBook(FolderAnchors(tmp_path), "probe", SEALS)


CUT = (
    "DELETE FROM audit WHERE id IN (SELECT audit_id FROM audit_chain WHERE position > 3)",
    "DELETE FROM audit_chain WHERE position > 3",
)


def test_a_truncation_shows_against_the_heads_that_were_written_down(
    database: Database, settings: Settings, book: HeadBook
) -> None:
    sealed(database, 2)
    assert book.write(head_of(database), NOW)
    sealed(database, 4)
    assert book.write(head_of(database), NOW)
    assert check(database, book.heads()).fault_count == 0
    as_owner(settings, database, *CUT)
    assert check(database).fault_count == 0, "nothing inside the database can tell"
    report = check(database, book.heads())
    assert kinds(report) == [FaultKind.TRUNCATED]
    assert report.faults[0].position == 6


def test_a_truncated_chain_that_grew_again_shows_too(database: Database, settings: Settings, book: HeadBook) -> None:
    sealed(database, 6)
    book.write(head_of(database), NOW)
    as_owner(settings, database, *CUT)
    sealed(database, 5)
    assert kinds(check(database, book.heads())) == [FaultKind.REWRITTEN]


def test_everything_gone_shows(database: Database, settings: Settings, book: HeadBook) -> None:
    sealed(database, 3)
    book.write(head_of(database), NOW)
    empty(settings, database)
    assert kinds(check(database, book.heads())) == [FaultKind.TRUNCATED]


def test_the_same_head_is_written_down_once_and_files_are_never_written_again(
    database: Database, book: HeadBook, tmp_path: Path
) -> None:
    sealed(database, 1)
    head = head_of(database)
    assert book.write(head, NOW)
    assert not book.write(head, NOW)
    assert not HeadBook(FolderAnchors(tmp_path), "probe", SEALS).write(head, NOW), "nor after a restart"
    files = sorted((tmp_path / "probe").iterdir())
    assert [file.name for file in files] == ["000000000001.json"]
    assert files[0].stat().st_mode & 0o777 == 0o400
    assert json.loads(files[0].read_bytes())["position"] == 1
    assert not FolderAnchors(tmp_path).put_once("probe", 1, b"other")


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 30])
def test_the_last_entry_is_found_without_listing(tmp_path: Path, count: int) -> None:
    book = HeadBook(FolderAnchors(tmp_path), "probe", SEALS)
    for position in range(1, count + 1):
        assert book.write(Head(position, bytes([position]) * 32), NOW)
    again = HeadBook(FolderAnchors(tmp_path), "probe", SEALS)
    assert again.newest() == Head(count, bytes([count]) * 32)
    assert sorted(again.heads()) == list(range(1, count + 1))
    assert sorted(again.heads(limit=2)) == list(range(max(1, count - 1), count + 1))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda facts: facts | {"position": 9},
        lambda facts: facts | {"seal": "00" * 32},
        lambda facts: facts | {"service": "org"},
        lambda facts: facts | {"key_id": "k9"},
        lambda facts: facts | {"proof": ""},
        lambda facts: [facts],
        lambda facts: {},
    ],
)
def test_a_planted_entry_is_not_believed(tmp_path: Path, spoil: Callable[[Any], Any]) -> None:
    book = HeadBook(FolderAnchors(tmp_path), "probe", SEALS)
    book.write(Head(1, b"1" * 32), NOW)
    entry = json.loads((tmp_path / "probe" / "000000000001.json").read_bytes())
    FolderAnchors(tmp_path).put_once("probe", 2, json.dumps(spoil(entry)).encode())
    assert book.newest() is None
    assert list(book.heads()) == [1]
    assert book.write(Head(3, b"3" * 32), NOW), "and does not stop the book"
    assert list(book.heads()) == [1, 3]


def test_an_older_key_still_verifies(database: Database) -> None:
    sealed(database, 2)
    both = Seals("probe", KeySet("k2", {"k1": b"1" * 32, "k2": b"2" * 32}))
    fill(database, 2)
    audit_chain.seal_waiting(database, both)
    assert audit_chain.verify(database, both, {}).fault_count == 0
    assert kinds(check(database)) == [FaultKind.UNKNOWN_KEY] * 2


def test_another_service_s_chain_does_not_verify(database: Database) -> None:
    sealed(database, 1)
    other = Seals("org", KeySet("k1", {"k1": b"1" * 32}))
    assert audit_chain.verify(database, other, {}).fault_count == 1


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_any_one_of_many_rows_is_missed_when_it_is_touched(database: Database, settings: Settings, seed: int) -> None:
    """`reliability.md` S11, over a chain of several pages."""
    fill(database, 25_000)
    audit_chain.seal_waiting(database, SEALS)
    position = (1, 20_001, 25_000)[seed]
    as_owner(
        settings,
        database,
        "UPDATE audit SET before = before || '{\"x\": 1}' WHERE id = (SELECT audit_id FROM audit_chain WHERE position = :at)",
        at=position,
    )
    report = check(database)
    assert [(fault.kind, fault.position) for fault in report.faults] == [(FaultKind.ALTERED, position)]
    assert report.rows == 25_000
