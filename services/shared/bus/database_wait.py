"""How a green thread waits for PostgreSQL: on the hub itself.

psycopg's `wait_selector` is right under eventlet and dear: each statement makes a selector, which eventlet imitates by a
`select` of its own. One listener on the hub does the same with less.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeVar

import psycopg.waiting
from eventlet import hubs, patcher
from eventlet.green.select import select
from psycopg.waiting import wait_selector

READ, WRITE = psycopg.waiting.WAIT_R, psycopg.waiting.WAIT_W

Result = TypeVar("Result")


def wait_on_hub(
    gen: Generator[Any, Any, Result], fileno: int, interval: float = 0.0, timeout: float | None = None
) -> Result:
    """What `gen` returns in the end; other green threads run while it waits for the connection `fileno`.

    `interval` is for the keyboard, which no service has: a connection that breaks wakes us by itself.
    """
    if timeout is not None:
        return wait_selector(gen, fileno, interval, timeout)
    try:
        wanted = next(gen)
        while True:
            wanted = gen.send(_await(fileno, wanted))
    except StopIteration as end:
        result: Result = end.value
        return result


def _await(fileno: int, wanted: Any) -> Any:
    """Which of the `wanted` directions is open."""
    if wanted == READ:
        hubs.trampoline(fileno, read=True)
        return READ
    if wanted == WRITE:
        hubs.trampoline(fileno, write=True)
        return WRITE
    readable, writable, _ = select([fileno], [fileno], [])
    return (READ if readable else 0) | (WRITE if writable else 0)


def install() -> None:
    """Let psycopg wait this way in this process, if it runs on eventlet."""
    if patcher.is_monkey_patched("socket"):
        psycopg.waiting.wait = wait_on_hub
