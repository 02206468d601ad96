"""Contract of the echo that measures an empty call."""

from __future__ import annotations

# A process type beside catalog's: it has no database of its own, and reads nothing of catalog's.
SERVICE = "catalog-echo"
EVENTS: dict[str, type] = {}
ERRORS: dict[str, tuple[str, str]] = {}
