"""Pure arithmetic of measurements: percentiles, medians, ratios with a bootstrap interval; no I/O."""

from __future__ import annotations

import dataclasses
import math
import random
import statistics
from collections.abc import Sequence

RESAMPLES = 2000
# 95 %: the usual interval of benchmarks, nothing hangs on it.
LOW, HIGH = 0.025, 0.975
SEED = 20231


@dataclasses.dataclass(frozen=True)
class Ratio:
    """How many times as much, with its bootstrap interval."""

    value: float
    low: float
    high: float


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile; 0 for no values."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def paired_ratio(above: Sequence[float], below: Sequence[float]) -> Ratio | None:
    """The ratio of two cases measured in the same rounds; None where the lower one measured nothing.

    Rounds are drawn with replacement, both cases of a round together, so that a noisy round counts for both.
    """
    pairs = list(zip(above, below, strict=True))
    if not pairs or statistics.fmean(below) <= 0:
        return None
    chance = random.Random(SEED)  # noqa: S311  resampling, not secrets
    drawn = sorted(_ratio(chance.choices(pairs, k=len(pairs))) for _ in range(RESAMPLES))
    return Ratio(_ratio(pairs), percentile(drawn, LOW), percentile(drawn, HIGH))


def _ratio(pairs: Sequence[tuple[float, float]]) -> float:
    below = sum(pair[1] for pair in pairs)
    return sum(pair[0] for pair in pairs) / below if below > 0 else math.inf
