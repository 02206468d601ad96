"""The portal in a real Chromium against the embedded default: every story of `gateway/portal/e2e/`."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from yanxiu.local import portal

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SERVER_VARIABLES = ("DATABASE_URL", "AMQP_URI", "YANXIU_DATABASE_PREFIX", "YANXIU_CLOCK_FILE", "YANXIU_DEVELOPMENT")
READY_SECONDS = 600

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module", autouse=True)
def browser() -> None:
    """Where CI promises them, a missing browser or portal is a failure."""
    if CHROMIUM is None or portal.find_node() is None or not portal.STAMP.exists():
        reason = "needs Chromium, Node and a built portal (make portal)"
        if os.environ.get("YANXIU_REQUIRE_SERVERS"):
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="module")
def installation(browser: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A fresh installation, as `make demo` gives it: the season has been told, and a season of short clips is open."""
    data = tmp_path_factory.mktemp("portal")
    environment = {name: value for name, value in os.environ.items() if name not in SERVER_VARIABLES}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "yanxiu", "demo", "--json", "--port", str(port)]
    told = data / "told.json"
    with told.open("w") as out, (data / "log").open("w") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**environment, "YANXIU_DATA_DIR": str(data)}, stdout=out, stderr=log
        )
        try:
            _wait(told, process)
            yield {"YANXIU_ADDRESS": f"http://127.0.0.1:{port}", "YANXIU_TOLD": str(told)}
        finally:
            process.terminate()
            process.wait(timeout=60)


def _wait(told: Path, process: subprocess.Popen[bytes]) -> None:
    """Until the demo has told its story; it goes on serving."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if told.stat().st_size:
            return
        time.sleep(0.5)
    raise TimeoutError(f"the demo did not come to its end:\n{told.with_name('log').read_text()[-4000:]}")


STORIES = sorted(path.name for path in (ROOT / "gateway" / "portal" / "e2e").glob("*.spec.ts"))


@dataclasses.dataclass(frozen=True)
class Played:
    """What one run of the browser told: the faults of each story, and all that was printed."""

    faults: dict[str, list[str]]
    printed: str


@pytest.fixture(scope="module")
def played(
    request: pytest.FixtureRequest, installation: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Played:
    """Every story that is wanted, side by side in one installation: they wait for videos more than for each other."""
    node = portal.find_node()
    assert node is not None
    assert CHROMIUM is not None
    wanted = [story for story in STORIES if any(item.name.endswith(f"[{story}]") for item in request.session.items)]
    report = tmp_path_factory.mktemp("played") / "report.json"
    done = subprocess.run(
        [*node.npm, "run", "--silent", "e2e", "--", *wanted],
        cwd=portal.PORTAL,
        env={**node.environment(), **installation, "CHROMIUM": CHROMIUM, "YANXIU_REPORT": str(report)},
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    printed = done.stdout[-8000:] + done.stderr[-2000:]
    assert report.exists(), printed
    told = json.loads(report.read_text(encoding="utf-8"))
    faults: dict[str, list[str]] = {}
    for suite in told["suites"]:
        of_story = faults.setdefault(Path(suite["file"]).name, [])
        of_story += [fault for spec in suite["specs"] if not spec["ok"] for fault in _faults(spec)]
    return Played(faults, printed)


def _faults(spec: dict[str, Any]) -> list[str]:
    results = [result for test in spec["tests"] for result in test["results"]]
    errors = [error.get("stack") or error.get("message", "") for result in results for error in result["errors"]]
    return [f"{spec['title']}: {error}" for error in errors] or [f"{spec['title']}: was not played"]


@pytest.mark.parametrize("story", STORIES)
def test_in_the_browser(played: Played, story: str) -> None:
    assert story in played.faults, played.printed
    assert not played.faults[story], "\n".join(played.faults[story])
