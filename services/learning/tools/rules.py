"""Pure rules of the study tools: what may stand in a text, who sees it, and the tokens it is found by; no I/O."""

from __future__ import annotations

import enum
import hashlib
import unicodedata
import uuid

# Our limits: a note is a page, not a book, and no course drowns in one person's words.
TEXT_LENGTH = 4000
NOTES_PER_COURSE = 500
QUESTIONS_PER_COURSE = 100
BOOKMARKS_PER_COURSE = 500
ANSWERS_PER_QUESTION = 50
NOTICES_PER_COURSE = 500
SHORTEST_SEARCH = 2


class Kind(enum.StrEnum):
    NOTE = "NOTE"
    QUESTION = "QUESTION"
    ANSWER = "ANSWER"
    NOTICE = "NOTICE"


class Visibility(enum.StrEnum):
    OWN = "OWN"  # the author alone
    COURSE = "COURSE"  # everybody who is enrolled, and the tutor
    HIDDEN = "HIDDEN"  # taken out by the tutor: the author and the tutor


LIMITS = {
    Kind.NOTE: NOTES_PER_COURSE,
    Kind.QUESTION: QUESTIONS_PER_COURSE,
    Kind.ANSWER: ANSWERS_PER_QUESTION,
    Kind.NOTICE: NOTICES_PER_COURSE,
}
# Controls, surrogates and what turns the reading direction; a line break and a tab are part of a text.
_REFUSED = frozenset({"Cc", "Cs", "Co"})
_DIRECTION = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def is_plain_text(text: str) -> bool:
    """Whether the text reads as it is written. Markup is not forbidden: it stays the characters that it is."""
    return all(
        character in "\n\t" or (unicodedata.category(character) not in _REFUSED and character not in _DIRECTION)
        for character in text
    )


def folded(text: str) -> str:
    """As texts are compared: full and half width alike, small letters, one space for any white space."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def tokens(scope: uuid.UUID, text: str) -> list[int]:
    """Every pair of neighbouring characters of the text, bound to the scope in which it may be found.

    Chinese has no spaces to cut at, and PostgreSQL without extensions no trigrams: pairs find every substring of two
    characters or more, by equality, from the ordinary index on arrays. Bound to the course (or, for what is the author's
    alone, to the author) a pair finds the few texts that may be seen, however often the nation writes it.
    """
    line = folded(text)
    pairs = {line[at : at + 2] for at in range(len(line) - 1)}
    return sorted(_token(scope, pair) for pair in pairs)


def _token(scope: uuid.UUID, pair: str) -> int:
    digest = hashlib.blake2b(pair.encode(), key=scope.bytes, digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def scope_of(visibility: str, course_id: uuid.UUID, author_id: uuid.UUID) -> uuid.UUID:
    """Where a text is found: in its course, or by its author alone."""
    return course_id if visibility == Visibility.COURSE else author_id
