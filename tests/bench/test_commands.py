"""`yanxiu bench` measures what it says. How long anything took is never asserted."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.bus.broker import private_vhost

SECONDS = 240
TINY = ("--rounds", "1", "--operations", "4", "--concurrency", "2", "--json")
FLOORS = {"hello", "raw", "bus", "upsert"}
ACTIONS = {"live", "catalogue_known", "catalogue", "shelf", "divisions", "account", "profile", "report_1", "report_10"}
SERVERS = ("DATABASE_URL", "AMQP_URI")


def bench(*words: str, **environment: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "yanxiu", "bench", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    document: dict[str, Any] = json.loads(done.stdout)
    assert document["machine"]["cores"] >= 1
    return document


def cases(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The cases by name, each with figures that a measurement can have."""
    found = {case["name"]: case for case in document["cases"]}
    for case in found.values():
        # What the idle stack does is taken off, which may leave nothing of four operations.
        assert case["cpu_us"] >= 0, case
        assert math.isclose(sum(case["parts_us"].values()), case["cpu_us"], abs_tol=1), case
        assert 0 < case["p50_ms"] <= case["p99_ms"], case
        for ratio in case["ratios"].values():
            assert ratio["low"] <= ratio["value"] <= ratio["high"], case
    return found


def leftovers() -> set[Path]:
    return set(Path(os.environ.get("TMPDIR", "/tmp")).glob("yanxiu-bench-*"))


@pytest.fixture
def nothing_stays():
    before = leftovers()
    yield
    assert leftovers() <= before


@pytest.mark.slow
@pytest.mark.usefixtures("nothing_stays")
def test_floors_embedded() -> None:
    document = bench("floors", "--embedded", *TINY)
    found = cases(document)
    assert document["mode"] == "embedded"
    assert set(found) == FLOORS
    assert set(found["bus"]["ratios"]) == {"raw", "hello"}
    assert found["upsert"]["parts_us"]["database"] > 0


@pytest.mark.slow
@pytest.mark.usefixtures("nothing_stays")
def test_api_embedded() -> None:
    document = bench("api", "--embedded", *TINY)
    found = cases(document)
    assert set(found) == {"hello", "raw"} | ACTIONS
    assert all(set(found[name]["ratios"]) == {"hello", "raw"} for name in ACTIONS)


@pytest.mark.slow
@pytest.mark.usefixtures("nothing_stays")
def test_study_embedded() -> None:
    document = bench("study", "--embedded", *TINY, "--operations", "40")
    assert set(cases(document)) == {"hello", "post", "report_1", "report_10", "unnest", "flush"}
    assert [goal["name"] for goal in document["goals"]] == ["flush_database", "flush_database_row"]
    # Two flushes of forty reports may cost PostgreSQL less than one tick of its clock.
    assert all(goal["found"] >= 0 for goal in document["goals"])


def test_sign_ins_embedded() -> None:
    document = bench("sign-ins", "--embedded", *TINY)
    found = cases(document)
    assert set(found) == {"argon2", "sign_in"}
    assert found["sign_in"]["ratios"]["argon2"]["value"] > 0


@pytest.mark.slow
@pytest.mark.usefixtures("nothing_stays")
def test_activation_tells_goals_and_how_fast_it_folds() -> None:
    document = bench("activation", "--embedded", "--schools", "2000", "--rounds", "1", "--operations", "2", "--json")
    assert {goal["name"] for goal in document["goals"]} == {"growth", "counting"}
    assert document["folded_per_second"] > 0
    assert all(took > 0 for took in document["milliseconds"].values())


@pytest.mark.slow
@pytest.mark.usefixtures("nothing_stays")
def test_selection_admits_as_many_as_there_are_seats() -> None:
    document = bench("selection", "--embedded", "--teachers", "40", "--rounds", "1", "--json")
    assert {goal["name"] for goal in document["goals"]} == {"rush", "cancel", "list"}
    assert (document["teachers"], document["seats"]) == (40, 10)
    assert all(spent > 0 for spent in document["database_microseconds"].values())


@pytest.mark.slow
@pytest.mark.usefixtures("nothing_stays")
def test_people_are_the_same_as_the_selects() -> None:
    document = bench("people", "--embedded", "--people", "5000", "--rounds", "1", "--operations", "2", "--json")
    assert {goal["name"] for goal in document["goals"]} == {"last_to_first", "to_bare"}
    assert all(goal["found"] > 0 for goal in document["goals"])
    found = cases(document)
    assert set(found) == {"first", "last", "county", "bare_first", "bare_last", "bare_county"}


def test_evaluation_tells_milliseconds() -> None:
    document = bench("evaluation", "--rounds", "1", "--operations", "1", "--json")
    assert document["videos"] == 300
    assert set(document["milliseconds"]) == {"whole", "gaps", "many_gaps", "adding_up"}
    assert all(goal["found"] > 0 for goal in document["goals"])


@pytest.mark.slow
@pytest.mark.usefixtures("nothing_stays")
def test_recognition_is_what_was_studied_and_held_against_its_parts() -> None:
    document = bench("recognition", "--embedded", "--events", "60", "--rounds", "1", "--json")
    found = cases(document)
    assert set(found) == {"receive", "evaluate", "insert", "ledger", "recognise"}
    assert set(found["recognise"]["ratios"]) == {"receive", "evaluate", "insert"}
    assert {goal["name"] for goal in document["goals"]} == {"recognition", "to_entries"}


@pytest.mark.slow
@pytest.mark.usefixtures("nothing_stays")
def test_certificates_are_genuine_and_held_against_a_bare_insert_and_a_bare_page() -> None:
    document = bench("certificates", "--embedded", "--teachers", "60", "--rounds", "1", "--json")
    found = cases(document)
    assert set(found) == {"insert", "issue", "typst", "render"}
    assert set(found["issue"]["ratios"]) == {"insert"}
    assert {goal["name"] for goal in document["goals"]} == {"issue", "render"}


@pytest.mark.slow
@pytest.mark.usefixtures("nothing_stays")
def test_batches_over_many_rows_are_recorded_once() -> None:
    document = bench("recording", "--embedded", "--rows", "12000", "--batches", "4", "--rounds", "1", "--json")
    assert set(cases(document)) == {"few", "many"}
    assert [goal["name"] for goal in document["goals"]] == ["growth"]


@pytest.mark.slow
@pytest.mark.usefixtures("nothing_stays")
def test_an_evening_told_less_often_ends_with_the_same_hours() -> None:
    document = bench("telling", "--embedded", "--teachers", "10", "--rounds", "1", "--json")
    assert set(cases(document)) == {"each_report", "policy"}
    found = {goal["name"]: goal["found"] for goal in document["goals"]}
    assert found["told"] < 0.25


@pytest.mark.slow
@pytest.mark.usefixtures("nothing_stays")
def test_pages_over_a_ledger_equal_it() -> None:
    document = bench("ledger", "--embedded", "--entries", "20000", "--rounds", "1", "--operations", "4", "--json")
    pages = ("statistics", "key", "bare", "matrix")
    assert set(cases(document)) == {f"{size}_{page}" for size in ("few", "many") for page in pages}
    assert {goal["name"] for goal in document["goals"]} == {
        "many_statistics_to_many_key",
        "many_statistics_to_many_bare",
        "many_statistics_to_few_statistics",
        "many_matrix_to_few_matrix",
        "counting",
    }


@pytest.mark.slow
@pytest.mark.usefixtures("nothing_stays")
def test_imports_are_held_against_copy() -> None:
    document = bench("imports", "--embedded", "--teachers", "100", "--rounds", "1", "--files", "1", "--json")
    found = cases(document)
    assert set(found) == {"copy_roster", "copy_left", "validate", "import"}
    assert set(found["import"]["ratios"]) == {"copy_roster", "copy_left"}
    assert all(goal["found"] > 0 for goal in document["goals"])


@pytest.mark.slow
@pytest.mark.usefixtures("nothing_stays")
def test_exports_hold_every_row_and_are_held_against_copy_and_openpyxl() -> None:
    document = bench("exports", "--embedded", "--rows", "450", "--rounds", "1", "--json")
    found = cases(document)
    assert set(found) == {"copy", "sheet", "export"}
    assert set(found["export"]["ratios"]) == {"copy", "sheet"}
    assert {goal["name"] for goal in document["goals"]} >= {"export_to_sheet", "export_to_copy", "million"}


@pytest.mark.slow
@pytest.mark.usefixtures("nothing_stays")
def test_rosters_are_the_same_as_the_selects() -> None:
    document = bench("rosters", "--embedded", "--teachers", "4000", "--rounds", "1", "--operations", "4", "--json")
    found = cases(document)
    lists = ("present", "waiting", "archived")
    assert set(found) == {"counts"} | {f"{name}_{page}" for name in lists for page in ("first", "last", "bare")}
    assert {goal["name"] for goal in document["goals"]} == {
        f"{name}_last_to_{against}" for name in lists for against in ("first", "bare")
    }
    assert document["teachers"] == 4000


@pytest.mark.slow
@pytest.mark.usefixtures("nothing_stays")
def test_start_tells_goals_and_verdicts() -> None:
    document = bench("start", "--rounds", "1", "--json")
    goals = {goal["name"]: goal for goal in document["goals"]}
    assert len(document["seconds"]["fresh"]) == len(document["seconds"]["again"]) == 1
    parts = sum(goals[f"memory_{part}"]["found"] for part in ("stack", "database", "launcher"))
    assert math.isclose(parts, goals["memory"]["found"], abs_tol=1)
    for name in ("start", "first_start", "memory", "memory_used"):
        assert goals[name]["met"] is (goals[name]["found"] <= goals[name]["goal"])


@pytest.mark.slow
@pytest.mark.rabbitmq
@pytest.mark.servers
@pytest.mark.usefixtures("nothing_stays")
def test_all_against_servers() -> None:
    missing = [name for name in SERVERS if not os.environ.get(name)]
    assert not missing, f"set {missing}"
    study = {"hello", "post", "monolith_1", "monolith_10", "report_1", "report_10", "unnest", "flush"}
    for kind, names in (("floors", FLOORS | {"stock"}), ("api", {"hello", "raw"} | ACTIONS), ("study", study)):
        # A virtual host for each: queues of a removed database must not greet the next one.
        with private_vhost(os.environ["AMQP_URI"]) as (uri, _):
            document = bench(kind, "--own-vhost", *TINY, AMQP_URI=uri)
        assert document["mode"] == "servers"
        assert set(cases(document)) == names


def test_servers_without_a_virtual_host_of_our_own_are_refused(tmp_path: Path) -> None:
    (tmp_path / "rabbitmqctl").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "rabbitmqctl").chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-m", "yanxiu", "bench", "floors", *TINY],
        capture_output=True,
        text=True,
        check=False,
        env={
            **os.environ,
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            "DATABASE_URL": "postgresql://127.0.0.1:1/postgres",
            "AMQP_URI": "amqp://127.0.0.1:1//",
        },
    )
    assert done.returncode == 2
    assert "--own-vhost" in done.stderr
    assert "Traceback" not in done.stderr
