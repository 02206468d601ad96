"""Authority codes 权限码, activation and its progress, unit administrators."""

from __future__ import annotations

from typing import Any

from gateway.openapi import Blueprint
from gateway.pagination import ask_page, open_cursor, seal_cursor
from gateway.rpc import ask, tell
from gateway.schemas import delegation as schemas
from gateway.schemas import org as org_schemas

blueprint = Blueprint(
    "delegation",
    __name__,
    description="权限码、激活进度、单位管理员 (authority codes, activation, unit administrators)",
)


@blueprint.post("/authority-codes")
@blueprint.doc(operationId="generate_authority_code")
@blueprint.arguments(schemas.NewCode)
@blueprint.response(201, schemas.CodeWithText)
def generate_authority_code(body: dict[str, Any]) -> dict[str, Any]:
    """Make a code by which somebody becomes administrator of a school or region; its text is told this once.

    A code of a province is PROPOSED: it opens nothing before a second person has approved it.
    """
    return tell("org", "generate_authority_code", body)


@blueprint.get("/authority-codes")
@blueprint.doc(operationId="list_authority_codes")
@blueprint.arguments(schemas.CodesQuery, location="query")
@blueprint.response(200, schemas.Codes)
def list_authority_codes(query: dict[str, Any]) -> dict[str, Any]:
    """Codes at a place and below it, newest first; never their text."""
    return ask_page("org", "list_authority_codes", query)


@blueprint.post("/authority-codes/<uuid:code_id>/approval")
@blueprint.doc(operationId="approve_authority_code")
@blueprint.response(200, schemas.Code)
def approve_authority_code(code_id: Any) -> dict[str, Any]:
    """Say the second person's yes to a proposed code; only then it can be activated."""
    return tell("org", "approve_authority_code", {"code_id": str(code_id)})


@blueprint.post("/authority-codes/<uuid:code_id>/delivery")
@blueprint.doc(operationId="record_code_delivery")
@blueprint.arguments(schemas.Delivery)
@blueprint.response(200, schemas.Code)
def record_code_delivery(body: dict[str, Any], code_id: Any) -> dict[str, Any]:
    """Note how a code was handed out."""
    return tell("org", "record_code_delivery", {"code_id": str(code_id), **body})


@blueprint.post("/authority-codes/<uuid:code_id>/revocation")
@blueprint.doc(operationId="revoke_authority_code")
@blueprint.arguments(schemas.OptionalReason)
@blueprint.response(200, schemas.Code)
def revoke_authority_code(body: dict[str, Any], code_id: Any) -> dict[str, Any]:
    """Void a code that waits, or end the grant that it gave."""
    return tell("org", "revoke_authority_code", {"code_id": str(code_id), **body})


@blueprint.post("/authority-code-activations")
@blueprint.doc(operationId="activate_authority_code")
@blueprint.arguments(schemas.Activation)
@blueprint.response(201, org_schemas.Grant)
def activate_authority_code(body: dict[str, Any]) -> dict[str, Any]:
    """Become administrator by a code, with one's ordinary account; then open the administrator's desk."""
    return tell("org", "activate_authority_code", body)


@blueprint.post("/grant-proposals")
@blueprint.doc(operationId="propose_grant")
@blueprint.arguments(schemas.NewProposal)
@blueprint.response(201, schemas.Proposal)
def propose_grant(body: dict[str, Any]) -> dict[str, Any]:
    """Propose a role of a province or of the nation; it is given when a second person approves within a week."""
    return tell("org", "propose_grant", schemas.NewProposal().dump(body))


@blueprint.get("/grant-proposals")
@blueprint.doc(operationId="list_grant_proposals")
@blueprint.arguments(schemas.ProposalsQuery, location="query")
@blueprint.response(200, schemas.Proposals)
def list_grant_proposals(query: dict[str, Any]) -> dict[str, Any]:
    """Proposed grants at a place and below it, newest first, with masked names; `state=OPEN` for those that wait."""
    page = ask_page("org", "list_grant_proposals", query)
    people = _people([item["account_id"] for item in page["items"]])
    page["items"] = [{**item, "person": people.get(item["account_id"])} for item in page["items"]]
    return page


@blueprint.post("/grant-proposals/<uuid:proposal_id>/approval")
@blueprint.doc(operationId="approve_grant")
@blueprint.response(200, schemas.Proposal)
def approve_grant(proposal_id: Any) -> dict[str, Any]:
    """Say the second person's yes: the grant is given now. Nobody approves what he proposed."""
    return tell("org", "approve_grant", {"proposal_id": str(proposal_id)})


@blueprint.post("/grant-proposals/<uuid:proposal_id>/rejection")
@blueprint.doc(operationId="reject_proposal")
@blueprint.arguments(org_schemas.Reason)
@blueprint.response(200, schemas.Proposal)
def reject_proposal(body: dict[str, Any], proposal_id: Any) -> dict[str, Any]:
    """Say the second person's no, with the reason."""
    return tell("org", "reject_proposal", {"proposal_id": str(proposal_id), **body})


@blueprint.post("/grant-proposals/<uuid:proposal_id>/withdrawal")
@blueprint.doc(operationId="withdraw_proposal")
@blueprint.arguments(schemas.OptionalReason)
@blueprint.response(200, schemas.Proposal)
def withdraw_proposal(body: dict[str, Any], proposal_id: Any) -> dict[str, Any]:
    """Take back what one proposed."""
    return tell("org", "withdraw_proposal", {"proposal_id": str(proposal_id), **body})


@blueprint.get("/activation-progress")
@blueprint.doc(operationId="get_activation_progress")
@blueprint.arguments(schemas.ProgressQuery, location="query")
@blueprint.response(200, schemas.Progress)
def get_activation_progress(query: dict[str, Any]) -> dict[str, Any]:
    """How far the administrators of a region have come, by level: 未生成, 已生成, 已激活, 已停用."""
    return ask("org", "get_activation_progress", query)


@blueprint.get("/activation-progress/units")
@blueprint.doc(operationId="list_activation_progress")
@blueprint.arguments(schemas.UnitsQuery, location="query")
@blueprint.response(200, schemas.Units)
def list_activation_progress(query: dict[str, Any]) -> dict[str, Any]:
    """The units directly below a region: province, city, county, school."""
    page = ask("org", "list_activation_progress", {**query, "cursor": open_cursor(query.get("cursor"))})
    return {**page, "next_cursor": seal_cursor(page["next_cursor"])}


@blueprint.get("/activation-progress/seats")
@blueprint.doc(operationId="list_admin_seats")
@blueprint.arguments(schemas.SeatsQuery, location="query")
@blueprint.response(200, schemas.Seats)
def list_admin_seats(query: dict[str, Any]) -> dict[str, Any]:
    """Seats of one role in one state, anywhere below a region: whom to remind."""
    return ask_page("org", "list_admin_seats", query)


@blueprint.get("/unit-administrators")
@blueprint.doc(operationId="list_unit_administrators")
@blueprint.arguments(schemas.AdministratorsQuery, location="query")
@blueprint.response(200, schemas.Administrators)
def list_unit_administrators(query: dict[str, Any]) -> dict[str, Any]:
    """Who administers one unit, with masked names; disabled ones stay in the list."""
    page = ask_page("org", "list_unit_administrators", query)
    people = _people([item["account_id"] for item in page["items"]])
    page["items"] = [{**item, "person": people.get(item["account_id"])} for item in page["items"]]
    return page


def _people(account_ids: list[str]) -> dict[str, dict[str, Any]]:
    """Masked people by account; identity leaves out whom the caller may not see."""
    if not account_ids:
        return {}
    people = ask("identity", "list_people", {"account_ids": sorted(set(account_ids))})["people"]
    return {person["account_id"]: person for person in people}
