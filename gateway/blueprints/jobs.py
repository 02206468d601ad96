"""Jobs: one thing done to many at once, from a spreadsheet or a list; each row with its own outcome.

`<service>` names whose job it is: each service that has any runs them in a process type of its own, `<service>-bulk`.
"""

from __future__ import annotations

import datetime as dt
import io
from typing import Any
from uuid import UUID

from flask import Response

from gateway import bulk_files, caching
from gateway.auth import require_account
from gateway.context import call, gateway
from gateway.openapi import Blueprint
from gateway.pagination import ask_page
from gateway.rpc import ask, extend_deadline, tell
from gateway.schemas import Page
from gateway.schemas import jobs as schemas
from services.shared.errors import NotAllowed, NotFound
from services.shared.spreadsheet import write_sheet

blueprint = Blueprint("jobs", __name__, description="批量任务 (jobs over many rows)")

SERVICE = "<any(org,learning,credits,catalog,billing,certs):service>"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
TEMPLATE_MADE = dt.datetime(2022, 12, 1, tzinfo=dt.UTC)  # so that each answer has the same bytes, and one ETag
UPLOAD_SECONDS = 60  # below gunicorn's time-out
FILE_DOCUMENT = {200: {"description": "The workbook", "content": {XLSX: {"schema": {"type": "string"}}}}}


@blueprint.get(f"/jobs/{SERVICE}/kinds")
@blueprint.doc(operationId="list_job_kinds")
@blueprint.response(200, schemas.JobKinds)
def list_job_kinds(service: str) -> dict[str, Any]:
    """What you may do to many at once, with the columns of each."""
    return ask(process_of(service), "list_job_kinds")


@blueprint.get(f"/jobs/{SERVICE}/kinds/<string:kind>/template")
@blueprint.doc(operationId="get_job_template", responses=FILE_DOCUMENT)
def get_job_template(service: str, kind: str) -> Response:
    """An empty workbook with the columns of a kind, all cells as text."""
    kinds = {item["kind"]: item for item in ask(process_of(service), "list_job_kinds")["items"]}
    if not (found := kinds.get(kind)) or found["export"]:
        raise NotFound("shared.job_kind_unknown")
    caching.allow(3600)
    buffer = io.BytesIO()
    write_sheet(buffer, [column["title"] for column in found["columns"]], [], created=TEMPLATE_MADE)
    named = {"Content-Disposition": f'attachment; filename="{kind}.xlsx"'}
    return Response(buffer.getvalue(), content_type=XLSX, headers=named)


@blueprint.post(f"/jobs/{SERVICE}/uploads")
@blueprint.doc(operationId="upload_job")
@blueprint.arguments(schemas.Upload, location="files", content_type="multipart/form-data")
@blueprint.response(202, schemas.Job)
def upload_job(form: dict[str, Any], service: str) -> dict[str, Any]:
    """Upload a roster. It is read and judged first; look at the preview, then start it."""
    # Before the file costs anything: a visitor's is not even read. The service asks for the role itself.
    if not require_account().grants:
        raise NotAllowed("shared.not_allowed")
    extend_deadline(UPLOAD_SECONDS)
    parameters = {"reason": form["reason"]} if "reason" in form else {}
    opening = {
        "kind": form["kind"],
        "parameters": parameters,
        "at_once": form["at_once"] == "true",
        "sha256": bulk_files.digest(form["file"].stream),
    }
    opened = tell(process_of(service), "open_job", opening)
    # The reply of a repeated request is the first one: whether the file has come since then is asked.
    job = ask(process_of(service), "get_job", {"job_id": opened["job_id"]})
    return shown(_attach(service, opened["job_id"], form["file"].stream) if job["state"] == "UPLOADING" else job)


def _attach(service: str, job_id: str, stream: Any) -> dict[str, Any]:
    file = bulk_files.store(stream)
    # Each try has pieces of its own; a key of its own makes the loser learn that he lost.
    step = f"file-{file.file_id}"
    attached = tell(process_of(service), "attach_file", {"job_id": job_id, "file": file.to_wire()}, step=step)
    if not attached["accepted"]:
        bulk_files.forget(file)
    return attached


@blueprint.post(f"/jobs/{SERVICE}")
@blueprint.doc(operationId="submit_job")
@blueprint.arguments(schemas.NewJob)
@blueprint.response(202, schemas.Job)
def submit_job(body: dict[str, Any], service: str) -> dict[str, Any]:
    """Do one thing to each of up to a thousand listed rows."""
    return shown(tell(process_of(service), "submit_rows", body))


@blueprint.get(f"/jobs/{SERVICE}")
@blueprint.doc(operationId="list_jobs")
@blueprint.arguments(Page, location="query")
@blueprint.response(200, schemas.Jobs)
def list_jobs(query: dict[str, Any], service: str) -> dict[str, Any]:
    """Your jobs, newest first."""
    page = ask_page(process_of(service), "list_jobs", query)
    return {**page, "items": [shown(job) for job in page["items"]]}


@blueprint.get(f"/jobs/{SERVICE}/<uuid:job_id>")
@blueprint.doc(operationId="get_job")
@blueprint.response(200, schemas.Job)
def get_job(service: str, job_id: UUID) -> dict[str, Any]:
    """How far a job has come; asked again with its ETag, an unchanged one costs no body."""
    caching.allow(0)
    return shown(ask(process_of(service), "get_job", {"job_id": str(job_id)}))


@blueprint.get(f"/jobs/{SERVICE}/<uuid:job_id>/rows")
@blueprint.doc(operationId="list_job_rows")
@blueprint.arguments(schemas.RowsQuery, location="query")
@blueprint.response(200, schemas.Rows)
def list_job_rows(query: dict[str, Any], service: str, job_id: UUID) -> dict[str, Any]:
    """What became of each row, by its number in the file."""
    page = ask_page(process_of(service), "list_job_rows", {**query, "job_id": str(job_id)})
    return {**page, "items": [{**row, "message": _text(row["code"])} for row in page["items"]]}


@blueprint.post(f"/jobs/{SERVICE}/<uuid:job_id>/start")
@blueprint.doc(operationId="start_job")
@blueprint.response(202, schemas.Job)
def start_job(service: str, job_id: UUID) -> dict[str, Any]:
    """Begin what the preview showed."""
    return _change(service, "start_job", job_id)


@blueprint.post(f"/jobs/{SERVICE}/<uuid:job_id>/cancellation")
@blueprint.doc(operationId="cancel_job")
@blueprint.response(200, schemas.Job)
def cancel_job(service: str, job_id: UUID) -> dict[str, Any]:
    """Do nothing more; what was done stays done."""
    return _change(service, "cancel_job", job_id)


@blueprint.post(f"/jobs/{SERVICE}/<uuid:job_id>/reruns")
@blueprint.doc(operationId="rerun_job")
@blueprint.response(202, schemas.Job)
def rerun_job(service: str, job_id: UUID) -> dict[str, Any]:
    """Try again the rows that failed, and those that were never reached; nothing is done twice."""
    return _change(service, "rerun_job", job_id)


@blueprint.post(f"/jobs/{SERVICE}/<uuid:job_id>/report")
@blueprint.doc(operationId="make_report")
@blueprint.response(202, schemas.Job)
def make_report(service: str, job_id: UUID) -> dict[str, Any]:
    """Make the report again after its file has expired."""
    return _change(service, "make_report", job_id)


@blueprint.post(f"/jobs/{SERVICE}/<uuid:job_id>/downloads")
@blueprint.doc(operationId="open_download")
@blueprint.response(201, schemas.Download)
def open_download(service: str, job_id: UUID) -> dict[str, Any]:
    """A token for fetching the report or the export: needs a fresh SMS code, is good once and for minutes."""
    return tell(process_of(service), "open_download", {"job_id": str(job_id)})


@blueprint.get(f"/jobs/{SERVICE}/<uuid:job_id>/file")
@blueprint.doc(operationId="redeem_download", responses=FILE_DOCUMENT)
@blueprint.arguments(schemas.DownloadQuery, location="query")
def redeem_download(query: dict[str, Any], service: str, job_id: UUID) -> Response:
    """Fetch the file. The token is then used up; a fetch that broke off needs another one."""
    redeemed = tell(process_of(service), "redeem_download", {"job_id": str(job_id), **query})
    response = Response(bulk_files.read(redeemed["file"]), content_type=XLSX)
    response.content_length = redeemed["file"]["size"]
    response.headers["Content-Disposition"] = f'attachment; filename="{redeemed["kind"]}-{job_id}.xlsx"'
    return response


def process_of(service: str) -> str:
    """The process type that runs a service's jobs."""
    return f"{service}-bulk"


def shown(job: dict[str, Any]) -> dict[str, Any]:
    return {**job, "message": _text(job["code"])}


def _change(service: str, method: str, job_id: UUID) -> dict[str, Any]:
    return shown(tell(process_of(service), method, {"job_id": str(job_id)}))


def _text(code: str) -> str:
    return gateway().catalogue.text(code, call().language, "shared.invalid") if code else ""
