"""What a run found, ready for a table or for JSON: per case its cost, and its ratio to each case that it is held against."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from yanxiu.bench import figures, machine
from yanxiu.bench.cases import Case, Sample


@dataclasses.dataclass(frozen=True)
class Finding:
    """One case over all rounds. CPU figures are means, in microseconds per operation."""

    name: str
    told: str
    cpu_us: float
    parts_us: Mapping[str, float]
    rate: float
    p50_ms: float
    p99_ms: float
    ratios: Mapping[str, figures.Ratio | None]


def find(cases: Sequence[Case], samples: Mapping[str, list[Sample]], against: Iterable[str]) -> list[Finding]:
    """Each case, with its ratio to the cases named in `against`."""
    yardsticks = [name for name in against if name in samples]
    return [_finding(case, samples, yardsticks) for case in cases]


def _finding(case: Case, samples: Mapping[str, list[Sample]], yardsticks: list[str]) -> Finding:
    own = samples[case.name]
    totals = [sample.total_us for sample in own]
    seconds = [value for sample in own for value in sample.seconds]
    return Finding(
        name=case.name,
        told=case.told,
        cpu_us=statistics.fmean(totals),
        parts_us={part: statistics.fmean(sample.cpu_us.get(part, 0.0) for sample in own) for part in own[0].cpu_us},
        rate=statistics.median(sample.rate for sample in own),
        p50_ms=figures.percentile(seconds, 0.5) * 1000,
        p99_ms=figures.percentile(seconds, 0.99) * 1000,
        ratios={
            name: figures.paired_ratio(totals, [sample.total_us for sample in samples[name]])
            for name in yardsticks
            if name != case.name
        },
    )


def document(kind: str, mode: str, findings: Iterable[Finding], **conditions: Any) -> dict[str, Any]:
    """The run as JSON can hold it."""
    return {
        "bench": kind,
        "mode": mode,
        **conditions,
        "machine": machine.facts(),
        "cases": [_rounded(dataclasses.asdict(finding)) for finding in findings],
    }


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return round(value, 3) if isinstance(value, float) else value
