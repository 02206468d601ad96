"""The teacher's profile: completeness, subjects, what verification locks, which identity may be taken on."""

from __future__ import annotations

import enum
import unicodedata
from collections.abc import Collection, Mapping

# Name and number are the keys of the person: once the school has vouched for them they stay (`domain.md` §3.2, [S0:176]).
LOCKED_WHEN_VERIFIED = ("name", "id_type", "id_no")
VERIFIED = "VERIFIED"

NEEDED = ("name", "id_type", "id_no", "segment", "subject")

# Everything a profile holds, "" for what is not filled in.
EMPTY = {
    "name": "",
    "id_type": "",
    "id_no": "",
    "gender": "0",
    "segment": "",
    "subject": "",
    "birth_date": "",
    "ethnicity": "",
    "title": "",
    "post_category": "",
    "employed_since": "",
    "email": "",
    "address": "",
    "nickname": "",
}

KINDERGARTEN_SUBJECT = "幼教"  # domain.md §2.1, [S3:1050]: the only subject of that segment
SUBJECT_LENGTH = 30

ID_REFUSALS_PER_DAY = 10  # ours: enough for typing errors, too few to search for other people's numbers


class Identity(enum.StrEnum):
    TEACHER = "TEACHER"
    STUDENT = "STUDENT"
    GUARDIAN = "GUARDIAN"


class Segment(enum.StrEnum):
    """任教学段."""

    KINDERGARTEN = "KINDERGARTEN"
    PRIMARY = "PRIMARY"
    MIDDLE = "MIDDLE"
    HIGH = "HIGH"
    VOCATIONAL = "VOCATIONAL"
    SPECIAL = "SPECIAL"


# As rosters write them (`domain.md` §2.1).
SEGMENT_NAMES = {
    "幼儿园": Segment.KINDERGARTEN,
    "小学": Segment.PRIMARY,
    "初中": Segment.MIDDLE,
    "高中": Segment.HIGH,
    "中职": Segment.VOCATIONAL,
    "特教": Segment.SPECIAL,
}


def segment_of(text: str) -> Segment | None:
    """The segment that a roster names, by its code or in Chinese."""
    if text in SEGMENT_NAMES:
        return SEGMENT_NAMES[text]
    return Segment(text) if text in Segment.__members__ else None


def subject_for(segment: str, subject: str) -> str:
    """The subject to keep: kindergarten teachers need not type theirs."""
    return KINDERGARTEN_SUBJECT if segment == Segment.KINDERGARTEN and not subject else subject


def subject_problem(segment: str, subject: str) -> str:
    """The error code of a subject that cannot stand beside this segment, or ""."""
    if segment == Segment.KINDERGARTEN and subject not in ("", KINDERGARTEN_SUBJECT):
        return "identity.subject_kindergarten"
    # Letters, digits and the signs in 道德与法治（思政）, 音乐/美术, Design & Technology; nothing a formula starts with.
    legible = all(unicodedata.category(character)[0] in "LMN" or character in "（）()/、·& " for character in subject)
    return "" if legible and len(subject) <= SUBJECT_LENGTH else "identity.subject_form"


def is_complete(profile: Mapping[str, str | None]) -> bool:
    """Whether everything that enrolment needs is filled in."""
    return all(map(profile.get, NEEDED))


def may_become(held: Collection[str], wanted: Identity) -> bool:
    """Whether an account may act as `wanted` from now on.

    Students and guardians may become teachers (`domain.md` §3.22, [S0:152-170]); the other way only back to what they were.
    """
    return wanted in held or wanted is Identity.TEACHER
