"""What teachers browse: orders of the list, reasons of a recommendation, refusals."""

from __future__ import annotations

import enum
from typing import Final

MOST_STARS: Final = 5


class Order(enum.StrEnum):
    """How a list is ordered (S3:731: 最新上线, 热门, 同学科老师报读, 好评)."""

    NEWEST = "NEWEST"
    POPULAR = "POPULAR"
    PEERS = "PEERS"  # chosen by teachers of the subject asked for
    RATED = "RATED"


class Reason(enum.StrEnum):
    """Why a course is recommended (S3:686: hours, subject, segment)."""

    HOURS_MISSING = "HOURS_MISSING"  # its hour type is what the year still wants
    SUBJECT = "SUBJECT"
    SEGMENT = "SEGMENT"
    PEERS = "PEERS"
    RATED = "RATED"
    POPULAR = "POPULAR"
    NEW = "NEW"


REASON_TEXTS: Final[dict[Reason, tuple[str, str]]] = {
    Reason.HOURS_MISSING: ("可补足本年度所缺学时", "Its hours are of the kind your year still lacks"),
    Reason.SUBJECT: ("与您任教的学科一致", "For the subject you teach"),
    Reason.SEGMENT: ("与您任教的学段一致", "For the stage you teach"),
    Reason.PEERS: ("同学科老师报读", "Chosen by teachers of your subject"),
    Reason.RATED: ("好评课程", "Well rated by those who passed it"),
    Reason.POPULAR: ("热门课程", "Chosen by many"),
    Reason.NEW: ("最新上线", "New in this period"),
}

ERRORS: Final[dict[str, tuple[str, str]]] = {
    "catalog.subject_needed": ("请指明学科", "Say which subject"),
    "catalog.not_passed": ("通过本课程后才能评分", "Only those who have passed the course rate it"),
}
