"""Yearly and cycle verification, the credit matrix, and complaints about them."""

from __future__ import annotations

from typing import Any

from flask import Response

from gateway.openapi import Blueprint
from gateway.pagination import ask_page
from gateway.papers import PDF_DOCUMENT, pdf_response
from gateway.rpc import ask, extend_deadline, tell
from gateway.schemas import Page
from gateway.schemas import verification as schemas
from services.certs import contract as certs

# A page waits for a free place in a small pool.
RENDER_SECONDS = 20.0
blueprint = Blueprint(
    "verification", __name__, description="年度与周期验证、学分统计、投诉 (verification, credit matrix, complaints)"
)


@blueprint.get("/year-verifications/<int:year>")
@blueprint.doc(operationId="get_year_verification")
@blueprint.arguments(schemas.YearQuery, location="query")
@blueprint.response(200, schemas.YearVerification)
def get_year_verification(query: dict[str, Any], year: int) -> dict[str, Any]:
    """What a teacher's year comes to and what is missing: as it stands, as it stood at a past moment, or as it was frozen."""
    return ask("credits", "get_year_verification", {"year": year, **schemas.YearQuery().dump(query)})


@blueprint.get("/year-verifications/<int:year>/list")
@blueprint.doc(operationId="list_year_verifications")
@blueprint.arguments(schemas.YearsQuery, location="query")
@blueprint.response(200, schemas.YearLines)
def list_year_verifications(query: dict[str, Any], year: int) -> dict[str, Any]:
    """The years of a place's teachers, school by school and never in the order of their figures: as they were frozen, or,
    while they are open, as they were computed last night."""
    asked = {"frozen": None, **schemas.YearsQuery().dump(query)}
    return ask_page("credits", "list_year_verifications", {"year": year, **asked})


@blueprint.get("/year-verifications/<int:year>/summary")
@blueprint.doc(operationId="get_verification_summary")
@blueprint.arguments(schemas.PlaceQuery, location="query")
@blueprint.response(200, schemas.VerificationSummary)
def get_verification_summary(query: dict[str, Any], year: int) -> dict[str, Any]:
    """How many teachers' years are frozen at a place and directly below it, how many are open as of last night, and how many
    of each meet the requirement."""
    return ask("credits", "get_verification_summary", {"year": year, **query})


@blueprint.get("/year-verifications/<int:year>/sheet")
@blueprint.doc(operationId="render_year_sheet", responses=PDF_DOCUMENT)
def render_year_sheet(year: int) -> Response:
    """The own verification sheet as PDF, once the year is frozen; it prints the hash of the frozen content."""
    extend_deadline(RENDER_SECONDS)
    return pdf_response(ask(certs.RENDER, "render_year_sheet", {"year": year}))


@blueprint.post("/year-verifications/<int:year>/teacher-sheets")
@blueprint.doc(operationId="render_teacher_sheet", responses=PDF_DOCUMENT)
@blueprint.arguments(schemas.TeacherSheetPrinting)
def render_teacher_sheet(body: dict[str, Any], year: int) -> Response:
    """A teacher's sheet with the name, to be stamped: needs a fresh SMS code and a purpose, and is on record."""
    extend_deadline(RENDER_SECONDS)
    asked = {"year": year, **schemas.TeacherSheetPrinting().dump(body)}
    return pdf_response(tell(certs.RENDER, "render_teacher_sheet", asked))


@blueprint.post("/year-verifications/<int:year>/school-lists")
@blueprint.doc(operationId="render_school_list", responses=PDF_DOCUMENT)
@blueprint.arguments(schemas.SchoolListPrinting)
def render_school_list(body: dict[str, Any], year: int) -> Response:
    """The frozen years of up to a thousand teachers with their names: needs a fresh SMS code and a purpose, and is on record."""
    extend_deadline(RENDER_SECONDS)
    return pdf_response(tell(certs.RENDER, "render_school_list", {"year": year, **body}))


@blueprint.get("/credit-matrix")
@blueprint.doc(operationId="get_credit_matrix")
@blueprint.arguments(schemas.MatrixQuery, location="query")
@blueprint.response(200, schemas.CreditMatrix)
def get_credit_matrix(query: dict[str, Any]) -> dict[str, Any]:
    """Category by year of a cycle, with what is required and how far it has come."""
    return ask("credits", "get_credit_matrix", schemas.MatrixQuery().dump(query))


@blueprint.post("/complaints")
@blueprint.doc(operationId="file_complaint")
@blueprint.arguments(schemas.NewComplaint)
@blueprint.response(201, schemas.Complaint)
def file_complaint(body: dict[str, Any]) -> dict[str, Any]:
    """Complain about the own year's verification, while its window is open."""
    return tell("credits", "file_complaint", body)


@blueprint.get("/complaints/mine")
@blueprint.doc(operationId="list_own_complaints")
@blueprint.arguments(Page, location="query")
@blueprint.response(200, schemas.Complaints)
def list_own_complaints(query: dict[str, Any]) -> dict[str, Any]:
    """The own complaints, the oldest first."""
    return ask_page("credits", "list_own_complaints", query)


@blueprint.get("/complaints")
@blueprint.doc(operationId="list_complaints")
@blueprint.arguments(schemas.ComplaintsQuery, location="query")
@blueprint.response(200, schemas.Complaints)
def list_complaints(query: dict[str, Any]) -> dict[str, Any]:
    """Complaints of the teachers of a county, for those who handle them."""
    return ask_page("credits", "list_complaints", query)


@blueprint.get("/complaints/statistics")
@blueprint.doc(operationId="count_complaints")
@blueprint.arguments(schemas.ComplaintCountsQuery, location="query")
@blueprint.response(200, schemas.ComplaintCounts)
def count_complaints(query: dict[str, Any]) -> dict[str, Any]:
    """Complaints about a year's verification, school by school, by what became of them."""
    return ask("credits", "count_complaints", query)


@blueprint.post("/complaints/<uuid:complaint_id>/assignment")
@blueprint.doc(operationId="assign_complaint")
@blueprint.response(200, schemas.Complaint)
def assign_complaint(complaint_id: Any) -> dict[str, Any]:
    """Take a complaint on."""
    return tell("credits", "assign_complaint", _named(complaint_id))


@blueprint.post("/complaints/<uuid:complaint_id>/answer")
@blueprint.doc(operationId="answer_complaint")
@blueprint.arguments(schemas.ComplaintAnswer)
@blueprint.response(200, schemas.Complaint)
def answer_complaint(body: dict[str, Any], complaint_id: Any) -> dict[str, Any]:
    """Answer it; what it was right about is corrected in the ledger, and the year is frozen again."""
    return tell("credits", "answer_complaint", {**_named(complaint_id), **schemas.ComplaintAnswer().dump(body)})


@blueprint.post("/complaints/<uuid:complaint_id>/closing")
@blueprint.doc(operationId="close_complaint")
@blueprint.response(200, schemas.Complaint)
def close_complaint(complaint_id: Any) -> dict[str, Any]:
    """Be content with the answer."""
    return tell("credits", "close_complaint", _named(complaint_id))


@blueprint.post("/complaints/<uuid:complaint_id>/reopening")
@blueprint.doc(operationId="reopen_complaint")
@blueprint.arguments(schemas.ComplaintReopening)
@blueprint.response(200, schemas.Complaint)
def reopen_complaint(body: dict[str, Any], complaint_id: Any) -> dict[str, Any]:
    """Ask for another answer, once, while the window is open."""
    return tell("credits", "reopen_complaint", {**_named(complaint_id), **body})


def _named(complaint_id: Any) -> dict[str, Any]:
    return {"complaint_id": str(complaint_id)}
