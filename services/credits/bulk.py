"""The bulk writes of recognition: one statement per table and batch."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import uuid
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from services.credits.models import LedgerEntry, Model, Standing
from services.credits.queries import Study


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """One `learning.course_progressed`."""

    teacher_id: uuid.UUID
    programme_id: uuid.UUID
    course_id: uuid.UUID
    version: int
    videos: list[dict[str, Any]]
    at: dt.datetime  # when learning said so


_KEEP_NEWER = sa.text("""
    INSERT INTO evidence (teacher_id, course_id, programme_id, version, videos, progressed_at)
    SELECT teacher_id, course_id, programme_id, version, videos::jsonb, progressed_at
    FROM unnest(CAST(:teachers AS uuid[]), CAST(:courses AS uuid[]), CAST(:programmes AS uuid[]), CAST(:versions AS int[]),
                CAST(:videos AS text[]), CAST(:instants AS timestamptz[]))
        AS new (teacher_id, course_id, programme_id, version, videos, progressed_at)
    ON CONFLICT (teacher_id, course_id) DO UPDATE
    SET version = excluded.version, videos = excluded.videos, progressed_at = excluded.progressed_at
    WHERE evidence.version < excluded.version
    RETURNING teacher_id, programme_id
""")


def keep_newer_evidence(db: Session, snapshots: Sequence[Snapshot]) -> set[Study]:
    """Store the snapshots that are newer than what is stored; returns whose evidence changed.

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
        {
            "teachers": [row.teacher_id for row in rows],
            "courses": [row.course_id for row in rows],
            "programmes": [row.programme_id for row in rows],
            "versions": [row.version for row in rows],
            "videos": [json.dumps(row.videos) for row in rows],
            "instants": [row.at for row in rows],
        },
    )
    return {(row.teacher_id, row.programme_id) for row in changed}


def _insert_from_arrays(model: type[Model]) -> str:
    """`INSERT … SELECT FROM unnest(…)` of all columns: one statement whatever the number of rows, so it is planned once and
    costs a fraction of a VALUES list.
    """
    columns = model.__table__.columns
    names = ", ".join(column.name for column in columns)
    arrays = ", ".join(f"CAST(:{column.name} AS {_array_type(column)}[])" for column in columns)
    values = ", ".join(f"{column.name}::jsonb" if _is_json(column) else column.name for column in columns)
    return f"INSERT INTO {model.__tablename__} ({names}) SELECT {values} FROM unnest({arrays}) AS new ({names})"  # noqa: S608  our own names


_ARRAY_TYPES = {
    sa.Uuid: "uuid",
    sa.Integer: "int",
    sa.Numeric: "numeric",
    sa.Boolean: "boolean",
    sa.Date: "date",
    sa.DateTime: "timestamptz",
}


def _is_json(column: sa.ColumnElement[Any]) -> bool:
    return isinstance(column.type, JSONB)


def _array_type(column: sa.ColumnElement[Any]) -> str:
    # JSON travels as text: an array of jsonb has no adapter.
    return _ARRAY_TYPES.get(type(column.type), "text")


def _arrays(model: type[Model], rows: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    return {
        column.name: [json.dumps(row[column.name]) if _is_json(column) else row[column.name] for row in rows]
        for column in model.__table__.columns
    }


_APPEND = sa.text(
    _insert_from_arrays(LedgerEntry)
    + " ON CONFLICT (teacher_id, rule_id, source_ref, evidence_version) DO NOTHING RETURNING entry_id"
)
_PUT = sa.text(
    _insert_from_arrays(Standing)
    + " ON CONFLICT (teacher_id, programme_id) DO UPDATE SET "
    + ", ".join(
        f"{column.name} = excluded.{column.name}" for column in Standing.__table__.columns if not column.primary_key
    )
)


def append_entries(db: Session, entries: Sequence[dict[str, Any]]) -> int:
    """Append to the ledger what is not there yet under its natural key; returns how many rows were new."""
    return len(db.execute(_APPEND, _arrays(LedgerEntry, entries)).all()) if entries else 0


def put_standings(db: Session, standings: Sequence[dict[str, Any]]) -> None:
    """Write whole standings, new or not. The caller holds the teachers' year rows."""
    if standings:
        db.execute(_PUT, _arrays(Standing, standings))
