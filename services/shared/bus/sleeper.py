"""Sleeping until the broker says something or another thread has work, and not a moment of looking around meanwhile."""

from __future__ import annotations

import contextlib
import os
import selectors
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from services.shared.bus.link import Link

# (seconds, whether there is still nothing to do) -> whether the broker has something for us
Sleep = Callable[[float, Callable[[], bool]], bool]


class Sleeper:
    """One thread sleeps, any thread may wake it; a wake-up between its last look and its sleep is not lost."""

    def __init__(self) -> None:
        self._asleep = False
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)
        self._alone: threading.Event | None = None  # in memory there is no socket to wait at

    def wake(self) -> None:
        """Called after the work was put where the sleeper finds it."""
        if self._alone is not None:
            self._alone.set()
        # Only of a sleeper: a byte for each piece of work would be a system call for each.
        if self._asleep:
            with contextlib.suppress(BlockingIOError):
                os.write(self._write, b"!")

    @contextlib.contextmanager
    def beside(self, link: Link) -> Iterator[Sleep]:
        """How to sleep while this link is open."""
        if link.in_memory:
            self._alone = threading.Event()
            yield self._sleep_alone
            return
        with selectors.DefaultSelector() as selector:
            selector.register(link.socket, selectors.EVENT_READ)
            selector.register(self._read, selectors.EVENT_READ)
            yield lambda seconds, is_idle: self._sleep(selector, link, seconds, is_idle)

    def _sleep(self, selector: selectors.BaseSelector, link: Link, seconds: float, is_idle: Callable[[], bool]) -> bool:
        self._asleep = True
        try:
            # Looked at once more, now that whoever adds work sees that we sleep.
            if link.has_read_ahead() or not is_idle():
                seconds = 0
            ready = [key.fileobj for key, _ in selector.select(seconds)]
        finally:
            self._asleep = False
        if self._read in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(self._read, 4096)
        return link.socket in ready or link.has_read_ahead()

    def _sleep_alone(self, seconds: float, is_idle: Callable[[], bool]) -> bool:
        assert self._alone is not None
        self._alone.clear()
        if is_idle():
            self._alone.wait(seconds)
        return False

    def __del__(self) -> None:
        for descriptor in (self._read, self._write):
            with contextlib.suppress(OSError):
                os.close(descriptor)
