"""Telling of exams: each with the questions that it draws on, to their judge."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.catalog import contract
from services.catalog.models import Programme, ProgrammeVersion
from services.catalog.questions import queries, rules
from services.catalog.questions.models import PublishedExam
from services.shared import outbox


def announce_exams(db: Session, programme: Programme, content: dict[str, Any]) -> None:
    """Every exam of a version that was just published; in the caller's transaction."""
    exams = content.get("exams", ())
    if not exams:
        return
    rows = [
        {
            "exam_id": uuid.UUID(exam["exam_id"]),
            "programme_id": programme.programme_id,
            "version": programme.content_version,
        }
        for exam in exams
    ]
    statement = insert(PublishedExam).values(rows)
    db.execute(
        statement.on_conflict_do_update(index_elements=["exam_id"], set_={"version": statement.excluded.version})
    )
    for payload in _payloads(db, programme.programme_id, programme.content_version, exams):
        outbox.announce(db, contract.EXAM_PUBLISHED, uuid.UUID(payload["exam_id"]), payload)


def present_payloads(db: Session, exam_ids: Sequence[uuid.UUID]) -> list[dict[str, Any]]:
    """What `catalog.exam_published` would say of these exams now."""
    rows = db.execute(
        sa.select(PublishedExam, ProgrammeVersion.content)
        .join(
            ProgrammeVersion,
            sa.and_(
                ProgrammeVersion.programme_id == PublishedExam.programme_id,
                ProgrammeVersion.version == PublishedExam.version,
            ),
        )
        .where(PublishedExam.exam_id.in_(exam_ids))
    )
    told = []
    for row in rows:
        exam = [each for each in row.content["exams"] if each["exam_id"] == str(row.PublishedExam.exam_id)]
        told += _payloads(db, row.PublishedExam.programme_id, row.PublishedExam.version, exam)
    return told


def _payloads(
    db: Session, programme_id: uuid.UUID, version: int, exams: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    banks = queries.find_versions(db, {_bank(pool) for exam in exams for pool in exam["draw"]})
    return [
        {
            **{name: value for name, value in exam.items() if name != "draw"},
            "programme_id": str(programme_id),
            "version": version,
            "draw": [
                {
                    "count": pool["count"],
                    "points": pool["points"],
                    "questions": rules.told(pool["bank"], pool["version"], banks[_bank(pool)].content["questions"]),
                }
                for pool in exam["draw"]
            ],
        }
        for exam in exams
    ]


def _bank(pool: dict[str, Any]) -> tuple[uuid.UUID, int]:
    return uuid.UUID(rules.bank_id(pool["bank"])), pool["version"]
