"""Other people's implementation of Verifiable Credentials, from npm: `verify(did, lists, credentials)`."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from yanxiu.local import portal

FOLDER = Path(__file__).parent / "credentials"
INSTALLED = FOLDER / "node_modules" / ".package-lock.json"

needs_node = pytest.mark.skipif(portal.find_node() is None, reason="needs node (20 or newer) and npm")


def verify(
    did: Mapping[str, Any], lists: Sequence[Mapping[str, Any]], credentials: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """What it says of each credential: {"verified", "status", "error"}."""
    node = portal.find_node()
    assert node is not None
    if not INSTALLED.exists() or INSTALLED.stat().st_mtime < (FOLDER / "package-lock.json").stat().st_mtime:
        _run([*node.npm, "ci", "--ignore-scripts", "--silent"], node)
        INSTALLED.touch()
    given = {"did": did, "documents": {each["id"]: each for each in lists}, "credentials": list(credentials)}
    answers: list[dict[str, Any]] = json.loads(_run([str(node.node), "verify.mjs"], node, json.dumps(given)))
    assert len(answers) == len(credentials)
    return answers


def _run(command: Sequence[str], node: portal.Node, given: str = "") -> str:
    done = subprocess.run(
        command,
        cwd=FOLDER,
        env=node.environment(),
        input=given,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout
