"""The portal in a real Chromium against the embedded default: every story of `gateway/portal/e2e/`."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

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


@pytest.mark.parametrize("story", STORIES)
def test_in_the_browser(installation: dict[str, str], story: str) -> None:
    node = portal.find_node()
    assert node is not None
    assert CHROMIUM is not None
    done = subprocess.run(
        [*node.npm, "run", "--silent", "e2e", "--", story],
        cwd=portal.PORTAL,
        env={**node.environment(), **installation, "CHROMIUM": CHROMIUM},
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
