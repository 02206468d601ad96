"""`yanxiu operator`: the first operator's account, and a password for whom nobody stands above."""

import contextlib
import dataclasses
import json
import uuid

import pytest
from click.testing import CliRunner

from services.shared import migrations
from tests.component.identity.stories import new_id_no, new_phone
from yanxiu.commands import operators
from yanxiu.local.operator import Operator


@pytest.fixture
def installation(settings, keyring, monkeypatch):
    """Databases of the test's own; the command's operator works on them."""
    own = dataclasses.replace(settings, database_prefix=f"{settings.database_prefix}_operator")
    for service in ("identity", "org"):
        migrations.migrate_service(own, keyring, service)

    @contextlib.contextmanager
    def reach():
        with contextlib.closing(Operator(own, keyring)) as made:
            yield made

    monkeypatch.setattr(operators, "_operator", reach)
    made = Operator(own, keyring)
    yield made
    made.close()
    migrations.drop_all(own, ("identity", "org"))


def run(*arguments, typed=""):
    return CliRunner().invoke(operators.command, arguments, input=typed)


def test_appointing_twice_is_once_and_the_password_can_be_reset(installation):
    installation.load_divisions()
    phone, id_no = new_phone(), new_id_no()
    first, second = (run("appoint", typed=f"张三丰\n{phone}\n{id_no}\n") for _ in range(2))
    assert first.exit_code == 0, first.output
    account_id = first.stdout.split()[-1]
    assert second.stdout.split()[-1] == account_id
    given = run("reset-password", account_id)
    assert given.exit_code == 0, given.output
    assert len(given.stdout.split()[0]) == 14


def test_what_is_refused_is_told_by_its_code_alone(installation):
    refused = run("appoint", typed="张三丰\n13800138000\n11010519491231002\n")
    assert refused.exit_code == 1
    assert "identity.id_no" in refused.stderr
    assert "张三丰" not in refused.stderr
    assert "1949" not in refused.stderr
    unknown = run("reset-password", str(uuid.uuid4()))
    assert (unknown.exit_code, "identity.person_unknown" in unknown.stderr) == (1, True)
    assert run("reset-password", "nobody").exit_code == 2


def appoint(name):
    done = run("appoint", typed=f"{name}\n{new_phone()}\n{new_id_no()}\n")
    assert done.exit_code == 0, done.output
    return done.stdout.split()[-1]


def test_an_operator_is_listed_and_revoked_but_never_the_last(installation):
    installation.load_divisions()
    first, second = appoint("张三丰"), appoint("王芳")
    shown = run("list")
    assert [line.split()[0] for line in shown.stdout.splitlines()] == [first, second]
    assert "张三丰" not in shown.stdout
    assert json.loads(run("list", "--json").stdout)["operators"][1]["person"]["name"] == "王*"
    assert run("revoke", first).exit_code == 2, "a reason is asked for"
    done = run("revoke", first, "--reason", "离任")
    assert (done.exit_code, done.stdout.split()[0]) == (0, first)
    again = run("revoke", first, "--reason", "离任")
    assert (again.exit_code, "org.operator_unknown" in again.stderr) == (1, True)
    last = run("revoke", second, "--reason", "离任")
    assert (last.exit_code, "org.last_operator" in last.stderr) == (1, True)
    assert [line.split()[0] for line in run("list").stdout.splitlines()] == [second]
