"""Cursors of lists that the gateway itself merges or passes on: opaque, signed, bound to their list.

A service's own cursor travels inside; a client can neither read nor alter it, nor carry it to another list.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

from flask import request

from gateway.context import call, gateway
from gateway.rpc import ask
from services.shared.errors import InvalidInput

_SIGNATURE_BYTES = 16


def ask_page(
    service: str, method: str, query: dict[str, Any], *, start: Any = None, shared: bool = False
) -> dict[str, Any]:
    """A page of a service's list, whose cursor leaves sealed; `start` is what the service takes for no cursor.

    `shared`: for an answer that several readers are given, whose cursor is good for each of them.
    """
    reply = ask(service, method, {**query, "cursor": open_cursor(query.get("cursor"), shared=shared) or start})
    return {"items": reply["items"], "next_cursor": seal_cursor(reply["next_cursor"], shared=shared)}


def seal_cursor(inner: Any, *, shared: bool = False) -> str | None:
    """The cursor to hand out for a service's `next_cursor`; None stays None (the last page)."""
    if inner is None:
        return None
    body = json.dumps(inner, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_signature(body, shared=shared) + body).rstrip(b"=").decode("ascii")


def open_cursor(text: str | None, *, shared: bool = False) -> Any:
    """What `seal_cursor` was given, None for no cursor. Raises InvalidInput("shared.bad_cursor", "cursor")."""
    if not text:
        return None
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        signature, body = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
        if hmac.compare_digest(signature, _signature(body, shared=shared)):
            return json.loads(body)
    except ValueError:
        pass
    raise InvalidInput("shared.bad_cursor", "cursor")


def _signature(body: bytes, *, shared: bool) -> bytes:
    # Bound to the route and the reader: another list's or another person's cursor is worth nothing.
    reader = "shared" if shared else call().actor.account_id
    scope = f"{request.endpoint}|{reader}|".encode()
    key = gateway().keyring.secret("cursor")
    return hmac.new(key, scope + body, hashlib.sha256).digest()[:_SIGNATURE_BYTES]
