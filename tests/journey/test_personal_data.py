"""After a whole journey: no file names anybody in plain text (`reliability.md` S9), and the audit trail is whole (S11).

Everything on disk is searched byte by byte: tables and indexes, the write-ahead log, the services' logs, stored files, keys. The
in-memory bus keeps nothing; what it carried went through the outbox, which is a table.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journey.conftest import SERVER_VARIABLES
from tests.journey.test_season import LONGEST_SECONDS, tell
from yanxiu.journey.people import invent
from yanxiu.local import postgres, postgres_home

# Every person of the journey is invented, and this is how they look (`yanxiu/journey/people.py`).
ID_NUMBER = re.compile(rb"(?<![0-9])440100(?:19[0-9]{2}|20[0-9]{2})(?:0[1-9]|1[0-2])[0-3][0-9][0-9]{3}[0-9Xx](?![0-9])")
PHONE = re.compile(rb"(?<![0-9A-Za-z.])199[0-9]{8}(?![0-9A-Za-z.])")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of an installation of its own, after the journey."""
    data = tmp_path_factory.mktemp("told") / "data"
    clean = {name: value for name, value in os.environ.items() if name not in SERVER_VARIABLES}
    environment = {**clean, "YANXIU_DATA_DIR": str(data)}
    tell(environment)
    yield environment
    postgres.remove(data / "postgres")


def files(*folders: Path) -> Iterator[Path]:
    for folder in folders:
        yield from (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def hits(*folders: Path) -> dict[str, set[bytes]]:
    found = {}
    for path in files(*folders):
        content = path.read_bytes()
        if here := {*ID_NUMBER.findall(content), *PHONE.findall(content)}:
            found[str(path)] = here
    return found


@pytest.mark.slow
@pytest.mark.timeout(LONGEST_SECONDS + 120)
def test_nothing_on_disk_names_anybody(told: dict[str, str]) -> None:
    data = Path(told["YANXIU_DATA_DIR"])
    place = postgres_home.find_home(data / "postgres").place
    searched = list(files(data, place))
    assert any("pg_wal" in str(path) for path in searched), "the database's own files are among them"
    assert hits(data, place) == {}


def test_the_search_finds_what_is_put_there(tmp_path: Path) -> None:
    """The twin."""
    one = invent(4711, 12)
    (tmp_path / "page").write_bytes(b"\x00\x17" + one.id_no.encode() + b"\x00\x00\x0b" + one.phone.encode() + b"\x01")
    [found] = hits(tmp_path).values()
    assert found == {one.id_no.encode(), one.phone.encode()}


@pytest.mark.slow
@pytest.mark.timeout(LONGEST_SECONDS + 120)
def test_the_audit_trail_is_sealed_and_whole(told: dict[str, str]) -> None:
    """Sealed by the services while they ran, verified by the command that operators type."""
    done = subprocess.run(
        [sys.executable, "-m", "yanxiu", "audit", "verify", "--json"],
        env={**told, "YANXIU_DATABASE_PREFIX": "yanxiu_demo"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    reports = {report["service"]: report for report in json.loads(done.stdout)}
    assert all(report["fault_count"] == 0 for report in reports.values())
    assert reports["org"]["rows"] > 10
    assert reports["identity"]["rows"] > 0
