"""What a text is found by: its single characters and pairs, in an array that has an index.

Row security makes a pattern search read every row, and Chinese has no words to index; sets of pairs have an index.
"""

from __future__ import annotations


def tokens_of(text: str) -> list[str]:
    """Single characters and pairs of a text, for finding it by any part."""
    folded = text.casefold()
    return sorted(set(folded) | {folded[index : index + 2] for index in range(len(folded) - 1)})


def tokens_of_search(part: str) -> list[str]:
    """The tokens that a text holding `part` must have: its pairs, or the one character."""
    folded = part.casefold()
    return [folded] if len(folded) == 1 else sorted({folded[index : index + 2] for index in range(len(folded) - 1)})
