"""The kinds of files: certificates of a territory with their holders' names, and its figures place by place."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Sequence
from typing import Any, Final

import sqlalchemy as sa
from marshmallow import Schema, fields
from sqlalchemy.orm import Session

from services.certs import rules
from services.certs.contract import KINDS as KIND_NAMES
from services.certs.contract import PublicState
from services.certs.contract import exports as names
from services.certs.models import Certificate
from services.certs.overview import queries
from services.certs.overview.models import MEASURES, CertificateFigures
from services.certs.overview.queries import Wanted
from services.certs.overview.schemas import Wanted as WantedFilters
from services.certs.rules import State
from services.certs.showing import PUBLIC_STATES
from services.identity import contract as identity
from services.shared.actor import REGION_ADMINS, Role
from services.shared.bulk.exporting import Rows, counted, day, disclosed, paged
from services.shared.bulk.kinds import Scope
from services.shared.bus import Call
from services.shared.placement import at_or_below
from services.shared.policy import granted

# `domain.md` §1.2, "export personal data": A6 to A10 and A13.
EXPORTERS = granted(
    Role.SCHOOL_ADMIN, *REGION_ADMINS, Role.DISTRICT_INSTITUTION, Role.CITY_CENTRE, Role.NATIONAL_OPERATOR
)
STATES: Final = {PublicState.VALID: "有效", PublicState.REPLACED: "已换发", PublicState.REVOKED: "已撤销"}


class StatisticsFilters(Schema):
    programme_id = fields.UUID(load_default=None, allow_none=True)


def find_certificates(db: Session, scope: Scope, after: Any, limit: int) -> Rows:
    return queries.list_issued(db, Wanted(scope.place, **scope.filters), after, limit)


def count_certificates(db: Session, scope: Scope, limit: int) -> int:
    wanted = queries.select_issued(Wanted(scope.place, **scope.filters))
    return db.execute(counted(wanted.with_only_columns(Certificate.certificate_id), limit)).scalar_one()


def show_certificates(service: Any, call: Call, scope: Scope, found: Rows) -> Iterable[Sequence[str]]:
    people = disclosed(service.bus, call, scope, identity.SERVICE, (each.certificate.teacher_id for each in found))
    for each in found:
        certificate, signed = each.certificate, json.loads(each.certificate.statement)
        person = people.get(str(certificate.teacher_id), {})
        yield (
            person.get("learner_no", ""),
            person.get("name", ""),
            certificate.school_name,
            KIND_NAMES[certificate.kind][0],
            rules.format_number(certificate.number),
            str(certificate.edition),
            signed["programme_zh"],
            str(certificate.hours),
            signed["issuer"],
            day(certificate.issued_at),
            STATES[PUBLIC_STATES[State(certificate.state)]],
        )


def _figures(scope: Scope) -> sa.Select[Any]:
    select = sa.select(CertificateFigures).where(at_or_below(CertificateFigures.place, scope.place))
    if (programme_id := scope.filters["programme_id"]) is not None:
        select = select.where(CertificateFigures.programme_id == programme_id)
    return select


def find_figures(db: Session, scope: Scope, after: Any, limit: int) -> Rows:
    key = (CertificateFigures.place, CertificateFigures.kind, CertificateFigures.programme_id)
    select = _figures(scope)
    if after:
        select = select.where(sa.tuple_(*key) > sa.tuple_(*after))
    return db.scalars(select.order_by(*key).limit(limit)).all()


def count_figures(db: Session, scope: Scope, limit: int) -> int:
    return db.execute(counted(_figures(scope).with_only_columns(CertificateFigures.place), limit)).scalar_one()


def show_figures(service: Any, call: Call, _scope: Scope, found: Rows) -> Iterable[Sequence[str]]:
    with service.database.read(call) as db:
        titles = queries.titles_of(db, {row.programme_id for row in found})
    for row in found:
        measures = (str(getattr(row, measure)) for measure in MEASURES)
        yield (row.place, KIND_NAMES[row.kind][0], titles.get(row.programme_id, ""), *measures)


def _figures_key(row: CertificateFigures) -> tuple[str, str, uuid.UUID]:
    return row.place, row.kind, row.programme_id


KINDS = (
    paged(
        names.EXPORT_CERTIFICATES,
        "证书导出",
        EXPORTERS,
        ("继续教育学号", "姓名", "证书所载学校", "证书种类", "证书编号", "版次", "名称", "学时（学分）", "发证单位", "发证日期", "状态"),
        WantedFilters,
        queries.MISSING,
        find_certificates,
        count_certificates,
        lambda issued: issued.position,
        show_certificates,
    ),
    paged(
        names.EXPORT_CERTIFICATE_STATISTICS,
        "证书统计导出",
        EXPORTERS,
        ("位置", "证书种类", "专题", "有效", "已换发", "已撤销", "待签发（受阻）"),
        StatisticsFilters,
        queries.MISSING,
        find_figures,
        count_figures,
        _figures_key,
        show_figures,
    ),
)  # fmt: skip
