"""Asking over HTTP: one kept connection of the standard library, for the load tool must be cheap."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from yanxiu.bench.cases import BenchError

WAIT_SECONDS = 60
SHOWN = 300


class Request(NamedTuple):
    """One request, and the status that it must be answered with."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes | None = None
    status: int = 200


class WebAsker:
    """Sends the requests that `make` gives, one after the other, over one connection."""

    def __init__(self, address: str, make: Callable[[], Request]) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=WAIT_SECONDS)
        self._make = make

    def ask(self) -> None:
        request = self._make()
        try:
            status, body = self._send(request)
        except (http.client.RemoteDisconnected, ConnectionError):
            # A server may close a connection that was idle between two turns.
            self._connection.close()
            status, body = self._send(request)
        if status != request.status:
            text = body[:SHOWN].decode("utf-8", "replace")
            raise BenchError(f"{request.method} {request.path} was answered with {status}: {text}")

    def _send(self, request: Request) -> tuple[int, bytes]:
        self._connection.request(request.method, request.path, request.body, dict(request.headers))
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def close(self) -> None:
        self._connection.close()


class WebRunner:
    """Lets a program of ours do the asking inside itself: one GET, which answers how long each took."""

    def __init__(self, address: str, path: str, concurrency: int) -> None:
        self._address = urlsplit(address).netloc
        self._path = path
        self._concurrency = concurrency

    def run(self, count: int) -> list[float]:
        connection = http.client.HTTPConnection(self._address, timeout=WAIT_SECONDS)
        try:
            connection.request("GET", f"{self._path}?count={count}&concurrency={self._concurrency}")
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        if answer.status != http.HTTPStatus.OK:
            raise BenchError(f"{self._path} was answered with {answer.status}")
        took: list[Any] = json.loads(body)
        return [float(seconds) for seconds in took]

    def close(self) -> None:
        pass
