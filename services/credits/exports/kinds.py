"""The kinds of files: years, declarations, statistics, the credit matrix; each page under the rights of its moment."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from marshmallow import Schema, fields, validate
from sqlalchemy.orm import Session

from services.credits import schemes
from services.credits.contract import exports as names
from services.credits.contract.declarations import DeclarationState, DeclaredKind
from services.credits.contract.verification import RequirementStatus, YearState
from services.credits.declarations.models import Declaration
from services.credits.exports import words
from services.credits.models import Placement
from services.credits.statistics.models import EVERYONE, MEASURES, Statistic
from services.credits.verification import actions as verification
from services.credits.verification import queries as years
from services.credits.verification import sheets
from services.identity import contract as identity
from services.shared import clock
from services.shared.actor import REGION_ADMINS, Role
from services.shared.bulk.exporting import People, Rows, counted, day, disclosed, paged
from services.shared.bulk.kinds import Scope
from services.shared.bus import Call
from services.shared.placement import at_or_below
from services.shared.policy import granted

MISSING = "credits.no_scheme"
# `domain.md` §1.2, "export personal data": A6 to A10 and A13.
EXPORTERS = granted(
    Role.SCHOOL_ADMIN, *REGION_ADMINS, Role.DISTRICT_INSTITUTION, Role.CITY_CENTRE, Role.NATIONAL_OPERATOR
)
_year = validate.Range(min=1990, max=2200)


class YearFilters(Schema):
    year = fields.Integer(required=True, strict=True, validate=_year)
    met = fields.Boolean(load_default=None, allow_none=True, truthy={True}, falsy={False})
    # Open years as of last night with False, both with None.
    frozen = fields.Boolean(load_default=True, allow_none=True, truthy={True}, falsy={False})


class DeclarationFilters(Schema):
    year = fields.Integer(load_default=None, allow_none=True, strict=True, validate=_year)
    state = fields.Enum(DeclarationState, load_default=None, allow_none=True)
    kind = fields.Enum(DeclaredKind, load_default=None, allow_none=True)


class StatisticsFilters(Schema):
    # Without a programme: persons, registered and verified.
    programme_id = fields.UUID(load_default=None, allow_none=True)


class MatrixFilters(Schema):
    year = fields.Integer(required=True, strict=True, validate=_year)  # any of the cycle


def _named(service: Any, call: Call, scope: Scope, placed: Iterable[uuid.UUID]) -> People:
    return disclosed(service.bus, call, scope, identity.SERVICE, placed)


def _person(people: People, teacher_id: uuid.UUID) -> tuple[str, str]:
    person = people.get(str(teacher_id), {})
    return person.get("learner_no", ""), person.get("name", "")


# --- years ------------------------------------------------------------------------------------------------------------------


def _wanted(scope: Scope) -> years.YearsWanted:
    return years.YearsWanted(place=scope.place, **scope.filters)


def find_years(db: Session, scope: Scope, after: Any, limit: int) -> Rows:
    return years.list_years(db, _wanted(scope), after, limit)


def count_years(db: Session, scope: Scope, limit: int) -> int:
    return db.execute(counted(years.years_of_place(_wanted(scope)), limit)).scalar_one()


def show_years(service: Any, call: Call, scope: Scope, found: Rows) -> Iterable[Sequence[str]]:
    people = _named(service, call, scope, (year.placement.teacher_id for year in found))
    for year in found:
        line = sheets.year_line(year, clock.now())
        yield (
            *_person(people, year.placement.teacher_id),
            line["school_name"],
            str(line["year"]),
            words.YEAR[YearState(line["state"])],
            words.UNIT[line["unit"]],
            line["total"],
            words.measures(line["amounts"]),
            words.measures({each["measure"]: each["missing"] for each in line["shortfalls"]}),
            words.MET[line["met"]],
            line["cycle_total"],
            words.MET[line["cycle_met"]],
            day(year.held.frozen_at) if year.held else "",
            line["hash"] or "",
        )


# --- declarations -----------------------------------------------------------------------------------------------------------


def _declarations(scope: Scope) -> sa.Select:
    statement = (
        sa.select(Declaration, Placement.school_name)
        .join(Placement, Placement.teacher_id == Declaration.teacher_id)
        .where(at_or_below(Placement.place, scope.place), Declaration.state != DeclarationState.DRAFT)
    )
    for name in ("year", "state", "kind"):
        if (value := scope.filters[name]) is not None:
            statement = statement.where(getattr(Declaration, name) == value)
    return statement


def find_declarations(db: Session, scope: Scope, after: Any, limit: int) -> Rows:
    statement = _declarations(scope)
    if after:
        statement = statement.where(Declaration.declaration_id > after)
    return db.execute(statement.order_by(Declaration.declaration_id).limit(limit)).all()


def count_declarations(db: Session, scope: Scope, limit: int) -> int:
    return db.execute(counted(_declarations(scope), limit)).scalar_one()


def show_declarations(service: Any, call: Call, scope: Scope, found: Rows) -> Iterable[Sequence[str]]:
    people = _named(service, call, scope, (declaration.teacher_id for declaration, _ in found))
    for declaration, school_name in found:
        content = declaration.content
        yield (
            *_person(people, declaration.teacher_id),
            school_name,
            str(declaration.year),
            words.DECLARED[DeclaredKind(declaration.kind)],
            content["title"],
            content["institution"],
            words.how_much(content),
            content["started_on"],
            content["ended_on"],
            content.get("hour_type") or content.get("training_form") or "",
            words.DECLARATION[DeclarationState(declaration.state)],
            words.RECOGNISER[declaration.recogniser] if declaration.recogniser else "",
            str(declaration.round),
            day(declaration.changed_at),
        )


# --- statistics ---------------------------------------------------------------------------------------------------------------


def _statistics(scope: Scope) -> sa.Select:
    return sa.select(Statistic).where(
        Statistic.programme_id == (scope.filters["programme_id"] or EVERYONE),
        at_or_below(Statistic.place, scope.place),
    )


def find_statistics(db: Session, scope: Scope, after: Any, limit: int) -> Rows:
    statement = _statistics(scope)
    if after:
        statement = statement.where(Statistic.place > after)
    return db.scalars(statement.order_by(Statistic.place).limit(limit)).all()


def count_statistics(db: Session, scope: Scope, limit: int) -> int:
    return db.execute(counted(_statistics(scope), limit)).scalar_one()


def show_statistics(_service: Any, _call: Call, _scope: Scope, found: Rows) -> Iterable[Sequence[str]]:
    for row in found:
        yield (row.place, *(str(getattr(row, measure)) for measure in MEASURES))


# --- the credit matrix ------------------------------------------------------------------------------------------------------------


def _teachers(scope: Scope) -> sa.Select:
    return sa.select(Placement).where(at_or_below(Placement.place, scope.place), Placement.state == "VERIFIED")


def find_teachers(db: Session, scope: Scope, after: Any, limit: int) -> Rows:
    """Teachers with what counts of them in the cycle, school by school; where nobody has adopted rules, without."""
    statement = _teachers(scope)
    if after:
        statement = statement.where(sa.tuple_(Placement.place, Placement.teacher_id) > sa.tuple_(*after))
    found = db.scalars(statement.order_by(Placement.place, Placement.teacher_id).limit(limit)).all()
    now, year = clock.now(), scope.filters["year"]
    by_scheme: dict[str, list[uuid.UUID]] = {}
    for placement in found:
        if scheme := schemes.find_scheme(placement.place, year):
            by_scheme.setdefault(scheme.scheme_id, []).append(placement.teacher_id)
    pages: dict[uuid.UUID, Any] = {}
    for scheme_id, ids in by_scheme.items():
        scheme = schemes.get_scheme(scheme_id)
        amounts = years.list_amounts(db, ids, verification.years_of(scheme, year), now)
        pages |= {each: verification.matrix(scheme, year, amounts[each], now) for each in ids}
    return [(placement, pages.get(placement.teacher_id)) for placement in found]


def count_teachers(db: Session, scope: Scope, limit: int) -> int:
    return db.execute(counted(_teachers(scope), limit)).scalar_one()


def show_matrix(service: Any, call: Call, scope: Scope, found: Rows) -> Iterable[Sequence[str]]:
    people = _named(service, call, scope, (placement.teacher_id for placement, _ in found))
    for placement, page in found:
        if page is None:
            continue
        who = (*_person(people, placement.teacher_id), placement.school_name)
        cycle = f"{page['years'][0]}-{page['years'][-1]}"
        for row in page["rows"]:
            category = words.TOTAL.get(row["category"], row["category"])
            for cell, span in [*((cell, str(cell["year"])) for cell in row["years"]), (row["cycle"], f"周期 {cycle}")]:
                yield (
                    *who,
                    words.UNIT[page["unit"]],
                    category,
                    span,
                    cell["amount"],
                    cell["required"] or "",
                    words.STATUS[RequirementStatus(cell["status"])],
                )


PERSON = ("继续教育学号", "姓名", "学校")
KINDS = (
    paged(
        names.EXPORT_VERIFICATIONS,
        "年度验证结果导出",
        EXPORTERS,
        (
            *PERSON,
            "年度",
            "状态",
            "单位",
            "合计",
            "各类别",
            "差额",
            "年度结果",
            "周期合计",
            "周期结果",
            "锁定日期",
            "快照校验值",
        ),
        YearFilters,
        MISSING,
        find_years,
        count_years,
        lambda found: (found.placement.place, found.placement.teacher_id),
        show_years,
    ),
    paged(
        names.EXPORT_DECLARATIONS,
        "学时申报导出",
        EXPORTERS,
        (
            *PERSON,
            "年度",
            "类型",
            "名称",
            "主办单位",
            "学时",
            "开始日期",
            "结束日期",
            "类别",
            "状态",
            "认定级别",
            "轮次",
            "更新日期",
        ),
        DeclarationFilters,
        MISSING,
        find_declarations,
        count_declarations,
        lambda found: found[0].declaration_id,
        show_declarations,
    ),
    paged(
        names.EXPORT_STATISTICS,
        "研修统计导出",
        EXPORTERS,
        ("位置", "注册", "已认证", "报名", "学习中", "达到要求", "已发证", "学时"),
        StatisticsFilters,
        MISSING,
        find_statistics,
        count_statistics,
        lambda row: row.place,
        show_statistics,
    ),
    paged(
        names.EXPORT_CREDIT_MATRIX,
        "学分统计表导出",
        EXPORTERS,
        (*PERSON, "单位", "类别", "年度", "已认定", "要求", "完成情况"),
        MatrixFilters,
        MISSING,
        find_teachers,
        count_teachers,
        lambda found: (found[0].place, found[0].teacher_id),
        show_matrix,
    ),
)
