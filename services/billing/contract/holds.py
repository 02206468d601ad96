"""Holds (`domain.md` §3.13): their kinds, what they block, what is shown to lift them."""

from __future__ import annotations

import enum
from typing import Final

from marshmallow import Schema, fields

HOLD_CHANGED: Final = "billing.hold_changed"

HOLDS_AT_ONCE: Final = 1000  # teachers in one `find_holds`
LIFTED_AT_ONCE: Final = 100  # holds that a school's application lifts


class HoldKind(enum.StrEnum):
    SPECIAL_USER = "SPECIAL_USER"  # 特殊用户: an unpaid city course after its due date, confirmed by the city centre
    CITY_ARREARS = "CITY_ARREARS"  # 市级往期选课未缴费
    DISTRICT_ARREARS = "DISTRICT_ARREARS"  # 区级往期选课未缴费


class HoldState(enum.StrEnum):
    ACTIVE = "ACTIVE"
    LIFTED = "LIFTED"


class Blocked(enum.StrEnum):
    """What a hold keeps a teacher from."""

    SELECTION = "SELECTION"
    TRANSFER = "TRANSFER"


class HoldEvidence(enum.StrEnum):
    """What was shown to the one who lifted a hold."""

    ID_DOCUMENT = "ID_DOCUMENT"  # 本人有效证件
    STAMPED_LETTER = "STAMPED_LETTER"  # 盖有学校公章的证明
    STAFF_ID = "STAFF_ID"  # 经办人证件, of the school's staff who clears for many
    STAMPED_APPLICATION = "STAMPED_APPLICATION"  # 盖章的集体申请, naming period, course and reason, with the list


class RowResult(enum.StrEnum):
    """What became of one row of a decision about many."""

    DONE = "DONE"
    REFUSED = "REFUSED"


class HoldChanged(Schema):
    """Whether something unpaid or unsettled holds a teacher, and what it keeps her from; never why.

    `version` grows by one with each change of the hold; `occurrence` counts how often this kind came (W36).
    """

    hold_id = fields.UUID(required=True)
    version = fields.Integer(required=True)
    teacher_id = fields.UUID(required=True)
    kind = fields.Enum(HoldKind, required=True)
    active = fields.Boolean(required=True)
    occurrence = fields.Integer(required=True)
    blocks = fields.List(fields.Enum(Blocked), required=True)
    place_id = fields.String(required=True)  # of the institution that keeps it


EVENTS: Final[dict[str, type[Schema]]] = {HOLD_CHANGED: HoldChanged}

ERRORS: Final[dict[str, tuple[str, str]]] = {
    "billing.teacher_unknown": ("没有这位教师。", "There is no such teacher."),
    "billing.learner_no_unknown": ("没有此继续教育学号。", "There is no such learner number."),
    "billing.hold_exists": ("该教师已有此类限制。", "Such a hold is on this teacher already."),
    "billing.hold_unknown": ("没有这条限制记录。", "There is no such hold."),
    "billing.hold_lifted": ("该限制已经解除。", "This hold has been lifted already."),
    "billing.hold_elsewhere": (
        "该类限制不由您的机构设置或解除。",
        "A hold of this kind is not your institution's to place or lift.",
    ),
    "billing.hold_evidence": (
        "材料不全：首次凭本人有效证件，再次还须盖有学校公章的证明；集体办理凭经办人证件和盖章申请。",
        (
            "Evidence is missing: a valid ID the first time, the ID and a stamped letter of the school from the second"
            " on; for many at once the staff member's ID and a stamped application."
        ),
    ),
}
