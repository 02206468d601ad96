"""SIGKILL for each process type during the journey's load: nothing acknowledged is lost, nothing counts twice.

Twice each here; `YANXIU_KILL_ROUNDS=20` for the full run. The story's own checks are the first half (every example must
still end where it must); the second half compares the clients' journal, the databases and the queues.
"""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from services.shared import clock
from services.shared.bus import dead_letters
from services.shared.bus.link import Link
from services.shared.database import Database
from services.shared.keys import open_keyring
from services.shared.settings import SERVICES, Settings, load_settings
from yanxiu.journey import telling
from yanxiu.journey.story import Story
from yanxiu.local import launcher, processes
from yanxiu.local.operator import SAMPLE_OPERATOR, operator

ROUNDS = int(os.environ.get("YANXIU_KILL_ROUNDS", "2"))
SEED = int(os.environ.get("YANXIU_KILL_SEED", str(random.randrange(10**6))))
PAUSE_SECONDS = (1.5, 3.0)
SETTLE_SECONDS = 90.0


class Killer(threading.Thread):
    """Kills every process type `ROUNDS` times, in random order, a few seconds apart."""

    def __init__(self, stack: launcher.Stack) -> None:
        super().__init__(name="killer", daemon=True)
        self.stack = stack
        self.killed: list[str] = []
        self._random = random.Random(SEED)

    def run(self) -> None:
        victims = list(processes.PROCESS_NAMES) * ROUNDS
        self._random.shuffle(victims)
        for name in victims:
            time.sleep(self._random.uniform(*PAUSE_SECONDS))
            self._kill(name)

    def _kill(self, name: str) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if pid := self.stack.supervisor.pids().get(name):
                os.kill(pid, signal.SIGKILL)
                self.killed.append(name)
                return
            time.sleep(0.1)


@pytest.fixture
def stack(servers_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[launcher.Stack]:
    for name, value in servers_environment.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    with launcher.running(settings, port=0, environment=telling.environment(settings)) as running:
        yield running
    clock.install(clock.SystemClock())


@pytest.mark.rabbitmq
@pytest.mark.timeout(600 + 240 * ROUNDS)
def test_nothing_is_lost_or_doubled(stack: launcher.Stack) -> None:
    print(f"YANXIU_KILL_SEED={SEED}")  # noqa: T201  to repeat a failure
    settings = stack.settings
    shared_clock = clock.FileClock(settings.clock_file)
    clock.install(shared_clock)
    with operator(settings) as cli:
        cli.load_divisions()
        cli.appoint_national_operator(SAMPLE_OPERATOR)
    killer = Killer(stack)
    killer.start()
    stories = []
    while killer.is_alive() or not stories:
        story = Story(
            stack.address, shared_clock, SAMPLE_OPERATOR, "Operator-demo-2023", telling.rosters, telling.season()
        )
        results = story.tell()
        assert not results.wrong, results.wrong
        stories.append(story)
    killer.join()
    assert sorted(killer.killed) == sorted(list(processes.PROCESS_NAMES) * ROUNDS)
    for story in stories:
        agree_with_journal(story)
    databases = [Database(service, settings, open_keyring(settings)) for service in SERVICES]
    try:
        nothing_waits(databases, settings)
        ledger_counts_once(next(database for database in databases if database.service == "credits"))
    finally:
        for database in databases:
            database.dispose()


def agree_with_journal(story: Story) -> None:
    """What the server holds as seen is exactly what it acknowledged, for each teacher and video."""
    for viewer in story.viewers:
        progress = viewer.api.get(f"/programmes/{story.programme_id}/progress")
        held = {
            video["activity_id"]: covered(video["seen"])
            for course in progress["courses"]
            for video in course["videos"]
            if video["seen"]
        }
        assert held == {activity: covered(parts) for activity, parts in viewer.acknowledged.items()}


def covered(parts: list[Any]) -> set[int]:
    return {second for start, end in parts for second in range(start, end)}


def nothing_waits(databases: list[Database], settings: Settings) -> None:
    """Outboxes are empty, nothing is parked, no dead letter lies anywhere."""
    deadline = time.monotonic() + SETTLE_SECONDS
    left: dict[str, Any] = {"?": "?"}
    while left and time.monotonic() < deadline:
        time.sleep(0.5)
        left = {}
        for database in databases:
            with database.work() as db:
                for table in ("outbox WHERE sent_at IS NULL", "parked"):
                    if number := db.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one():
                        left[f"{database.service} {table}"] = number
    link = Link(settings.amqp_uri, "kill-test")
    try:
        depths = dead_letters.depths(link, processes.plan(settings.study_shards))
    finally:
        link.close()
    assert not left
    assert not {queue: depth for queue, depth in depths.items() if depth}


def ledger_counts_once(database: Database) -> None:
    """The ledger's sums equal the standings; `reconcile` proves them against the evidence."""
    with database.work() as db:
        different = db.execute(
            sa.text(
                "SELECT standing.teacher_id FROM standing LEFT JOIN (SELECT teacher_id, programme_id, sum(amount) AS total"
                " FROM ledger GROUP BY 1, 2) AS entries USING (teacher_id, programme_id)"
                " WHERE standing.hours <> coalesce(entries.total, 0)"
            )
        ).all()
    assert not different
