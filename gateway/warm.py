"""Public answers kept ready in this process for a moment: whoever asks again costs no call, no schema and no JSON."""

from __future__ import annotations

import dataclasses
import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import marshmallow as ma
from flask import Response, current_app

from gateway import caching

MOST = 10_000  # answers of one operation; the oldest go first


@dataclasses.dataclass(frozen=True)
class Ready:
    """An answer as it is sent, and until when (monotonic)."""

    body: bytes
    etag: str
    until: float


class Warm:
    """Ready answers of one operation, by what was asked. Refusals are never kept: they pass through as they are raised."""

    def __init__(self, schema: type[ma.Schema], seconds: float, most: int = MOST) -> None:
        self._schema, self._seconds, self._most = schema(), seconds, most
        self._lock = threading.Lock()
        self._ready: OrderedDict[str, Ready] = OrderedDict()

    def answer(self, asked: str, make: Callable[[], Any]) -> Response:
        """The answer to `asked`: a ready one, or what `make()` returns now, kept from this moment on.

        Between this process and its readers it is never older than twice `seconds`, which readers are told half of.
        """
        ready = self._ready.get(asked)
        if ready is None or time.monotonic() >= ready.until:
            # The time before the question counts: what changes while it is on its way must not live longer for it.
            until = time.monotonic() + self._seconds
            ready = self._keep(asked, make(), until)
        caching.allow(int(self._seconds), public=True, etag=ready.etag)
        return Response(ready.body, content_type="application/json")

    def _keep(self, asked: str, reply: Any, until: float) -> Ready:
        body = current_app.json.dumps(self._schema.dump(reply)).encode()
        ready = Ready(body, hashlib.sha256(body).hexdigest()[:32], until)
        with self._lock:
            self._ready[asked] = ready
            self._ready.move_to_end(asked)
            while len(self._ready) > self._most:
                self._ready.popitem(last=False)
        return ready


def warm(operation_id: str, schema: type[ma.Schema], seconds: float) -> Warm:
    """The ready answers of one operation in this application."""
    kept: dict[str, Warm] = current_app.extensions.setdefault("yanxiu.warm", {})
    return kept.get(operation_id) or kept.setdefault(operation_id, Warm(schema, seconds))
