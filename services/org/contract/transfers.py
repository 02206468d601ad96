"""Transfers of teachers between schools (`domain.md` §3.3), and the holds that stand in their way (§3.13)."""

from __future__ import annotations

import enum
from typing import Final

from marshmallow import Schema, fields

TRANSFER_CHANGED: Final = "org.transfer_changed"
HOLD_CHANGED: Final = "org.hold_changed"


class TransferState(enum.StrEnum):
    """`domain.md` §3.3; NONE is the absence of a row."""

    PENDING = "PENDING"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    WITHDRAWN = "WITHDRAWN"


class TransferLevel(enum.StrEnum):
    """Who decides: the level of the lowest place that lies above both schools."""

    DISTRICT = "DISTRICT"
    CITY = "CITY"
    PROVINCE = "PROVINCE"
    NATION = "NATION"


class HoldKind(enum.StrEnum):
    SPECIAL_USER = "SPECIAL_USER"  # 特殊用户: an unpaid city course after its due date
    CITY_ARREARS = "CITY_ARREARS"  # 市级往期选课未缴费
    DISTRICT_ARREARS = "DISTRICT_ARREARS"  # 区级往期选课未缴费


class HoldState(enum.StrEnum):
    ACTIVE = "ACTIVE"
    LIFTED = "LIFTED"


class HoldEvidence(enum.StrEnum):
    """What was shown to the one who lifted a hold."""

    ID_DOCUMENT = "ID_DOCUMENT"  # 本人有效证件
    STAMPED_LETTER = "STAMPED_LETTER"  # 盖有学校公章的证明
    STAFF_ID = "STAFF_ID"  # 经办人证件, of the school's staff who clears for many
    STAMPED_APPLICATION = "STAMPED_APPLICATION"  # 盖章的集体申请, naming period, course and reason, with the list


class TransferChanged(Schema):
    """Where a transfer stands now; `decided_at` is null while it waits."""

    transfer_id = fields.UUID(required=True)
    version = fields.Integer(required=True)
    teacher_id = fields.UUID(required=True)
    state = fields.Enum(TransferState, required=True)
    level = fields.Enum(TransferLevel, required=True)
    from_school_id = fields.UUID(required=True)
    from_school_name = fields.String(required=True)
    from_place = fields.String(required=True)
    to_school_id = fields.UUID(required=True)
    to_school_name = fields.String(required=True)
    to_place = fields.String(required=True)
    requested_at = fields.AwareDateTime(required=True)
    decided_at = fields.AwareDateTime(required=True, allow_none=True)


class HoldChanged(Schema):
    """Whether something unpaid or unsettled holds a teacher. `occurrence` counts how often this kind came (W36)."""

    hold_id = fields.UUID(required=True)
    version = fields.Integer(required=True)
    teacher_id = fields.UUID(required=True)
    kind = fields.Enum(HoldKind, required=True)
    state = fields.Enum(HoldState, required=True)
    occurrence = fields.Integer(required=True)
    place = fields.String(required=True)


EVENTS: Final[dict[str, type[Schema]]] = {TRANSFER_CHANGED: TransferChanged, HOLD_CHANGED: HoldChanged}

ERRORS: Final[dict[str, tuple[str, str]]] = {
    "org.learner_no_unknown": (
        "没有此继续教育学号。尚无学号的教师请用“添加教师”。",
        "There is no such learner number. A teacher without one is added, not transferred.",
    ),
    "org.transfer_same_school": ("该教师已在本校。", "This teacher belongs to this school already."),
    "org.transfer_unverified": (
        "只有已认证教师可以调动；其他教师可自行选择学校或由学校添加。",
        "Only a verified teacher is transferred; others choose the school themselves, or are added to it.",
    ),
    "org.transfer_special_user": (
        "该教师是特殊用户，须先到市级培训中心消除。",
        "This teacher is a special user: the city training centre has to clear that first.",
    ),
    "org.transfer_arrears": (
        "该教师有往期选课未缴费记录，须先由收费单位处理。",
        "This teacher has an unpaid selection of an earlier period; the charging institution has to settle it first.",
    ),
    "org.transfer_open": (
        "该教师已有待审批的调动申请。",
        "A transfer of this teacher is waiting for its decision already.",
    ),
    "org.transfer_unknown": ("没有这份调动申请。", "There is no such transfer."),
    "org.transfer_decided": ("该调动申请已经办结。", "This transfer has been decided already."),
    "org.transfer_other_level": ("该调动不由您这一级审批。", "This transfer is decided at another level than yours."),
    "org.transfer_own_request": ("不能审批自己提出的申请。", "Nobody decides what he asked for himself."),
    "org.transfer_overtaken": (
        "申请提出后该教师的任职情况已变化，请撤回后重新申请。",
        "The teacher's membership has changed since the request; withdraw it and ask again.",
    ),
    "org.hold_exists": ("该教师已有此类限制。", "Such a hold is on this teacher already."),
    "org.hold_unknown": ("没有这条限制记录。", "There is no such hold."),
    "org.hold_lifted": ("该限制已经解除。", "This hold has been lifted already."),
    "org.hold_elsewhere": (
        "该类限制不由您的机构设置或解除。",
        "A hold of this kind is not your institution's to place or lift.",
    ),
    "org.hold_evidence": (
        "材料不全：首次凭本人有效证件，再次还须盖有学校公章的证明；集体办理凭经办人证件和盖章申请。",
        (
            "Evidence is missing: a valid ID the first time, the ID and a stamped letter of the school from the second"
            " on; for many at once the staff member's ID and a stamped application."
        ),
    ),
}
