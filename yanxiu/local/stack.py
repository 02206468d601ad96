"""The embedded mode's one process: every service and the gateway on eventlet, over the in-memory bus.

Started by the launcher as `python -m yanxiu.local.stack LISTENING_FD`. It patches itself before it imports anything
that opens sockets or makes locks, and stops gateway, consumers, callers, callees under one budget.
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

import contextlib
import socket
import sys
import time
from typing import Any

import eventlet.wsgi
import greenlet

from services.shared.bus.run import ServiceRunner
from services.shared.keys import open_keyring
from services.shared.settings import load_settings
from services.shared.startup import configure_process
from yanxiu.local import processes
from yanxiu.local.launcher import embedded_settings
from yanxiu.local.service_process import await_signals

STOP_SECONDS = 20.0
# Requests that are still running get a part of the budget; the services need the rest.
GATEWAY_STOP_SECONDS = 8.0
MAX_CONNECTIONS = 256
KEEPALIVE_SECONDS = 65
SOCKET_TIMEOUT_SECONDS = 60
LONGEST_URL = 8192


def main(listening: int) -> int:
    """Serve until SIGTERM; 0 when everything stopped cleanly, 1 when work had to be cut off."""
    settings = embedded_settings(load_settings())
    configure_process(settings, "yanxiu")
    # Callees first; the runner stops in the opposite order.
    names = sorted(processes.SERVICE_PROCESSES, key=lambda name: processes.PROCESSES[name].layer, reverse=True)
    classes = [processes.load_class(name) for name in names]
    runner = ServiceRunner(classes, settings, open_keyring(settings), processes.plan(settings.study_shards))
    ended = await_signals()
    runner.start()
    from gateway.app import create_app

    web = eventlet.spawn(serve, socket.socket(fileno=listening), create_app(settings))
    ended.wait()
    deadline = time.monotonic() + STOP_SECONDS
    stop_web(web)
    return 0 if runner.stop(max(1.0, deadline - time.monotonic())) else 1


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
    with eventlet.Timeout(GATEWAY_STOP_SECONDS, False), contextlib.suppress(greenlet.GreenletExit):
        web.kill()
        web.wait()


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
