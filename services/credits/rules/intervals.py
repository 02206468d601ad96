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
    if isinstance(intervals, tuple) and is_set_within(intervals, begin, end):
        return intervals
    return union((max(low, begin), min(high, end)) for low, high in intervals)


def is_set_within(pieces: Intervals, begin: int, end: int) -> bool:
    """Whether the pieces are a set already, and lie in [begin, end): nearly all evidence comes like that."""
    free_from = begin
    for low, high in pieces:
        if low < free_from or high <= low:
            return False
        free_from = high + 1  # sets that touch would be one piece
    return not pieces or pieces[-1][1] <= end


def holds(whole: Intervals, part: Intervals) -> bool:
    """Whether each piece of the set `part` lies in one piece of the set `whole`."""
    if part == whole:
        return True
    index = 0
    for low, high in part:
        while index < len(whole) and whole[index][1] < high:
            index += 1
        if index == len(whole) or whole[index][0] > low:
            return False
    return True


def length(intervals: Intervals) -> int:
    """How many seconds the set holds."""
    seconds = 0
    for begin, end in intervals:
        seconds += end - begin
    return seconds


def length_within(intervals: Intervals, begin: int, end: int) -> int:
    """How many seconds of the set lie in [begin, end)."""
    seconds = 0
    for low, high in intervals:
        if begin <= low and high <= end:
            seconds += high - low
        else:
            seconds += max(0, min(high, end) - max(low, begin))
    return seconds


def covers(intervals: Intervals, begin: int, end: int) -> bool:
    """Whether every second of [begin, end) is in the set."""
    return length(clip(intervals, begin, end)) == max(0, end - begin)
