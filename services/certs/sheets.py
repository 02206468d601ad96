"""Verification sheets 年度验证表: from credits' frozen figures to a page in Chinese and English. No database, no clock."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from services.certs import rendering
from services.credits.contract.verification import YearState
from services.shared import clock

# Not among the templates that a programme may name for its certificate.
TEMPLATES: Final = rendering.TEMPLATES / "verification"
LONGEST_LIST: Final = 1000
TOTAL: Final = "total"
UNITS: Final = {"HOUR": "学时 hours", "CREDIT": "学分 credits"}
STATES: Final = {
    YearState.FROZEN: "已锁定，投诉期内 Frozen, open to complaints",
    YearState.REFROZEN: "更正后锁定，投诉期内 Frozen again after a correction, open to complaints",
    YearState.FINAL: "已定 Final",
}
MET: Final = {True: "达到要求 Met", False: "未达到要求 Not met"}
NOTHING_REQUIRED: Final = "无考核要求 Nothing required"


@dataclasses.dataclass(frozen=True)
class Printing:
    """Who printed other people's years, when and what for: it stands on every page."""

    printing_id: uuid.UUID
    name: str  # masked
    at: dt.datetime
    reason: str


def render_year(year: Mapping[str, Any], person: Mapping[str, Any], printing: Printing | None) -> bytes:
    """One teacher's sheet; the same figures give the same bytes.

    Raises Conflict("certs.name_not_printable") for text with characters that the fonts do not have.
    """
    rendering.require_printable(person["name"], year["school_name"], printing.reason if printing else "")
    data = {
        "name": person["name"],
        "learner_no": person["learner_no"],
        "school_name": year["school_name"],
        "year": str(year["year"]),
        "titles": year["pack"]["titles"],
        "unit": UNITS[year["unit"]],
        "state": STATES[YearState(year["state"])],
        "result": MET[year["met"]],
        "rows": rows(year["verification"]),
        "cycle": f"{year['cycle']['years'][0]}–{year['cycle']['years'][-1]}",
        "cycle_over": year["year"] == year["cycle"]["years"][-1],
        "cycle_result": _cycle_result(year["cycle"]),
        "cycle_rows": rows(year["cycle"]),
        "probation": _probation(year["probation"]),
        "not_converted": [f"{each['amount']} {UNITS[each['unit']]}" for each in year["not_converted"]],
        "version": str(year["version"]),
        "frozen_at": _beijing(year["frozen_at"]),
        "pack": f"{year['pack']['id']} {year['pack']['version']}",
        "hash": year["hash"],
        "printed": _printed(printing),
    }
    template = TEMPLATES / "year-sheet.typ"
    return rendering.compose(template, "sheet", data, clock.parse_instant(year["frozen_at"]))


def render_list(
    year: int,
    place: str,
    years: Sequence[Mapping[str, Any]],
    people: Mapping[str, Mapping[str, Any]],
    printing: Printing,
) -> bytes:
    """The frozen years of a place, a line each; whoever identity does not name stays without a name."""
    lines = [_line(each, people.get(each["teacher_id"], {})) for each in years]
    rendering.require_printable(printing.reason, *(text for line in lines for text in line.values()))
    data = {
        "year": str(year),
        "place": place,
        "unit": " / ".join(sorted({UNITS[each["unit"]] for each in years})),
        "lines": lines,
        "teachers": str(len(lines)),
        "met": str(sum(each["met"] for each in years)),
        "printed": _printed(printing),
    }
    return rendering.compose(TEMPLATES / "school-list.typ", "list", data, printing.at)


def rows(span: Mapping[str, Any]) -> list[dict[str, str]]:
    """Category by category, then sums that the rules ask for, then the total: recognised, required, missing."""
    required: dict[str, Decimal] = {}
    for each in span["required"]:
        required[each["measure"]] = max(Decimal(each["required"]), required.get(each["measure"], Decimal(0)))
    missing = {each["measure"]: each["missing"] for each in span["shortfalls"]}
    amounts = span["amounts"]
    sums = [measure for measure in required if measure != TOTAL and measure not in amounts]
    return [
        *(_row(name, amount, required.get(name), missing.get(name)) for name, amount in amounts.items()),
        *(_row(name, _reached(name, amounts, required, missing), required[name], missing.get(name)) for name in sums),
        _row("合计 Total", span["total"], required.get(TOTAL), missing.get(TOTAL)),
    ]


def _reached(
    measure: str, amounts: Mapping[str, str], required: Mapping[str, Decimal], missing: Mapping[str, str]
) -> str:
    # A rule may cap what one part gives to the sum, so what is missing says more than the parts do.
    if measure in missing:
        return str(required[measure] - Decimal(missing[measure]))
    return str(sum((Decimal(amounts.get(part, "0")) for part in measure.split("+")), Decimal(0)))


def _row(name: str, amount: str, required: Decimal | None, missing: str | None) -> dict[str, str]:
    return {
        "name": name,
        "amount": amount,
        "required": "无考核要求 None" if required is None else str(required),
        "missing": missing or "",
    }


def _line(year: Mapping[str, Any], person: Mapping[str, Any]) -> dict[str, str]:
    return {
        "learner_no": person.get("learner_no", ""),
        "name": person.get("name", ""),
        "school_name": year["school_name"],
        "total": year["total"],
        "missing": "；".join(
            f"{'合计 total' if each['measure'] == TOTAL else each['measure']} {each['missing']}"
            for each in year["shortfalls"]
        ),
        "result": MET[year["met"]],
        "cycle": year["cycle_total"],
        "hash": year["hash"],
    }


def _probation(probation: Mapping[str, Any] | None) -> str:
    if probation is None or not Decimal(probation["hours"]):
        return ""
    return f"{probation['hours']} / {probation['required']} 学时 hours: {MET[probation['met']]}"


def _cycle_result(cycle: Mapping[str, Any]) -> str:
    """Where the rules require nothing of a cycle, whoever lacks nothing has not met anything."""
    return MET[cycle["met"]] if cycle["required"] or not cycle["met"] else NOTHING_REQUIRED


def _printed(printing: Printing | None) -> str:
    if printing is None:
        return ""
    return f"{printing.name} · {printing.at.astimezone(clock.BEIJING):%Y-%m-%d %H:%M} · {printing.reason} · {printing.printing_id}"


def _beijing(instant: str) -> str:
    return f"{clock.parse_instant(instant).astimezone(clock.BEIJING):%Y-%m-%d %H:%M}"
