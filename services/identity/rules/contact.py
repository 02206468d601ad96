"""Phones and names: their forms, and how they look to others."""

from __future__ import annotations

import re
import unicodedata

PHONE = re.compile(r"1[3-9][0-9]{9}", re.ASCII)
PREFIX = re.compile(r"(\+|00)?86(?=1[0-9]{10}$)", re.ASCII)
SEPARATORS = str.maketrans("", "", " -\u00a0")

NAME_LENGTH = (2, 60)
# Names of many peoples are joined by a dot (U+00B7 in official registers; the others are typed for it), Latin names by
# space, hyphen, apostrophe and full stop.
NAME_JOINTS = frozenset("·•‧・ .-'’")


def normalised_phone(text: str) -> str:
    """Eleven digits of a number typed with blanks, hyphens or the country code; else the text without those."""
    compact = text.strip().translate(SEPARATORS)
    return PREFIX.sub("", compact)


def is_mainland_mobile(phone: str) -> bool:
    """Whether this is a normalised mainland mobile number (1, then 3 to 9, then nine digits)."""
    return PHONE.fullmatch(phone) is not None


def masked_phone(phone: str) -> str:
    """`138****8000` (`domain.md` part 6)."""
    return f"{phone[:3]}****{phone[-4:]}"


def is_name(name: str) -> bool:
    """Letters of any script and the joints above, two to sixty characters, not led or ended by a joint."""
    if not NAME_LENGTH[0] <= len(name) <= NAME_LENGTH[1]:
        return False
    if name[0] in NAME_JOINTS or name[-1] in NAME_JOINTS - {"."}:
        return False
    return all(character in NAME_JOINTS or _is_letter(character) for character in name)


def masked_name(name: str) -> str:
    """The first character, and a star for each other one, three at most: 张*."""
    return name[:1] + "*" * min(3, max(0, len(name) - 1))


def _is_letter(character: str) -> bool:
    # Planes 2 and 3 are all ideographs; Python's tables are years behind the extensions that registers use.
    return unicodedata.category(character)[0] in "LM" or 0x20000 <= ord(character) <= 0x3FFFD
