"""What every process does before anything else: logs and the clock."""

from __future__ import annotations

from services.shared import clock, logs
from services.shared.settings import Settings


def configure_process(settings: Settings, name: str) -> None:
    """Configure logging, and the simulated clock where the settings (development only) name one."""
    logs.configure(settings.log_level, name)
    if settings.clock_file:
        clock.install(clock.FileClock(settings.clock_file))
