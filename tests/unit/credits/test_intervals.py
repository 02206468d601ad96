"""Sets of seconds behave like sets of seconds."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from services.credits.rules import Quiz, Video, intervals
from services.credits.rules.evidence import measure

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
def test_parts_of_a_set(given_pieces, begin, end):
    found = intervals.union(given_pieces)
    assert members(intervals.clip(found, begin, end)) == members(found) & set(range(begin, end))
    assert intervals.length_before(found, end) == len(members(found) & set(range(end)))


@settings(deadline=None)
@given(pieces, st.booleans(), st.integers(0, 60))
def test_whatever_pieces_come_they_are_measured_as_their_set(given_pieces, is_set, end):
    given_pieces = intervals.union(given_pieces) if is_set else tuple(given_pieces)
    inside = members(given_pieces) & set(range(end))
    found, seconds = intervals.measured(given_pieces, end)
    assert (members(found), intervals.union(found), seconds) == (inside, found, len(inside))


@settings(deadline=None)
@given(pieces, pieces)
def test_a_set_holds_another(some, others):
    found, other = intervals.union(some), intervals.union(others)
    assert intervals.holds(found, other) == (members(other) <= members(found))
    assert intervals.holds(found, intervals.union(set(found) & set(other)))  # likely, unlike two sets drawn by chance


@settings(deadline=None)
@given(pieces, pieces, st.lists(st.integers(0, 50), max_size=2, unique=True), pieces | st.just([]))
def test_a_video_is_measured_second_by_second(seen, countable, quizzes, held):
    """Against sets of seconds; what is countable or held has been seen, also where only the one was told."""
    video = Video("v", 50, tuple(seen), tuple(countable), tuple(Quiz(at, None) for at in quizzes), tuple(held))
    found, first = measure(video), min(quizzes, default=50)
    inside, counted = (members(told) & set(range(50)) for told in ((*seen, *countable, *held), countable))
    waiting = members(held) & set(range(50)) - counted
    assert (found.held, found.held_before_quiz) == (len(waiting), len(waiting & set(range(first))))
    assert (found.seen, found.countable, found.first_quiz_at) == (len(inside), len(counted), first)
    assert found.seen_before_quiz == len(inside & set(range(first)))
    assert found.countable_before_quiz == len(counted & set(range(first)))
