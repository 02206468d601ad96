"""The browser's reference client, tested by node's own runner where there is a node; nothing else needs one."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from yanxiu.local import portal

FOLDER = Path(__file__).resolve().parents[2] / "clients" / "js"
NODE = portal.find_node()


@pytest.mark.skipif(NODE is None, reason="needs node for the browser's client")
def test_the_browser_client():
    assert NODE is not None
    done = subprocess.run(
        [str(NODE.node), "--test", "."], cwd=FOLDER, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def test_it_needs_nothing_but_the_platform():
    source = (FOLDER / "study.js").read_text(encoding="utf-8")
    assert "import " not in source
    assert "require(" not in source
