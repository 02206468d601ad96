"""Identity documents: form, check digit, birth date, masking."""

from __future__ import annotations

import datetime as dt
import enum
import operator
import re

# GB 11643-1999, vectors in `domain.md` §2.6.
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_CHARACTERS = "10X98765432"
# First two digits of GB/T 2260 (`domain.md` §2.6, [E19b]). Only the province is checked: the county must have existed at
# some time, not today, and no complete list of abolished counties is at hand.
PROVINCES = frozenset(
    str(code)
    for first, last in ((11, 15), (21, 23), (31, 37), (41, 46), (50, 54), (61, 65))
    for code in range(first, last + 1)
) | {"71", "81", "82"}
# Residence permits of Hong Kong, Macao and Taiwan residents (港澳台居民居住证) use these six digits in place of a region.
PERMIT_REGIONS = frozenset({"810000", "820000", "830000"})

EIGHTEEN = re.compile(r"[0-9]{17}[0-9X]", re.ASCII)
FIFTEEN = re.compile(r"[0-9]{15}", re.ASCII)
PASSPORT = re.compile(r"[A-Z0-9]{5,20}", re.ASCII)


class IdType(enum.StrEnum):
    RESIDENT_ID = "RESIDENT_ID"  # 居民身份证
    RESIDENCE_PERMIT = "RESIDENCE_PERMIT"  # 港澳台居民居住证
    PASSPORT = "PASSPORT"


class Gender(enum.StrEnum):
    """GB/T 2261.1."""

    UNKNOWN = "0"
    MALE = "1"
    FEMALE = "2"
    NOT_STATED = "9"


# What Chinese keyboards type for digits and letters when they are set to full width, and the blanks between groups.
_AS_ASCII = {
    code: code - 0xFEE0 for first, last in ("０９", "ＡＺ", "ａｚ") for code in range(ord(first), ord(last) + 1)
}
_BLANKS = dict.fromkeys(map(ord, " \u00a0\u3000"))
_PLAIN = _AS_ASCII | _BLANKS


def normalised_id_no(text: str) -> str:
    """The number as it is stored and compared: no blanks, full-width digits and letters as plain ones, `x` as `X`."""
    # Not str.upper alone: "ß" becomes two letters, "ı" another one; what is no ASCII letter is refused as it stands.
    if text.isascii() and text.isalnum():
        return text.upper()
    plain = text.translate(_PLAIN)
    return "".join(character.upper() if character.isascii() else character for character in plain)


def check_character(first_seventeen: str) -> str:
    """The 18th character that belongs to the first 17 digits."""
    total = sum(map(operator.mul, map(int, first_seventeen), WEIGHTS))
    return CHECK_CHARACTERS[total % 11]


def birth_date(id_no: str) -> dt.date | None:
    """The date in an 18-character number, None when there is no such day."""
    try:
        return dt.date(int(id_no[6:10]), int(id_no[10:12]), int(id_no[12:14]))
    except ValueError:
        return None


def gender_of(id_type: IdType, id_no: str) -> Gender:
    """Odd sequence male, even female; a passport number says nothing."""
    if id_type is IdType.PASSPORT:
        return Gender.UNKNOWN
    return Gender.MALE if int(id_no[16]) % 2 else Gender.FEMALE


def id_no_problem(id_type: IdType, id_no: str, today: dt.date) -> str:
    """The error code of a normalised number that cannot be right, or "". `today` is the Beijing day."""
    if id_type is IdType.PASSPORT:
        return "" if PASSPORT.fullmatch(id_no) else "identity.id_no_form"
    if FIFTEEN.fullmatch(id_no):
        return "identity.id_no_fifteen_digits"
    if not EIGHTEEN.fullmatch(id_no):
        return "identity.id_no_form"
    if not _is_region(id_type, id_no):
        return "identity.id_no_region"
    born_on = birth_date(id_no)
    if born_on is None or born_on > today:
        return "identity.id_no_birth_date"
    return "" if check_character(id_no[:17]) == id_no[17] else "identity.id_no_check_digit"


def masked_id_no(id_no: str) -> str:
    """`4401**********0014` (`domain.md` part 6); anything shorter shows its last two characters only."""
    if len(id_no) == 18:
        return f"{id_no[:4]}{'*' * 10}{id_no[14:]}"
    return "*" * (len(id_no) - 2) + id_no[-2:]


def _is_region(id_type: IdType, id_no: str) -> bool:
    if id_type is IdType.RESIDENCE_PERMIT:
        return id_no[:6] in PERMIT_REGIONS
    return id_no[:2] in PROVINCES
