"""Verification of years and cycles, and complaints about it: value sets, events, refusals (`domain.md` §§2.4, 3.18)."""

from __future__ import annotations

import enum
from typing import Final

from marshmallow import Schema, fields

YEAR_FROZEN: Final = "credits.year_frozen"
COMPLAINT_CHANGED: Final = "credits.complaint_changed"


class RequirementStatus(enum.StrEnum):
    """What the manual's page shows of a requirement."""

    COMPLETED = "COMPLETED"  # 已完成
    STUDYING = "STUDYING"  # 学习中
    INCOMPLETE = "INCOMPLETE"  # 未完成
    NO_REQUIREMENT = "NO_REQUIREMENT"  # 无考核要求
    NOT_STARTED = "NOT_STARTED"  # 未开始


class YearState(enum.StrEnum):
    OPEN = "OPEN"
    FROZEN = "FROZEN"
    REFROZEN = "REFROZEN"  # frozen again after a correction
    FINAL = "FINAL"


class ComplaintState(enum.StrEnum):
    FILED = "FILED"
    ASSIGNED = "ASSIGNED"
    ANSWERED = "ANSWERED"
    CLOSED = "CLOSED"


class ComplaintAbout(enum.StrEnum):
    """What a complaint is about; ours."""

    HOURS_MISSING = "HOURS_MISSING"
    HOURS_WRONG = "HOURS_WRONG"
    TYPE_WRONG = "TYPE_WRONG"
    OTHER = "OTHER"


class YearFrozen(Schema):
    """A teacher's year was frozen, or frozen again; for whoever tells the teacher (F66)."""

    teacher_id = fields.UUID(required=True)
    year = fields.Integer(required=True)
    version = fields.Integer(required=True)
    met = fields.Boolean(required=True)


class ComplaintChanged(Schema):
    """A complaint moved on."""

    complaint_id = fields.UUID(required=True)
    teacher_id = fields.UUID(required=True)
    version = fields.Integer(required=True)
    state = fields.String(required=True)


EVENTS: Final[dict[str, type[Schema]]] = {YEAR_FROZEN: YearFrozen, COMPLAINT_CHANGED: ComplaintChanged}

ERRORS: Final[dict[str, tuple[str, str]]] = {
    "credits.no_scheme": (
        "所在地区尚未采用年度验证规则。",
        "Nobody has adopted rules for yearly verification where the teacher is.",
    ),
    "credits.year_frozen": (
        "该年度的学时学分已锁定；如有异议，请在规定时间内投诉。",
        "The year's figures are frozen; objections go through a complaint inside its window.",
    ),
    "credits.year_open": (
        "该年度尚未锁定，锁定后方可打印验证表。",
        "The year is not frozen yet; its sheet can be printed once it is.",
    ),
    "credits.snapshot_damaged": (
        "该年度的锁定数据与其校验值不符，已停止出具，请联系平台处理。",
        "The frozen figures do not match their hash; they are not handed out. Please contact the platform.",
    ),
    "credits.complaint_window": (
        "当前不在该年度验证结果的投诉期内。",
        "Complaints about this year's verification are not being taken now.",
    ),
    "credits.complaint_unknown": ("没有这项投诉。", "There is no such complaint."),
    "credits.complaint_state": ("该投诉当前的状态不允许此操作。", "The complaint is not in a state that allows this."),
    "credits.complaint_own": ("不能处理本人的投诉。", "Nobody handles a complaint of their own."),
    "credits.complaint_open": (
        "该年度已有一项未办结的投诉。",
        "There is a complaint about this year already that is not closed.",
    ),
    "credits.complaint_reopened": ("投诉只能重新提出一次。", "A complaint can be reopened once."),
    "credits.entry_unknown": ("台账中没有这条记录。", "There is no such entry in the ledger."),
    "credits.entry_reversed": ("该记录已被冲正。", "This entry has been reversed already."),
}
