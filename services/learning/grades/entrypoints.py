"""Grades: entered by the list, and each one's history."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa

from services.learning.grades import actions, schemas
from services.learning.grades.actions import Grade
from services.learning.grades.models import GradeStep
from services.learning.selection import queries
from services.shared.bus import Call, command, query
from services.shared.errors import NotFound, ServiceError


class Grades:
    """Mixed into the service."""

    database: Any

    @command
    def grade_choices(self, call: Call) -> dict[str, Any]:
        """Each row by itself: one that is refused keeps its code and costs the others nothing. Longer lists are a job."""
        grades = [Grade(**row) for row in call.load(schemas.GradeChoices())["grades"]]
        reply: dict[str, Any] = self.database.commit_once(
            call, lambda db: {"rows": _grade_all(db, call, grades)}, schemas.GradesDone()
        )
        return reply

    @query
    def get_grade_history(self, call: Call) -> dict[str, Any]:
        """Every grade that was entered for a choice, and why it was changed."""
        choice_id = call.load(schemas.OneChoice())["choice_id"]
        with self.database.read(call) as db:
            choice = queries.get_choice(db, choice_id)
            place = queries.find_place(db, choice.teacher_id)
            call.authorise(subject=choice.teacher_id, place=place, missing=queries.MISSING)
            select = sa.select(GradeStep).where(GradeStep.choice_id == choice_id).order_by(GradeStep.position)
            steps = db.scalars(select).all()
            return schemas.GradeHistory().dump({"choice_id": choice_id, "steps": steps})


def _grade_all(db: Any, call: Call, grades: list[Grade]) -> list[dict[str, Any]]:
    done: dict[uuid.UUID, dict[str, Any]] = {}
    # In one order, so that two lists never wait for each other's choices.
    for grade in sorted(grades, key=lambda each: each.choice_id):
        done[grade.choice_id] = _grade(db, call, grade)
    if all(row["code"] == queries.MISSING for row in done.values()):
        raise NotFound(queries.MISSING)
    return [done[grade.choice_id] for grade in grades]


def _grade(db: Any, call: Call, grade: Grade) -> dict[str, Any]:
    try:
        with db.begin_nested():
            changed = actions.grade_choice(db, call, grade)
    except ServiceError as error:
        return {"choice_id": grade.choice_id, "outcome": "REFUSED", "code": error.code}
    return {"choice_id": grade.choice_id, "outcome": "CHANGED" if changed else "UNCHANGED", "code": ""}
