"""Pure rules of schools: codes, where a school may stand, how it is found by name; no I/O."""

from __future__ import annotations

import re
import uuid

from services.org.contract import OTHER, Attachment, Level, SchoolKind, SchoolState, SchoolType
from services.shared.errors import Conflict, InvalidInput

# Kinds and provinces of the school code AABBCCCCCC (`domain.md` §2.6; MOE coding rules of 2010).
CODE_KINDS = frozenset({"11", "21", "22", "31", "32", "33", "34", "35", "36", "37", "41", "42", "51", "91", "92", "93"})
CODE_PROVINCES = frozenset(
    str(number)
    for span in ((11, 15), (21, 23), (31, 37), (41, 46), (50, 54), (61, 65))
    for number in range(span[0], span[1] + 1)
) | {"71", "81", "82"}
_CODE = re.compile(r"[0-9]{10}")
# Which kinds of code a school of this type may carry: the first two digits of the type's own number in the education
# statistics (211 primary, 312 nine-year, 341 complete, 345 twelve-year), which the coding rules take over. [K]
CODE_KINDS_OF_TYPE: dict[SchoolType, frozenset[str]] = {
    SchoolType.KINDERGARTEN: frozenset({"11"}),
    SchoolType.PRIMARY: frozenset({"21", "22"}),
    SchoolType.PRIMARY_FIVE: frozenset({"21", "22"}),
    SchoolType.MIDDLE: frozenset({"31", "33"}),
    SchoolType.MIDDLE_FOUR: frozenset({"31", "33"}),
    SchoolType.NINE_YEAR: frozenset({"31"}),
    SchoolType.HIGH: frozenset({"34", "35"}),
    SchoolType.COMPLETE: frozenset({"34"}),
    SchoolType.TWELVE_YEAR: frozenset({"34"}),
    SchoolType.VOCATIONAL: frozenset({"32", "36", "93"}),
    SchoolType.SPECIAL: frozenset({"51", "37"}),
    SchoolType.OTHER: CODE_KINDS,
}
ATTACHMENT_UNDER = {
    Level.PROVINCE: Attachment.PROVINCE_DIRECT,
    Level.CITY: Attachment.CITY_DIRECT,
    Level.COUNTY: Attachment.COUNTY,
}
# 其他 is found again by every import of the divisions, so its id follows from the county's code.
_OTHER_SCHOOLS = uuid.UUID("0f1d1a2e-3a33-5d0c-9b7e-6f1f6a5c5b10")
OPEN_TO_TEACHERS = frozenset({SchoolState.ACTIVE})


def require_school_code(code: str, division_code: str) -> None:
    """Check structure and province; there is no check digit.

    Raises InvalidInput: "org.school_code_invalid", or "org.school_code_elsewhere" for another province's code.
    """
    if not _CODE.fullmatch(code) or code[:2] not in CODE_KINDS or code[2:4] not in CODE_PROVINCES:
        raise InvalidInput("org.school_code_invalid", "code")
    if code[2:4] != division_code[:2]:
        raise InvalidInput("org.school_code_elsewhere", "code")


def code_kinds_of(kind: SchoolKind, school_type: SchoolType) -> frozenset[str]:
    """The kinds of code that such a unit may carry; institutions carry whatever they were given."""
    return CODE_KINDS_OF_TYPE[school_type] if kind is SchoolKind.BASIC_EDUCATION else CODE_KINDS


def require_code_fits(code: str, kind: SchoolKind, school_type: SchoolType) -> None:
    """Raises InvalidInput("org.school_code_kind") for, say, a kindergarten's code on a primary school."""
    if code[:2] not in code_kinds_of(kind, school_type):
        raise InvalidInput("org.school_code_kind", "code")


def attachment_under(level: Level) -> Attachment:
    """To whom a school under a division of this level is attached. Raises InvalidInput("org.school_needs_county")."""
    try:
        return ATTACHMENT_UNDER[level]
    except KeyError:
        raise InvalidInput("org.school_needs_county", "division_code") from None


def place_of_school(parent: str, school_id: uuid.UUID) -> str:
    return f"{parent}/s{school_id.hex}"


def place_of_other(parent: str) -> str:
    return f"{parent}/{OTHER}"


def id_of_other(division_code: str) -> uuid.UUID:
    return uuid.uuid5(_OTHER_SCHOOLS, division_code)


def is_other(place: str) -> bool:
    """Whether this is the place of a pseudo-school 其他."""
    return place.endswith(f"/{OTHER}")


def parent_of(place: str) -> str:
    return place.rpartition("/")[0]


def require_open(state: SchoolState) -> None:
    """Raises Conflict("org.school_closed") for a school that takes no teachers."""
    if state not in OPEN_TO_TEACHERS:
        raise Conflict("org.school_closed", "school_id")


def mask_name(name: str) -> str:
    """`王**`: the first character, and a star for each other one, three at most."""
    return name[:1] + "*" * min(3, max(0, len(name) - 1))


def mask_mobile(mobile: str) -> str:
    """`138****1234`: enough to recognise a number that one knows."""
    return f"{mobile[:3]}****{mobile[-4:]}"
