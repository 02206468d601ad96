"""Group selection 集体选课: one course for many teachers, many courses for one; each row is what the single command does."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from services.learning.bulk import rows
from services.learning.contract import jobs
from services.learning.selection import queries
from services.learning.selection.entrypoints import cancel_choice, choose_for, held_teachers
from services.learning.selection.policy import POLICIES
from services.shared.bulk.kinds import Chunk, JobRow, Kind, Result, each_row
from services.shared.bulk.rules import Outcome
from services.shared.errors import NotFound

# Whoever chooses alone waits at the seats of a course for as long as a chunk that fills it.
CHUNK_ROWS = 25


@dataclasses.dataclass(frozen=True)
class Prepared:
    """Whom the rows mean, and whom a hold bars."""

    named: dict[int, rows.Named]
    held: set[uuid.UUID]


def prepare_choosing(chunk: Chunk) -> Prepared:
    """Ask billing about all of a chunk's teachers at once; while it does not answer the whole job waits."""
    with chunk.service.database.work() as db:
        named = rows.find_named(db, chunk)
    teachers = sorted({each.teacher_id for each in named.values() if each.teacher_id is not None})
    return Prepared(named, held_teachers(chunk.service.bus, teachers, None) if teachers else set())


def prepare_named(chunk: Chunk) -> Prepared:
    """Whom and what the rows mean; nobody has to be asked."""
    with chunk.service.database.work() as db:
        return Prepared(rows.find_named(db, chunk), set())


def in_one_order(run: Callable[[Session, Chunk], Any]) -> Callable[[Session, Chunk], Any]:
    """As `run`, offering by offering: whoever takes seats of several takes them in the order of their ids (ADR 0012)."""

    def run_sorted(db: Session, chunk: Chunk) -> Any:
        def key(row: JobRow) -> tuple[str, int]:
            return str(chunk.prepared.named[row.number].offering_id), row.number

        return run(db, dataclasses.replace(chunk, rows=sorted(chunk.rows, key=key)))

    return run_sorted


def _choose(db: Session, chunk: Chunk, row: JobRow) -> Result:
    teacher_id, offering_id = chunk.prepared.named[row.number].require()
    held = teacher_id in chunk.prepared.held
    chosen = choose_for(db, chunk.call, teacher_id, offering_id, held=held)
    return Result(Outcome.CREATED if chosen.news else Outcome.UNCHANGED)


def _cancel(db: Session, chunk: Chunk, row: JobRow) -> Result:
    teacher_id, offering_id = chunk.prepared.named[row.number].require()
    choice = queries.find_choice(db, teacher_id, offering_id)
    if choice is None:
        raise NotFound(queries.MISSING)
    cancelled = cancel_choice(db, chunk.call, choice)
    return Result(Outcome.CHANGED if cancelled.news else Outcome.UNCHANGED)


KINDS = (
    Kind(
        name=jobs.CHOOSE_COURSES,
        title="集体选课",
        columns=jobs.CHOICE_COLUMNS,
        policy=POLICIES["choose_course_for"],
        prepare=prepare_choosing,
        run=in_one_order(each_row(_choose)),
        check=rows.is_named,
        chunk_rows=CHUNK_ROWS,
    ),
    Kind(
        name=jobs.CANCEL_CHOICES,
        title="集体取消选课",
        columns=jobs.CHOICE_COLUMNS,
        # Of oneself nobody cancels by a roster.
        policy=POLICIES["choose_course_for"],
        prepare=prepare_named,
        run=in_one_order(each_row(_cancel)),
        check=rows.is_named,
        chunk_rows=CHUNK_ROWS,
    ),
)
