"""What a service process does without being asked: periodic jobs, sweeping parked events, watching the event loop."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import eventlet
import sqlalchemy as sa
import structlog

from services.shared import clock, metrics
from services.shared.bus import dispatch
from services.shared.bus.calls import BatchConsumer, Continuous, EventHandler, Periodic, marked_methods
from services.shared.bus.hosting import Host
from services.shared.database import is_outage

log = structlog.get_logger(__name__)

FIRST_RUN_SECONDS = 60.0
AFTER_FAILURE_SECONDS = 5.0
HUB_LAG_SECONDS = 1.0

_LOCK_JOB = sa.text("SELECT pg_try_advisory_lock(hashtextextended(:job, 1))")
_UNLOCK_JOB = sa.text("SELECT pg_advisory_unlock(hashtextextended(:job, 1))")
# The period we are in, unless the job has been run in it. The database's clock: hosts may differ.
_FIND_PERIOD = sa.text(
    "SELECT period FROM (SELECT floor(extract(epoch FROM clock_timestamp()) / :seconds)::bigint::text AS period) AS here"
    " WHERE NOT EXISTS (SELECT 1 FROM job_run WHERE job_run.job = :job AND job_run.period = here.period)"
)
_FINISH_PERIOD = sa.text("INSERT INTO job_run (job, period) VALUES (:job, :period) ON CONFLICT DO NOTHING")


def every(host: Host, seconds: float, job: Callable[[], Any]) -> None:
    """Run `job` again and again; what it raises is logged, and it runs again.

    The first run comes within a minute: a process that restarts hourly must not skip an hourly job for ever.
    """
    pause = min(seconds, FIRST_RUN_SECONDS)
    while not host.stopping.wait(pause):
        pause = seconds
        try:
            job()
        except Exception as error:
            if is_outage(error):
                log.warning("job_held", service=host.name, error=type(error).__name__)
            else:
                log.exception("job_failed", service=host.name)


def work_on(host: Host, method: str, marker: Continuous) -> None:
    """Do one piece of work after the other until the process stops; what one raises is logged, and the loop goes on."""
    pause = 0.0
    while not host.stopping.wait(pause):
        try:
            pause = 0.0 if getattr(host.prototype, method)() else marker.pause_seconds
        except Exception as error:
            pause = max(AFTER_FAILURE_SECONDS, marker.pause_seconds)
            if is_outage(error):
                log.warning("job_held", service=host.name, error=type(error).__name__)
            else:
                log.exception("job_failed", service=host.name)


def sweep_parked(host: Host) -> None:
    """Try this process's parked events that are due."""
    single = dict.fromkeys(marked_methods(host.service_class, EventHandler), True)
    batches = dict.fromkeys(marked_methods(host.service_class, BatchConsumer), False)
    if consumers := {**single, **batches}:
        dispatch.sweep(host.database, host.prototype, consumers)


def run_periodic(host: Host, method: str, marker: Periodic) -> None:
    """Run a periodic job, unless another instance is running it or has already run it in this period.

    The lock is an advisory one held by a connection, so it goes with its process; a run that failed or was cut off
    leaves no row, and the next instance to look runs the job.
    """
    job = {"job": marker.job, "seconds": marker.seconds}
    with host.database.worker.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.execute(_LOCK_JOB, job).scalar_one():
            return
        try:
            period = connection.execute(_FIND_PERIOD, job).scalar_one_or_none()
            if period is not None:
                getattr(host.prototype, method)(clock.now())
                connection.execute(_FINISH_PERIOD, {"job": marker.job, "period": period})
        finally:
            connection.execute(_UNLOCK_JOB, job)


def watch_hub(host: Host) -> None:
    """Measure how late the hub runs: work that blocks it stops heartbeats for everyone."""
    while not host.stopping.is_set():
        started = time.monotonic()
        eventlet.sleep(0.5)
        lag = time.monotonic() - started - 0.5
        metrics.hub_lag_seconds.labels(host.name).set(lag)
        if lag > HUB_LAG_SECONDS:
            log.error("hub_blocked", process=host.name, seconds=round(lag, 2))
