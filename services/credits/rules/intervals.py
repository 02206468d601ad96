"""Sets of whole seconds as sorted, disjoint, half-open intervals: [(0, 600), (720, 900)]."""

from __future__ import annotations

from collections.abc import Iterable

Intervals = tuple[tuple[int, int], ...]


def union(pieces: Iterable[tuple[int, int]]) -> Intervals:
    """The set covered by the pieces, which may overlap and come in any order; empty pieces vanish."""
    merged: list[tuple[int, int]] = []
    for begin, end in sorted(pieces):
        if end <= begin:
            continue
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((begin, end))
    return tuple(merged)


def clip(intervals: Iterable[tuple[int, int]], begin: int, end: int) -> Intervals:
    """The part that lies in [begin, end)."""
    return union((max(low, begin), min(high, end)) for low, high in intervals)


def length(intervals: Intervals) -> int:
    """How many seconds the set holds."""
    return sum(end - begin for begin, end in intervals)


def covers(intervals: Intervals, begin: int, end: int) -> bool:
    """Whether every second of [begin, end) is in the set."""
    return length(clip(intervals, begin, end)) == max(0, end - begin)
