"""`yanxiu import …` against real databases: outcomes, exit codes, JSON."""

from __future__ import annotations

import dataclasses
import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from services.shared.keys import KeyRing
from services.shared.settings import Mode, Settings
from yanxiu import samples
from yanxiu.commands.imports import command

pytestmark = pytest.mark.postgres


@pytest.fixture
def run(
    settings: Settings,
    keyring: KeyRing,
    service_database: Callable[[str], Any],
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., Result]:
    for service in ("identity", "org", "catalog"):
        service_database(service)
    keyring.generate_missing()
    here = dataclasses.replace(settings, mode=Mode.SERVERS)
    monkeypatch.setattr("services.shared.settings.load_settings", lambda: here)
    runner = CliRunner()
    return lambda *arguments: runner.invoke(command, [str(argument) for argument in arguments], catch_exceptions=False)


@pytest.fixture
def edition() -> int:
    return uuid.uuid4().int % 9000 + 100


def test_divisions_schools_and_teachers_one_after_the_other(
    run: Callable[..., Result], edition: int, tmp_path: Path
) -> None:
    assert run("divisions").exit_code == 0
    assert json.loads(run("divisions", "--json").stdout) == {"divisions": 3214, "changed": 0, "others_created": 0}
    assert run("samples", tmp_path, "--edition", edition).exit_code == 0

    schools = run("schools", tmp_path / "schools.xlsx", "--json")
    assert (schools.exit_code, json.loads(schools.stdout)["counts"]) == (
        0,
        {"CREATED": samples.SCHOOLS, "UNCHANGED": 0, "REFUSED": 0},
    )

    teachers = run("teachers", tmp_path / "teachers.xlsx", "--json")
    report = json.loads(teachers.stdout)
    assert (teachers.exit_code, report["counts"]) == (
        1,
        {"CREATED": 190, "UNCHANGED": 0, "REFUSED": 10},
    )
    told = [samples.Fault(row["row"], row["code"], row["field"]) for row in report["refused"]]
    assert told == samples.teachers(edition).faults

    again = run("teachers", tmp_path / "teachers.xlsx")
    assert again.stdout.splitlines()[-1] == "0 created, 190 unchanged, 10 refused"


@pytest.mark.parametrize(
    ("content", "code"), [("姓名,证件号码\n", "shared.wrong_columns"), ("<html>", "shared.not_a_spreadsheet")]
)
def test_a_file_that_is_no_roster_ends_in_one_line(
    run: Callable[..., Result], tmp_path: Path, content: str, code: str
) -> None:
    file = tmp_path / "names.csv"
    file.write_text(content, encoding="utf-8")
    result = run("teachers", file)
    assert result.exit_code == 1
    assert code in result.stderr
    assert "Traceback" not in result.output


def test_a_missing_file_is_wrong_usage(run: Callable[..., Result], tmp_path: Path) -> None:
    assert run("schools", tmp_path / "none.xlsx").exit_code == 2


def test_a_broken_season_file_is_told_by_its_place(run: Callable[..., Result], tmp_path: Path) -> None:
    file = tmp_path / "season.yaml"
    file.write_text("code: x\ncode: y\n", encoding="utf-8")
    result = run("programme", file)
    assert result.exit_code == 1
    assert "season.yaml" in result.stderr or "twice" in result.stderr
