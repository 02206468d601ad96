"""What other services and the gateway may know of org: names, event payloads, value sets, error codes."""

from __future__ import annotations

import enum
from typing import Final

from marshmallow import Schema, fields

from services.org.contract import delegation, staffing, transfers, units

SERVICE: Final = "org"

MEMBERSHIP_CHANGED: Final = "org.membership_changed"
GRANTS_CHANGED: Final = "org.grants_changed"
SCHOOL_CREATED: Final = "org.school_created"

NATION: Final = "CN"  # the root of every place
OTHER: Final = "other"  # last step of the place of a county's pseudo-school 其他


class Level(enum.StrEnum):
    """Height in the tree. It is stored, not counted from the path: some counties stand directly under a province."""

    NATION = "NATION"
    PROVINCE = "PROVINCE"
    CITY = "CITY"
    COUNTY = "COUNTY"
    SCHOOL = "SCHOOL"


class MembershipState(enum.StrEnum):
    """`domain.md` §3.1; NONE is the absence of a row."""

    PENDING = "PENDING"
    VERIFIED = "VERIFIED"
    REJECTED = "REJECTED"
    RELEASED = "RELEASED"


class SchoolKind(enum.StrEnum):
    """Kinds of unit that a county keeps (`domain.md` §2.2)."""

    BASIC_EDUCATION = "BASIC_EDUCATION"  # 基础教育学校
    RESEARCH_OFFICE = "RESEARCH_OFFICE"  # 教研机构
    TECHNOLOGY_CENTRE = "TECHNOLOGY_CENTRE"  # 电教机构
    TRAINING_COLLEGE = "TRAINING_COLLEGE"  # 进修机构
    OTHER_INSTITUTION = "OTHER_INSTITUTION"  # 其他机构


class SchoolType(enum.StrEnum):
    """School-running type 办学类型: the section codes seen in practice (`domain.md` §2.2)."""

    KINDERGARTEN = "KINDERGARTEN"
    PRIMARY = "PRIMARY"
    PRIMARY_FIVE = "PRIMARY_FIVE"
    MIDDLE = "MIDDLE"
    MIDDLE_FOUR = "MIDDLE_FOUR"
    HIGH = "HIGH"
    COMPLETE = "COMPLETE"
    NINE_YEAR = "NINE_YEAR"
    TWELVE_YEAR = "TWELVE_YEAR"
    VOCATIONAL = "VOCATIONAL"
    SPECIAL = "SPECIAL"
    OTHER = "OTHER"


class SchoolNature(enum.StrEnum):
    """School nature 学校性质."""

    PUBLIC = "PUBLIC"
    PRIVATE = "PRIVATE"
    OTHER = "OTHER"


class Attachment(enum.StrEnum):
    """Whom a school is attached to, which decides who manages it."""

    PROVINCE_DIRECT = "PROVINCE_DIRECT"
    CITY_DIRECT = "CITY_DIRECT"
    COUNTY = "COUNTY"


class SchoolState(enum.StrEnum):
    DRAFT = "DRAFT"
    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    MERGED = "MERGED"
    CLOSED = "CLOSED"


class GrantState(enum.StrEnum):
    ACTIVE = "ACTIVE"  # also one that starts later
    REVOKED = "REVOKED"
    EXPIRED = "EXPIRED"


class Outcome(enum.StrEnum):
    """What became of one row of an import."""

    CREATED = "CREATED"
    UNCHANGED = "UNCHANGED"
    REFUSED = "REFUSED"


class MembershipChanged(Schema):
    """Where a teacher is, and how sure that is. After a release the place is "" and the school null."""

    teacher_id = fields.UUID(required=True)
    version = fields.Integer(required=True)
    state = fields.Enum(MembershipState, required=True)
    school_id = fields.UUID(required=True, allow_none=True)
    school_name = fields.String(required=True)
    place = fields.String(required=True)
    effective_at = fields.AwareDateTime(required=True)


class GrantsChanged(Schema):
    """The complete list of an account's live grants, as [role, place] pairs."""

    account_id = fields.UUID(required=True)
    version = fields.Integer(required=True)
    grants = fields.List(fields.List(fields.String(), validate=lambda pair: len(pair) == 2), required=True)


class SchoolCreated(Schema):
    school_id = fields.UUID(required=True)
    version = fields.Integer(required=True)
    name = fields.String(required=True)
    place = fields.String(required=True)
    state = fields.Enum(SchoolState, required=True)


EVENTS: Final[dict[str, type[Schema]]] = {
    **delegation.EVENTS,
    **staffing.EVENTS,
    **transfers.EVENTS,
    **units.EVENTS,
    MEMBERSHIP_CHANGED: MembershipChanged,
    GRANTS_CHANGED: GrantsChanged,
    SCHOOL_CREATED: SchoolCreated,
}

# By code, in Chinese and in English.
ERRORS: Final[dict[str, tuple[str, str]]] = {
    **delegation.ERRORS,
    **staffing.ERRORS,
    **transfers.ERRORS,
    **units.ERRORS,
    "org.division_unknown": ("没有这个行政区划。", "There is no such division."),
    "org.divisions_damaged": ("行政区划数据文件已损坏。", "The file of divisions is damaged."),
    "org.school_unknown": ("没有这所学校，或不在您的管理范围内。", "There is no such school within your reach."),
    "org.school_closed": ("该学校目前不接收教师。", "This school takes no teachers at present."),
    "org.school_needs_county": (
        "学校须建在区县之下（不设区县的市除外）。",
        "A school stands under a county, or under a city without counties.",
    ),
    "org.not_directly_attached": ("您只能管理直属单位。", "You manage only the units attached directly to your level."),
    "org.school_code_invalid": ("学校标识码格式不正确。", "The school code is not well formed."),
    "org.school_code_elsewhere": ("学校标识码与所在省份不符。", "The school code belongs to another province."),
    "org.code_taken": ("该学校标识码已被使用。", "This school code is in use, or was used before."),
    "org.name_taken": ("该区划内已有同名学校。", "A school of this name exists there already."),
    "org.no_membership": ("尚未选择学校。", "No school has been chosen yet."),
    "org.membership_unknown": ("没有这位教师的审核记录。", "There is no such teacher in your school."),
    "org.teachers_only": ("请先切换为教师身份。", "Switch to the teacher identity first."),
    "org.release_first": (
        "已认证教师须先由原学校移出。",
        "A verified teacher must first be released by the present school.",
    ),
    "org.not_pending": ("该教师不在待审核状态。", "This teacher is not waiting for verification."),
    "org.not_verified": ("该教师尚未认证。", "This teacher is not verified."),
    "org.no_reviewer": (
        "“其他”下的教师无人审核，请先选择学校。",
        "Nobody verifies teachers in 其他: a school must be chosen first.",
    ),
    "org.not_yourself": ("不能审核自己。", "Nobody decides about himself."),
    "org.member_elsewhere": ("该教师已属于另一所学校。", "This teacher belongs to another school."),
    "org.place_unknown": ("没有这个区域或学校。", "There is no such region or school."),
    "org.role_elsewhere": ("该角色不适用于此级别。", "This role does not exist at that level."),
    "org.grant_refused": ("您无权在此授予或撤销该角色。", "You may not grant or revoke this role there."),
    "org.grant_to_self": ("不能给自己授权或撤销自己的授权。", "Nobody grants to himself or revokes his own grant."),
    "org.grant_period": (
        "授权的结束时间须晚于开始时间和现在。",
        "A grant must end after it starts, and in the future.",
    ),
    "org.grant_exists": ("该账号已有此授权。", "The account holds this grant already."),
    "org.grant_unknown": ("没有这项授权。", "There is no such grant."),
    "org.grant_ended": ("该授权已经结束。", "This grant has ended already."),
    "org.operator_unknown": ("该账号不是国家平台运营人员。", "This account is no national operator."),
    "org.last_operator": (
        "这是最后一名国家平台运营人员，请先任命继任者。",
        "This is the last national operator: appoint the successor first.",
    ),
    "org.place_taken": (
        "该校已有此角色的负责人，可选择替换。",
        "The school has a holder of this role; ask for replacement.",
    ),
}
