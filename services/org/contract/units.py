"""Schools and institutions: changing, merging, closing, moving them; missing-school requests; tenant policies."""

from __future__ import annotations

import enum
from typing import Final

from marshmallow import Schema, fields, validate

TENANT_POLICY_CHANGED: Final = "org.tenant_policy_changed"
SCHOOL_CHANGED: Final = "org.school_changed"
SCHOOL_MOVE_CHANGED: Final = "org.school_move_changed"
SCHOOL_REQUEST_CHANGED: Final = "org.school_request_changed"

MAX_SCHOOL_ADMINS: Final = 20  # of one school; Guangzhou allows "several" (`domain.md` §1.1 A6) and names no number


class TenantMode(enum.StrEnum):
    """What a teacher may do before the school has verified her (`domain.md` §3.1)."""

    OPEN = "OPEN"  # sign in, enrol, study; only the certificate waits
    GATED = "GATED"  # nothing but the own account and profile


class ProfileReview(enum.StrEnum):
    """Whether the school reviews a changed profile (`domain.md` §3.2)."""

    REQUIRED = "REQUIRED"
    NONE = "NONE"


class KeepCodeOf(enum.StrEnum):
    """Whose code the school carries that remains after a merger (`domain.md` §2.6)."""

    SURVIVING = "SURVIVING"
    MERGED = "MERGED"


class MoveState(enum.StrEnum):
    """A school on its way to another division (`domain.md` §3.7); NONE is the absence of a row."""

    REQUESTED = "REQUESTED"
    EXECUTED = "EXECUTED"
    REJECTED = "REJECTED"
    WITHDRAWN = "WITHDRAWN"


class RequestState(enum.StrEnum):
    """A school that teachers miss (`domain.md` §3.6); NONE is the absence of a row."""

    OPEN = "OPEN"
    CREATED = "CREATED"  # the school exists now
    FOUND = "FOUND"  # it existed, under another name
    REJECTED = "REJECTED"
    WITHDRAWN = "WITHDRAWN"  # by all who asked


class TenantPolicyChanged(Schema):
    """The whole policy of one place. It holds below, down to the next place with a policy of its own.

    `withdrawn`: the place has none any more, and the other values are those that it had.
    """

    policy_id = fields.UUID(required=True)  # follows from the place: a key for projections
    place = fields.String(required=True)
    version = fields.Integer(required=True)
    mode = fields.Enum(TenantMode, required=True)
    max_school_admins = fields.Integer(required=True, validate=validate.Range(1, MAX_SCHOOL_ADMINS))
    profile_review = fields.Enum(ProfileReview, required=True)
    withdrawn = fields.Boolean(required=True)


class SchoolChanged(Schema):
    """The whole public record of a school, from its first version on; `org.school_created` tells the beginning alone.

    `effective_at`: since when it is so. Where a school stood before is history of `place`: what happened until then
    belongs there. `merged_into` names the school that its teachers belong to since a merger.
    """

    school_id = fields.UUID(required=True)
    version = fields.Integer(required=True)
    name = fields.String(required=True)
    seal_name = fields.String(required=True)  # whom payment notices and invoices name
    place = fields.String(required=True)
    division_code = fields.String(required=True)
    code = fields.String(required=True, allow_none=True)
    kind = fields.String(required=True)
    attachment = fields.String(required=True)
    school_type = fields.String(required=True)
    nature = fields.String(required=True)
    state = fields.String(required=True)
    merged_into = fields.UUID(required=True, allow_none=True)
    effective_at = fields.AwareDateTime(required=True)


class SchoolMoveChanged(Schema):
    """Where a request to move a school stands; `org.school_changed` tells of the move itself."""

    move_id = fields.UUID(required=True)
    version = fields.Integer(required=True)
    school_id = fields.UUID(required=True)
    from_parent = fields.String(required=True)
    to_parent = fields.String(required=True)
    state = fields.Enum(MoveState, required=True)


class SchoolRequestChanged(Schema):
    """Where a request for a missing school stands, and who waits for it; `school_id` is the answer."""

    request_id = fields.UUID(required=True)
    version = fields.Integer(required=True)
    place = fields.String(required=True)
    state = fields.Enum(RequestState, required=True)
    school_id = fields.UUID(required=True, allow_none=True)
    school_name = fields.String(required=True)
    account_ids = fields.List(fields.UUID(), required=True)


EVENTS: Final[dict[str, type[Schema]]] = {
    TENANT_POLICY_CHANGED: TenantPolicyChanged,
    SCHOOL_CHANGED: SchoolChanged,
    SCHOOL_MOVE_CHANGED: SchoolMoveChanged,
    SCHOOL_REQUEST_CHANGED: SchoolRequestChanged,
}

ERRORS: Final[dict[str, tuple[str, str]]] = {
    "org.policy_elsewhere": (
        "只有省、市、县可以设置租户政策。",
        "Only provinces, cities and counties decide a policy.",
    ),
    "org.policy_unknown": ("此处没有自己的租户政策。", "This place has no policy of its own."),
    # The life of a school
    "org.other_is_fixed": ("“其他”不是学校，不能修改。", "其他 is no school: it cannot be changed."),
    "org.school_ended": ("该学校已合并或撤销。", "This school has been merged or closed."),
    "org.school_not_active": ("该学校不在正常状态。", "This school is not active."),
    "org.school_not_suspended": ("该学校未停用。", "This school is not suspended."),
    "org.school_not_ended": ("该学校未合并也未撤销。", "This school has been neither merged nor closed."),
    "org.school_version": (
        "学校信息已被他人修改，请刷新后重试。",
        "The school was changed meanwhile; look at it again.",
    ),
    "org.keeper_only": (
        "此项只能由学校的主管区域修改。",
        "Only the region that keeps the school changes this.",
    ),
    "org.school_has_teachers": (
        "该校仍有在职的已认证教师，请先移出、调动或归档。",
        "Verified teachers on duty belong to this school: release, transfer or archive them first.",
    ),
    "org.merge_into_itself": ("不能与自己合并。", "A school is not merged into itself."),
    "org.merge_elsewhere": (
        "只能合并同一区划下的学校，请先转移学校。",
        "Schools under one division merge; move the school first.",
    ),
    "org.no_code_to_keep": ("被合并的学校没有标识码可保留。", "The merged school has no code to keep."),
    "org.school_code_kind": (
        "学校标识码的类别与办学类型不符。",
        "The kind in the school code does not fit the type of school.",
    ),
    "org.recode_needed": (
        "学校类别改变，须重新编码：请给出新的标识码，或暂时留空（null）。",
        "The school becomes one of another kind: give its new code, or null until it has one.",
    ),
    "org.code_kept": (
        "标识码随学校不变；编码有误请用更正。",
        "A school keeps its code; one that was typed wrong is corrected.",
    ),
    "org.no_code_to_correct": ("该校没有标识码。", "This school has no code."),
    "org.nothing_named": ("没有要修改的内容。", "Nothing to change is named."),
    # Moving a school
    "org.move_unknown": ("没有这份学校转移申请。", "There is no such request to move a school."),
    "org.move_nowhere": ("该学校已在此区划下。", "The school stands under this division already."),
    "org.move_open": ("该学校已有待处理的转移申请。", "A request to move this school is waiting already."),
    "org.move_decided": ("该转移申请已经办结。", "This request has been decided already."),
    "org.move_not_asked_here": (
        "学校转移由上一级执行，须由下级提出申请。",
        "A school is moved by the level above both sides, at the wish of the level below.",
    ),
    "org.move_other_level": (
        "该转移不由您这一级执行。",
        "This move is executed at another level than yours.",
    ),
    "org.move_own_request": ("不能处理自己提出的申请。", "Nobody decides what he asked for himself."),
    "org.move_not_yours": ("只能撤回自己提出的申请。", "Only who asked takes the request back."),
    # Missing schools
    "org.request_unknown": ("没有这份新增学校申请。", "There is no such request for a school."),
    "org.request_open": ("您已有一份待处理的新增学校申请。", "One of your requests is waiting already."),
    "org.request_decided": ("该申请已经办结。", "This request has been decided already."),
    "org.request_own": ("不能处理自己提出的申请。", "Nobody decides what he asked for himself."),
    "org.not_in_other": (
        "请先选择所在区县的“其他”，再申请新增学校。",
        "Choose 其他 of the county first, then ask for the school.",
    ),
    "org.school_listed": ("列表中已有这所学校，请直接选择。", "This school is in the list: choose it."),
}
