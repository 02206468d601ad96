"""Six queries of half a second at once on the event loop, through our engine; prints how many ran side by side."""

import json
import time

import eventlet

eventlet.monkey_patch()

import sqlalchemy as sa  # noqa: E402  (after monkey patching)

from services.shared.database import Database  # noqa: E402
from services.shared.keys import KeyRing  # noqa: E402
from services.shared.settings import load_settings  # noqa: E402

settings = load_settings()
database = Database("bustest", settings, KeyRing(settings.keys_dir))
running = 0
most = 0


def query(_: int) -> None:
    global running, most
    with database.worker.connect() as connection:
        running += 1
        most = max(most, running)
        connection.execute(sa.text("SELECT pg_sleep(0.5)"))
        running -= 1


with database.worker.connect():  # the first connection is slow; it is not what this measures
    pass
started = time.monotonic()
list(eventlet.GreenPool(6).imap(query, range(6)))
print(json.dumps({"most": most, "seconds": time.monotonic() - started}))  # noqa: T201
