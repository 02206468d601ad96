"""The person's record: the profile's review, finding people, merging, erasure, consents."""

from __future__ import annotations

from typing import Any

from gateway.openapi import Blueprint
from gateway.pagination import ask_page
from gateway.people import explained
from gateway.rpc import ask, tell
from gateway.schemas import person as schemas
from gateway.schemas.identity import SmsCodeSent
from services.shared.errors import Conflict

blueprint = Blueprint(
    "person",
    __name__,
    description="信息审核、人员查询、账号合并、注销、授权同意 (reviews, people, merges, erasure, consents)",
)


# --- the profile's review ---


@blueprint.post("/profiles/me/submission")
@blueprint.doc(operationId="submit_profile")
@blueprint.response(200, schemas.Submitted)
def submit_profile() -> dict[str, Any]:
    """Hand the reopened profile to the school for review; until it has decided nothing changes."""
    return tell("identity", "submit_profile")


@blueprint.get("/profile-reviews")
@blueprint.doc(operationId="list_profile_reviews")
@blueprint.arguments(schemas.ReviewQuery, location="query")
@blueprint.response(200, schemas.Reviews)
def list_profile_reviews(query: dict[str, Any]) -> dict[str, Any]:
    """Submitted profiles of the own school or county, the longest waiting first, masked."""
    return ask_page("identity", "list_profile_reviews", query)


@blueprint.post("/profile-reviews/confirmation")
@blueprint.doc(operationId="confirm_profiles")
@blueprint.arguments(schemas.Decisions)
@blueprint.response(200, schemas.DecidedRows)
def confirm_profiles(body: dict[str, Any]) -> dict[str, Any]:
    """Pass up to a hundred submitted profiles; each gets its own outcome, and what it changes counts from now on."""
    return _decide("confirm_profiles", schemas.Decisions().dump(body))


@blueprint.post("/profile-reviews/return")
@blueprint.doc(operationId="return_profiles")
@blueprint.arguments(schemas.DecisionsAndReason)
@blueprint.response(200, schemas.DecidedRows)
def return_profiles(body: dict[str, Any]) -> dict[str, Any]:
    """Send up to a hundred profiles back to be done again, with a reason."""
    return _decide("return_profiles", schemas.DecisionsAndReason().dump(body))


@blueprint.post("/accounts/<uuid:account_id>/profile/reopening")
@blueprint.doc(operationId="reopen_profile")
@blueprint.arguments(schemas.Reason)
@blueprint.response(200, schemas.Reopened)
def reopen_profile(body: dict[str, Any], account_id: Any) -> dict[str, Any]:
    """Let a verified teacher edit a confirmed profile (重新更新); what is edited waits for the review."""
    return tell("identity", "reopen_profile", {"account_id": str(account_id), **body})


@blueprint.post("/accounts/<uuid:account_id>/profile/disclosure")
@blueprint.doc(operationId="reveal_profile_review")
@blueprint.arguments(schemas.Reason)
@blueprint.response(200, schemas.Revealed)
def reveal_profile_review(body: dict[str, Any], account_id: Any) -> dict[str, Any]:
    """Name and number of a submitted profile in full, to compare with the document; asks for a fresh SMS code, recorded."""
    return tell("identity", "reveal_profile_review", {"account_id": str(account_id), **body})


# --- adding and finding people ---


@blueprint.post("/schools/<uuid:school_id>/teachers")
@blueprint.doc(operationId="add_teacher")
@blueprint.arguments(schemas.NewTeacher)
@blueprint.response(201, schemas.AddedTeacher)
def add_teacher(body: dict[str, Any], school_id: Any) -> dict[str, Any]:
    """Add a teacher who is new to the own school: account, learner number and a verified place, without a password."""
    added = tell("identity", "add_teacher", body)
    row = {"row": 1, "account_id": added["account_id"], "school_id": str(school_id)}
    [placed] = tell("org", "import_memberships", {"rows": [row]}, step="place")["rows"]
    if placed["code"]:
        raise Conflict(placed["code"])
    # Who was there already stays as she was: if she waits, the review queue has her. (An org of before tells no state.)
    return {**added, "membership_state": placed.get("state", "")}


@blueprint.post("/person-searches")
@blueprint.doc(operationId="search_people")
@blueprint.arguments(schemas.PersonSearch)
@blueprint.response(200, schemas.FoundPeople)
def search_people(body: dict[str, Any]) -> dict[str, Any]:
    """People of the own territory by phone, ID number, learner number or full name, masked."""
    return ask_page("identity", "search_people", body)


@blueprint.post("/accounts/me/duplicate-question")
@blueprint.doc(operationId="ask_for_own_account")
@blueprint.arguments(schemas.OwnAccountQuestion)
@blueprint.response(200, schemas.OwnAccountAnswer)
def ask_for_own_account(body: dict[str, Any]) -> dict[str, Any]:
    """Where an ID number is taken: the masked phone of the account that has it, for whoever knows its name too."""
    return tell("identity", "ask_for_own_account", body)


@blueprint.get("/accounts/<uuid:account_id>/possible-duplicates")
@blueprint.doc(operationId="list_possible_duplicates")
@blueprint.response(200, schemas.Suspects)
def list_possible_duplicates(account_id: Any) -> dict[str, Any]:
    """Accounts that may be the same person's: same name and birth date, or a former ID number."""
    return ask("identity", "list_possible_duplicates", {"account_id": str(account_id)})


@blueprint.post("/accounts/<uuid:account_id>/identity-history")
@blueprint.doc(operationId="show_identity_history")
@blueprint.arguments(schemas.Reason)
@blueprint.response(200, schemas.IdentityHistory)
def show_identity_history(body: dict[str, Any], account_id: Any) -> dict[str, Any]:
    """Former names and ID numbers, masked; for support, with a fresh SMS code, recorded."""
    return tell("identity", "show_identity_history", {"account_id": str(account_id), **body})


# --- merging ---


@blueprint.post("/merges")
@blueprint.doc(operationId="propose_merge")
@blueprint.arguments(schemas.NewMerge)
@blueprint.response(201, schemas.Merge)
def propose_merge(body: dict[str, Any]) -> dict[str, Any]:
    """Say that two accounts are one person; another one of support approves."""
    return tell("identity", "propose_merge", schemas.NewMerge().dump(body))


@blueprint.get("/merges")
@blueprint.doc(operationId="list_merges")
@blueprint.arguments(schemas.MergeQuery, location="query")
@blueprint.response(200, schemas.Merges)
def list_merges(query: dict[str, Any]) -> dict[str, Any]:
    """Merges in one state, the newest first."""
    return ask_page("identity", "list_merges", query)


@blueprint.get("/merges/<uuid:merge_id>")
@blueprint.doc(operationId="get_merge")
@blueprint.response(200, schemas.Merge)
def get_merge(merge_id: Any) -> dict[str, Any]:
    """One merge with both accounts, masked."""
    return ask("identity", "get_merge", {"merge_id": str(merge_id)})


@blueprint.post("/merges/<uuid:merge_id>/approval")
@blueprint.doc(operationId="approve_merge")
@blueprint.arguments(schemas.SeenDocument)
@blueprint.response(200, schemas.Merge)
def approve_merge(body: dict[str, Any], merge_id: Any) -> dict[str, Any]:
    """Make two accounts one; not by whoever proposed it. It can be undone for 30 days."""
    return tell("identity", "approve_merge", {"merge_id": str(merge_id), **body})


@blueprint.post("/merges/<uuid:merge_id>/rejection")
@blueprint.doc(operationId="reject_merge")
@blueprint.arguments(schemas.Reason)
@blueprint.response(200, schemas.Merge)
def reject_merge(body: dict[str, Any], merge_id: Any) -> dict[str, Any]:
    """Refuse a proposed merge; nothing changes."""
    return tell("identity", "reject_merge", {"merge_id": str(merge_id), **body})


@blueprint.post("/merges/<uuid:merge_id>/withdrawal")
@blueprint.doc(operationId="withdraw_merge")
@blueprint.arguments(schemas.Reason)
@blueprint.response(200, schemas.Merge)
def withdraw_merge(body: dict[str, Any], merge_id: Any) -> dict[str, Any]:
    """Take the own proposal back."""
    return tell("identity", "withdraw_merge", {"merge_id": str(merge_id), **body})


@blueprint.post("/merges/<uuid:merge_id>/undoing")
@blueprint.doc(operationId="undo_merge")
@blueprint.arguments(schemas.Reason)
@blueprint.response(200, schemas.Merge)
def undo_merge(body: dict[str, Any], merge_id: Any) -> dict[str, Any]:
    """Take two persons apart again who were merged by mistake, within 30 days."""
    return tell("identity", "undo_merge", {"merge_id": str(merge_id), **body})


# --- erasure ---


@blueprint.post("/accounts/me/erasure-codes")
@blueprint.doc(operationId="request_erasure_code")
@blueprint.response(202, SmsCodeSent)
def request_erasure_code() -> dict[str, Any]:
    """Send a code to the own phone, for closing the account."""
    return tell("identity", "request_erasure_code")


@blueprint.post("/accounts/me/erasure")
@blueprint.doc(operationId="request_erasure")
@blueprint.arguments(schemas.ErasureProof)
@blueprint.response(202, schemas.Erasure)
def request_erasure(body: dict[str, Any]) -> dict[str, Any]:
    """Ask for the account to be closed and forgotten; it happens in 15 days and can be taken back until then."""
    return tell("identity", "request_erasure", body)


@blueprint.get("/accounts/me/erasure")
@blueprint.doc(operationId="get_erasure")
@blueprint.response(200, schemas.Erasure)
def get_erasure() -> dict[str, Any]:
    """Where the own wish stands; the state is empty when there is none."""
    return ask("identity", "get_erasure")


@blueprint.delete("/accounts/me/erasure")
@blueprint.doc(operationId="cancel_erasure")
@blueprint.response(200, schemas.Erasure)
def cancel_erasure() -> dict[str, Any]:
    """Keep the account after all."""
    return tell("identity", "cancel_erasure")


# --- consents ---


@blueprint.get("/consent-texts")
@blueprint.doc(operationId="list_consent_texts", security=[])
@blueprint.response(200, schemas.ConsentTexts)
def list_consent_texts() -> dict[str, Any]:
    """The texts that people are asked to agree to, as they are in force."""
    return ask("identity", "list_consent_texts")


@blueprint.get("/consents/me")
@blueprint.doc(operationId="list_consents")
@blueprint.response(200, schemas.Consents)
def list_consents() -> dict[str, Any]:
    """Where one stands with each text, and every answer so far."""
    return ask("identity", "list_consents")


@blueprint.post("/consents/me")
@blueprint.doc(operationId="record_consent")
@blueprint.arguments(schemas.ConsentAnswer)
@blueprint.response(200, schemas.Consents)
def record_consent(body: dict[str, Any]) -> dict[str, Any]:
    """Agree to a text, or take it back; every answer is kept with the version that was shown."""
    return tell("identity", "record_consent", body)


def _decide(method: str, body: dict[str, Any]) -> dict[str, Any]:
    return {"rows": explained(tell("identity", method, body)["rows"])}
