"""A page, and whether there is a next one."""

from __future__ import annotations

import pytest

from services.shared.paging import page_of


@pytest.mark.parametrize(
    ("found", "page"),
    [
        ([], {"items": [], "next_cursor": None}),
        ([1, 2], {"items": ["1", "2"], "next_cursor": None}),
        # The third row was asked for only to tell that there is more; the next page begins behind the second.
        ([1, 2, 3], {"items": ["1", "2"], "next_cursor": -2}),
    ],
)
def test_a_row_more_than_asked_for_tells_of_a_next_page(found, page):
    assert page_of(found, 2, str, lambda row: -row) == page
