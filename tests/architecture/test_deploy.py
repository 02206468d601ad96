"""What operators get: containers for every process type, no default secret, locked requirements, commands that exist."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from yanxiu import cli
from yanxiu.commands import bus
from yanxiu.local.processes import GATEWAY, PROCESS_NAMES

ROOT = Path(__file__).resolve().parents[2]
SECRET_NAME = re.compile(r"PASSWORD|TOKEN|SECRET|DEFAULT_PASS|_KEY$")
# The only interpolation that refuses to start without a value.
REQUIRED = re.compile(r"\$\{[A-Z_]+:\?[^}]+\}")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    return loaded


def containers(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Process type -> its container."""
    found = {}
    for container in compose["services"].values():
        command = container.get("command", [])
        if command[:1] == ["process"]:
            found[command[1]] = container
    return found


def test_every_process_type_has_one_container_named_after_it(compose: dict[str, Any]) -> None:
    assert sorted(containers(compose)) == sorted(PROCESS_NAMES)
    assert set(PROCESS_NAMES) <= set(compose["services"])


def test_no_container_has_a_default_secret(compose: dict[str, Any]) -> None:
    for name, container in compose["services"].items():
        for variable, value in container.get("environment", {}).items():
            if SECRET_NAME.search(variable):
                assert REQUIRED.fullmatch(value), f"{name}: {variable}"
            login = re.search(r"://[^/@:]*:(?P<password>[^@]*)@", value)
            if login:
                assert REQUIRED.fullmatch(login["password"]), f"{name}: {variable}"


def test_the_example_environment_holds_no_secret_either() -> None:
    for line in (ROOT / "deploy" / "example.env").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition("=")
        assert line.startswith("#") or not value or not SECRET_NAME.search(name), line


def test_every_required_variable_is_in_the_example_environment() -> None:
    asked = set(re.findall(r"\$\{([A-Z_]+):\?", (ROOT / "docker-compose.yml").read_text(encoding="utf-8")))
    offered = set(
        re.findall(r"^([A-Z_]+)=", (ROOT / "deploy" / "example.env").read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert asked == offered


def test_images_name_the_versions_that_we_support(compose: dict[str, Any]) -> None:
    assert compose["services"]["database"]["image"] == "postgres:18"
    assert compose["services"]["broker"]["image"].startswith("rabbitmq:4")
    for name, container in compose["services"].items():
        assert ":" in container["image"], f"{name} names no version"


def test_every_long_running_container_has_a_health_check_and_few_rights(compose: dict[str, Any]) -> None:
    for name, container in {**containers(compose), "keys": compose["services"]["keys"]}.items():
        assert container["cap_drop"] == ["ALL"], name
        assert container["read_only"] is True, name
    for name, container in compose["services"].items():
        if container["restart"] != "no":
            assert container["healthcheck"]["test"], name


def test_only_the_migration_may_create_databases(compose: dict[str, Any]) -> None:
    for name, container in containers(compose).items():
        assert "@" not in container["environment"]["DATABASE_URL"], name


def test_only_the_gateway_is_reached_from_outside(compose: dict[str, Any]) -> None:
    assert [name for name, container in compose["services"].items() if "ports" in container] == [GATEWAY]


def test_the_image_does_not_run_as_root() -> None:
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
    stages = re.split(r"(?m)^FROM ", dockerfile)
    assert len(stages) == 3, "a build stage and a run stage"
    users = re.findall(r"(?m)^USER (\d+)", stages[-1])
    assert users
    assert int(users[-1]) > 0
    assert "HEALTHCHECK" in stages[-1]


@pytest.mark.parametrize(
    ("name", "least"), [("requirements.lock", 50), ("requirements-dev.lock", 50), ("requirements-node.lock", 1)]
)
def test_locked_requirements_are_hashed_and_name_no_host(name: str, least: int) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "://" not in text
    entries = re.split(r"(?m)^(?=[a-z0-9])", text)[1:]
    assert len(entries) >= least
    for entry in entries:
        assert re.match(r"\S+==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry


def test_the_portal_s_packages_are_locked_by_digest_and_name_no_host() -> None:
    text = (ROOT / "gateway" / "portal" / "package-lock.json").read_text(encoding="utf-8")
    packages = {name: package for name, package in json.loads(text)["packages"].items() if name}
    assert len(packages) > 50
    assert [name for name, package in packages.items() if "resolved" in package or "integrity" not in package] == []


def test_everything_required_is_locked_at_the_version_asked_for() -> None:
    locked = dict(re.findall(r"(?m)^([a-z0-9-]+)==(\S+)", (ROOT / "requirements.lock").read_text(encoding="utf-8")))
    for line in (ROOT / "requirements.in").read_text(encoding="utf-8").splitlines():
        wanted = re.match(r"([A-Za-z0-9_.-]+)(?:\[\w+\])?(?:==(\S+))?$", line)
        if wanted:
            name = wanted[1].lower().replace("_", "-").replace(".", "-")
            assert name in locked, line
            assert wanted[2] in (None, locked[name]), line


def test_the_ci_script_is_valid_shell_and_runs_the_readme_s_test_command() -> None:
    script = ROOT / ".ci" / "run"
    subprocess.run(["bash", "-n", str(script)], check=True)
    assert re.search(r"(?m)^make test\b", script.read_text(encoding="utf-8"))
    assert "make test" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_readmes_name_only_commands_that_exist(readme: str) -> None:
    text = (ROOT / readme).read_text(encoding="utf-8")
    targets = set(re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8")))
    assert set(re.findall(r"`make ([a-z-]+)", text)) <= targets
    assert set(re.findall(r"`yanxiu ([a-z]+)", text)) <= set(cli.COMMANDS)


@pytest.mark.parametrize("name", sorted(cli.COMMANDS))
def test_every_listed_command_exists(name: str) -> None:
    command = cli.LazyGroup(entries=cli.COMMANDS).get_command(click.Context(cli.root), name)
    assert isinstance(command, click.Command)
    assert command.help


def test_bus_dlq_exists() -> None:
    command = cli.LazyGroup(entries=bus.COMMANDS).get_command(click.Context(cli.root), "dlq")
    assert isinstance(command, click.Command)
