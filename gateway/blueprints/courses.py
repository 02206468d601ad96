"""Courses: kept by city centres, district institutions and training institutions, for periods to offer."""

from __future__ import annotations

import uuid
from typing import Any

from gateway.openapi import Blueprint
from gateway.pagination import ask_page
from gateway.rpc import ask, tell
from gateway.schemas import courses as schemas

blueprint = Blueprint("courses", __name__, description="课程管理 (courses, and every version of them)")


@blueprint.post("/courses")
@blueprint.doc(operationId="create_course")
@blueprint.arguments(schemas.NewCourse)
@blueprint.response(201, schemas.Course)
def create_course(body: dict[str, Any]) -> dict[str, Any]:
    """Enter a course, kept at the own city, district or institution."""
    return tell("catalog", "create_course", schemas.NewCourse().dump(body))


@blueprint.get("/courses")
@blueprint.doc(operationId="list_courses")
@blueprint.arguments(schemas.CoursesQuery, location="query")
@blueprint.response(200, schemas.Courses)
def list_courses(query: dict[str, Any]) -> dict[str, Any]:
    """Courses kept at a place or below it, the newest first."""
    return ask_page("catalog", "list_courses", query)


@blueprint.get("/courses/<uuid:course_id>")
@blueprint.doc(operationId="get_course")
@blueprint.response(200, schemas.Course)
def get_course(course_id: uuid.UUID) -> dict[str, Any]:
    """A course as it is now."""
    return ask("catalog", "get_course", {"course_id": str(course_id)})


@blueprint.put("/courses/<uuid:course_id>")
@blueprint.doc(operationId="change_course")
@blueprint.arguments(schemas.CourseChange)
@blueprint.response(200, schemas.Course)
def change_course(body: dict[str, Any], course_id: uuid.UUID) -> dict[str, Any]:
    """A new version. Periods that are only planned follow; published ones keep the course as they offered it."""
    return tell("catalog", "change_course", {"course_id": str(course_id), **schemas.CourseChange().dump(body)})


@blueprint.post("/courses/<uuid:course_id>/withdrawal")
@blueprint.doc(operationId="withdraw_course")
@blueprint.arguments(schemas.Withdrawal)
@blueprint.response(200, schemas.Course)
def withdraw_course(body: dict[str, Any], course_id: uuid.UUID) -> dict[str, Any]:
    """Let no further period offer it. Refused while a period whose selection is not over does."""
    return tell("catalog", "withdraw_course", {"course_id": str(course_id), **body})


@blueprint.get("/courses/<uuid:course_id>/versions")
@blueprint.doc(operationId="list_course_versions")
@blueprint.response(200, schemas.PastStates)
def list_course_versions(course_id: uuid.UUID) -> dict[str, Any]:
    """Every state that the course has had, and who made it so."""
    return ask("catalog", "list_course_versions", {"course_id": str(course_id)})
