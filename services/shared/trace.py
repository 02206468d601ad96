"""Trace context (W3C `traceparent`) that follows a request through calls, events and batches."""

from __future__ import annotations

import contextlib
import contextvars
import re
import secrets
from collections.abc import Iterator

_FORM = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_current: contextvars.ContextVar[str] = contextvars.ContextVar("traceparent", default="")


def current() -> str:
    """The traceparent in force, or ""."""
    return _current.get()


def child_of(traceparent: str) -> str:
    """A new span of the same trace; a new trace when the given text is none (never trust a client's to be well formed)."""
    trace_id = traceparent[3:35] if _FORM.fullmatch(traceparent) else secrets.token_hex(16)
    return f"00-{trace_id}-{secrets.token_hex(8)}-01"


@contextlib.contextmanager
def span(traceparent: str) -> Iterator[str]:
    """Run a block as a child span of `traceparent`."""
    token = _current.set(child_of(traceparent))
    try:
        yield _current.get()
    finally:
        _current.reset(token)
