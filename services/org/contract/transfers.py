"""Transfers of teachers between schools (`domain.md` §3.3)."""

from __future__ import annotations

import enum
from typing import Final

from marshmallow import Schema, fields

TRANSFER_CHANGED: Final = "org.transfer_changed"


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


EVENTS: Final[dict[str, type[Schema]]] = {TRANSFER_CHANGED: TransferChanged}

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
}
