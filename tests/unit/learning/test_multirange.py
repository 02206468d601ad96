"""The range algebra, held against Python's own sets."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from services.learning.study.rules import multirange
from services.learning.study.rules.multirange import Ranges

pairs = st.lists(st.tuples(st.integers(-5, 40), st.integers(-5, 40)), max_size=8)


def numbers(ranges: Ranges) -> set[int]:
    return {number for begin, end in ranges for number in range(begin, end)}


def is_canonical(ranges: Ranges) -> bool:
    inside = all(begin < end for begin, end in ranges)
    return inside and all(left[1] < right[0] for left, right in itertools.pairwise(ranges))


@given(pairs)
def test_normalise_keeps_the_numbers_and_is_canonical(given_pairs):
    ranges = multirange.normalise(given_pairs)
    assert numbers(ranges) == numbers(tuple(given_pairs))
    assert is_canonical(ranges)


@given(pairs, pairs)
def test_operations_agree_with_sets(left_pairs, right_pairs):
    left, right = multirange.normalise(left_pairs), multirange.normalise(right_pairs)
    for operation, expected in [
        (multirange.union, numbers(left) | numbers(right)),
        (multirange.intersection, numbers(left) & numbers(right)),
        (multirange.subtraction, numbers(left) - numbers(right)),
    ]:
        result = operation(left, right)
        assert numbers(result) == expected
        assert is_canonical(result)


@given(pairs, st.integers(-5, 40), st.integers(-5, 40))
def test_clip_total_contains(given_pairs, begin, end):
    ranges = multirange.normalise(given_pairs)
    assert numbers(multirange.clip(ranges, begin, end)) == {n for n in numbers(ranges) if begin <= n < end}
    assert multirange.total(ranges) == len(numbers(ranges))
    assert multirange.contains(ranges, begin) == (begin in numbers(ranges))


@given(pairs, st.integers(0, 60))
def test_last_takes_the_greatest(given_pairs, amount):
    ranges = multirange.normalise(given_pairs)
    greatest = sorted(numbers(ranges))[len(numbers(ranges)) - min(amount, len(numbers(ranges))) :]
    assert numbers(multirange.last(ranges, amount)) == set(greatest)
