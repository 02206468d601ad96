"""One service process of the servers mode: `python -m yanxiu.local.service_process NAME`, until SIGTERM.

It patches itself before it imports anything that opens sockets or makes locks.
"""

# ruff: noqa: E402  the patching has to come between the imports
from __future__ import annotations

import os
import warnings

from yanxiu.local import life_line

# psycopg reads it when first imported; its default blocks the hub.
os.environ["PSYCOPG_WAIT_FUNC"] = "wait_selector"
life_line.watch()
# It says at import that it is in bug-fix mode; nameko 2 has no other hub.
warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")

import eventlet

eventlet.monkey_patch()

import signal
import sys
from types import FrameType

import eventlet.event

from services.shared.bus.run import STOP_SECONDS, ServiceRunner
from services.shared.keys import open_keyring
from services.shared.settings import load_settings
from services.shared.startup import configure_process
from yanxiu.local import health, processes


def main(name: str) -> int:
    """Run one process type; 0 when it stopped cleanly, 1 when work had to be cut off."""
    settings = load_settings()
    configure_process(settings, name)
    plan = processes.plan(settings.study_shards)
    runner = ServiceRunner([processes.load_class(name)], settings, open_keyring(settings), plan)
    ended = await_signals()
    runner.start()
    if port := int(os.environ.get(health.PORT_VARIABLE, "0")):
        health.serve(os.environ.get("YANXIU_HEALTH_HOST", "127.0.0.1"), port, runner.is_ready)
    ended.wait()
    return 0 if runner.stop(STOP_SECONDS) else 1


def await_signals() -> eventlet.event.Event:
    """An event that SIGTERM and SIGINT set."""
    ended = eventlet.event.Event()

    def note(_number: int, _frame: FrameType | None) -> None:
        if not ended.ready():
            ended.send(None)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, note)
    return ended


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
