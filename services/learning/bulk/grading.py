"""Grades by roster 成绩登记: each row is what the single grade is."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm import Session

from services.learning.bulk import rows
from services.learning.bulk.choosing import in_one_order, prepare_named
from services.learning.contract import jobs
from services.learning.contract.selection import ChoiceState
from services.learning.grades import actions, rules
from services.learning.grades.actions import Grade
from services.learning.grades.policy import POLICIES
from services.learning.selection import queries
from services.shared.bulk.columns import Fault
from services.shared.bulk.kinds import Chunk, JobRow, Kind, Result, each_row
from services.shared.bulk.rules import Outcome
from services.shared.errors import NotFound


def is_grade(values: Mapping[str, str]) -> Fault | None:
    """Whether a row names teacher and course, and its score is one."""
    if fault := rows.is_named(values):
        return fault
    try:
        rules.score_of(values.get("score", ""))
    except ValueError:
        return Fault("learning.score_malformed", "score")
    return None


def _grade(db: Session, chunk: Chunk, row: JobRow) -> Result:
    teacher_id, offering_id = chunk.prepared.named[row.number].require()
    choice = queries.find_choice(db, teacher_id, offering_id)
    if choice is None:
        raise NotFound(queries.MISSING)
    passed = row.values["grade"] == ChoiceState.PASSED
    score = rules.score_of(row.values.get("score", ""))
    grade = Grade(choice.choice_id, passed, score, row.values.get("reason", ""))
    return Result(Outcome.CHANGED if actions.grade_choice(db, chunk.call, grade) else Outcome.UNCHANGED)


KINDS = (
    Kind(
        name=jobs.ENTER_GRADES,
        title="成绩登记",
        columns=jobs.GRADE_COLUMNS,
        policy=POLICIES["grade_choices"],
        prepare=prepare_named,
        run=in_one_order(each_row(_grade)),
        check=is_grade,
    ),
)
