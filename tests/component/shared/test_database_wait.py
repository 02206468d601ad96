"""Green threads of a service process wait for PostgreSQL without stopping each other, and survive a connection that dies."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

PROGRAM = """
import json, os, sys, time
os.environ["PSYCOPG_WAIT_FUNC"] = "wait_selector"
import warnings
warnings.simplefilter("ignore")
import eventlet
eventlet.monkey_patch()
import psycopg, psycopg.waiting
from services.shared.bus import database_wait

if sys.argv[2] == "ours":
    database_wait.install()
url = sys.argv[1]

def sleep(seconds):
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT pg_sleep(%s), repeat('x', 3000000)", [seconds]).fetchone()[1]

began = time.monotonic()
lengths = [len(thread.wait()) for thread in [eventlet.spawn(sleep, 0.5) for _ in range(6)]]
together = time.monotonic() - began

# A statement too large for the socket's buffer waits for writing as well.
with psycopg.connect(url) as connection:
    large = connection.execute("SELECT length(%s::text)", ["y" * 8_000_000]).fetchone()[0]

# The server ends a connection under a waiting statement.
victim = psycopg.connect(url, autocommit=True)
waiting = eventlet.spawn(victim.execute, "SELECT pg_sleep(30)")
eventlet.sleep(0.2)
with psycopg.connect(url, autocommit=True) as other:
    other.execute("SELECT pg_terminate_backend(%s)", [victim.info.backend_pid])
try:
    waiting.wait()
    ended = ""
except psycopg.OperationalError as error:
    ended = type(error).__name__

# Whoever waits can be told to stop; the connection is then of no use to anybody.
idle = psycopg.connect(url, autocommit=True)
try:
    with eventlet.Timeout(0.3):
        idle.execute("SELECT pg_sleep(3)")
    stopped = False
except eventlet.Timeout:
    stopped = True
idle.close()
print(json.dumps({"together": together, "lengths": lengths, "large": large, "ended": ended, "stopped": stopped,
                  "installed": psycopg.waiting.wait is database_wait.wait_on_hub}))
"""


@pytest.fixture
def run(postgres_url):
    def run_with(how: str) -> dict:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, postgres_url, how], capture_output=True, text=True, timeout=150, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run_with


@pytest.mark.parametrize("how", ["ours", "psycopg's"])
def test_green_threads_wait_together_and_a_dead_connection_wakes_its_own(run, how):
    """Ours behaves as psycopg's own way does, which it replaces for its price."""
    found = run(how)
    assert found["installed"] is (how == "ours")
    assert found["together"] < 2.5  # one after the other they would take 3 s
    assert found["lengths"] == [3_000_000] * 6
    assert found["large"] == 8_000_000
    assert found["ended"] == "AdminShutdown"
    assert found["stopped"]
