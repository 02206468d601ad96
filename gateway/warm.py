"""Answers kept ready in this process for a moment: whoever asks again costs no call, no schema and no JSON.

Most are public. What differs by where somebody stands is kept once for each audience, which the access token tells: its
readers may keep it for themselves, and no shared proxy may.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import marshmallow as ma
from flask import Response, current_app, request

from gateway import caching
from gateway.context import call
from services.shared.actor import Actor

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

    def answer(self, asked: str, make: Callable[[], Any], audience: str | None = None) -> Response:
        """The answer to `asked`: a ready one, or what `make()` returns now, kept from this moment on.

        `audience`: who is told the same, "" for visitors; None when that is everybody. Between this process and its readers it is never older than twice `seconds`, which readers are told half of.
        """
        if audience is not None:
            asked = f"{audience} {asked}"
        ready = self._ready.get(asked)
        if ready is None or time.monotonic() >= ready.until:
            # The time before the question counts: what changes while it is on its way must not live longer for it.
            until = time.monotonic() + self._seconds
            ready = self._keep(asked, make(), until)
        caching.allow(int(self._seconds), public=not audience, etag=ready.etag)
        response = Response(ready.body, content_type="application/json")
        if audience is not None:
            response.vary.add("Authorization")
        return response

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


def audience_of(actor: Actor) -> str:
    """Who is shown the same as this actor: everybody of the same region with grants at the same places.

    It names all that the catalogue decides by (`services/catalog/shelf/rules.is_seen`, `services/catalog/rules.Viewpoint`) but the school itself, which
    lies in no other district than its region.
    """
    region = actor.place.rpartition("/")[0]
    return ",".join([region, *sorted({grant.place for grant in actor.grants})]) if region or actor.grants else ""


def kept_warm(
    operation_id: str, schema: type[ma.Schema], seconds: float, *, alike: bool = False
) -> Callable[[Any], Any]:
    """Decorator of a view that returns a reply: for each path, query and audience it is asked once in `seconds`.

    `alike`: everybody is told the same. It stands above `blueprint.arguments`, so that whoever asks the same again does not have the query read again.
    """

    def decorate(view: Callable[..., Any]) -> Callable[..., Response]:
        @functools.wraps(view)
        def ready_or_made(*args: Any, **options: Any) -> Response:
            asked = f"{request.path}?{request.query_string.decode('latin-1')}"
            kept = warm(operation_id, schema, seconds)
            audience = None if alike else audience_of(call().actor)
            return kept.answer(asked, lambda: view(*args, **options), audience)

        return ready_or_made

    return decorate
