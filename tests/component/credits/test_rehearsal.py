"""A pack tried on past evidence (`yanxiu rules dry-run`): who would change, and nothing is written."""

from __future__ import annotations

import contextlib
import dataclasses
import json

import pytest
import sqlalchemy as sa
import yaml
from click.testing import CliRunner

from services.credits import pack_files
from services.credits.recognition import RecognitionService
from services.shared import migrations
from services.shared.actor import Role, service_actor
from services.shared.bus.providers import Environment, instantiate
from services.shared.errors import InvalidInput, NotAllowed
from services.shared.ids import new_id
from tests.component.credits.conftest import membership
from tests.conftest import Component, person
from yanxiu.commands import rules
from yanxiu.local.operator import Operator


@pytest.fixture
def installation(settings, keyring, monkeypatch):
    """Databases of the test's own; the command's operator works on them."""
    own = dataclasses.replace(settings, database_prefix=f"{settings.database_prefix}_rehearsal")
    migrations.migrate_service(own, keyring, "credits")
    recognition = Component(instantiate(RecognitionService, Environment(own, keyring, lambda: None)))

    @contextlib.contextmanager
    def operator():
        made = Operator(own, keyring)
        yield made
        made.close()

    monkeypatch.setattr(rules, "_operator", operator)
    monkeypatch.setattr(rules, "PAGE", 2)
    yield recognition
    recognition.database.dispose()
    migrations.drop_all(own, ("credits",))


def changed_pack(tmp_path, pack_id, change):
    content = yaml.safe_load((pack_files.PACKS / f"{pack_id}.yaml").read_text(encoding="utf-8"))
    # YAML's own dates; the form wants text.
    content = json.loads(json.dumps(content, default=str))
    change(content)
    path = tmp_path / "tried.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return path


def rule_of(content, rule_id):
    return next(rule for rule in content["rules"] if rule["rule_id"] == rule_id)


def dry_run(path, against, *options):
    return CliRunner().invoke(rules.command, ["dry-run", str(path), "--against", against, *options])


def everything_written(recognition):
    with recognition.database.work() as db:
        return [
            db.execute(sa.text(f"SELECT count(*), max({column}::text) FROM {table}")).one()
            for table, column in (("ledger", "recorded_at"), ("standing", "recorded_at"), ("outbox", "id"))
        ]


def test_whose_hours_a_season_pack_would_change(installation, season, tmp_path):
    """Three hours less for whoever did one of the four courses just so; the one who did nothing is not named."""
    installation.deliver("on_programme_published", *season.published())
    teachers = sorted(new_id() for _ in range(4))
    for teacher_id in teachers[:3]:
        installation.deliver_batch("record_progress", season.everything(teacher_id), events=True)
    installation.deliver_batch("record_progress", [season.enrolled(teachers[3])], events=True)
    before = everything_written(installation)

    tried = changed_pack(
        tmp_path,
        "smartedu-2023-winter",
        lambda content: rule_of(content, "SW23.PARTY20").update(threshold="999999"),
    )
    outcome = dry_run(tried, "smartedu-2023-winter", "--json")
    assert outcome.exit_code == 0, outcome.output
    found = json.loads(outcome.stdout)
    assert (found["checked"], found["teachers"]) == (4, 3)
    assert [(each["teacher_id"], each["measure"], each["before"], each["after"], each["by"]) for each in found["changes"]] == [
        (str(teacher_id), "party20", "2.00", "0.00", "-2.00") for teacher_id in teachers[:3]
    ]  # fmt: skip
    assert all(each["met_before"] and not each["met_after"] for each in found["changes"])
    assert everything_written(installation) == before

    table = dry_run(tried, "smartedu-2023-winter")
    assert "4 checked, 3 teachers would change" in table.output
    same = dry_run(pack_files.PACKS / "smartedu-2023-winter.yaml", "smartedu-2023-winter", "--json")
    assert json.loads(same.stdout)["changes"] == []


def test_whose_years_a_ledger_pack_would_change(installation, tmp_path, fixed_clock):
    """A year's least raised from 16 to 18 credits: 17 do no more, 18 still do."""
    teachers = {}
    for amount in ("17.00", "18.00"):
        teacher_id = teachers[amount] = new_id()
        installation.deliver("on_membership_changed", *membership(teacher_id, "CN/450000/450100/450103/s1"))
        with installation.database.work() as db:
            db.execute(
                sa.text(
                    "INSERT INTO ledger (teacher_id, entry_id, rule_id, source_ref, turn, evidence_version, source_kind,"
                    " unit, amount, hour_type, training_form, year, effective_on, recorded_at, place, pack_id,"
                    " pack_version, why) VALUES (:id, :entry, 'DECLARED', 'declaration:x', 1, 1, 'DECLARATION', 'CREDIT',"
                    " :amount, '', '校本研修', 2022, '2022-10-01', '2022-10-02', '', '', '', '')"
                ),
                {"id": teacher_id, "entry": new_id(), "amount": amount},
            )
    before = everything_written(installation)
    tried = changed_pack(
        tmp_path, "guangxi-2016", lambda content: rule_of(content, "GX.YEAR")["requires"][0].update(minimum="18")
    )
    outcome = dry_run(tried, "guangxi-2016", "--json")
    assert outcome.exit_code == 0, outcome.output
    found = json.loads(outcome.stdout)
    assert (found["checked"], found["teachers"]) == (2, 1)
    [change] = found["changes"]
    assert (change["teacher_id"], change["measure"], change["by"]) == (str(teachers["17.00"]), "2022", "+0.00")
    assert (change["met_before"], change["met_after"]) == (True, False)
    assert everything_written(installation) == before


@pytest.mark.parametrize(
    ("pack_id", "change", "against", "complaint"),
    [
        ("guangxi-2016", lambda c: c.update(unit="KILOGRAM"), "guangxi-2016", "unit"),
        ("guangxi-2016", lambda c: c["rules"][0].pop("source"), "guangxi-2016", "source"),
        ("guangxi-2016", lambda c: None, "smartedu-2023-winter", "does not judge"),
        ("guangxi-2016", lambda c: c.update(status="DRAFT"), "guangxi-2016", "draft"),
        ("guangxi-2016", lambda c: None, "guangxi-2026", "no such rule pack"),
        ("guangxi-school-based-sample", lambda c: None, "guangxi-school-based-sample", "does not judge"),
    ],
)
def test_what_cannot_be_tried_exits_with_two(installation, tmp_path, pack_id, change, against, complaint):
    outcome = dry_run(changed_pack(tmp_path, pack_id, change), against)
    assert outcome.exit_code == 2, outcome.output
    assert complaint in outcome.output.lower()


def test_a_pack_that_is_not_there_exits_with_two(tmp_path):
    assert dry_run(tmp_path / "nothing.yaml", "guangxi-2016").exit_code == 2
    (tmp_path / "broken.yaml").write_text("a: [", encoding="utf-8")
    assert dry_run(tmp_path / "broken.yaml", "guangxi-2016").exit_code == 2


def test_only_the_command_line_tries_packs(credits_service):
    arguments = {"pack": {}, "name": "x.yaml", "against": "guangxi-2016"}
    with pytest.raises(NotAllowed):
        credits_service.call("rehearse_pack", arguments, person(None, (Role.NATIONAL_OPERATOR, "CN")))
    with pytest.raises(InvalidInput):
        credits_service.call("rehearse_pack", arguments, service_actor("cli"))
