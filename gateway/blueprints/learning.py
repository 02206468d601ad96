"""Enrolments, study sessions, quizzes, progress; and study reports, which ask no service at all."""

from __future__ import annotations

from flask import Response, request

from gateway import study_lane
from gateway.auth import access_token, require_account
from gateway.context import gateway
from gateway.openapi import Blueprint
from gateway.pagination import ask_page
from gateway.rpc import ask, publish_confirmed, tell
from gateway.schemas import Page
from gateway.schemas import learning as schemas
from gateway.study_reports import take
from services.learning import contract
from services.shared import clock

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
    return _vouched(tell("learning", "open_study_session", {**body, "activity_id": str(body["activity_id"])}))


@blueprint.route("/study-sessions/<uuid:study_session_id>/token", methods=["POST"])
@blueprint.doc(operationId="renew_play_token")
@blueprint.response(200, schemas.Renewal)
def renew_play_token(study_session_id):
    """A fresh play token, and up to which report everything is recorded for good."""
    return _vouched(tell("learning", "renew_play_token", {"study_session_id": str(study_session_id)}))


def _vouched(reply):
    """The reply with our word on its play token (`gateway/study_papers.py`), so that no report needs a signature checked."""
    token = access_token(request)
    if token and reply.get("play_token"):
        sign_in = gateway().tokens.verify(token, clock.now())
        reply["play_token"] = gateway().study_papers.vouch(reply["play_token"], token, sign_in)
    return reply


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
# An instance: of a class webargs makes a new one for each request, which costs more than reading it.
@blueprint.arguments(schemas.StudyReport())
@blueprint.response(202, schemas.ReportReply)
def report_segments(body, study_session_id):
    """Report what was watched. Accepted once the broker holds it; recorded a moment later.

    The answer carries a receipt. Keep report and receipt until `durable_seq` covers the seq, and send both again when it
    does not: the report then keeps the time of its first acceptance.
    """
    # The study lane comes first: here are reports that it did not understand, and those that it may not answer.
    if refusal := request.environ.get(study_lane.REFUSAL):
        raise refusal
    actor = require_account()
    assert actor.account_id is not None
    taken = take(study_session_id, actor.account_id, body, gateway().study_papers, clock.now())
    publish_confirmed(contract.STUDY_EXCHANGE, taken.shard, taken.message)
    return Response(taken.reply, 202, content_type="application/json")
