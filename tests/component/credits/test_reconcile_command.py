"""`yanxiu reconcile`: exit code and output, over the real services of this run's databases."""

from __future__ import annotations

import contextlib
import dataclasses
import json

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from services.credits.recognition import RecognitionService
from services.shared import migrations
from services.shared.bus.providers import Environment, instantiate
from services.shared.ids import new_id
from tests.conftest import Component
from yanxiu.commands import reconcile
from yanxiu.local.operator import Operator


@pytest.fixture
def installation(settings, keyring, monkeypatch, season):
    """Databases of the test's own with three teachers' seasons; the command's operator works on them."""
    own = dataclasses.replace(settings, database_prefix=f"{settings.database_prefix}_command")
    migrations.migrate_service(own, keyring, "credits")
    recognition = Component(instantiate(RecognitionService, Environment(own, keyring, lambda: None)))
    recognition.deliver("on_programme_published", *season.published())
    for _ in range(3):
        recognition.deliver_batch("record_progress", season.everything(new_id()), events=True)

    @contextlib.contextmanager
    def operator():
        made = Operator(own, keyring)
        yield made
        made.close()

    monkeypatch.setattr(reconcile, "_operator", operator)
    monkeypatch.setattr(reconcile, "offered", lambda: [("credits", "reconcile_ledger")])
    monkeypatch.setattr(reconcile, "PAGE", 2)
    yield recognition
    recognition.database.dispose()
    migrations.drop_all(own, ("credits",))


def test_the_credits_proof_is_offered_to_the_command_line():
    assert ("credits", "reconcile_ledger") in reconcile.offered()


def test_agreement_is_zero_and_a_difference_is_one(installation):
    agreed = CliRunner().invoke(reconcile.command, ["--json"])
    assert agreed.exit_code == 0, agreed.output
    [proof] = json.loads(agreed.stdout)["proofs"]
    assert (proof["checked"], proof["differences"]) == (3, [])

    with installation.database.work() as db:
        db.execute(
            sa.text("DELETE FROM standing WHERE teacher_id = (SELECT min(teacher_id::text)::uuid FROM standing)")
        )
    differs = CliRunner().invoke(reconcile.command, ["--json"])
    assert differs.exit_code == 1
    [proof] = json.loads(differs.stdout)["proofs"]
    assert {each["in_standing"] for each in proof["differences"]} == {"none"}

    table = CliRunner().invoke(reconcile.command, [])
    assert table.exit_code == 1
    assert "3 checked, 5 different" in table.output
