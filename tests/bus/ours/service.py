"""Starts the recorder as production starts a service (`yanxiu.local.service_process`).

The environment shortens time-outs, so that tests are quick, and arms crash points and sabotage.
"""

# ruff: noqa: E402  the patching has to come between the imports
from __future__ import annotations

import os

os.environ["PSYCOPG_WAIT_FUNC"] = "wait_selector"

import eventlet

eventlet.monkey_patch()

import signal
import sys
from typing import Any

from services.shared.bus import dispatch, link, listener, publisher, relay, run, topology
from services.shared.keys import KeyRing
from services.shared.settings import load_settings
from services.shared.startup import configure_process
from tests.bus.ours.contract import EVENTS, NAME
from tests.bus.ours.recorder import Recorder, note
from yanxiu.local.service_process import await_signals


def adjust() -> None:
    """Shorter time-outs armed crash points, and what the twins of some tests leave out."""
    if heartbeat := os.environ.get("HEARTBEAT"):
        link.Link.__init__.__kwdefaults__["heartbeat"] = float(heartbeat)
        listener.HEARTBEAT_SECONDS = float(heartbeat)
    if poll := os.environ.get("POLL_SECONDS"):
        relay.POLL_SECONDS = float(poll)
    if confirm := os.environ.get("CONFIRM_SECONDS"):
        relay.CONFIRM_SECONDS = float(confirm)
    if os.environ.get("WITHOUT_INBOX"):
        dispatch.claim = lambda _db, _consumer, event_ids: set(event_ids)
    if os.environ.get("CRASH_AFTER_CONFIRM"):
        waited = publisher.ConfirmingLink.wait

        def wait_and_die(self: Any, timeout: float) -> None:
            waited(self, timeout)
            note("confirmed", "batch")
            os.kill(os.getpid(), signal.SIGKILL)

        publisher.ConfirmingLink.wait = wait_and_die


def fail() -> None:
    raise RuntimeError("a thread of the container dies")


def main() -> int:
    adjust()
    settings = load_settings()
    configure_process(settings, Recorder.name)
    plan = topology.plan([Recorder], EVENTS, settings.study_shards)
    runner = run.ServiceRunner([Recorder], settings, KeyRing(settings.keys_dir), plan)
    ended = await_signals()
    runner.start()
    while not runner.is_ready():
        eventlet.sleep(0.02)
    note("ready", NAME)
    if os.environ.get("CONTAINER_DIES"):
        runner.processes[Recorder.name].host.container.spawn_managed_thread(fail)
    ended.wait()
    return 0 if runner.stop(float(os.environ.get("STOP_SECONDS", "20"))) else 1


if __name__ == "__main__":
    sys.exit(main())
