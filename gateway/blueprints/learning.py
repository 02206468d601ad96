"""Enrolments, study sessions, quizzes, progress; and study reports, which ask no service at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.auth import require_account
from gateway.context import gateway
from gateway.openapi import Blueprint
from gateway.pagination import ask_page
from gateway.rpc import ask, publish_confirmed, tell
from gateway.schemas import Page
from gateway.schemas import learning as schemas
from services.learning import contract
from services.learning.contract import reports
from services.learning.contract.tokens import PlayToken, Receipt, mint_receipt, read_play_token, read_receipt
from services.shared import clock
from services.shared.errors import InvalidInput, NotAllowed, NotFound

blueprint = Blueprint("learning", __name__, description="Enrolment, study, quizzes and progress")


@blueprint.route("/enrolments", methods=["POST"])
@blueprint.doc(operationId="enrol")
@blueprint.arguments(schemas.EnrolmentRequest)
@blueprint.response(200, schemas.Enrolment)
def enrol(body):
    """Enrol in a programme. Whoever is enrolled already keeps that enrolment."""
    return tell("learning", "enrol", {"programme_id": str(body["programme_id"])})


@blueprint.route("/enrolments")
@blueprint.doc(operationId="list_enrolments")
@blueprint.arguments(Page, location="query")
@blueprint.response(200, schemas.EnrolmentPage)
def list_enrolments(page):
    """One's own enrolments, newest first."""
    return ask_page("learning", "list_enrolments", page)


@blueprint.route("/programmes/<uuid:programme_id>/progress")
@blueprint.doc(operationId="get_progress")
@blueprint.response(200, schemas.ProgrammeProgress)
def get_progress(programme_id):
    """One's own studied and countable time by course and video, with a reason for what does not count."""
    return ask("learning", "get_progress", {"programme_id": str(programme_id)})


@blueprint.route("/study-sessions", methods=["POST"])
@blueprint.doc(operationId="open_study_session")
@blueprint.arguments(schemas.StudySessionRequest)
@blueprint.response(201, schemas.StudySession)
def open_study_session(body):
    """Begin to study a video. One session is live per person; a newer one ends the older."""
    return tell("learning", "open_study_session", {**body, "activity_id": str(body["activity_id"])})


@blueprint.route("/study-sessions/<uuid:study_session_id>/token", methods=["POST"])
@blueprint.doc(operationId="renew_play_token")
@blueprint.response(200, schemas.Renewal)
def renew_play_token(study_session_id):
    """A fresh play token, and up to which report everything is recorded for good."""
    return tell("learning", "renew_play_token", {"study_session_id": str(study_session_id)})


@blueprint.route("/study-sessions/<uuid:study_session_id>/presence", methods=["POST"])
@blueprint.doc(operationId="confirm_presence")
@blueprint.response(200, schemas.Presence)
def confirm_presence(study_session_id):
    """Answer a presence prompt. Until an overdue one is answered the session's clock stands still; nothing else is lost."""
    return tell("learning", "confirm_presence", {"study_session_id": str(study_session_id)})


@blueprint.route("/study-sessions/<uuid:study_session_id>/answers", methods=["POST"])
@blueprint.doc(operationId="answer_quiz")
@blueprint.arguments(schemas.AnswerRequest)
@blueprint.response(200, schemas.JudgedAnswer)
def answer_quiz(body, study_session_id):
    """Answer a quiz of the video; the server judges. Quizzes of a video go in order."""
    arguments = {
        "study_session_id": str(study_session_id),
        "quiz_id": str(body["quiz_id"]),
        "answers": body["answers"],
    }
    return tell("learning", "answer_quiz", arguments)


@blueprint.route("/study-sessions/<uuid:study_session_id>/segments", methods=["POST"])
@blueprint.doc(operationId="report_segments")
@blueprint.arguments(schemas.StudyReport)
@blueprint.response(202, schemas.ReportReply)
def report_segments(body, study_session_id):
    """Report what was watched. Accepted once the broker holds it; recorded a moment later.

    The answer carries a receipt. Keep report and receipt until `durable_seq` covers the seq, and send both again when it
    does not: the report then keeps the time of its first acceptance.
    """
    token = _play_token(body["play_token"], study_session_id)
    pairs = [(segment["begin"], segment["end"]) for segment in body["segments"]]
    segments = reports.read_segments(pairs, token.duration_seconds)
    receipt = _receipt(body, token, reports.digest(segments))
    message = {
        "kind": "report",
        "study_session_id": str(token.study_session_id),
        "seq": receipt.seq,
        "segments": [list(segment) for segment in segments],
        "received_at": clock.format_instant(receipt.received_at),
    }
    publish_confirmed(contract.STUDY_EXCHANGE, str(token.shard), message)
    return {
        "study_session_id": token.study_session_id,
        "seq": receipt.seq,
        "received_at": message["received_at"],
        "receipt": mint_receipt(receipt, gateway().keyring.signing_key("receipt").sign),
    }


def _play_token(text: str, study_session_id: Any) -> PlayToken:
    """The caller's own token for this session, perhaps expired. Another's session looks unknown."""
    actor = require_account()
    token = read_play_token(text, _signed_by("play-token"))
    if token.study_session_id != study_session_id or token.teacher_id != actor.account_id:
        raise NotFound("learning.session_unknown")
    return token


def _receipt(body: dict[str, Any], token: PlayToken, digest: str) -> Receipt:
    """When this report was accepted: now, or at the time that the receipt of an earlier acceptance proves.

    Raises NotAllowed for an expired token without such a receipt, InvalidInput for a receipt of something else.
    """
    if "receipt" not in body:
        now = clock.now()
        if now >= token.expires_at:
            raise NotAllowed("learning.play_token_expired", "play_token")
        return Receipt(token.study_session_id, body["seq"], digest, now)
    receipt = read_receipt(body["receipt"], _signed_by("receipt"))
    if (receipt.study_session_id, receipt.seq, receipt.digest) != (token.study_session_id, body["seq"], digest):
        raise InvalidInput("learning.receipt_invalid", "receipt")
    return receipt


def _signed_by(purpose: str) -> Callable[[bytes, bytes], bool]:
    key: Ed25519PublicKey = gateway().keyring.verify_key(purpose)

    def is_signed(signature: bytes, body: bytes) -> bool:
        try:
            key.verify(signature, body)
        except InvalidSignature:
            return False
        return True

    return is_signed
