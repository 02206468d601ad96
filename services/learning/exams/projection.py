"""Keeping what the catalogue tells of exams."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.learning.exams.models import Exam, ExamQuestion
from services.shared import clock
from services.shared.newer import keep_newer


def keep_exam(db: Session, payload: dict[str, Any]) -> None:
    """Store an exam and the questions that it draws on, unless a newer version is known."""
    values = {
        "exam_id": uuid.UUID(payload["exam_id"]),
        "programme_id": uuid.UUID(payload["programme_id"]),
        "course_id": uuid.UUID(payload["course_id"]) if payload["course_id"] else None,
        **{name: payload[name] for name in ("version", "key", "titles", "minutes", "attempts", "pass_mark", "after")},
        "opens_at": clock.parse_instant(payload["opens_at"]),
        "closes_at": clock.parse_instant(payload["closes_at"]),
        "draw": [
            {
                "count": pool["count"],
                "points": pool["points"],
                "question_ids": [question["question_id"] for question in pool["questions"]],
            }
            for pool in payload["draw"]
        ],
    }
    # Questions first: an id means the same for ever, and attempts hold ids of older versions, so rows stay.
    questions = [_question(each) for pool in payload["draw"] for each in pool["questions"]]
    db.execute(insert(ExamQuestion).on_conflict_do_nothing(), questions)
    keep_newer(db, Exam, "exam_id", values)


def _question(question: dict[str, Any]) -> dict[str, Any]:
    options = question["options"]
    return {
        "question_id": uuid.UUID(question["question_id"]),
        **{name: question[name] for name in ("kind", "prompt", "options", "analysis")},
        "answers": sorted(options.index(answer) for answer in question["answers"]),
    }
