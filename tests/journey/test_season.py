"""The season's journey, told by the command that users run, in both modes."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

# Generous: twenty processes start on whatever cores there are.
LONGEST_SECONDS = 900


def tell(environment: dict[str, str]) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-m", "yanxiu", "demo", "--once", "--json", "--port", "0"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
        check=False,
    )
    assert done.stdout.strip(), done.stderr[-4000:]
    result = json.loads(done.stdout)
    wrong = [row for row in result["checks"] if not row["right"]]
    assert not wrong, wrong
    assert done.returncode == 0
    return result


@pytest.mark.timeout(LONGEST_SECONDS + 60)
def test_the_season_embedded(embedded_environment: dict[str, str]) -> None:
    result = tell(embedded_environment)
    told = {row["id"] for row in result["checks"]}  # type: ignore[attr-defined]
    assert told >= {f"W{number:02d}" for number in range(1, 13)}


@pytest.mark.rabbitmq
@pytest.mark.timeout(LONGEST_SECONDS + 60)
def test_the_season_on_servers(servers_environment: dict[str, str]) -> None:
    tell(servers_environment)
