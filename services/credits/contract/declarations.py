"""Hours that teachers declare: value sets, events, refusals (`domain.md` §3.16)."""

from __future__ import annotations

import enum
from typing import Final

from marshmallow import Schema, fields

# Ours: what proves a training is a few pages.
ATTACHMENTS_AT_MOST: Final = 10
ATTACHMENT_BYTES: Final = 10 * 1024 * 1024
ATTACHMENT_TYPES: Final = ("application/pdf", "image/jpeg", "image/png")

DECLARATION_CHANGED: Final = "credits.declaration_changed"


class DeclarationState(enum.StrEnum):
    DRAFT = "DRAFT"
    FIRST_REVIEW = "FIRST_REVIEW"
    FINAL_REVIEW = "FINAL_REVIEW"
    RETURNED = "RETURNED"
    APPROVED = "APPROVED"
    WITHDRAWN = "WITHDRAWN"
    VOIDED = "VOIDED"


class DeclaredKind(enum.StrEnum):
    """What was done (`domain.md` §4.3 GX.SOURCES, GX.PROBATION); it is the ledger entry's source kind."""

    DECLARATION = "DECLARATION"  # training outside the platform
    RESEARCH = "RESEARCH"
    DEGREE = "DEGREE"
    TRAINER = "TRAINER"
    ENTERPRISE = "ENTERPRISE"
    PUBLIC_COURSE = "PUBLIC_COURSE"
    PROBATION = "PROBATION"  # of a new teacher's first year: registered, and counted in no cycle


class DeclarationChanged(Schema):
    """A declaration was decided: returned, approved or voided; for whoever tells the teacher."""

    declaration_id = fields.UUID(required=True)
    teacher_id = fields.UUID(required=True)
    version = fields.Integer(required=True)
    state = fields.String(required=True)
    round = fields.Integer(required=True)


EVENTS: Final[dict[str, type[Schema]]] = {DECLARATION_CHANGED: DeclarationChanged}

ERRORS: Final[dict[str, tuple[str, str]]] = {
    "credits.declaration_unknown": ("没有这项学时申报。", "There is no such declaration of hours."),
    "credits.declaration_state": (
        "该申报当前的状态不允许此操作。",
        "The declaration is not in a state that allows this.",
    ),
    "credits.declaration_own": ("不能审核本人的申报。", "Nobody reviews a declaration of their own."),
    "credits.declaration_same_reviewer": (
        "初审与终审须由不同人员进行。",
        "The first and the final review are two people's.",
    ),
    "credits.declaration_year": (
        "只能申报本年度或上一年度的学时。",
        "Hours are declared for this year or the one before.",
    ),
    "credits.declaration_late": (
        "该年度的学时录入已截止；如有遗漏，请在年度验证后投诉。",
        "Hours of this year are not entered any more; what is missing goes through a complaint about its verification.",
    ),
    "credits.declaration_dates": (
        "培训日期不正确：结束日期须在申报年度内，且不晚于今天。",
        "The dates are wrong: the training ends in the declared year, not after today, and not before it begins.",
    ),
    "credits.declaration_text": ("内容含有不允许的字符。", "The text holds characters that such texts do not have."),
    "credits.declaration_hours": (
        "学时须大于0且不超过500，最多两位小数。",
        "Hours are more than 0 and at most 500, with two places at most.",
    ),
    "credits.item_needed": (
        "此类成果按所在地的认定表认定，请选择表中的项目并填写数量。",
        "This kind is paid by the table of your place: name the activity of the table and how much of it.",
    ),
    "credits.item_no_table": (
        "所在地没有活动认定表，请按学时申报。",
        "Your place has no table of activities; declare hours.",
    ),
    "credits.item_kind": (
        "该项目不属于所选的申报类别。",
        "The activity is declared as another kind of evidence.",
    ),
    "credits.item_too_little": (
        "数量不足，按认定表不能获得学分。",
        "So little of the activity earns nothing by the table.",
    ),
    "credits.item_table_gone": (
        "教师现所在地不再按该认定表认定，请退回重新申报。",
        "The place where the teacher is now does not pay by this table; return the declaration.",
    ),
    "credits.attachment_form": (
        "请上传 10 MB 以内的 PDF、JPEG 或 PNG 文件。",
        "Upload a PDF, JPEG or PNG file of at most 10 MB.",
    ),
    "credits.attachments_full": ("每次申报最多 10 个附件。", "A declaration carries ten files at most."),
    "credits.attachment_unknown": ("没有这个附件。", "There is no such file."),
    "credits.not_verified": (
        "学校审核通过后才能申报学时。",
        "Hours can be declared once your school has verified you.",
    ),
    "credits.too_many_declarations": (
        "本年度的申报已达上限。",
        "There are too many declarations for this year.",
    ),
}
