"""The embedded mode's one process: every service and the gateway on eventlet, over the in-memory bus.

Started by the launcher as `python -m yanxiu.local.stack LISTENING_FD`. It patches itself before it imports anything
that opens sockets or makes locks, and stops gateway, consumers, callers, callees under one budget.
"""

# ruff: noqa: E402  the patching has to come between the imports
from __future__ import annotations

import os

from yanxiu.local import life_line

# psycopg reads it when first imported; its default blocks the hub.
os.environ["PSYCOPG_WAIT_FUNC"] = "wait_selector"
life_line.watch()

import eventlet

eventlet.monkey_patch()

import signal
import socket
import sys
import time
from types import FrameType
from typing import Any

import eventlet.event
import eventlet.wsgi

from services.shared.settings import load_settings
from yanxiu.local.launcher import embedded_settings
from yanxiu.local.processes import SERVICE_PROCESSES

STOP_SECONDS = 20.0
# Requests that are still running get a part of the budget; the services need the rest.
GATEWAY_STOP_SECONDS = 8.0
MAX_CONNECTIONS = 256
KEEPALIVE_SECONDS = 65
SOCKET_TIMEOUT_SECONDS = 60
LONGEST_URL = 8192


def main(listening: int) -> None:
    """Serve until SIGTERM; returns when everything has stopped."""
    settings = embedded_settings(load_settings())
    from gateway.app import create_app
    from services.shared.bus.run import ServiceRunner

    ended = eventlet.event.Event()

    def note(_number: int, _frame: FrameType | None) -> None:
        if not ended.ready():
            ended.send(None)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, note)
    runner = ServiceRunner(settings)
    runner.start(SERVICE_PROCESSES)
    web = eventlet.spawn(serve, socket.socket(fileno=listening), create_app(settings))
    ended.wait()
    deadline = time.monotonic() + STOP_SECONDS
    stop_web(web)
    runner.stop(max(1.0, deadline - time.monotonic()))


def serve(listener: socket.socket, app: Any) -> None:
    eventlet.wsgi.server(
        listener,
        app,
        max_size=MAX_CONNECTIONS,
        keepalive=KEEPALIVE_SECONDS,
        socket_timeout=SOCKET_TIMEOUT_SECONDS,
        url_length_limit=LONGEST_URL,
        log_output=False,  # the gateway logs each request itself, without addresses that may hold personal data
        debug=False,  # otherwise callers see tracebacks
    )


def stop_web(web: Any) -> None:
    """Take no new connections, let running requests finish."""
    with eventlet.Timeout(GATEWAY_STOP_SECONDS, False):
        web.kill()
        web.wait()


if __name__ == "__main__":
    main(int(sys.argv[1]))
