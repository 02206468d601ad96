"""The daily proof of the ledger."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

from services.credits.reconciling import actions
from services.shared.bus import periodic

# A run gives up its turn after this, so that stopping the process never waits long for it.
RUN_SECONDS = 10.0


class Reconciling:
    """Mixed into the service."""

    database: Any

    @periodic(60.0, job="reconcile_daily")
    def reconcile_daily(self, now: dt.datetime) -> None:
        """Recompute all hours from their evidence once a day, a batch at a time."""
        until = time.monotonic() + RUN_SECONDS
        more = True
        while more and time.monotonic() < until:
            with self.database.work() as db:
                more = actions.reconcile_batch(db, now)
