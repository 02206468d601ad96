"""Results as tables for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from yanxiu.bench.figures import Ratio
from yanxiu.bench.results import Finding

if TYPE_CHECKING:
    from rich.console import Console

NOT_MEASURED = "–"


def show_findings(console: Console, title: str, findings: Sequence[Finding], against: Sequence[str]) -> None:
    """Ratios first: they are what a run can promise; figures are this machine's, at this hour."""
    from rich.table import Table

    yardsticks = [name for name in against if any(name in finding.ratios for finding in findings)]
    table = Table(title=title, caption="CPU per operation over all processes involved; 95 % bootstrap interval")
    table.add_column("operation", no_wrap=True)
    for name in yardsticks:
        table.add_column(f"× {name}", justify="right", no_wrap=True)
    for column in ("CPU µs", "per s", "p50/p99 ms"):
        table.add_column(column, justify="right", no_wrap=True)
    for finding in findings:
        table.add_row(
            finding.told,
            *(_ratio(finding.ratios.get(name), name == finding.name) for name in yardsticks),
            f"{finding.cpu_us:,.0f}",
            f"{finding.rate:,.0f}",
            f"{finding.p50_ms:.1f}/{finding.p99_ms:.1f}",
        )
    console.print(table)
    for finding in findings:
        console.print(f"[dim]{finding.told}: {_parts(finding.parts_us)}[/dim]", soft_wrap=True)


def _ratio(ratio: Ratio | None, itself: bool) -> str:
    if itself:
        return "1"
    return NOT_MEASURED if ratio is None else f"{ratio.value:.2f} ({ratio.low:.2f}–{ratio.high:.2f})"


def _parts(parts: Mapping[str, float]) -> str:
    return ", ".join(f"{part} {value:,.0f}" for part, value in parts.items())


def show_goals(console: Console, title: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Rows of {told, found, unit, goal}; a verdict beside each that has a goal."""
    from rich.table import Table

    table = Table(title=title)
    for column in ("what", "found", "goal", "verdict"):
        table.add_column(column, justify="left" if column == "what" else "right")
    for row in rows:
        goal = row.get("goal")
        table.add_row(
            row["told"],
            # A ratio a hundredth above its goal has missed it, and must not look as if it had not.
            f"{row['found']:.2f} {row['unit']}" if row["unit"] == "×" else f"{row['found']:.1f} {row['unit']}",
            NOT_MEASURED if goal is None else f"≤ {goal:g} {row['unit']}",
            NOT_MEASURED if goal is None else ("met" if row["found"] <= goal else "missed"),
        )
    console.print(table)


def show_machine(console: Console, facts: Mapping[str, Any]) -> None:
    load = "/".join(str(value) for value in facts["load_average"])
    console.print(f"[dim]{facts['cores']} cores, {facts['processor']}, load {load}; Python {facts['python']}[/dim]")
