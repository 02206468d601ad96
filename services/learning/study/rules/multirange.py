"""Sets of whole numbers as sorted, disjoint, half-open ranges: the algebra of PostgreSQL's int4multirange. No I/O."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

Range = tuple[int, int]
Ranges = tuple[Range, ...]

EMPTY: Ranges = ()


def normalise(pairs: Iterable[tuple[int, int]]) -> Ranges:
    """Any pairs as a set: sorted, overlapping and touching ones joined, empty ones dropped."""
    joined: list[Range] = []
    for begin, end in sorted(pairs):
        if end <= begin:
            continue
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((begin, end))
    return tuple(joined)


def union(*sets: Ranges) -> Ranges:
    filled = [ranges for ranges in sets if ranges]
    if len(filled) < 2:
        return filled[0] if filled else EMPTY
    return normalise(itertools.chain.from_iterable(filled))


def intersection(left: Ranges, right: Ranges) -> Ranges:
    common: list[Range] = []
    i = j = 0
    while i < len(left) and j < len(right):
        begin, end = max(left[i][0], right[j][0]), min(left[i][1], right[j][1])
        if begin < end:
            common.append((begin, end))
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1
    return tuple(common)


def subtraction(left: Ranges, right: Ranges) -> Ranges:
    """What is in `left` and not in `right`."""
    rest: list[Range] = []
    j = 0
    for begin, end in left:
        while j < len(right) and right[j][1] <= begin:
            j += 1
        k, left_from = j, begin
        while k < len(right) and right[k][0] < end:
            if right[k][0] > left_from:
                rest.append((left_from, right[k][0]))
            left_from = max(left_from, right[k][1])
            k += 1
        if left_from < end:
            rest.append((left_from, end))
    return tuple(rest)


def total(ranges: Ranges) -> int:
    return sum(end - begin for begin, end in ranges)


def contains(ranges: Ranges, number: int) -> bool:
    return any(begin <= number < end for begin, end in ranges)


def clip(ranges: Ranges, begin: int, end: int) -> Ranges:
    """The part within `[begin, end)`."""
    return intersection(ranges, ((begin, end),)) if begin < end else EMPTY


def last(ranges: Ranges, amount: int) -> Ranges:
    """The greatest `amount` numbers of the set, or all of it when it has fewer."""
    taken: list[Range] = []
    for begin, end in reversed(ranges):
        if amount <= 0:
            break
        part = (max(begin, end - amount), end)
        amount -= part[1] - part[0]
        taken.append(part)
    return tuple(reversed(taken))
