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


def measured(pieces: Intervals, end: int) -> tuple[Intervals, int]:
    """The set that the pieces cover in [0, end), and how many seconds it holds."""
    # Nearly all evidence is a set already: one look at each piece finds that out and counts.
    seconds, free_from = 0, 0
    for low, high in pieces:
        if low < free_from or high <= low:
            break
        seconds += high - low
        free_from = high + 1  # sets that touch would be one piece
    else:
        if free_from <= end + 1:
            return pieces, seconds
    inside = clip(pieces, 0, end)
    return inside, length(inside)


def holds(whole: Intervals, part: Intervals) -> bool:
    """Whether each piece of the set `part` lies in one piece of the set `whole`."""
    if part == whole:
        return True
    pieces = iter(whole)
    begin = end = -1
    for low, high in part:
        while end < high:
            begin, end = next(pieces, (high, high))  # past the last piece: one that holds nothing
        if low < begin:
            return False
    return True


def length(intervals: Intervals) -> int:
    """How many seconds the set holds."""
    seconds = 0
    for begin, end in intervals:
        seconds += end - begin
    return seconds


def length_before(intervals: Intervals, at: int) -> int:
    """How many seconds of the set lie before `at`."""
    seconds = 0
    for begin, end in intervals:
        if end > at:
            return seconds + max(0, at - begin)  # what follows lies behind
        seconds += end - begin
    return seconds
