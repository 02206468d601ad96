"""Rules of the study tools: plain text, and the tokens by which a text is found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.learning.tools import rules
from services.shared.ids import new_id

COURSE, AUTHOR = new_id(), new_id()


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("第一行\n第二行\t缩进", True),
        ("<b>不是标记，只是字符</b>", True),
        ("零\u0000字节", False),
        ("改变\u202e方向", False),
        ("响铃\u0007", False),
    ],
)
def test_what_is_plain_text(text, plain):
    assert rules.is_plain_text(text) is plain


@given(st.text(min_size=2, max_size=60), st.data())
def test_every_part_of_a_text_of_two_characters_or_more_is_found(text, data):
    line = rules.folded(text)
    if len(line) < 2:
        return
    begin = data.draw(st.integers(0, len(line) - 2))
    part = line[begin : data.draw(st.integers(begin + 2, len(line)))]
    wanted = rules.tokens(COURSE, part)
    if len(rules.folded(part)) >= 2:
        assert set(wanted) <= set(rules.tokens(COURSE, text))


def test_widths_and_letters_are_alike():
    assert rules.tokens(COURSE, "ＡＩ 教学") == rules.tokens(COURSE, "ai  教学")


def test_another_scope_finds_nothing():
    assert not set(rules.tokens(COURSE, "分层作业")) & set(rules.tokens(AUTHOR, "分层作业"))
    assert rules.scope_of("COURSE", COURSE, AUTHOR) == COURSE
    assert rules.scope_of("OWN", COURSE, AUTHOR) == rules.scope_of("HIDDEN", COURSE, AUTHOR) == AUTHOR
