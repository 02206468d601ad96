"""What org hands out as files: teachers, transfers, activation, authority codes; each page under the rights of its moment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from marshmallow import Schema, fields
from sqlalchemy.orm import Session

from services.identity import contract as identity
from services.org.bulk import words
from services.org.contract import MembershipState, bulk
from services.org.contract.delegation import CodeState, SeatState
from services.org.contract.staffing import Employment
from services.org.contract.transfers import TransferState
from services.org.delegation.models import AdminSeat, AuthorityCode
from services.org.models import Division, School
from services.org.staffing import queries as staffing
from services.org.staffing.queries import StaffFilter
from services.org.transfers import queries as transfers
from services.org.transfers.queries import Side, TransferView
from services.shared.actor import REGION_ADMINS, Role
from services.shared.bulk.exporting import Rows, counted, day, disclosed, paged
from services.shared.bulk.kinds import Scope
from services.shared.bus import Call
from services.shared.placement import at_or_below
from services.shared.policy import granted

MISSING = "org.place_unknown"
REGIONS = granted(*REGION_ADMINS, Role.NATIONAL_OPERATOR)
# `domain.md` §1.2, "export personal data": A6 to A10 and A13.
EXPORTERS = REGIONS | granted(Role.SCHOOL_ADMIN, Role.DISTRICT_INSTITUTION, Role.CITY_CENTRE)


class TeacherFilters(Schema):
    state = fields.Enum(MembershipState, load_default=None, allow_none=True)
    employment = fields.Enum(Employment, load_default=None, allow_none=True)
    with_archived = fields.Boolean(load_default=False, truthy={True}, falsy={False})


class TransferFilters(Schema):
    state = fields.Enum(TransferState, load_default=None, allow_none=True)


class SeatFilters(Schema):
    state = fields.Enum(SeatState, load_default=None, allow_none=True)


class CodeFilters(Schema):
    state = fields.Enum(CodeState, load_default=None, allow_none=True)


# --- teachers -----------------------------------------------------------------------------------------------------------


def _wanted(scope: Scope) -> StaffFilter:
    return StaffFilter(scope.filters["state"], scope.filters["employment"], scope.filters["with_archived"])


def find_teachers(db: Session, scope: Scope, after: Any, limit: int) -> Rows:
    return staffing.list_staff(db, scope.place, _wanted(scope), after, limit)


def count_teachers(db: Session, scope: Scope, limit: int) -> int:
    return staffing.count_staff(db, scope.place, _wanted(scope), limit)


def show_teachers(service: Any, call: Call, scope: Scope, found: Rows) -> Iterable[Sequence[str]]:
    people = disclosed(service.bus, call, scope, identity.SERVICE, (staff.teacher_id for staff in found))
    for staff in found:
        person = people.get(str(staff.teacher_id), {})
        yield (
            *(person.get(field, "") for field in ("learner_no", "name")),
            words.ID_TYPES.get(person.get("id_type", ""), ""),
            *(person.get(field, "") for field in ("id_no", "phone")),
            words.SEGMENT.get(person.get("segment", ""), ""),
            person.get("subject", ""),
            staff.school_name,
            staff.place.split("/")[-2],
            words.MEMBERSHIP[staff.state],
            words.EMPLOYMENT[staff.employment],
            day(staff.changed_at),
        )


# --- transfers ------------------------------------------------------------------------------------------------------------


def find_transfers(db: Session, scope: Scope, after: Any, limit: int) -> Sequence[TransferView]:
    return transfers.list_transfers(db, scope.place, Side.BOTH, scope.filters["state"], after, limit)


def count_transfers(db: Session, scope: Scope, limit: int) -> int:
    return transfers.count_transfers(db, scope.place, Side.BOTH, scope.filters["state"], limit)


def show_transfers(service: Any, call: Call, scope: Scope, found: Sequence[TransferView]) -> Iterable[Sequence[str]]:
    people = disclosed(service.bus, call, scope, identity.SERVICE, (transfer.teacher_id for transfer in found))
    for transfer in found:
        person = people.get(str(transfer.teacher_id), {})
        yield (
            person.get("learner_no", ""),
            person.get("name", ""),
            transfer.from_school_name,
            transfer.to_school_name,
            words.TRANSFER_LEVEL[transfer.level],
            words.TRANSFER[transfer.state],
            day(transfer.requested_at),
            day(transfer.decided_at),
            transfer.reason,
        )


# --- activation ---------------------------------------------------------------------------------------------------------------


def _named(place: Any) -> tuple[Any, Any, Any]:
    """The name of the unit at a place, and the joins that find it."""
    return sa.func.coalesce(School.name, Division.name, ""), School.place == place, Division.place == place


def _seats(scope: Scope) -> sa.Select:
    name, school, division = _named(AdminSeat.place)
    statement = (
        sa.select(
            AdminSeat.place, AdminSeat.level, AdminSeat.role, AdminSeat.state, AdminSeat.changed_at, name.label("name")
        )
        .outerjoin(School, school)
        .outerjoin(Division, division)
        .where(at_or_below(AdminSeat.place, scope.place), AdminSeat.standing)
    )
    state = scope.filters["state"]
    return statement.where(AdminSeat.state == state) if state else statement


def find_seats(db: Session, scope: Scope, after: Any, limit: int) -> Rows:
    statement = _seats(scope)
    if after:
        statement = statement.where(sa.tuple_(AdminSeat.place, AdminSeat.role) > sa.tuple_(*after))
    return db.execute(statement.order_by(AdminSeat.place, AdminSeat.role).limit(limit)).all()


def count_seats(db: Session, scope: Scope, limit: int) -> int:
    return db.execute(counted(_seats(scope), limit)).scalar_one()


def show_seats(_service: Any, _call: Call, _scope: Scope, found: Rows) -> Iterable[Sequence[str]]:
    for seat in found:
        yield (
            seat.name,
            seat.place,
            words.LEVEL[seat.level],
            words.ROLE[seat.role],
            words.SEAT[seat.state],
            day(seat.changed_at),
        )


# --- authority codes ------------------------------------------------------------------------------------------------------------


def _codes(scope: Scope) -> sa.Select:
    name, school, division = _named(AuthorityCode.place)
    statement = (
        sa.select(AuthorityCode, name.label("name"))
        .outerjoin(School, school)
        .outerjoin(Division, division)
        .where(at_or_below(AuthorityCode.place, scope.place))
    )
    state = scope.filters["state"]
    return statement.where(AuthorityCode.state == state) if state else statement


def find_codes(db: Session, scope: Scope, after: Any, limit: int) -> Rows:
    statement = _codes(scope)
    if after:
        statement = statement.where(AuthorityCode.code_id < after)
    return db.execute(statement.order_by(AuthorityCode.code_id.desc()).limit(limit)).all()


def count_codes(db: Session, scope: Scope, limit: int) -> int:
    return db.execute(counted(_codes(scope), limit)).scalar_one()


def show_codes(_service: Any, _call: Call, _scope: Scope, found: Rows) -> Iterable[Sequence[str]]:
    for code, name in found:
        yield (
            name,
            code.place,
            words.ROLE[code.role],
            words.CODE[code.state],
            day(code.issued_at),
            day(code.expires_at),
            words.CHANNEL.get(code.channel, ""),
            day(code.activated_at),
        )


KINDS = (
    paged(
        bulk.EXPORT_TEACHERS,
        "教师名册导出",
        EXPORTERS,
        (
            "继续教育学号",
            "姓名",
            "证件类型",
            "证件号码",
            "手机号",
            "任教学段",
            "任教学科",
            "学校",
            "行政区划代码",
            "审核状态",
            "在岗状态",
            "更新日期",
        ),
        TeacherFilters,
        MISSING,
        find_teachers,
        count_teachers,
        lambda staff: (staff.place, staff.teacher_id),
        show_teachers,
    ),
    paged(
        bulk.EXPORT_TRANSFERS,
        "教师调动导出",
        EXPORTERS,
        ("继续教育学号", "姓名", "原学校", "新学校", "审批层级", "状态", "申请日期", "审批日期", "原因"),
        TransferFilters,
        MISSING,
        find_transfers,
        count_transfers,
        lambda transfer: transfer.transfer_id,
        show_transfers,
    ),
    paged(
        bulk.EXPORT_ACTIVATION,
        "管理员激活进度导出",
        REGIONS,
        ("单位", "位置", "层级", "角色", "激活状态", "更新日期"),
        SeatFilters,
        MISSING,
        find_seats,
        count_seats,
        lambda seat: (seat.place, seat.role),
        show_seats,
    ),
    paged(
        bulk.EXPORT_CODES,
        "权限码清单导出",
        REGIONS,
        ("单位", "位置", "角色", "状态", "生成日期", "失效日期", "发放方式", "激活日期"),
        CodeFilters,
        MISSING,
        find_codes,
        count_codes,
        lambda found: found[0].code_id,
        show_codes,
    ),
)
