"""`python -m yanxiu.bench.programs.echo_process`: the echo service, run as production runs a service."""

from __future__ import annotations

import sys

from yanxiu.local.service_process import await_signals

# isort: split

from services.shared.bus.run import STOP_SECONDS, ServiceRunner
from services.shared.keys import open_keyring
from services.shared.settings import load_settings
from services.shared.startup import configure_process
from yanxiu.bench.programs import contract, echo


def main() -> int:
    settings = load_settings()
    configure_process(settings, contract.SERVICE)
    runner = ServiceRunner([echo.EchoService], settings, open_keyring(settings), echo.plan())
    ended = await_signals()
    runner.start()
    ended.wait()
    return 0 if runner.stop(STOP_SECONDS) else 1


if __name__ == "__main__":
    sys.exit(main())
