"""Exams: look, begin, answer, hand in."""

from __future__ import annotations

from typing import Any

from gateway import caching
from gateway.openapi import Blueprint
from gateway.rpc import ask, tell
from gateway.schemas import exams as schemas

blueprint = Blueprint("exams", __name__, description="考试 (exams of programmes and courses)")


@blueprint.get("/programmes/<uuid:programme_id>/exams")
@blueprint.doc(operationId="list_exams")
@blueprint.response(200, schemas.Exams)
def list_exams(programme_id: Any) -> dict[str, Any]:
    """The exams of a programme, one's own standing at each, and why none can begin now."""
    reply = ask("learning", "list_exams", {"programme_id": str(programme_id)})
    caching.allow(0)
    return reply


@blueprint.get("/exams/<uuid:exam_id>/attempts")
@blueprint.doc(operationId="list_exam_attempts")
@blueprint.response(200, schemas.Attempts)
def list_exam_attempts(exam_id: Any) -> dict[str, Any]:
    """One's own attempts, in the order in which they began."""
    return ask("learning", "list_exam_attempts", {"exam_id": str(exam_id)})


@blueprint.post("/exams/<uuid:exam_id>/attempts")
@blueprint.doc(operationId="start_exam_attempt")
@blueprint.arguments(schemas.NewAttempt)
@blueprint.response(201, schemas.Attempt)
def start_exam_attempt(body: dict[str, Any], exam_id: Any) -> dict[str, Any]:
    """Begin an attempt, or get the open one again. One is open per person; another device may take it over, with its time."""
    return tell("learning", "start_exam_attempt", {**body, "exam_id": str(exam_id)})


@blueprint.get("/exam-attempts/<uuid:attempt_id>")
@blueprint.doc(operationId="get_exam_attempt")
@blueprint.response(200, schemas.Attempt)
def get_exam_attempt(attempt_id: Any) -> dict[str, Any]:
    """An own attempt with its questions, what is saved, and its result once it has ended."""
    return ask("learning", "get_exam_attempt", {"attempt_id": str(attempt_id)})


@blueprint.put("/exam-attempts/<uuid:attempt_id>/answers")
@blueprint.doc(operationId="save_exam_answers")
@blueprint.arguments(schemas.Answers)
@blueprint.response(200, schemas.Saved)
def save_exam_answers(body: dict[str, Any], attempt_id: Any) -> dict[str, Any]:
    """Keep answers as they are given; what is saved before the time is over is judged, handed in or not."""
    answers = [{**answer, "question_id": str(answer["question_id"])} for answer in body["answers"]]
    return tell("learning", "save_exam_answers", {**body, "answers": answers, "attempt_id": str(attempt_id)})


@blueprint.post("/exam-attempts/<uuid:attempt_id>/submission")
@blueprint.doc(operationId="submit_exam_attempt")
@blueprint.arguments(schemas.Submission)
@blueprint.response(200, schemas.Attempt)
def submit_exam_attempt(body: dict[str, Any], attempt_id: Any) -> dict[str, Any]:
    """Hand in. The server judges at once; the best of all attempts counts."""
    return tell("learning", "submit_exam_attempt", {**body, "attempt_id": str(attempt_id)})
