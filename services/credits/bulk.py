"""The bulk writes of recognition: one statement per table and batch."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import uuid
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from services.credits.models import Evidence, ExamScore, LedgerEntry, Model, Standing
from services.credits.queries import Study
from services.shared.ids import new_id


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """One `learning.course_progressed`."""

    teacher_id: uuid.UUID
    programme_id: uuid.UUID
    course_id: uuid.UUID
    version: int
    videos: list[dict[str, Any]]
    at: dt.datetime  # when learning said so


@dataclasses.dataclass(frozen=True)
class Score:
    """One `learning.exam_judged`."""

    teacher_id: uuid.UUID
    programme_id: uuid.UUID
    course_id: uuid.UUID | None
    exam_id: uuid.UUID
    version: int
    score: Decimal | None
    judged_at: dt.datetime | None
    at: dt.datetime  # when learning said so


def _insert_from_json(model: type[Model]) -> str:
    """`INSERT … SELECT` of all columns from one JSON document: one plan whatever the number of rows, and no array to build.

    Per row of evidence it costs this process a quarter of what unnested arrays do, whose every text psycopg has to escape.
    """
    columns = model.__table__.columns
    names = ", ".join(column.name for column in columns)
    typed = ", ".join(f"{column.name} {column.type.compile(dialect=postgresql.dialect())}" for column in columns)
    return (
        f"INSERT INTO {model.__tablename__} ({names}) SELECT {names}"  # noqa: S608  our own names
        f" FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS new ({typed})"
    )


_KEEP_NEWER = sa.text(
    _insert_from_json(Evidence) + " ON CONFLICT (teacher_id, course_id) DO UPDATE"
    " SET version = excluded.version, videos = excluded.videos, progressed_at = excluded.progressed_at,"
    " passed = excluded.passed"
    " WHERE evidence.version < excluded.version"
    " RETURNING teacher_id, programme_id"
)
_APPEND = sa.text(
    _insert_from_json(LedgerEntry) + " ON CONFLICT (teacher_id, source_ref, turn) DO NOTHING RETURNING entry_id"
)
_PUT = sa.text(
    _insert_from_json(Standing)
    + " ON CONFLICT (teacher_id, programme_id) DO UPDATE SET "
    + ", ".join(
        f"{column.name} = excluded.{column.name}" for column in Standing.__table__.columns if not column.primary_key
    )
)


_KEEP_NEWER_SCORES = sa.text(
    _insert_from_json(ExamScore) + " ON CONFLICT (teacher_id, exam_id) DO UPDATE"
    " SET version = excluded.version, score = excluded.score, judged_at = excluded.judged_at"
    " WHERE exam_score.version < excluded.version"
    " RETURNING teacher_id, programme_id, course_id"
)


def _document(rows: Sequence[dict[str, Any]]) -> dict[str, str]:
    # Ids, instants, days and decimals all travel as their text, which is exact.
    return {"rows": json.dumps(rows, default=str)}


def keep_newer_scores(db: Session, scores: Sequence[Score]) -> set[Study]:
    """Store the exam scores that are newer than what is stored; returns whose programme score may have changed."""
    newest: dict[tuple[uuid.UUID, uuid.UUID], Score] = {}
    for score in sorted(scores, key=lambda each: (each.teacher_id, each.exam_id, each.version)):
        newest[score.teacher_id, score.exam_id] = score
    if not newest:
        return set()
    names = [column.name for column in ExamScore.__table__.columns]
    rows = [{name: getattr(each, name) for name in names} for each in newest.values()]
    changed = db.execute(_KEEP_NEWER_SCORES, _document(rows))
    return {(row.teacher_id, row.programme_id) for row in changed if row.course_id is None}


def keep_newer_evidence(
    db: Session, snapshots: Sequence[Snapshot], passed: Callable[[Snapshot], dict[str, Any]]
) -> set[Study]:
    """Store the snapshots that are newer than what is stored, with what of each has `passed` the gates; returns whose
    evidence changed.

    Of two snapshots of one course in a batch the newer is kept: one statement cannot touch a row twice.
    """
    newest: dict[tuple[uuid.UUID, uuid.UUID], Snapshot] = {}
    for snapshot in sorted(snapshots, key=lambda each: (each.teacher_id, each.course_id, each.version)):
        newest[snapshot.teacher_id, snapshot.course_id] = snapshot
    rows = list(newest.values())
    if not rows:
        return set()
    changed = db.execute(
        _KEEP_NEWER,
        _document(
            [
                {
                    "teacher_id": row.teacher_id,
                    "course_id": row.course_id,
                    "programme_id": row.programme_id,
                    "version": row.version,
                    "videos": row.videos,
                    "progressed_at": row.at,
                    "passed": passed(row),
                }
                for row in rows
            ]
        ),
    )
    return {(row.teacher_id, row.programme_id) for row in changed}


def append_entries(db: Session, entries: Sequence[dict[str, Any]]) -> int:
    """Append to the ledger what is not there yet under its natural key; returns how many rows were new."""
    return len(db.execute(_APPEND, _document(entries)).all()) if entries else 0


def put_standings(db: Session, standings: Sequence[dict[str, Any]]) -> None:
    """Write whole standings, new or not. The caller holds the teachers' year rows."""
    if standings:
        db.execute(_PUT, _document(standings))


def reversal(award: LedgerEntry, turn: int, why: str, now: dt.datetime) -> dict[str, Any]:
    """The row that takes an entry back: all of it but the sign, when, and why; it stands where the award stood."""
    kept = {column.name: getattr(award, column.name) for column in LedgerEntry.__table__.columns}
    return {
        **kept,
        "entry_id": new_id(),
        "turn": turn,
        "source_kind": "CORRECTION",
        "amount": -award.amount,
        "recorded_at": now,
        "reversal_of": award.entry_id,
        "why": why,
    }
