"""Closing a season: a marker goes through every shard's queue behind the last report (`architecture.md` decision 11).

When the markers of all shards have come out, every report received before the close has been recorded, and learning
says so with counts, against which credits checks that it holds all snapshots.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.learning import contract
from services.learning.exams.models import ExamAttempt, ExamResult
from services.learning.exams.rules import AttemptState
from services.learning.models import ClosingMarker, CourseEvidence, Enrolment, Programme
from services.learning.study.actions import evidence
from services.shared import outbox

# A marker that has not come out by then may have gone with a broker's disk; a second one does no harm.
SEND_AGAIN_AFTER = dt.timedelta(minutes=1)


@dataclasses.dataclass(frozen=True)
class Marker:
    programme_id: uuid.UUID
    shard: int

    @classmethod
    def from_wire(cls, body: Mapping[str, Any]) -> Marker:
        return cls(uuid.UUID(body["programme_id"]), int(body["shard"]))

    def to_wire(self) -> dict[str, Any]:
        return {"kind": "marker", "programme_id": str(self.programme_id), "shard": self.shard}


def plan_closing(db: Session, programme_id: uuid.UUID, shards: int, settle: dt.timedelta) -> None:
    """Note one marker per shard, due once every gateway has published what it accepted before the close.

    `settle` is real time: the longest that a gateway may hold a report.
    """
    due_at = sa.func.now() + settle
    rows = [{"programme_id": programme_id, "shard": shard, "due_at": due_at} for shard in range(shards)]
    db.execute(insert(ClosingMarker).values(rows).on_conflict_do_nothing())


def take_due_markers(db: Session, now: dt.datetime) -> list[Marker]:
    """Markers to send now, noted as sent. Sent twice or lost after the note: both end well, for they are sent again."""
    closes_at = (
        sa.select(Programme.closes_at)
        .where(Programme.programme_id == ClosingMarker.programme_id)
        .correlate(ClosingMarker)
        .scalar_subquery()
    )
    due = sa.select(ClosingMarker).where(
        ClosingMarker.passed_at.is_(None),
        ClosingMarker.due_at <= sa.func.now(),
        # An exam ends with its programme at the latest; what nobody handed in is judged first.
        ~sa.exists().where(
            ExamAttempt.programme_id == ClosingMarker.programme_id, ExamAttempt.state == AttemptState.OPEN
        ),
        # So is what was studied and not yet told, a piece at a time: all of it is due by the close. Of every programme, for
        # that is a look at one end of an index; it takes seconds.
        ~evidence.is_anything_due(sa.func.least(closes_at, now)),
        sa.or_(ClosingMarker.sent_at.is_(None), ClosingMarker.sent_at <= sa.func.now() - SEND_AGAIN_AFTER),
    )
    rows = db.scalars(due.order_by(ClosingMarker.programme_id, ClosingMarker.shard).with_for_update(skip_locked=True))
    markers = []
    for row in rows:
        row.sent_at = sa.func.now()
        markers.append(Marker(row.programme_id, row.shard))
    return markers


def note_unsent(db: Session, markers: Collection[Marker]) -> None:
    """The broker did not take these: send them at the next turn."""
    for marker in markers:
        db.execute(_of(marker).values(sent_at=None))


def pass_markers(db: Session, markers: Collection[Marker]) -> None:
    """Markers came out of their queues; when a programme's last one has, announce that its study is closed."""
    for programme_id in sorted({marker.programme_id for marker in markers}):
        # Lock all rows of the programme first: two shards may bring their last markers at the same moment.
        waiting = _lock_waiting(db, programme_id)
        came = {marker.shard for marker in markers if marker.programme_id == programme_id} & waiting.keys()
        for shard in came:
            waiting[shard].passed_at = sa.func.now()
        if came and came == waiting.keys():
            db.flush()
            _announce_closed(db, programme_id)


def _lock_waiting(db: Session, programme_id: uuid.UUID) -> dict[int, ClosingMarker]:
    rows = db.scalars(
        sa.select(ClosingMarker)
        .where(ClosingMarker.programme_id == programme_id)
        .order_by(ClosingMarker.shard)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {row.shard: row for row in rows if row.passed_at is None}


def _announce_closed(db: Session, programme_id: uuid.UUID) -> None:
    # Nothing as a rule. A programme that was closed before its day still has what is not due yet, and a transaction may
    # have taken its time: counted is counted.
    evidence.tell_programme(db, programme_id)
    outbox.announce(db, contract.STUDY_CLOSED, programme_id, closed_payload(db, programme_id))


def closed_payload(db: Session, programme_id: uuid.UUID) -> dict[str, Any]:
    """How much credits must hold before it may say that all is recognised."""
    enrolments = db.scalar(sa.select(sa.func.count()).where(Enrolment.programme_id == programme_id))
    snapshots, version_sum = db.execute(
        sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(CourseEvidence.version), 0)).where(
            CourseEvidence.programme_id == programme_id
        )
    ).one()
    exam_results, exam_version_sum = db.execute(
        sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(ExamResult.version), 0)).where(
            ExamResult.programme_id == programme_id, ExamResult.version > 0
        )
    ).one()
    return {
        "exam_results": exam_results,
        "exam_version_sum": int(exam_version_sum),
        "programme_id": str(programme_id),
        "enrolments": enrolments,
        "snapshots": snapshots,
        "version_sum": int(version_sum),
    }


def _of(marker: Marker) -> sa.Update:
    return sa.update(ClosingMarker).where(
        ClosingMarker.programme_id == marker.programme_id,
        ClosingMarker.shard == marker.shard,
        ClosingMarker.passed_at.is_(None),
    )
