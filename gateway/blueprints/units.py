"""Schools through their lives: changes, mergers, moves; missing schools; tenant policies."""

from __future__ import annotations

from typing import Any

from gateway.openapi import Blueprint
from gateway.pagination import ask_page
from gateway.rpc import ask, tell
from gateway.schemas import Page
from gateway.schemas import org as org_schemas
from gateway.schemas import units as schemas

blueprint = Blueprint(
    "units",
    __name__,
    description="学校信息、合并、转移、新增申请、租户政策 (schools' records, mergers, moves, missing schools, tenant policies)",
)

# --- schools --------------------------------------------------------------------------------------------------------


@blueprint.patch("/schools/<uuid:school_id>")
@blueprint.doc(operationId="edit_school")
@blueprint.arguments(schemas.SchoolChange)
@blueprint.response(200, org_schemas.School)
def edit_school(body: dict[str, Any], school_id: Any) -> dict[str, Any]:
    """Change the named fields: the level that keeps the school, or its own staff for its own record."""
    return tell("org", "edit_school", {"school_id": str(school_id), **body})


@blueprint.post("/schools/<uuid:school_id>/code-correction")
@blueprint.doc(operationId="correct_school_code")
@blueprint.arguments(schemas.CodeCorrection)
@blueprint.response(200, org_schemas.School)
def correct_school_code(body: dict[str, Any], school_id: Any) -> dict[str, Any]:
    """Replace a school code that was typed wrong; its rightful school may take it then."""
    return _tell_school("correct_school_code", school_id, body)


@blueprint.post("/schools/<uuid:school_id>/contact-disclosure")
@blueprint.doc(operationId="reveal_school_contact")
@blueprint.arguments(schemas.Purpose)
@blueprint.response(200, schemas.OpenContact)
def reveal_school_contact(body: dict[str, Any], school_id: Any) -> dict[str, Any]:
    """Whom to call at a school, in clear: after a fresh SMS code, with the reason, and recorded."""
    return _tell_school("reveal_school_contact", school_id, body)


@blueprint.post("/schools/<uuid:school_id>/suspension")
@blueprint.doc(operationId="suspend_school")
@blueprint.arguments(schemas.SchoolAct)
@blueprint.response(200, org_schemas.School)
def suspend_school(body: dict[str, Any], school_id: Any) -> dict[str, Any]:
    """Let a school take no more teachers for now."""
    return _tell_school("suspend_school", school_id, body)


@blueprint.post("/schools/<uuid:school_id>/resumption")
@blueprint.doc(operationId="resume_school")
@blueprint.arguments(schemas.SchoolAct)
@blueprint.response(200, org_schemas.School)
def resume_school(body: dict[str, Any], school_id: Any) -> dict[str, Any]:
    """Let a suspended school take teachers again."""
    return _tell_school("resume_school", school_id, body)


@blueprint.post("/schools/<uuid:school_id>/merger")
@blueprint.doc(operationId="merge_school")
@blueprint.arguments(schemas.Merger)
@blueprint.response(200, org_schemas.School)
def merge_school(body: dict[str, Any], school_id: Any) -> dict[str, Any]:
    """Merge a school into another one under the same division, which is answered: its teachers move at once."""
    return _tell_school("merge_school", school_id, {**body, "into": str(body["into"])})


@blueprint.post("/schools/<uuid:school_id>/closure")
@blueprint.doc(operationId="close_school")
@blueprint.arguments(schemas.SchoolAct)
@blueprint.response(200, org_schemas.School)
def close_school(body: dict[str, Any], school_id: Any) -> dict[str, Any]:
    """Close a school without teachers on duty; its code is void."""
    return _tell_school("close_school", school_id, body)


@blueprint.post("/schools/<uuid:school_id>/reopening")
@blueprint.doc(operationId="reopen_school")
@blueprint.arguments(schemas.SchoolAct)
@blueprint.response(200, org_schemas.School)
def reopen_school(body: dict[str, Any], school_id: Any) -> dict[str, Any]:
    """Let a merged or closed school hang its sign again, with its old code."""
    return _tell_school("reopen_school", school_id, body)


@blueprint.get("/schools/<uuid:school_id>/history")
@blueprint.doc(operationId="get_school_history")
@blueprint.response(200, schemas.History)
def get_school_history(school_id: Any) -> dict[str, Any]:
    """Where the school stood before, with dates, and which codes it carried."""
    return ask("org", "get_school_history", {"school_id": str(school_id)})


@blueprint.get("/units")
@blueprint.doc(operationId="list_units")
@blueprint.arguments(schemas.UnitsQuery, location="query")
@blueprint.response(200, org_schemas.Schools)
def list_units(query: dict[str, Any]) -> dict[str, Any]:
    """Schools and institutions of the own territory in every state, in the order of the tree."""
    return ask_page("org", "list_units", query)


@blueprint.get("/units/counts")
@blueprint.doc(operationId="count_units")
@blueprint.arguments(schemas.CountsQuery, location="query")
@blueprint.response(200, schemas.Counts)
def count_units(query: dict[str, Any]) -> dict[str, Any]:
    """How many units stand in a part of the own territory, by state, kind and attachment."""
    return ask("org", "count_units", query)


# --- moves ----------------------------------------------------------------------------------------------------------


@blueprint.post("/school-moves")
@blueprint.doc(operationId="request_school_move")
@blueprint.arguments(schemas.NewMove)
@blueprint.response(201, schemas.Move)
def request_school_move(body: dict[str, Any]) -> dict[str, Any]:
    """Ask the level above both sides to move a school to another division."""
    return tell("org", "request_school_move", {**body, "school_id": str(body["school_id"])})


@blueprint.get("/school-moves")
@blueprint.doc(operationId="list_school_moves")
@blueprint.arguments(schemas.MovesQuery, location="query")
@blueprint.response(200, schemas.Moves)
def list_school_moves(query: dict[str, Any]) -> dict[str, Any]:
    """Requests to move schools out of or into the own territory, oldest first."""
    return ask_page("org", "list_school_moves", query)


@blueprint.get("/school-moves/<uuid:move_id>")
@blueprint.doc(operationId="get_school_move")
@blueprint.response(200, schemas.Move)
def get_school_move(move_id: Any) -> dict[str, Any]:
    """One request to move a school."""
    return ask("org", "get_school_move", {"move_id": str(move_id)})


@blueprint.post("/school-moves/<uuid:move_id>/execution")
@blueprint.doc(operationId="execute_school_move")
@blueprint.arguments(schemas.Decision)
@blueprint.response(200, schemas.Move)
def execute_school_move(body: dict[str, Any], move_id: Any) -> dict[str, Any]:
    """Move the school with its teachers, staff and codes: the city across counties, the province across cities."""
    return tell("org", "execute_school_move", {"move_id": str(move_id), **body})


@blueprint.post("/school-moves/<uuid:move_id>/rejection")
@blueprint.doc(operationId="reject_school_move")
@blueprint.arguments(schemas.Decision)
@blueprint.response(200, schemas.Move)
def reject_school_move(body: dict[str, Any], move_id: Any) -> dict[str, Any]:
    """Leave the school where it stands."""
    return tell("org", "reject_school_move", {"move_id": str(move_id), **body})


@blueprint.post("/school-moves/<uuid:move_id>/withdrawal")
@blueprint.doc(operationId="withdraw_school_move")
@blueprint.arguments(schemas.Decision)
@blueprint.response(200, schemas.Move)
def withdraw_school_move(body: dict[str, Any], move_id: Any) -> dict[str, Any]:
    """Take the own request back."""
    return tell("org", "withdraw_school_move", {"move_id": str(move_id), **body})


# --- missing schools ------------------------------------------------------------------------------------------------


@blueprint.post("/school-requests")
@blueprint.doc(operationId="request_school")
@blueprint.arguments(schemas.NewRequest)
@blueprint.response(201, schemas.Request)
def request_school(body: dict[str, Any]) -> dict[str, Any]:
    """Ask the county for the own school that is not in the list, while waiting in 其他."""
    return tell("org", "request_school", body)


@blueprint.get("/school-requests")
@blueprint.doc(operationId="list_school_requests")
@blueprint.arguments(schemas.RequestsQuery, location="query")
@blueprint.response(200, schemas.Requests)
def list_school_requests(query: dict[str, Any]) -> dict[str, Any]:
    """Schools that teachers of the own territory miss, oldest first."""
    return ask_page("org", "list_school_requests", query)


@blueprint.get("/school-requests/me")
@blueprint.doc(operationId="list_own_school_requests")
@blueprint.arguments(Page, location="query")
@blueprint.response(200, schemas.Requests)
def list_own_school_requests(query: dict[str, Any]) -> dict[str, Any]:
    """What oneself asked for, newest first, with the school to choose once there is one."""
    return ask_page("org", "list_own_school_requests", query)


@blueprint.post("/school-requests/<uuid:request_id>/school")
@blueprint.doc(operationId="create_requested_school")
@blueprint.arguments(org_schemas.NewSchool)
@blueprint.response(201, schemas.Request)
def create_requested_school(body: dict[str, Any], request_id: Any) -> dict[str, Any]:
    """Create the school that is missing; all who asked are told."""
    return tell("org", "create_requested_school", {"request_id": str(request_id), "school": body})


@blueprint.post("/school-requests/<uuid:request_id>/answer")
@blueprint.doc(operationId="answer_school_request")
@blueprint.arguments(schemas.Found)
@blueprint.response(200, schemas.Request)
def answer_school_request(body: dict[str, Any], request_id: Any) -> dict[str, Any]:
    """Name the school that was meant: it is in the list under another name."""
    arguments = {"request_id": str(request_id), "school_id": str(body["school_id"])}
    return tell("org", "answer_school_request", arguments)


@blueprint.post("/school-requests/<uuid:request_id>/rejection")
@blueprint.doc(operationId="reject_school_request")
@blueprint.arguments(schemas.Rejection)
@blueprint.response(200, schemas.Request)
def reject_school_request(body: dict[str, Any], request_id: Any) -> dict[str, Any]:
    """Refuse the request, with the reason."""
    return tell("org", "reject_school_request", {"request_id": str(request_id), **body})


@blueprint.post("/school-requests/<uuid:request_id>/withdrawal")
@blueprint.doc(operationId="withdraw_school_request")
@blueprint.response(200, schemas.Request)
def withdraw_school_request(request_id: Any) -> dict[str, Any]:
    """Ask no longer; colleagues who asked for the same school still do."""
    return tell("org", "withdraw_school_request", {"request_id": str(request_id)})


# --- tenant policies ------------------------------------------------------------------------------------------------


@blueprint.get("/tenant-policy")
@blueprint.doc(operationId="get_tenant_policy")
@blueprint.arguments(schemas.PlaceQuery, location="query")
@blueprint.response(200, schemas.Policy)
def get_tenant_policy(query: dict[str, Any]) -> dict[str, Any]:
    """What holds at a place: whether teachers wait for approval, how many admins a school has, who reviews profiles."""
    return ask("org", "get_tenant_policy", query)


@blueprint.put("/tenant-policy")
@blueprint.doc(operationId="set_tenant_policy")
@blueprint.arguments(schemas.NewPolicy)
@blueprint.response(200, schemas.Policy)
def set_tenant_policy(body: dict[str, Any]) -> dict[str, Any]:
    """Decide it for a province, city or county and all below that decide nothing else."""
    return tell("org", "set_tenant_policy", body)


@blueprint.post("/tenant-policy/withdrawal")
@blueprint.doc(operationId="withdraw_tenant_policy")
@blueprint.arguments(schemas.PolicyWithdrawal)
@blueprint.response(200, schemas.Policy)
def withdraw_tenant_policy(body: dict[str, Any]) -> dict[str, Any]:
    """Let the place follow what holds above it again."""
    return tell("org", "withdraw_tenant_policy", body)


@blueprint.get("/tenant-policies")
@blueprint.doc(operationId="list_tenant_policies")
@blueprint.arguments(schemas.PoliciesQuery, location="query")
@blueprint.response(200, schemas.Policies)
def list_tenant_policies(query: dict[str, Any]) -> dict[str, Any]:
    """What was decided at a place and below it."""
    return ask_page("org", "list_tenant_policies", query)


def _tell_school(method: str, school_id: Any, body: dict[str, Any]) -> dict[str, Any]:
    return tell("org", method, {"school_id": str(school_id), **body})
