"""The arithmetic of measurements."""

from __future__ import annotations

import pytest

from yanxiu.bench import figures
from yanxiu.bench.cases import Case, measure


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [([], 0.5, 0.0), ([7.0], 0.99, 7.0), ([3.0, 1.0, 2.0], 0.5, 2.0), (list(range(1, 101)), 0.99, 99)],
)
def test_percentile_is_the_nearest_rank(values: list[float], share: float, expected: float) -> None:
    assert figures.percentile(values, share) == expected


def test_a_ratio_that_every_round_agrees_on_has_no_spread() -> None:
    ratio = figures.paired_ratio([20.0, 40.0, 10.0], [10.0, 20.0, 5.0])
    assert ratio == figures.Ratio(2.0, 2.0, 2.0)


def test_a_noisy_round_widens_the_interval_around_the_ratio() -> None:
    ratio = figures.paired_ratio([20.0, 20.0, 20.0, 50.0], [10.0, 10.0, 10.0, 10.0])
    assert ratio is not None
    assert ratio.value == pytest.approx(2.75)
    assert ratio.low < ratio.value < ratio.high


def test_nothing_is_held_against_what_was_not_measured() -> None:
    assert figures.paired_ratio([1.0, 2.0], [0.0, 0.0]) is None


class Recorder:
    """A runner that notes whose turn it was."""

    def __init__(self, name: str, turns: list[str]) -> None:
        self.name = name
        self.turns = turns

    def run(self, count: int) -> list[float]:
        self.turns.append(self.name)
        return [0.001] * count

    def close(self) -> None:
        pass


def test_turns_change_their_direction_and_the_warm_up_is_thrown_away(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("IDLE_SECONDS", "GLANCE_SECONDS"):
        monkeypatch.setattr(f"yanxiu.bench.cases.{name}", 0.0001)
    turns: list[str] = []
    cases = [Case(name, name, Recorder(name, turns), dict) for name in ("a", "b")]
    samples = measure(cases, rounds=2, count=8)
    assert turns == ["b", "a", "a", "b", "b", "a"]
    assert {name: [len(sample.seconds) for sample in taken] for name, taken in samples.items()} == {
        "a": [8, 8],
        "b": [8, 8],
    }
