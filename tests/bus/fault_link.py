"""A TCP link to a server that can be cut, refused and frozen: the network as production knows it."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.bus.broker import with_address


class FaultLink:
    """`uri` leads through it to the broker at the given one. `drop()` resets what is open; `freeze()` keeps it open and silent."""

    def __init__(self, uri: str) -> None:
        self._target = _address(uri)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.uri = with_address(uri, "127.0.0.1", self._listener.getsockname()[1])
        self.accepted = 0
        self._thawed = threading.Event()
        self._thawed.set()
        self._refusing = False
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def freeze(self) -> None:
        self._thawed.clear()

    def thaw(self) -> None:
        self._thawed.set()

    def refuse(self) -> None:
        """Drop what is open, and let nobody in until `restore()`."""
        self._refusing = True
        self.drop()

    def restore(self) -> None:
        self._refusing = False

    def drop(self) -> int:
        """Reset every open connection; says how many there were."""
        with self._lock:
            pairs, self._pairs = self._pairs, set()
        for pair in pairs:
            for end in pair:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
        return len(pairs)

    def close(self) -> None:
        self._listener.close()
        self.thaw()
        self.drop()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self._forward, args=(near,), daemon=True).start()

    def _forward(self, near: socket.socket) -> None:
        try:
            if self._refusing:
                raise ConnectionRefusedError
            far = _connect(self._target)
        except OSError:
            near.close()
            return
        pair = (near, far)
        with self._lock:
            self._pairs.add(pair)
            self.accepted += 1
        with near, far, selectors.DefaultSelector() as ready:
            ready.register(near, selectors.EVENT_READ, far)
            ready.register(far, selectors.EVENT_READ, near)
            with contextlib.suppress(OSError):
                self._pump(ready)
        with self._lock:
            self._pairs.discard(pair)

    def _pump(self, ready: Any) -> None:
        while True:
            for key, _ in ready.select():
                self._thawed.wait()
                data = key.fileobj.recv(65536)
                if not data:
                    return
                key.data.sendall(data)


def _address(uri: str) -> tuple[str, int] | str:
    """Where the server listens: host and port, or the path of PostgreSQL's socket."""
    parts = urlsplit(uri)
    folder = dict(parse_qsl(parts.query)).get("host", "")
    if folder.startswith("/"):
        return f"{folder}/.s.PGSQL.{parts.port or 5432}"
    return parts.hostname or "127.0.0.1", parts.port or (5432 if parts.scheme.startswith("postgres") else 5672)


def _connect(address: tuple[str, int] | str) -> socket.socket:
    if isinstance(address, tuple):
        return socket.create_connection(address, 5)
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(address)
    return connection
