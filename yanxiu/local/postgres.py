"""The embedded PostgreSQL: a private server for one folder, started when first needed, stopped by its last user.

It must be started before eventlet patches the process (`docs/adr/0002-embedded-postgres.md`).
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from urllib.parse import quote

from yanxiu.local.postgres_home import Account, Home, PostgresError, find_home, own_folder, remove_home

MAJOR = "18"
SUPERUSER = "yanxiu"
START_SECONDS = 60.0  # crash recovery after a power cut may need most of it
STOP_SECONDS = 30.0  # the last checkpoint of a fresh cluster syncs thousands of files
POLL_SECONDS = 0.02

# Durability is never traded: the ledger's truth is here. Everything else is cut to one small machine's size.
SERVER_SETTINGS = {
    "listen_addresses": "",  # the socket's folder is the only door
    "port": "5432",  # part of the socket's name; nothing listens on the network
    "unix_socket_permissions": "0777",  # the folder is 0700; the account may differ from ours when we are root
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "32MB",
    "max_connections": "200",  # nine process types with two pools of up to eight
    "jit": "off",  # compiles for seconds what runs in milliseconds
    "io_method": "sync",  # otherwise three more processes
    "max_worker_processes": "2",
    "max_parallel_workers_per_gather": "0",
    "max_logical_replication_workers": "0",
    "max_wal_senders": "0",
    "wal_level": "minimal",
    "min_wal_size": "32MB",
    "max_wal_size": "512MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    # The log must not keep personal data: no parameters, no statements, no "Key (phone)=(…)" details.
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}


@dataclasses.dataclass
class RunningPostgres:
    """A server that answers. `admin_url` logs in as the superuser, without a password, on this machine only."""

    home: Home
    pid: int
    _users: IO[str]
    _process: subprocess.Popen[bytes] | None = None

    @property
    def admin_url(self) -> str:
        return f"postgresql://{SUPERUSER}@/postgres?host={quote(str(self.home.socket_dir))}"

    def stop(self) -> None:
        """Stop the server, unless another process still uses it. Safe to call twice."""
        if self._users.closed:
            return
        with _turn(self.home.folder), self._users:
            if _is_last(self._users):
                # Not `self.pid`: after a crash another user may have started a successor.
                _shut_down(self.home)
        if self._process is not None:
            self._process.poll()  # collects the ended child


def start(data_dir: Path) -> RunningPostgres:
    """The running server of `data_dir`: made, started or joined as needed.

    Raises PostgresError with what to do when it cannot run: no room, no rights, another version's data.
    """
    if not hasattr(os, "geteuid"):
        raise PostgresError("the embedded PostgreSQL needs Linux or macOS; elsewhere set DATABASE_URL and AMQP_URI")
    home = find_home(data_dir)
    with _turn(home.folder):
        users = _register(home.folder)
        try:
            _make_cluster(home)
            _write_access_rules(home)
            pid = _running_pid(home)
            if pid is not None:
                return RunningPostgres(home, pid, users)
            process = _launch(home)
            return RunningPostgres(home, process.pid, users, process)
        except BaseException:
            users.close()
            raise


@contextlib.contextmanager
def _turn(folder: Path) -> Iterator[None]:
    """Starting and stopping happen one at a time per folder."""
    with (folder / "turn.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _register(folder: Path) -> IO[str]:
    """Count ourselves among the users. The kernel forgets us when we die, however we die."""
    users = (folder / "users.lock").open("w")
    fcntl.flock(users, fcntl.LOCK_SH)
    return users


def _is_last(users: IO[str]) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _make_cluster(home: Home) -> None:
    if home.cluster.exists():
        _check_version(home)
        return
    # initdb into another name: an interrupted one never looks like a cluster.
    partial = home.place / "data.partial"
    shutil.rmtree(partial, ignore_errors=True)
    own_folder(partial, home.account, 0o700)
    # The builtin C.UTF-8 sorts alike on every system and needs no locale to be installed.
    command = [home.program("initdb"), "--pgdata", str(partial), "--username", SUPERUSER, "--encoding", "UTF8"]
    command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--auth=reject"]
    made = subprocess.run(command, capture_output=True, text=True, check=False, env=_environment(), **home.switch_user)
    if made.returncode != 0:
        shutil.rmtree(partial, ignore_errors=True)
        raise PostgresError(f"initdb failed in {home.place}: {made.stderr.strip() or made.stdout.strip()}")
    partial.rename(home.cluster)


def _check_version(home: Home) -> None:
    try:
        version = (home.cluster / "PG_VERSION").read_text(encoding="ascii").strip()
    except OSError as error:
        raise PostgresError(f"{home.cluster} holds no PostgreSQL data ({error.strerror})") from error
    if version != MAJOR:
        raise PostgresError(
            f"{home.cluster} was written by PostgreSQL {version}, this is {MAJOR}: "
            "dump it with the old version, or set YANXIU_DATA_DIR to a new folder"
        )


def _write_access_rules(home: Home) -> None:
    """Only processes of the account that started the server (and its own) may connect: the kernel says who they are."""
    names = {home.account.name, Account.of(os.geteuid()).name}
    _write_owned(home, "pg_hba.conf", "local all all peer map=yanxiu\n")
    _write_owned(home, "pg_ident.conf", "".join(f'yanxiu "{name}" all\n' for name in sorted(names)))


def _write_owned(home: Home, name: str, text: str) -> None:
    path, partial = home.cluster / name, home.cluster / f"{name}.partial"
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    partial.unlink(missing_ok=True)
    partial.write_text(text, encoding="utf-8")
    partial.chmod(0o600)
    if home.account.uid != os.geteuid():
        os.chown(partial, home.account.uid, home.account.gid)
    partial.replace(path)


def _running_pid(home: Home) -> int | None:
    """The process id of this cluster's server, if one runs. Clears away a pid file that names a stranger."""
    deadline = time.monotonic() + START_SECONDS
    while (lines := _pid_file(home)) and _is_server(int(lines[0])):
        if _says_ready(lines):
            os.kill(int(lines[0]), signal.SIGHUP)  # it must read the access rules again: we may be another account
            return int(lines[0])
        if time.monotonic() > deadline:
            raise PostgresError(f"the server in {home.cluster} does not become ready; see {home.log}")
        time.sleep(POLL_SECONDS)
    if lines:
        # Process ids are used again, in containers soon: PostgreSQL would take the stranger for itself and refuse.
        (home.cluster / "postmaster.pid").unlink(missing_ok=True)
    return None


def _pid_file(home: Home) -> list[str]:
    try:
        lines = (home.cluster / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    return lines if lines and lines[0].strip().isdigit() else []


def _says_ready(lines: list[str]) -> bool:
    return len(lines) > 7 and lines[7].strip() == "ready"


def _is_server(pid: int) -> bool:
    """Whether that process is a living PostgreSQL (a zombie has ended; its parent has not looked yet)."""
    with contextlib.suppress(OSError):
        name, _, rest = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").partition(") ")
        return name.endswith("(postgres") and not rest.startswith("Z")
    if Path("/proc/self").exists():
        return False
    # No /proc outside Linux.
    found = subprocess.run(["/bin/ps", "-o", "comm=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return found.stdout.strip().endswith("postgres")


def _launch(home: Home) -> subprocess.Popen[bytes]:
    deadline = time.monotonic() + START_SECONDS
    while True:
        process = _spawn(home)
        if _becomes_ready(home, process, deadline):
            return process
        tail = _log_tail(home)
        # After a SIGKILL of the server its children need a moment to notice and to let go of the memory.
        if "pre-existing shared memory" not in tail or time.monotonic() > deadline:
            raise PostgresError(f"PostgreSQL stopped while starting; the end of {home.log}:\n{tail}")
        time.sleep(0.2)


def _spawn(home: Home) -> subprocess.Popen[bytes]:
    settings = SERVER_SETTINGS | {"unix_socket_directories": str(home.socket_dir)}
    command = [home.program("postgres"), "-D", str(home.cluster)]
    command += [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    if home.log.exists():
        home.log.replace(home.log.with_suffix(".previous.log"))
    with home.log.open("wb") as log:
        # Its own session: Ctrl-C in the terminal must reach the services first and the database last.
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env=_environment(),
            **home.switch_user,
        )


def _becomes_ready(home: Home, process: subprocess.Popen[bytes], deadline: float) -> bool:
    while process.poll() is None:
        lines = _pid_file(home)
        if lines and int(lines[0]) == process.pid and _says_ready(lines):
            return True
        if time.monotonic() > deadline:
            process.send_signal(signal.SIGINT)
            raise PostgresError(f"PostgreSQL was not ready after {START_SECONDS:.0f} s; see {home.log}")
        time.sleep(POLL_SECONDS)
    return False


def _environment() -> dict[str, str]:
    # Nothing of ours: PGDATA, PGPORT or a locale that is not installed would change what the server does.
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def _log_tail(home: Home) -> str:
    with contextlib.suppress(OSError):
        return "\n".join(home.log.read_text(encoding="utf-8", errors="replace").splitlines()[-10:])
    return "(no log)"


def _shut_down(home: Home) -> None:
    """Fast shutdown (sessions are ended, everything is written); after `STOP_SECONDS` the abrupt one."""
    lines = _pid_file(home)
    if not lines or not _is_server(int(lines[0])):
        return
    pid = int(lines[0])
    for stop_signal in (signal.SIGINT, signal.SIGQUIT):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, stop_signal)
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline:
            if not _is_server(pid):
                return
            time.sleep(POLL_SECONDS)
    raise PostgresError(f"PostgreSQL (process {pid}) does not stop; see {home.log}")


def remove(data_dir: Path) -> None:
    """Stop the server of `data_dir`, whoever uses it, and delete its data for good."""
    if not data_dir.exists():
        return
    home = find_home(data_dir)
    with _turn(home.folder):
        _shut_down(home)
        remove_home(home.folder)


if __name__ == "__main__":  # `make clean` has no other way to reach data that lies elsewhere
    if sys.argv[1:2] != ["remove"]:
        sys.exit("usage: python -m yanxiu.local.postgres remove FOLDER")
    remove(Path(sys.argv[2]))
