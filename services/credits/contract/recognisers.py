"""Who recognises hours and credits, of the four levels (`domain.md` §2.4; whoever organises, recognises: S2:150)."""

from __future__ import annotations

import enum
from typing import Final


class Recogniser(enum.StrEnum):
    SCHOOL = "SCHOOL"
    COUNTY = "COUNTY"
    CITY = "CITY"
    PROVINCE = "PROVINCE"


NAMES: Final[dict[Recogniser, tuple[str, str]]] = {
    Recogniser.SCHOOL: ("校级", "school"),
    Recogniser.COUNTY: ("县级", "county"),
    Recogniser.CITY: ("市级", "city"),
    Recogniser.PROVINCE: ("省（自治区）级", "province"),
}


def recogniser_at(place: str) -> Recogniser | None:
    """The level of a place of the tree; None for the nation, and for what the engine recognised by itself.

    By the division's code (GB/T 2260), not by depth: some counties and schools stand directly below a province.
    """
    code = place.rpartition("/")[2]
    if "/" not in place:
        return None
    if len(code) != 6 or not code.isdigit():
        return Recogniser.SCHOOL
    if code.endswith("0000"):
        return Recogniser.PROVINCE
    return Recogniser.CITY if code.endswith("00") else Recogniser.COUNTY
