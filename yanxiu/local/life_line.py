"""A child's way to notice that its supervisor died, even by SIGKILL: the pipe between them closes."""

from __future__ import annotations

import os
import signal
import threading

VARIABLE = "YANXIU_LIFE_LINE"


def watch() -> None:
    """End this process (SIGTERM to itself) when its supervisor is gone. Does nothing without a supervisor.

    Call it before eventlet patches the process: the watcher must be a real thread with the real `os.read`.
    """
    number = os.environ.pop(VARIABLE, "")
    if not number:
        return
    read, kill = os.read, os.kill

    def wait_for_the_end() -> None:
        while read(int(number), 1):
            pass
        kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait_for_the_end, name="life line", daemon=True).start()
