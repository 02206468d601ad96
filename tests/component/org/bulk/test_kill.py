"""A real `kill -9` of the process that runs a roster, again and again: everybody is there once, and every row is told."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from services.shared.actor import Actor
from services.shared.bulk.tables import job as job_table
from services.shared.ids import new_id
from tests.component.org.bulk.conftest import Jobs
from yanxiu import samples

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

KILLS = 6
PATIENCE_SECONDS = 120
ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture
def chance() -> random.Random:
    return random.Random(20261122)


class Runner:
    """The process, started anew after each death."""

    def __init__(self, jobs: Jobs, postgres_url: str) -> None:
        settings = jobs.component.service.settings
        self.log = settings.data_dir / f"runner-{new_id()}.log"
        log = self.log.open("wb")
        arguments = [str(settings.data_dir), settings.database_prefix]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.component.org.bulk.runner_process", *arguments],
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": postgres_url},
            stdout=log,
            stderr=log,
        )
        log.close()
        until = time.monotonic() + PATIENCE_SECONDS
        while b"running" not in self.log.read_bytes():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < until, self.log.read_text()
            time.sleep(0.02)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def end_leases(jobs: Jobs) -> None:
    """A minute goes by."""
    with jobs.component.database.work() as db:
        db.execute(sa.update(job_table).values(lease_until=sa.func.now() - sa.text("interval '1 second'")))


@pytest.fixture
def kill_often(jobs: Jobs, postgres_url: str, chance: random.Random) -> Iterator[Callable[[], None]]:
    """Start the runner and kill it, again and again; the last one lives until the test is over."""
    runners: list[Runner] = []

    def kill_and_start() -> None:
        for _ in range(KILLS):
            runners.append(Runner(jobs, postgres_url))
            time.sleep(chance.uniform(0.05, 0.8))
            runners[-1].kill()
            end_leases(jobs)
        runners.append(Runner(jobs, postgres_url))

    yield kill_and_start
    for runner in runners[-1:]:
        runner.kill()


def test_a_roster_survives_the_deaths_of_its_runner(
    jobs: Jobs, admin: Actor, edition: int, kill_often: Callable[[], None]
) -> None:
    jobs.import_(admin, "import_schools", samples.schools_xlsx(edition))
    job_id = jobs.upload(admin, "import_teachers", samples.teachers_xlsx(edition), at_once=True)
    kill_often()
    until = time.monotonic() + PATIENCE_SECONDS
    while (job := jobs.get(job_id, admin))["state"] != "DONE":
        assert time.monotonic() < until, job
        time.sleep(0.2)
    assert job["counts"] == {
        "total": 200,
        "created": 190,
        "changed": 0,
        "unchanged": 0,
        "refused": 10,
        "pending": 0,
    }
    assert len(jobs.rows(job_id, admin)) == 200
    with jobs.component.database.work() as db:
        twice = db.execute(
            sa.text(
                "SELECT count(*) FROM (SELECT teacher_id FROM membership_period"
                " WHERE closed_at IS NULL GROUP BY teacher_id HAVING count(*) > 1) AS doubled"
            )
        ).scalar_one()
    assert twice == 0
