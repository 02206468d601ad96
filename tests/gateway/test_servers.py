"""The application under the two servers that carry it: gunicorn gthread, and eventlet in the embedded mode."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EVENTLET = """
import socket, sys
from yanxiu.local import stack
from gateway.app import create_app
from services.shared.settings import load_settings
stack.serve(socket.socket(fileno=int(sys.argv[1])), create_app(load_settings()))
"""


@pytest.fixture(scope="module", params=["gunicorn", "eventlet"])
def address(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """A gateway without any service behind it: nothing here needs one."""
    listener = socket.create_server(("127.0.0.1", 0))
    found = listener.getsockname()
    environment = {**os.environ, "YANXIU_DATA_DIR": str(tmp_path_factory.mktemp("data")), "PYTHONWARNINGS": "ignore"}
    environment = {name: value for name, value in environment.items() if name not in ("DATABASE_URL", "AMQP_URI")}
    if request.param == "gunicorn":
        environment["YANXIU_GATEWAY_BIND"] = f"fd://{listener.fileno()}"
        settings = str(ROOT / "deploy" / "gunicorn.conf.py")
        command = [sys.executable, "-m", "gunicorn", "--config", settings, "gateway.wsgi:app"]
    else:
        command = [sys.executable, "-c", EVENTLET, str(listener.fileno())]
    with subprocess.Popen(command, cwd=ROOT, env=environment, pass_fds=[listener.fileno()]) as server:
        try:
            _wait_until_live(found, server)
            yield found
        finally:
            server.terminate()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
            listener.close()


def _wait_until_live(address: tuple[str, int], server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert server.poll() is None, "the server died"
        with contextlib.suppress(OSError):
            if ask(address, b"GET /live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")[0] == 200:
                return
        time.sleep(0.1)
    pytest.fail("never live")


def ask(address: tuple[str, int], request: bytes, rest: bytes = b"") -> tuple[int, bytes]:
    """(status, everything received); 0 when the server only closed the connection."""
    with socket.create_connection(address, timeout=10) as connection:
        received = b""
        # A server that has answered a refusal stops reading; that is its right.
        with contextlib.suppress(ConnectionError):
            connection.sendall(request)
            connection.sendall(rest)
        with contextlib.suppress(ConnectionError):
            while data := connection.recv(65536):
                received += data
    status = re.match(rb"HTTP/1\.[01] (\d{3})", received)
    return (int(status.group(1)) if status else 0), received


POST = b"POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"


def test_it_serves(address: tuple[str, int]) -> None:
    status, answer = ask(address, b"GET /openapi.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert status == 200
    assert b'"openapi": "3.1.0"' in answer
    assert ask(address, b"GET /api/v1/nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")[0] == 404


def test_a_process_without_services_is_alive_but_not_ready(address: tuple[str, int]) -> None:
    status, answer = ask(address, b"GET /ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert status == 503
    assert b"not ready" in answer


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (b"Content-Length: 10485760\r\n", b"x" * 10_485_760),
        (
            b"Transfer-Encoding: chunked\r\n",
            b"100000\r\n" + b"x" * 0x100000 + b"\r\n100000\r\n" + b"x" * 0x100000 + b"\r\n0\r\n\r\n",
        ),
        (b"Transfer-Encoding: chunked\r\n", b"zz\r\n"),
        (b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", b"0\r\n\r\n"),
        (b"Content-Length: -5\r\n", b""),
        (b"Content-Length: five\r\n", b"12345"),
        (b"Content-Length: 5\r\nContent-Length: 6\r\n", b"123456"),
        (b"X: " + b"x" * 20_000 + b"\r\n", b""),
        (b"".join(b"X-%d: 1\r\n" % number for number in range(500)), b""),
        (b"X: a\x00b\r\n", b""),
        (b"Content-Length: 2\r\nContent-Length : 7\r\n", b"{}"),
        (b"Content-Length: 4\r\n", b"\xff\xfe\xfd\xfc"),
        (b"Content-Length: 5\r\n", b'{"a":'),
    ],
    ids=lambda value: str(value[:30]),
)
def test_hostile_framing(address: tuple[str, int], headers: bytes, body: bytes) -> None:
    status, _ = ask(address, POST + headers + b"\r\n", body)
    assert status < 500
    assert ask(address, b"GET /live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")[0] == 200


@pytest.mark.parametrize(
    "line",
    [
        b"GET /" + b"x" * 20_000 + b" HTTP/1.1",
        b"GET /%00 HTTP/1.1",
        b"GET /\xff\xfe HTTP/1.1",
        b"GET http://elsewhere/ HTTP/1.1",
        b"GET /live?a=%ff HTTP/1.1",
        b"BREW /live HTTP/1.1",
        b"GET /live HTTP/9.9",
        b"nonsense",
    ],
    ids=lambda value: str(value[:20]),
)
def test_hostile_request_lines(address: tuple[str, int], line: bytes) -> None:
    status, _ = ask(address, line + b"\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert status < 500 or status == 505
