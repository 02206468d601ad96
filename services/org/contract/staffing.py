"""A school’s teachers: employment status, archive, the review queue, lists (`domain.md` §3.4)."""

from __future__ import annotations

import enum
from typing import Final

from marshmallow import Schema, fields

EMPLOYMENT_CHANGED: Final = "org.employment_changed"

MAX_AT_ONCE: Final = 100  # teachers in one bulk decision


class Employment(enum.StrEnum):
    """Employment status 在岗状态 (`domain.md` §2.1). Whoever is not on duty is archived 归档."""

    ON_DUTY = "ON_DUTY"  # 在职
    LEFT = "LEFT"  # 离职
    RETIRED = "RETIRED"  # 退休
    SECONDED = "SECONDED"  # 借调
    SICK_LEAVE = "SICK_LEAVE"  # 病休
    MATERNITY_LEAVE = "MATERNITY_LEAVE"  # 产假
    ABROAD = "ABROAD"  # 出国
    DECEASED = "DECEASED"  # 去世


class RowResult(enum.StrEnum):
    """What became of one teacher of a bulk decision."""

    DONE = "DONE"
    REFUSED = "REFUSED"


class EmploymentChanged(Schema):
    """Whether a teacher is on duty; `place` is the school's, "" for one who belongs to none."""

    teacher_id = fields.UUID(required=True)
    version = fields.Integer(required=True)
    status = fields.Enum(Employment, required=True)
    place = fields.String(required=True)


EVENTS: Final[dict[str, type[Schema]]] = {EMPLOYMENT_CHANGED: EmploymentChanged}

ERRORS: Final[dict[str, tuple[str, str]]] = {
    "org.archived_already": ("该教师已归档，请先恢复在职。", "This teacher is archived already; restore her first."),
    "org.not_archived": ("该教师未归档。", "This teacher is not archived."),
    "org.archive_type": ("请选择归档类型（在职不是归档类型）。", "Choose a type of archive; being on duty is none."),
    "org.ends_grants_first": (
        "该教师在本校仍有管理授权，请先由上级撤销。",
        "This teacher still holds a grant at the school; it has to be revoked first.",
    ),
}
