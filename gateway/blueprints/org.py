"""Divisions, schools, memberships, grants."""

from __future__ import annotations

from typing import Any

from gateway import caching
from gateway.openapi import Blueprint
from gateway.pagination import ask_page
from gateway.rpc import ask, tell
from gateway.schemas import org as schemas

blueprint = Blueprint(
    "org", __name__, description="行政区划、学校、学校审核、授权 (divisions, schools, memberships, grants)"
)

DIVISIONS_SECONDS = 3600  # they change a few times a year


@blueprint.get("/divisions")
@blueprint.doc(operationId="list_divisions", security=[])
@blueprint.arguments(schemas.DivisionsQuery, location="query")
@blueprint.response(200, schemas.Divisions)
def list_divisions(query: dict[str, Any]) -> dict[str, Any]:
    """What stands directly below a division: provinces, cities, counties."""
    caching.allow(DIVISIONS_SECONDS, public=True)
    return ask("org", "list_divisions", query)


@blueprint.get("/divisions/<string:code>")
@blueprint.doc(operationId="get_division", security=[])
@blueprint.response(200, schemas.Division)
def get_division(code: str) -> dict[str, Any]:
    """One division with its stored parent and its place in the tree."""
    reply = ask("org", "get_division", {"code": code})
    caching.allow(DIVISIONS_SECONDS, public=True)
    return reply


@blueprint.get("/schools")
@blueprint.doc(operationId="list_schools", security=[])
@blueprint.arguments(schemas.SchoolsQuery, location="query")
@blueprint.response(200, schemas.Schools)
def list_schools(query: dict[str, Any]) -> dict[str, Any]:
    """Schools that take teachers, below a division, by any part of the name."""
    return ask_page("org", "list_schools", query)


@blueprint.post("/schools")
@blueprint.doc(operationId="create_school")
@blueprint.arguments(schemas.NewSchool)
@blueprint.response(201, schemas.School)
def create_school(body: dict[str, Any]) -> dict[str, Any]:
    """Create a school: the county's admin, or city and province for the units attached directly to them."""
    return tell("org", "create_school", body)


@blueprint.get("/schools/<uuid:school_id>")
@blueprint.doc(operationId="get_school", security=[{}, {"bearer": []}])
@blueprint.response(200, schemas.SchoolDetail)
def get_school(school_id: Any) -> dict[str, Any]:
    """One school; its contact only for those who manage it."""
    return ask("org", "get_school", {"school_id": str(school_id)})


@blueprint.post("/memberships")
@blueprint.doc(operationId="choose_school")
@blueprint.arguments(schemas.SchoolChoice)
@blueprint.response(201, schemas.Membership)
def choose_school(body: dict[str, Any]) -> dict[str, Any]:
    """Choose the own school, or 其他 of a county until it exists; the school's admin then verifies."""
    return tell("org", "choose_school", {name: str(value) for name, value in body.items()})


@blueprint.get("/memberships/me")
@blueprint.doc(operationId="get_own_membership")
@blueprint.response(200, schemas.Membership)
def get_own_membership() -> dict[str, Any]:
    """The own school and how far its verification has come."""
    return ask("org", "get_own_membership")


@blueprint.get("/memberships")
@blueprint.doc(operationId="list_memberships")
@blueprint.arguments(schemas.MembershipsQuery, location="query")
@blueprint.response(200, schemas.Members)
def list_memberships(query: dict[str, Any]) -> dict[str, Any]:
    """Members of a school with their masked names, for its admin and the regions above."""
    page = ask_page("org", "list_memberships", {**query, "school_id": str(query["school_id"])})
    people = _people([member["teacher_id"] for member in page["items"]])
    page["items"] = [{**member, "person": people.get(member["teacher_id"])} for member in page["items"]]
    return page


@blueprint.post("/memberships/<uuid:teacher_id>/verification")
@blueprint.doc(operationId="verify_membership")
@blueprint.response(200, schemas.Membership)
def verify_membership(teacher_id: Any) -> dict[str, Any]:
    """Confirm that the teacher belongs to the own school."""
    return tell("org", "verify_membership", {"teacher_id": str(teacher_id)})


@blueprint.post("/memberships/<uuid:teacher_id>/rejection")
@blueprint.doc(operationId="reject_membership")
@blueprint.arguments(schemas.Reason)
@blueprint.response(200, schemas.Membership)
def reject_membership(body: dict[str, Any], teacher_id: Any) -> dict[str, Any]:
    """Refuse a teacher who waits for verification, with the reason."""
    return tell("org", "reject_membership", {"teacher_id": str(teacher_id), **body})


@blueprint.post("/memberships/<uuid:teacher_id>/release")
@blueprint.doc(operationId="release_membership")
@blueprint.arguments(schemas.Reason)
@blueprint.response(200, schemas.Membership)
def release_membership(body: dict[str, Any], teacher_id: Any) -> dict[str, Any]:
    """Let a verified teacher go, so that the profile can be corrected or another school chosen."""
    return tell("org", "release_membership", {"teacher_id": str(teacher_id), **body})


@blueprint.post("/grants")
@blueprint.doc(operationId="grant_role")
@blueprint.arguments(schemas.NewGrant)
@blueprint.response(201, schemas.Grant)
def grant_role(body: dict[str, Any]) -> dict[str, Any]:
    """Give an account a role at a place: never more than the own, never outside the own territory, never to oneself."""
    return tell("org", "grant_role", schemas.NewGrant().dump(body))


@blueprint.delete("/grants/<uuid:grant_id>")
@blueprint.doc(operationId="revoke_grant")
@blueprint.response(200, schemas.Grant)
def revoke_grant(grant_id: Any) -> dict[str, Any]:
    """End a grant now; the right is gone within a second."""
    return tell("org", "revoke_grant", {"grant_id": str(grant_id)})


@blueprint.get("/grants")
@blueprint.doc(operationId="list_grants")
@blueprint.arguments(schemas.GrantsQuery, location="query")
@blueprint.response(200, schemas.Grants)
def list_grants(query: dict[str, Any]) -> dict[str, Any]:
    """Grants at a place and below it, also ended ones."""
    return ask_page("org", "list_grants", query)


def _people(account_ids: list[str]) -> dict[str, dict[str, Any]]:
    """Masked people by account; identity leaves out whom the caller may not see."""
    if not account_ids:
        return {}
    people = ask("identity", "list_people", {"account_ids": account_ids})["people"]
    return {person["account_id"]: person for person in people}
