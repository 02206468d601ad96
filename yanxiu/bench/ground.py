"""The ground that a benchmark stands on: databases, folder and virtual host of its own, removed at the end."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from services.shared.settings import Settings, SettingsError, load_settings

CONTROL_SECONDS = 30


@contextlib.contextmanager
def own_ground(*, embedded: bool, own_vhost: bool) -> Iterator[tuple[Settings, dict[str, str]]]:
    """Settings of an installation that nobody else uses, and the environment of its processes.

    `embedded` leaves configured servers alone. Raises SettingsError where no virtual host of our own can be had: on
    another installation's, ours would take its messages.
    """
    name = f"yanxiu_bench_{uuid.uuid4().hex[:8]}"
    folder = Path(tempfile.mkdtemp(prefix="yanxiu-bench-"))
    try:
        environment = _environment(folder, name, embedded)
        settings = load_settings({**os.environ, **environment})
        with _vhost(settings, name, own_vhost) as uri:
            if settings.embedded:
                yield settings, environment
                return
            environment["AMQP_URI"] = uri
            settings = load_settings({**os.environ, **environment})
            try:
                yield settings, environment
            finally:
                _drop(settings)
    finally:
        _remove(folder)


def _environment(folder: Path, name: str, embedded: bool) -> dict[str, str]:
    own = {
        "YANXIU_DATA_DIR": str(folder),
        "YANXIU_DATABASE_PREFIX": name,
        "YANXIU_CLOCK_FILE": "",
        # Makes keys, shows SMS codes, and lifts the rate limits: one address plays everybody here.
        "YANXIU_DEVELOPMENT": "1",
        "YANXIU_LOG_LEVEL": os.environ.get("YANXIU_LOG_LEVEL", "INFO"),
        # A worker that is renewed in the middle would take its CPU time with it.
        "GUNICORN_CMD_ARGS": "--max-requests 0",
    }
    return own | ({"DATABASE_URL": "", "AMQP_URI": ""} if embedded else {})


@contextlib.contextmanager
def _vhost(settings: Settings, name: str, own_vhost: bool) -> Iterator[str]:
    """The broker's address with a fresh virtual host; as it is where there is none, or where it is said to be ours."""
    if settings.embedded or own_vhost:
        yield settings.amqp_uri
        return
    user = urlsplit(settings.amqp_uri).username or "guest"
    if not (_control("add_vhost", name) and _control("set_permissions", "-p", name, user, ".*", ".*", ".*")):
        raise SettingsError(
            "rabbitmqctl cannot make a virtual host here: let AMQP_URI name one that is for benchmarks only,"
            " and say so with --own-vhost"
        )
    try:
        yield with_vhost(settings.amqp_uri, name)
    finally:
        _control("delete_vhost", name)


def with_vhost(uri: str, vhost: str) -> str:
    return urlunsplit(urlsplit(uri)._replace(path="/" + quote(vhost, safe="")))


def _control(*words: str) -> bool:
    """Run `rabbitmqctl`; False where it is missing, refuses, or hangs (a broker in trouble answers nothing)."""
    program = shutil.which("rabbitmqctl")
    if program is None:
        return False
    # A session of its own: the program is a script around a script, and all of it has to go with a time-out.
    process = subprocess.Popen(
        [program, "-q", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        return process.wait(CONTROL_SECONDS) == 0
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return False


def _drop(settings: Settings) -> None:
    from services.shared.migrations import drop_all

    drop_all(settings)


def _remove(folder: Path) -> None:
    from yanxiu.local import postgres

    postgres.remove(folder / "postgres")
    shutil.rmtree(folder, ignore_errors=True)


def program_environment(environment: Mapping[str, str], settings: Settings) -> dict[str, str]:
    """What a helper program needs to use this ground; `settings` have the database's real address."""
    from yanxiu.local.launcher import MEMORY, POSTGRES_VARIABLE

    return {**MEMORY, **environment, POSTGRES_VARIABLE: settings.database_url}
