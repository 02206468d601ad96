"""Other people's implementation of Verifiable Credentials, from npm: `verify(did, lists, credentials)`.

Run as a module it fetches that implementation, so that no test has to wait for it.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from yanxiu.local import portal

FOLDER = Path(__file__).parent / "credentials"
TURN = FOLDER / "turn.lock"

needs_node = pytest.mark.usefixtures("independent_verifier")


@pytest.fixture(scope="session")
def independent_verifier() -> None:
    """The verifier's packages are here. A test that needs them is skipped without; where CI promises them, it fails."""
    try:
        prepare()
    except portal.PortalError as error:
        reason = f"needs node and the verifier's packages: {error}"
        if os.environ.get("YANXIU_REQUIRE_SERVERS"):
            pytest.fail(reason)
        pytest.skip(reason)


def prepare(*, may_install_node: bool = False) -> None:
    """Fetch what is missing. Raises PortalError."""
    # Test files run side by side, and npm empties the folder that another one would be reading.
    with TURN.open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        node = portal.find_node()
        if node is None and may_install_node:
            node = portal.install_node(_say)
        if node is None:
            raise portal.PortalError("no node of at least version {}.{}".format(*portal.OLDEST_NODE))
        portal.install_packages(FOLDER, node, _say)


def verify(
    did: Mapping[str, Any], lists: Sequence[Mapping[str, Any]], credentials: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """What it says of each credential: {"verified", "status", "error"}."""
    node = portal.find_node()
    assert node is not None
    given = {"did": did, "documents": {each["id"]: each for each in lists}, "credentials": list(credentials)}
    done = subprocess.run(
        [str(node.node), "verify.mjs"],
        cwd=FOLDER,
        env=node.environment(),
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    assert len(answers) == len(credentials)
    return answers


def _say(step: str) -> None:
    sys.stderr.write(f"{step}\n")


if __name__ == "__main__":
    try:
        prepare(may_install_node=True)
    except portal.PortalError as error:
        sys.exit(str(error))
