"""A school's teachers: lists of a territory, the review queue, archive, counts, stays, the desk."""

from __future__ import annotations

from typing import Any

from gateway.openapi import Blueprint
from gateway.pagination import ask_page
from gateway.people import explained, with_people
from gateway.rpc import ask, tell
from gateway.schemas import staffing as schemas
from services.shared.errors import Unavailable

blueprint = Blueprint(
    "staffing", __name__, description="教师审核、归档、在岗状态 (teachers of a school: reviews, archive, lists, counts)"
)


@blueprint.get("/teachers")
@blueprint.doc(operationId="list_teachers")
@blueprint.arguments(schemas.TeachersQuery, location="query")
@blueprint.response(200, schemas.Teachers)
def list_teachers(query: dict[str, Any]) -> dict[str, Any]:
    """Teachers of a school or region with their masked names; the archived only when asked for."""
    page = ask_page("org", "list_teachers", query)
    return {**page, "items": with_people(page["items"])}


@blueprint.get("/reviews")
@blueprint.doc(operationId="list_reviews")
@blueprint.arguments(schemas.ReviewsQuery, location="query")
@blueprint.response(200, schemas.Reviews)
def list_reviews(query: dict[str, Any]) -> dict[str, Any]:
    """Who waits for the school's word, longest first, with the days."""
    page = ask_page("org", "list_reviews", {**query, "school_id": str(query["school_id"])})
    return {**page, "items": with_people(page["items"])}


@blueprint.post("/reviews/verification")
@blueprint.doc(operationId="verify_memberships")
@blueprint.arguments(schemas.ManyTeachers)
@blueprint.response(200, schemas.RowOutcomes)
def verify_memberships(body: dict[str, Any]) -> dict[str, Any]:
    """Confirm many teachers at once; each gets an outcome of her own."""
    return _decide("verify_memberships", body)


@blueprint.post("/reviews/rejection")
@blueprint.doc(operationId="reject_memberships")
@blueprint.arguments(schemas.ManyAndReason)
@blueprint.response(200, schemas.RowOutcomes)
def reject_memberships(body: dict[str, Any]) -> dict[str, Any]:
    """Refuse many teachers for one reason; each gets an outcome of her own."""
    return _decide("reject_memberships", body)


@blueprint.post("/teachers/<uuid:teacher_id>/archival")
@blueprint.doc(operationId="archive_teacher")
@blueprint.arguments(schemas.Archival)
@blueprint.response(200, schemas.Staff)
def archive_teacher(body: dict[str, Any], teacher_id: Any) -> dict[str, Any]:
    """Archive a verified teacher of the own school: left, retired, lent, on leave."""
    return tell("org", "archive_teacher", {"teacher_id": str(teacher_id), **body})


@blueprint.post("/teachers/<uuid:teacher_id>/restoration")
@blueprint.doc(operationId="restore_teacher")
@blueprint.arguments(schemas.Restoration)
@blueprint.response(200, schemas.Staff)
def restore_teacher(body: dict[str, Any], teacher_id: Any) -> dict[str, Any]:
    """Set an archived teacher of the own school on duty again."""
    return tell("org", "restore_teacher", {"teacher_id": str(teacher_id), **body})


@blueprint.post("/archivals")
@blueprint.doc(operationId="archive_teachers")
@blueprint.arguments(schemas.Archivals)
@blueprint.response(200, schemas.RowOutcomes)
def archive_teachers(body: dict[str, Any]) -> dict[str, Any]:
    """Archive many teachers at once; each gets an outcome of her own."""
    return _decide("archive_teachers", body)


@blueprint.post("/restorations")
@blueprint.doc(operationId="restore_teachers")
@blueprint.arguments(schemas.Restorations)
@blueprint.response(200, schemas.RowOutcomes)
def restore_teachers(body: dict[str, Any]) -> dict[str, Any]:
    """Set many archived teachers on duty again; each gets an outcome of her own."""
    return _decide("restore_teachers", body)


@blueprint.get("/schools/<uuid:school_id>/desk")
@blueprint.doc(operationId="get_school_desk")
@blueprint.response(200, schemas.Desk)
def get_school_desk(school_id: Any) -> dict[str, Any]:
    """What waits to be done at a school: reviews, transfers, archived arrivals, special users."""
    desk = ask("org", "get_school_desk", {"school_id": str(school_id)})
    return {**desk, **_special_users(desk["place"]), "archived_arrivals": with_people(desk["archived_arrivals"])}


@blueprint.get("/staff-counts")
@blueprint.doc(operationId="get_staff_counts")
@blueprint.arguments(schemas.CountsQuery, location="query")
@blueprint.response(200, schemas.Counted)
def get_staff_counts(query: dict[str, Any]) -> dict[str, Any]:
    """How many teachers are at a place and below it, as of the moment of the answer."""
    return ask("org", "get_staff_counts", query)


@blueprint.get("/staff-counts/below")
@blueprint.doc(operationId="list_staff_counts")
@blueprint.arguments(schemas.CountsBelowQuery, location="query")
@blueprint.response(200, schemas.CountedBelow)
def list_staff_counts(query: dict[str, Any]) -> dict[str, Any]:
    """The same for each division and school directly under a region."""
    return ask_page("org", "list_staff_counts", query)


@blueprint.get("/memberships/me/periods")
@blueprint.doc(operationId="list_own_periods")
@blueprint.response(200, schemas.Periods)
def list_own_periods() -> dict[str, Any]:
    """The own stays at schools, oldest first: hours belong to the school where they were earned."""
    return ask("org", "list_own_periods")


@blueprint.get("/memberships/<uuid:teacher_id>/periods")
@blueprint.doc(operationId="list_periods")
@blueprint.response(200, schemas.Periods)
def list_periods(teacher_id: Any) -> dict[str, Any]:
    """A teacher's stays inside the own territory, oldest first."""
    return ask("org", "list_periods", {"teacher_id": str(teacher_id)})


def _decide(method: str, body: dict[str, Any]) -> dict[str, Any]:
    ids = [str(teacher_id) for teacher_id in body["teacher_ids"]]
    return {"rows": explained(tell("org", method, {**body, "teacher_ids": ids})["rows"])}


def _special_users(place: str) -> dict[str, Any]:
    """Billing's part of the desk; the rest of it does not wait for billing to come back."""
    try:
        return ask("billing", "count_special_users", {"place": place})
    except Unavailable:
        return {"special_users": None}
