"""What a figure depends on: the machine, its load, and the versions."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from pathlib import Path
from typing import Any

LIBRARIES = ("nameko", "kombu", "eventlet", "Flask", "gunicorn", "psycopg", "SQLAlchemy")


def facts() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "processor": _after("/proc/cpuinfo", "model name"),
        "memory_mib": int(_after("/proc/meminfo", "MemTotal").split()[0] or 0) // 1024,
        "load_average": [round(value, 2) for value in os.getloadavg()],
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "libraries": {name: importlib.metadata.version(name) for name in LIBRARIES},
    }


def _after(path: str, label: str) -> str:
    """What follows the label in a file of `label: value` lines; "0" when there is none."""
    if Path(path).exists():
        for line in Path(path).read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == label:
                return value.strip()
    return "0"
