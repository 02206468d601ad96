"""Phones and names: their forms, and how they look to others."""

from __future__ import annotations

import re
import unicodedata

PHONE = re.compile(r"1[3-9][0-9]{9}", re.ASCII)
PREFIX = re.compile(r"(\+|00)?86(?=1[0-9]{10}$)", re.ASCII)
SEPARATORS = str.maketrans("", "", " -\u00a0")

NAME_LENGTH = (2, 60)
# Names of many peoples are joined by a dot: U+00B7 in official registers, and the others are typed for it. Latin names
# are joined by space, hyphen, apostrophe and full stop.
DOT = "·"
TYPED_DOTS = "•‧∙⋅・･"
NAME_JOINTS = frozenset("·•‧・ .-'’")
_DOTS = re.compile(rf"[ \u00a0\u3000]*[{DOT}{TYPED_DOTS}][ \u00a0\u3000]*")
_BLANKS = re.compile(r"[ \u00a0\u3000]+")


def normalised_phone(text: str) -> str:
    """Eleven digits of a number typed with blanks, hyphens or the country code; else the text without those."""
    if PHONE.fullmatch(text):
        return text
    compact = text.strip().translate(SEPARATORS)
    return PREFIX.sub("", compact)


def is_mainland_mobile(phone: str) -> bool:
    """Whether this is a normalised mainland mobile number (1, then 3 to 9, then nine digits)."""
    return PHONE.fullmatch(phone) is not None


def masked_phone(phone: str) -> str:
    """`138****8000` (`domain.md` part 6)."""
    return f"{phone[:3]}****{phone[-4:]}"


def masked_email(address: str) -> str:
    """`z***@example.com`."""
    name, _, domain = address.rpartition("@")
    return f"{name[:1]}***@{domain}"


def normalised_name(text: str) -> str:
    """The name as it is kept: no surrounding blanks, dots as registers write them, one blank where there are several.

    Between Chinese characters blanks are dropped: rosters pad names of two characters (`张　三`). Everything else stays
    character by character.
    """
    if text.isalpha():  # no blank and no joint
        return text
    dotted = _DOTS.sub(DOT, text.strip(" \u00a0\u3000"))
    parts = _BLANKS.split(dotted)
    joined = parts[0]
    for part in parts[1:]:
        joined += part if _is_ideograph(joined[-1:]) and _is_ideograph(part[:1]) else f" {part}"
    return joined


def name_key(name: str) -> str:
    """What a name is looked for by: without joints, case and width, so that `阿依古丽买买提` finds `阿依古丽·买买提`."""
    folded = unicodedata.normalize("NFKC", normalised_name(name)).casefold()
    return "".join(character for character in folded if character not in NAME_JOINTS)


def is_name(name: str) -> bool:
    """Letters of any script and the joints above, two to sixty characters, not led or ended by a joint."""
    if not NAME_LENGTH[0] <= len(name) <= NAME_LENGTH[1]:
        return False
    if name[0] in NAME_JOINTS or name[-1] in NAME_JOINTS - {"."}:
        return False
    return name.isalpha() or all(character in NAME_JOINTS or _is_letter(character) for character in name)


def masked_name(name: str) -> str:
    """The first character, and a star for each other one, three at most: 张*."""
    return name[:1] + "*" * len(name[1:4])


def _is_ideograph(character: str) -> bool:
    if not character:
        return False
    return "\u3400" <= character <= "\u9fff" or "\uf900" <= character <= "\ufaff" or _is_supplementary(character)


def _is_letter(character: str) -> bool:
    return unicodedata.category(character)[0] in "LM" or _is_supplementary(character)


def _is_supplementary(character: str) -> bool:
    # Planes 2 and 3 are all ideographs; Python's tables are years behind the extensions that registers use.
    return 0x20000 <= ord(character) <= 0x3FFFD
