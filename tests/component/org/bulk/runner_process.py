"""A bulk process reduced to its runner, for a test that kills it: `python -m tests.component.org.bulk.runner_process DATA_DIR PREFIX`.

It runs what waits until nothing does; the database is in DATABASE_URL.
"""

from __future__ import annotations

import dataclasses
import os
import sys
import time
from pathlib import Path

from services.shared.bus.local import LocalClient
from services.shared.keys import KeyRing
from services.shared.settings import load_settings
from yanxiu.local.processes import load_class


def main(data_dir: str, prefix: str) -> None:
    settings = dataclasses.replace(
        load_settings({}), data_dir=Path(data_dir), database_url=os.environ["DATABASE_URL"], database_prefix=prefix
    )
    client = LocalClient(settings, KeyRing(settings.keys_dir, generate=True), load_class)
    runner = client.open("org-bulk").runner
    print("running", flush=True)  # noqa: T201  the test waits for it
    while True:
        if not runner.run_next():
            time.sleep(0.05)


if __name__ == "__main__":
    main(*sys.argv[1:])
