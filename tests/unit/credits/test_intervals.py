"""Sets of seconds behave like sets of seconds."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from services.credits.rules import intervals

pieces = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=8)


def members(found):
    return {second for begin, end in found for second in range(begin, end)}


@settings(deadline=None)
@given(pieces)
def test_union_is_sorted_disjoint_and_the_same_set(given_pieces):
    found = intervals.union(given_pieces)
    assert members(found) == members(given_pieces)
    assert intervals.length(found) == len(members(given_pieces))
    assert all(begin < end for begin, end in found)
    assert all(before[1] < after[0] for before, after in itertools.pairwise(found))


@settings(deadline=None)
@given(pieces, st.integers(0, 60), st.integers(0, 60))
def test_clip_and_covers(given_pieces, begin, end):
    found = intervals.union(given_pieces)
    inside = set(range(begin, end))
    assert members(intervals.clip(found, begin, end)) == members(found) & inside
    assert intervals.covers(found, begin, end) == (inside <= members(found))
    assert intervals.length_within(found, begin, end) == len(members(found) & inside)


@settings(deadline=None)
@given(pieces, pieces, st.integers(0, 60))
def test_what_needs_no_work_is_known_for_it(some, others, end):
    found, other = intervals.union(some), intervals.union(others)
    assert intervals.is_set_within(tuple(some), 0, end) == (tuple(some) == found and members(found) <= set(range(end)))
    assert intervals.holds(found, other) == (members(other) <= members(found))
