"""Fields that several services share."""

from __future__ import annotations

import pytest

from services.shared.fields import is_plain_line


@pytest.mark.parametrize("text", ["", "张雅琴", "阿卜杜勒·买买提", "𠮷田", "No. 1 School", "e\u0301"])
def test_names_as_they_are_written(text: str) -> None:
    assert is_plain_line(text)


@pytest.mark.parametrize("character", ["\x00", "\n", "\t", "\x7f", "\ud800", "\u2028", "\u2029", "\u202e", "\u2066"])
def test_what_no_line_may_hold(character: str) -> None:
    assert not is_plain_line(f"张{character}三")
