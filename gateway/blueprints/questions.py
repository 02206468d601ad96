"""Question banks: import, publish, look."""

from __future__ import annotations

from typing import Any

from gateway.openapi import Blueprint
from gateway.pagination import ask_page
from gateway.rpc import ask, tell
from gateway.schemas import catalog as programmes
from gateway.schemas import questions as schemas

blueprint = Blueprint("questions", __name__, description="题库 (question banks)")


@blueprint.post("/question-banks")
@blueprint.doc(operationId="import_question_bank")
@blueprint.arguments(programmes.NewQuestionBank)
@blueprint.response(200, schemas.Bank)
def import_question_bank(body: dict[str, Any]) -> dict[str, Any]:
    """Keep the questions as the bank's draft. Nothing draws on them before they are published."""
    return tell("catalog", "import_question_bank", body)


@blueprint.get("/question-banks")
@blueprint.doc(operationId="list_question_banks")
@blueprint.arguments(schemas.BanksQuery, location="query")
@blueprint.response(200, schemas.Banks)
def list_question_banks(query: dict[str, Any]) -> dict[str, Any]:
    """The banks of a place and below it, for whoever may define programmes there."""
    return ask_page("catalog", "list_question_banks", query)


@blueprint.get("/question-banks/<uuid:bank_id>")
@blueprint.doc(operationId="get_question_bank")
@blueprint.arguments(schemas.BankQuery, location="query")
@blueprint.response(200, schemas.BankDetail)
def get_question_bank(query: dict[str, Any], bank_id: Any) -> dict[str, Any]:
    """A bank with its questions. Answers are told to nobody but the judge."""
    return ask("catalog", "get_question_bank", {**query, "bank_id": str(bank_id)})


@blueprint.post("/question-banks/<uuid:bank_id>/publication")
@blueprint.doc(operationId="publish_question_bank")
@blueprint.response(200, schemas.Bank)
def publish_question_bank(bank_id: Any) -> dict[str, Any]:
    """Make the draft the next version, which never changes."""
    return tell("catalog", "publish_question_bank", {"bank_id": str(bank_id)})
