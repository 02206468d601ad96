"""The journey's stacks: the very commands of the README, in both modes."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.shared.migrations import drop_all
from services.shared.settings import load_settings
from tests.bus.broker import private_vhost
from tests.conftest import PREFIX

SERVER_VARIABLES = ("DATABASE_URL", "AMQP_URI", "YANXIU_DATABASE_PREFIX", "YANXIU_CLOCK_FILE", "YANXIU_DEVELOPMENT")


@pytest.fixture
def embedded_environment(tmp_path: Path) -> dict[str, str]:
    """A user's fresh machine: no server named, nothing set."""
    clean = {name: value for name, value in os.environ.items() if name not in SERVER_VARIABLES}
    return {**clean, "YANXIU_DATA_DIR": str(tmp_path / "data")}


@pytest.fixture
def servers_environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The configured servers, with a virtual host and databases of this test's own, removed at the end."""
    if not (os.environ.get("AMQP_URI") and os.environ.get("DATABASE_URL")):
        pytest.fail("AMQP_URI and DATABASE_URL are not set")
    with private_vhost(os.environ["AMQP_URI"]) as (uri, _):
        environment = {
            **os.environ,
            "AMQP_URI": uri,
            "YANXIU_DATABASE_PREFIX": f"{PREFIX}_journey_{uuid.uuid4().hex[:8]}",
            "YANXIU_DATA_DIR": str(tmp_path / "data"),
            "YANXIU_DEVELOPMENT": "1",
            "YANXIU_CLOCK_FILE": str(tmp_path / "data" / "clock"),
            # A PostgreSQL as it comes gives a hundred connections to twenty processes.
            "YANXIU_POOL_SIZE": "3",
        }
        yield environment
        drop_all(load_settings(environment))
