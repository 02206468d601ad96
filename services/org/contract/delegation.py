"""Authority codes, activation and its progress (`domain.md` §3.8), unit administrators and principals."""

from __future__ import annotations

import enum
from typing import Final

from marshmallow import Schema, fields

AUTHORITY_CODE_CHANGED: Final = "org.authority_code_changed"


class SeatState(enum.StrEnum):
    """How far an expected administrator has come (`domain.md` §3.8)."""

    NOT_GENERATED = "NOT_GENERATED"  # 未生成
    GENERATED = "GENERATED"  # 已生成
    ACTIVATED = "ACTIVATED"  # 已激活
    DISABLED = "DISABLED"  # 已停用


class CodeState(enum.StrEnum):
    """`domain.md` §3.8; NONE is the absence of a row."""

    ISSUED = "ISSUED"
    ACTIVATED = "ACTIVATED"
    VOID = "VOID"
    REVOKED = "REVOKED"


class Ending(enum.StrEnum):
    """Why a code is VOID or REVOKED."""

    EXPIRED = "EXPIRED"
    REVOKED = "REVOKED"
    REGENERATED = "REGENERATED"
    UNIT_ENDED = "UNIT_ENDED"  # the school was merged or closed
    ISSUER_ENDED = "ISSUER_ENDED"  # whoever issued it may no longer give this role there
    GRANT_ENDED = "GRANT_ENDED"


class Channel(enum.StrEnum):
    """How a code was handed out."""

    OFFLINE = "OFFLINE"
    LETTER = "LETTER"
    SMS = "SMS"


class AuthorityCodeChanged(Schema):
    """What became of a code, never the code. `account_id` is who activated it, null before."""

    code_id = fields.UUID(required=True)
    version = fields.Integer(required=True)
    role = fields.String(required=True)
    place = fields.String(required=True)
    state = fields.Enum(CodeState, required=True)
    account_id = fields.UUID(required=True, allow_none=True)


EVENTS: Final[dict[str, type[Schema]]] = {AUTHORITY_CODE_CHANGED: AuthorityCodeChanged}

ERRORS: Final[dict[str, tuple[str, str]]] = {
    "org.account_unknown": ("没有这个账号。", "There is no such account."),
    "org.account_not_told": (
        "该账号刚刚注册，请稍后再试。",
        "This account has only just been made. Try again in a moment.",
    ),
    "org.true_name_needed": (
        "管理员须实名：请先在个人信息中填写真实姓名。",
        "An administrator bears a true name: enter yours in the profile first.",
    ),
    "org.not_own_teacher": (
        "只能授权本校已认证的教师。",
        "A school appoints only from its own verified teachers.",
    ),
    "org.auditor_alone": (
        "审计员不得兼任其他管理角色。",
        "An auditor holds no other role, and nobody who holds one becomes an auditor.",
    ),
    "org.unit_ended": ("该学校（机构）已合并或撤销。", "This school or institution was merged or closed."),
    "org.code_role": (
        "该角色不通过权限码授予。",
        "This role is not given by an authority code.",
    ),
    "org.code_waiting": (
        "已有未激活的权限码。如需作废并重新生成，请选择重新生成。",
        "A code waits to be activated there. Ask for regeneration to void it and get a new one.",
    ),
    "org.code_unknown": ("没有这个权限码记录。", "There is no such authority code."),
    "org.code_not_waiting": ("该权限码已使用、作废或撤销。", "This code was used, voided or revoked already."),
    "org.code_mistyped": (
        "权限码输入有误，请逐位核对（不含 0、1、I、L、O）。",
        "The code is mistyped: check each symbol (there is no 0, 1, I, L or O in it).",
    ),
    "org.code_refused": (
        "权限码无效：可能有误、已使用、已作废或已过期。请联系发放单位。",
        "This code is not valid: it may be wrong, used, void or expired. Ask whoever issued it.",
    ),
    "org.code_own": ("不能激活自己生成的权限码。", "Nobody activates a code that he issued himself."),
    "org.code_guesses": (
        "权限码输入错误次数过多，请一小时后再试。",
        "Too many wrong codes. Try again in an hour.",
    ),
    "org.code_seat_taken": (
        "该单位已有管理员。确认替换后，原管理员的授权将立即停用。",
        "The place has its administrator already. Confirm the replacement, and the present one's right ends at once.",
    ),
}
