"""A service waits for PostgreSQL without holding the event loop."""

from __future__ import annotations

import json

import pytest

from tests.bus.processes import Launcher

pytestmark = pytest.mark.postgres


def measure(start_ours: Launcher, **environment: str) -> dict[str, float]:
    process = start_ours("ours/parallel_queries.py", **environment)
    assert process.wait() == 0, process.log
    measured: dict[str, float] = json.loads(process.log.splitlines()[-1])
    return measured


def test_six_queries_run_side_by_side(start_ours: Launcher) -> None:
    measured = measure(start_ours)
    assert measured["most"] == 6
    assert measured["seconds"] < 2.5, "0.5 s each; one after the other they would take 3 s"


def test_psycopg_as_it_comes_runs_them_one_after_the_other(start_ours: Launcher) -> None:
    measured = measure(start_ours, PSYCOPG_WAIT_FUNC="wait_c")
    assert measured["seconds"] >= 3.0
