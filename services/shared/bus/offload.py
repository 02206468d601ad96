"""Work that would block the event loop (argon2, typst, spreadsheets) goes to a real thread."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


def offload(function: Callable[..., Result], *arguments: object) -> Result:
    """Run `function(*arguments)` in a native thread while the hub goes on; a plain call where eventlet does not run.

    `function` must touch no database session and no lock of the caller.
    """
    # Only a process that already runs on eventlet has a hub to spare; importing it here would start one.
    patcher = sys.modules.get("eventlet.patcher")
    if patcher is None or not patcher.is_monkey_patched("thread"):
        return function(*arguments)
    from eventlet import tpool

    result: Result = tpool.execute(function, *arguments)
    return result
