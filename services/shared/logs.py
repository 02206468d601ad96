"""Logs: one JSON object a line, fields by allow-list of habit and a scrubber as the second line of defence."""

from __future__ import annotations

import logging
import re
import sys
import traceback
from typing import Any

import structlog

from services.shared import trace

# 18-digit resident IDs and 11-digit mobile numbers must never reach a log, whatever field they came in.
_PERSONAL = re.compile(r"(?<!\d)(?:\d{17}[\dXx]|1[3-9]\d{9})(?!\d)")
_SECRET_FIELDS = frozenset(
    {"password", "token", "access_token", "refresh_token", "sms_code", "id_no", "phone", "name", "authorization"}
)


def scrub(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """Replace what looks personal or secret. Tracebacks are scrubbed too: they quote values."""
    for key, value in event.items():
        if key in _SECRET_FIELDS:
            event[key] = "[hidden]"
        elif isinstance(value, str):
            event[key] = _PERSONAL.sub("[hidden]", value)
    return event


def _add_trace(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    if traceparent := trace.current():
        event["trace"] = traceparent
    return event


def describe(error: BaseException) -> str:
    """A traceback without what a database quotes: its texts hold the values of rows (DETAIL, CONTEXT)."""
    parts = []
    seen: set[int] = set()
    present: BaseException | None = error
    while present is not None and id(present) not in seen:
        seen.add(id(present))
        frames = "".join(traceback.format_tb(present.__traceback__))
        parts.append(f"{frames}{_headline(present)}")
        present = present.__cause__ or (None if present.__suppress_context__ else present.__context__)
    return "\n-- caused by --\n".join(parts)


def _headline(error: BaseException) -> str:
    state = getattr(error, "sqlstate", None) or getattr(getattr(error, "orig", None), "sqlstate", None)
    module = type(error).__module__
    if state is not None or module.startswith(("psycopg", "sqlalchemy")):
        return f"{module}.{type(error).__name__} (SQLSTATE {state})"
    return f"{type(error).__name__}: {error}"


def _add_traceback(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    error = info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event["exception"] = describe(error)
    return event


def configure(level: str = "INFO", process: str = "") -> None:
    """Send every log line, ours and libraries', to stderr as JSON."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_trace,
    ]
    finish: list[Any] = [
        # Neither local variables nor database texts: both hold personal data.
        _add_traceback,
        scrub,
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ]
    number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    structlog.configure(
        processors=[*shared, *finish],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *finish],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(number, logging.WARNING))
    # It warns of each loop that a stopping container ends, which is how they are meant to end.
    logging.getLogger("nameko.containers").setLevel(logging.ERROR)
