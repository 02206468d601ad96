"""`yanxiu audit`: exit codes and output, over the probe's chain."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy.exc import OperationalError

from services.shared import audit_chain
from services.shared.audit_anchors import FolderAnchors, HeadBook
from services.shared.settings import Settings
from tests.component.shared.test_audit_chain import CUT, NOW, SEALS, as_owner, database, head_of, sealed
from tests.conftest import Component
from yanxiu.commands import audit

assert database  # a fixture


@pytest.fixture
def trail(database: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[audit.Trail]:
    made = audit.Trail(database, SEALS, HeadBook(FolderAnchors(tmp_path), "org", SEALS))
    monkeypatch.setattr(audit, "_trails", lambda _service: iter([("org", made)]))
    return made


def run(*arguments: str) -> Any:
    return CliRunner().invoke(audit.command, list(arguments))


def test_a_whole_chain_is_zero_and_a_touched_one_is_one(
    trail: audit.Trail, probe: Component, settings: Settings
) -> None:
    sealed(trail.database, 5)
    trail.book.write(head_of(trail.database), NOW)
    whole = run("verify")
    assert (whole.exit_code, "5 rows" in whole.output, "0 faults" in whole.output) == (0, True, True), whole.output
    as_owner(settings, trail.database, "UPDATE audit SET actor = 'x'", *CUT)
    found = run("verify", "--json")
    assert found.exit_code == audit.EXIT_FOUND
    [report] = json.loads(found.stdout)
    assert [fault["kind"] for fault in report["faults"]] == ["ALTERED", "ALTERED", "ALTERED", "TRUNCATED"]
    table = run("verify")
    assert "TRUNCATED" in table.output


def test_a_head_kept_elsewhere_proves_what_was_cut_off(trail: audit.Trail, settings: Settings) -> None:
    sealed(trail.database, 5)
    [kept] = run("heads").output.split()
    assert run("verify", "--head", kept).exit_code == 0
    as_owner(settings, trail.database, *CUT)
    assert run("verify").exit_code == 0
    assert run("verify", "--head", kept).exit_code == audit.EXIT_FOUND
    assert json.loads(run("heads", "--json").stdout)[0]["position"] == 3


@pytest.mark.parametrize("head", ["org", "org:0:" + "0" * 64, "nobody:1:" + "0" * 64, "org:1:zz"])
def test_a_malformed_head_is_wrong_usage(trail: audit.Trail, head: str) -> None:
    assert run("verify", "--head", head).exit_code == 2


def test_a_database_that_is_away_is_three(trail: audit.Trail, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: Any) -> None:
        raise OperationalError("", {}, Exception())

    monkeypatch.setattr(audit_chain, "verify", fail)
    assert run("verify").exit_code == audit.EXIT_UNREACHABLE
