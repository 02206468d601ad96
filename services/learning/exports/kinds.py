"""Choices as a file (选课查询导出): for the declaration form, and for whoever has to find people by telephone."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Any, Final

from marshmallow import Schema, fields
from sqlalchemy.orm import Session

from services.identity import contract as identity
from services.learning.contract import jobs
from services.learning.contract.selection import ChoiceState
from services.learning.selection import queries
from services.learning.selection.queries import Wanted
from services.shared.actor import REGION_ADMINS, Role
from services.shared.bulk.exporting import Rows, counted, day, disclosed, paged
from services.shared.bulk.kinds import Scope
from services.shared.bus import Call
from services.shared.policy import granted

# `domain.md` §1.2, "export personal data": A6 to A10 and A13.
EXPORTERS = granted(
    Role.SCHOOL_ADMIN, *REGION_ADMINS, Role.DISTRICT_INSTITUTION, Role.CITY_CENTRE, Role.NATIONAL_OPERATOR
)
STATE: Final = {
    ChoiceState.CHOSEN: "已选",
    ChoiceState.CANCELLED: "已取消",
    ChoiceState.VOID: "已作废",
    ChoiceState.BILLED: "待缴费",
    ChoiceState.ADMITTED: "已录取",
    ChoiceState.UNPAID: "未缴费",
    ChoiceState.PASSED: "通过",
    ChoiceState.FAILED: "未通过",
}
BY: Final = {"SELF": "本人", "ADMIN": "学校"}


class ChoiceFilters(Schema):
    period_id = fields.UUID(required=True)
    state = fields.Enum(ChoiceState, load_default=None, allow_none=True)
    offering_id = fields.UUID(load_default=None, allow_none=True)


def _wanted(scope: Scope) -> Wanted:
    state = scope.filters["state"]
    return Wanted(
        frozenset({state}) if state else None,
        period_id=scope.filters["period_id"],
        offering_id=scope.filters["offering_id"],
    )


def find_choices(db: Session, scope: Scope, after: Any, limit: int) -> Rows:
    # What the job keeps between its pages are texts.
    key = (after[0], uuid.UUID(str(after[1])), uuid.UUID(str(after[2]))) if after else None
    return queries.list_choices(db, scope.place, _wanted(scope), key, limit)


def count_choices(db: Session, scope: Scope, limit: int) -> int:
    return db.execute(counted(queries.choices_at(scope.place, _wanted(scope)), limit)).scalar_one()


def show_choices(service: Any, call: Call, scope: Scope, found: Rows) -> Iterable[Sequence[str]]:
    people = disclosed(service.bus, call, scope, identity.SERVICE, (row.Choice.teacher_id for row in found))
    for row in found:
        person = people.get(str(row.Choice.teacher_id), {})
        fees = row.Offering.fee + row.Offering.material_fee
        yield (
            person.get("learner_no", ""),
            person.get("name", ""),
            row.Placement.school_name,
            row.Period.code,
            row.Offering.course_no,
            row.Offering.title,
            str(row.Offering.hours),
            str(row.Offering.fee),
            str(row.Offering.material_fee),
            str(fees),
            STATE[ChoiceState(row.Choice.state)],
            BY[row.Choice.chosen_by],
            day(row.Choice.chosen_at),
        )


KINDS = (
    paged(
        jobs.EXPORT_CHOICES,
        "选课录取导出",
        EXPORTERS,
        (
            "继续教育学号",
            "姓名",
            "学校",
            "期数",
            "课程编号",
            "课程名称",
            "学时",
            "培训费用",
            "教材费用",
            "合计",
            "状态",
            "选课方式",
            "选课日期",
        ),
        ChoiceFilters,
        queries.MISSING,
        find_choices,
        count_choices,
        lambda row: (row.Placement.place, row.Choice.teacher_id, row.Choice.offering_id),
        show_choices,
    ),
)
