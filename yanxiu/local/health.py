"""`/live`, `/ready` and `/metrics` of a service process, on a port of its own for orchestrators and Prometheus."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from typing import Any

import eventlet
import eventlet.wsgi
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

PORT_VARIABLE = "YANXIU_HEALTH_PORT"


def application(is_ready: Callable[[], bool]) -> Callable[..., Iterable[bytes]]:
    """A WSGI application. `/live` answers as long as the hub runs; `/ready` is 200 while every listener consumes."""

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO")
        status, content_type, body = "404 Not Found", "text/plain", b"not found\n"
        if path == "/live":
            status, body = "200 OK", b"live\n"
        elif path == "/ready":
            status, body = ("200 OK", b"ready\n") if is_ready() else ("503 Service Unavailable", b"not ready\n")
        elif path == "/metrics":
            status, content_type, body = "200 OK", CONTENT_TYPE_LATEST, generate_latest()
        start_response(status, [("Content-Type", content_type), ("Content-Length", str(len(body)))])
        return [body]

    return answer


def serve(host: str, port: int, is_ready: Callable[[], bool]) -> None:
    """Serve in a greenlet of its own. Raises OSError when the port is taken."""
    listener: socket.socket = eventlet.listen((host, port))
    options = {"log_output": False, "debug": False, "max_size": 16, "socket_timeout": 10, "keepalive": False}
    eventlet.spawn(eventlet.wsgi.server, listener, application(is_ready), **options)
