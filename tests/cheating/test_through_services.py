"""The same strategies through gateway, learning and ingest, over a real database: fewer trials, nothing left out."""

from __future__ import annotations

import contextlib
import dataclasses
import random
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.app import create_app
from gateway.blueprints import learning as blueprint
from services.learning.study.rules import earning, multirange
from services.shared.actor import service_actor
from services.shared.errors import Conflict
from tests.cheating.service_table import ServiceTable
from tests.cheating.strategies import STRATEGIES
from tests.cheating.table import PLAIN, overshoot
from tests.cheating.test_cheating import SEED, TRIALS
from tests.component.learning import conftest as learning
from tests.fakes import FakeBus
from tests.gateway.conftest import Tokens

world = learning.world
TRIALS_HERE = max(1, TRIALS // 50)


@pytest.fixture
def make_table(world: Any, settings: Any, keyring: Any) -> Iterator[Any]:
    bus = FakeBus(keyring)
    app = create_app(settings, bus=bus, keyring=keyring, modules=[blueprint], limit_scale=1_000_000)
    yield lambda: ServiceTable(world, app, Tokens(keyring), bus)
    app.extensions["yanxiu"].revocations.stop()


@pytest.mark.parametrize("name", STRATEGIES)
def test_nobody_gets_a_second_too_much(make_table: Any, name: str) -> None:
    for trial in range(TRIALS_HERE):
        table = make_table()
        # A refusal to open ends the game (of a course that has not opened yet).
        with contextlib.suppress(Conflict):
            STRATEGIES[name](table, random.Random(f"{SEED}/{name}/{trial}"))
        assert overshoot(table) == 0, f"{name} {trial} YANXIU_CHEAT_SEED={SEED}"


def test_without_the_budget_the_game_is_lost(make_table: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = earning.time_earned

    def generous(accrual: Any, report: Any, terms: Any) -> Any:
        earned = honest(accrual, report, terms)
        return dataclasses.replace(earned, seen=multirange.normalise(report.segments))

    monkeypatch.setattr(earning, "time_earned", generous)
    table = make_table()
    STRATEGIES["jump_to_the_end"](table, random.Random(SEED))
    assert overshoot(table) > 0


def test_the_table_gives_an_honest_minute(make_table: Any) -> None:
    table = make_table()
    sitting = table.open(PLAIN)
    table.wait(60)
    table.report(sitting, 1, (0, 60))
    assert table.studied(0, PLAIN) == (((0, 60),), ((0, 60),))
    assert table.witness.seconds(0, table.now_ms) == 60


def test_after_all_games_every_counter_follows_from_the_reports(make_table: Any, world: Any) -> None:
    table = make_table()
    STRATEGIES["anything_at_all"](table, random.Random(SEED))
    after = None
    while True:
        page = world.learning.call("reconcile_study", {"after": after, "limit": 1000}, service_actor("cli"))
        assert page["differences"] == []
        after = page["after"]
        if after is None:
            break
