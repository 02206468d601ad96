"""Recognised hours and the ledger behind them."""

from __future__ import annotations

from typing import Any

from gateway import caching
from gateway.context import call
from gateway.messages import LANGUAGES
from gateway.openapi import Blueprint
from gateway.pagination import ask_page
from gateway.rpc import ask, tell, tell_beside
from gateway.schemas import credits as schemas
from services.credits.contract import REASONS

PACKS_SECONDS = 3600  # they come with a release

blueprint = Blueprint("credits", __name__, description="认定学时与学时台账 (recognised hours and the ledger)")


@blueprint.get("/programmes/<uuid:programme_id>/hours")
@blueprint.doc(operationId="get_hours")
@blueprint.arguments(schemas.HoursQuery, location="query")
@blueprint.response(200, schemas.Hours)
def get_hours(query: dict[str, Any], programme_id: Any) -> dict[str, Any]:
    """Studied and recognised time in a programme, side by side, with a reason for every zero."""
    coming = _have_study_told(programme_id, query)
    reply = ask("credits", "get_hours", {"programme_id": str(programme_id), **_teacher(query)})
    reply["being_recognised"] = coming
    for course in reply["courses"]:
        course["explanations"] = [{"code": code, "message": _message(code)} for code in course["reasons"]]
    return reply


@blueprint.get("/ledger")
@blueprint.doc(operationId="list_ledger")
@blueprint.arguments(schemas.LedgerQuery, location="query")
@blueprint.response(200, schemas.LedgerPage)
def list_ledger(query: dict[str, Any]) -> dict[str, Any]:
    """The entries of one teacher's ledger, newest first, each with the rule that made it."""
    return ask_page("credits", "list_ledger", {"year": None, **query, **_teacher(query)})


@blueprint.get("/rule-packs")
@blueprint.doc(operationId="list_packs", security=[])
@blueprint.response(200, schemas.Packs)
def list_packs() -> dict[str, Any]:
    """The rule packs by which study becomes hours and credits; ACTIVE ones count, SAMPLE ones show, DRAFT ones judge nothing."""
    caching.allow(PACKS_SECONDS, public=True)
    return ask("credits", "list_packs")


@blueprint.post("/rule-evaluations")
@blueprint.doc(operationId="evaluate_rules")
@blueprint.arguments(schemas.RuleEvaluation)
@blueprint.response(200, schemas.RuleOutcome)
def evaluate_rules(document: dict[str, Any]) -> dict[str, Any]:
    """What the evidence of a document earns under a rule pack; nothing is kept. The same as `yanxiu rules evaluate`."""
    return ask("credits", "evaluate_rules", document)


@blueprint.get("/held-grades")
@blueprint.doc(operationId="list_held_grades")
@blueprint.arguments(schemas.HeldGradesQuery, location="query")
@blueprint.response(200, schemas.HeldGrades)
def list_held_grades(query: dict[str, Any]) -> dict[str, Any]:
    """Course grades of a place's teachers whose hours a frozen year could not take: a complaint decides about each."""
    return ask_page("credits", "list_held_grades", query)


@blueprint.get("/handovers")
@blueprint.doc(operationId="list_handovers")
@blueprint.arguments(schemas.HandoversQuery, location="query")
@blueprint.response(200, schemas.Handovers)
def list_handovers(query: dict[str, Any]) -> dict[str, Any]:
    """Season hours that certificates brought into the local register of a place, and what is held for people to decide."""
    return ask_page("credits", "list_handovers", query)


@blueprint.post("/handovers/settlements")
@blueprint.doc(operationId="settle_handovers")
@blueprint.arguments(schemas.HandoverSettlement)
@blueprint.response(200, schemas.HandoversSettled)
def settle_handovers(body: dict[str, Any]) -> dict[str, Any]:
    """Try again what is held at a place, and hand over what its rules ask for since then: a batch, until `next` is null."""
    return tell("credits", "settle_handovers", schemas.HandoverSettlement().dump(body))


def _have_study_told(programme_id: Any, query: dict[str, Any]) -> bool:
    """Have credits told of the reader's own study of the last minutes; whether there was any."""
    if "teacher_id" in query and query["teacher_id"] != call().actor.account_id:
        return False
    reply = tell_beside("learning", "tell_progress", {"programme_id": str(programme_id)})
    return bool(reply and reply["told"])


def _teacher(query: dict[str, Any]) -> dict[str, str]:
    return {"teacher_id": str(query["teacher_id"])} if "teacher_id" in query else {}


def _message(code: str) -> str:
    """The reason in the reader's language; a newer service's unknown reason stays a code."""
    texts = REASONS.get(code)
    return texts[LANGUAGES.index(call().language)] if texts else code
