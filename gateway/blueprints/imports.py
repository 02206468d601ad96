"""Rosters as spreadsheets: schools and teachers."""

from __future__ import annotations

import datetime as dt
import io
from collections import Counter
from collections.abc import Callable
from typing import Any

from flask import Response

from gateway import caching, rosters
from gateway.auth import require_account
from gateway.context import call, gateway
from gateway.openapi import Blueprint
from gateway.roster_columns import SCHOOL_COLUMNS, TEACHER_COLUMNS, Column
from gateway.rpc import ask, extend_deadline, tell
from gateway.schemas import org as schemas
from services.org.contract import Outcome
from services.shared.errors import InvalidInput, NotAllowed
from services.shared.spreadsheet import Limits, write_sheet

blueprint = Blueprint("imports", __name__, description="名册导入 (rosters from spreadsheets)")

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
TEMPLATE_MADE = dt.datetime(2022, 12, 1, tzinfo=dt.UTC)  # so that each answer has the same bytes, and one ETag
SECONDS = 60  # five thousand rows are a hundred and fifty commands; below gunicorn's time-out

Import = Callable[[bytes, rosters.Services], list[rosters.RosterRow]]


class RequestServices:
    """The way to the services as the request's actor, under its Idempotency-Key."""

    def ask(self, service: str, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
        return ask(service, method, arguments)

    def tell(self, service: str, method: str, arguments: dict[str, Any], step: str) -> dict[str, Any]:
        return tell(service, method, arguments, step=step)


@blueprint.post("/imports/schools")
@blueprint.doc(operationId="import_schools")
@blueprint.arguments(schemas.Workbook, location="files", content_type="multipart/form-data")
@blueprint.response(200, schemas.ImportReport)
def import_schools(files: dict[str, Any]) -> dict[str, Any]:
    """Create the schools of a workbook; each row gets its own outcome, and a second import changes nothing."""
    return _import(files, rosters.import_schools, SCHOOL_COLUMNS)


@blueprint.post("/imports/teachers")
@blueprint.doc(operationId="import_teachers")
@blueprint.arguments(schemas.Workbook, location="files", content_type="multipart/form-data")
@blueprint.response(200, schemas.ImportReport)
def import_teachers(files: dict[str, Any]) -> dict[str, Any]:
    """Give the teachers of a workbook accounts and places in their schools; each row gets its own outcome."""
    return _import(files, rosters.import_teachers, TEACHER_COLUMNS)


@blueprint.get("/imports/<any(schools, teachers):roster>/template")
@blueprint.doc(operationId="get_roster_template")
@blueprint.response(200, content_type=XLSX)
def get_roster_template(roster: str) -> Response:
    """An empty workbook with the columns of a roster, all cells as text."""
    require_account()
    caching.allow(3600)
    buffer = io.BytesIO()
    columns = SCHOOL_COLUMNS if roster == "schools" else TEACHER_COLUMNS
    write_sheet(buffer, [column.title for column in columns], [], created=TEMPLATE_MADE)
    named = {"Content-Disposition": f'attachment; filename="{roster}.xlsx"'}
    return Response(buffer.getvalue(), content_type=XLSX, headers=named)


def _import(files: dict[str, Any], act: Import, columns: tuple[Column, ...]) -> dict[str, Any]:
    # Before the file costs anything: a visitor's is not even read. The services ask for the role themselves.
    if not require_account().grants:
        raise NotAllowed("shared.not_allowed")
    limit = Limits().file_bytes
    data = files["file"].read(limit + 1)
    if len(data) > limit:
        raise InvalidInput("shared.too_large", "file")
    extend_deadline(SECONDS)
    return report(act(data, RequestServices()), columns, call().language)


def report(rows: list[rosters.RosterRow], columns: tuple[Column, ...], language: str) -> dict[str, Any]:
    """Every row's outcome with its message, and how many of each."""
    texts, titles = gateway().catalogue, {column.key: column.title for column in columns}
    counts = Counter(row.outcome for row in rows)
    return {
        "rows": [
            {
                "row": row.number,
                "outcome": str(row.outcome),
                "code": row.code,
                "field": row.field,
                "column": titles.get(row.field, ""),
                "message": texts.text(row.code, language, "shared.invalid") if row.code else "",
            }
            for row in rows
        ],
        "counts": {str(outcome): counts[outcome] for outcome in Outcome},
    }
