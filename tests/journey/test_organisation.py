"""The organisation's story over HTTP, in both modes: codes, schools, teachers, transfers, phones, exports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

LONGEST_SECONDS = 400
REPOSITORY = Path(__file__).resolve().parents[2]


def tell(environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.journey.tell_organisation"],
        env={name: value for name, value in environment.items() if name != "YANXIU_CLOCK_FILE"},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-6000:]


@pytest.mark.timeout(LONGEST_SECONDS + 60)
def test_the_organisation_embedded(embedded_environment: dict[str, str]) -> None:
    tell({**embedded_environment, "YANXIU_DEVELOPMENT": "1"})


@pytest.mark.rabbitmq
@pytest.mark.timeout(LONGEST_SECONDS + 60)
def test_the_organisation_on_servers(servers_environment: dict[str, str]) -> None:
    tell(servers_environment)
