"""Authority codes, activation and its progress (`domain.md` §3.8), unit administrators and principals."""

from __future__ import annotations

import enum
from typing import Final

from marshmallow import Schema, fields

AUTHORITY_CODE_CHANGED: Final = "org.authority_code_changed"
GRANT_PROPOSAL_CHANGED: Final = "org.grant_proposal_changed"


class SeatState(enum.StrEnum):
    """How far an expected administrator has come (`domain.md` §3.8)."""

    NOT_GENERATED = "NOT_GENERATED"  # 未生成
    GENERATED = "GENERATED"  # 已生成
    ACTIVATED = "ACTIVATED"  # 已激活
    DISABLED = "DISABLED"  # 已停用


class CodeState(enum.StrEnum):
    """`domain.md` §3.8; NONE is the absence of a row."""

    PROPOSED = "PROPOSED"  # of a province: generated, but good for nothing before a second person has approved it
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


class ProposalState(enum.StrEnum):
    """A grant that needs two persons, between the first and the second."""

    OPEN = "OPEN"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    WITHDRAWN = "WITHDRAWN"
    EXPIRED = "EXPIRED"


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


class GrantProposalChanged(Schema):
    """A second person is asked for, or has decided. `account_id` is who would be appointed."""

    proposal_id = fields.UUID(required=True)
    version = fields.Integer(required=True)
    role = fields.String(required=True)
    place = fields.String(required=True)
    state = fields.Enum(ProposalState, required=True)
    account_id = fields.UUID(required=True)


EVENTS: Final[dict[str, type[Schema]]] = {
    AUTHORITY_CODE_CHANGED: AuthorityCodeChanged,
    GRANT_PROPOSAL_CHANGED: GrantProposalChanged,
}

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
    "org.code_own": (
        "不能激活自己生成或批准的权限码。",
        "Nobody activates a code that he issued or approved himself.",
    ),
    "org.second_person_needed": (
        "省级及以上角色须两人办理：请提交授权提议，由另一名有权人员批准。",
        "A role of a province or of the nation takes two persons: propose it, and another one approves.",
    ),
    "org.no_second_person_needed": (
        "该角色无需第二人批准，请直接授权。",
        "This role needs no second person: grant it.",
    ),
    "org.two_persons": ("不能处理自己提出的事项。", "Nobody decides about what he proposed himself."),
    "org.proposal_unknown": ("没有这项授权提议。", "There is no such proposal."),
    "org.proposal_open": ("该账号已有待批准的相同提议。", "The same is proposed for this account already."),
    "org.proposal_over": (
        "该提议已处理、撤回或过期。",
        "This proposal was decided, withdrawn or has expired.",
    ),
    "org.proposal_not_yours": ("只有提议人可以撤回。", "Only who proposed it withdraws it; others reject it."),
    "org.proposer_ended": (
        "提议人已无权授予该角色，请重新提议。",
        "Whoever proposed this may no longer give the role: propose it anew.",
    ),
    "org.code_guesses": (
        "权限码输入错误次数过多，请一小时后再试。",
        "Too many wrong codes. Try again in an hour.",
    ),
    "org.code_seat_taken": (
        "该单位已有管理员。确认替换后，原管理员的授权将立即停用。",
        "The place has its administrator already. Confirm the replacement, and the present one's right ends at once.",
    ),
}
