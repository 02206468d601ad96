"""The trail of study: every report as it came and what it earned, kept by the day (`performance.md` §3.2)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.learning.models import ranges_text
from services.learning.study.rules.multirange import Ranges
from services.shared import clock
from services.shared.driver import touch_plain
from services.shared.many_rows import words_of

_ADD_DAY = sa.text("SELECT add_study_report_day(:day)")
_DROP_DAYS = sa.text("SELECT drop_study_report_days(:kept_from)")
_ADD_REPORTS = """
    INSERT INTO study_report (recorded_on, study_session_id, seq, teacher_id, activity_id, received_at, segments,
                              seen, countable, spent)
    SELECT %(day)s::date, study_session_id, seq, teacher_id, activity_id, received_at, segments::integer[],
           seen, countable, spent
    FROM UNNEST(string_to_array(%(sessions)s, ' ')::uuid[], string_to_array(%(seqs)s, ' ')::integer[],
                string_to_array(%(teachers)s, ' ')::uuid[], string_to_array(%(activities)s, ' ')::uuid[],
                string_to_array(%(received)s, ' ')::timestamptz[], string_to_array(%(segments)s, ' '),
                string_to_array(%(seen)s, ' ')::int4multirange[], string_to_array(%(countable)s, ' ')::int4multirange[],
                string_to_array(%(spent)s, ' ')::int4multirange[])
        AS new (study_session_id, seq, teacher_id, activity_id, received_at, segments, seen, countable, spent)
"""


class Recorded(NamedTuple):
    """A row of the trail (`models.RecordedReport`): a report as it came, and what it earned."""

    recorded_on: dt.date
    study_session_id: uuid.UUID
    seq: int
    teacher_id: uuid.UUID
    activity_id: uuid.UUID
    received_at: dt.datetime
    segments: tuple[tuple[int, int], ...]
    seen: Ranges
    countable: Ranges
    spent: Ranges


def add_reports(db: Session, reports: Sequence[Recorded]) -> None:
    """Add reports of one day to the trail, in one statement."""
    [day] = {report.recorded_on for report in reports}
    # Asked each time, for it costs a look into the catalogue: what an earlier transaction added may have been rolled back.
    db.execute(_ADD_DAY, {"day": day})
    touch_plain(
        db,
        _ADD_REPORTS,
        {
            "day": day,
            "sessions": words_of(report.study_session_id for report in reports),
            "seqs": words_of(report.seq for report in reports),
            "teachers": words_of(report.teacher_id for report in reports),
            "activities": words_of(report.activity_id for report in reports),
            "received": words_of(clock.format_instant(report.received_at) for report in reports),
            # A multirange would forget the order, and PostgreSQL unnests arrays of arrays whole.
            "segments": words_of(_flat_text(report.segments) for report in reports),
            "seen": words_of(ranges_text(report.seen) for report in reports),
            "countable": words_of(ranges_text(report.countable) for report in reports),
            "spent": words_of(ranges_text(report.spent) for report in reports),
        },
    )


def _flat_text(segments: Sequence[tuple[int, int]]) -> str:
    """PostgreSQL's literal of the bounds in their order: `{0,60,90,120}`."""
    return "{" + ",".join(f"{begin},{end}" for begin, end in segments) + "}"


def drop_days(db: Session, kept_from: dt.date) -> int:
    """Drop the partitions of the days before; returns how many."""
    dropped: int = db.execute(_DROP_DAYS, {"kept_from": kept_from}).scalar_one()
    return dropped


def oldest_day(db: Session) -> dt.date | None:
    """The first day that the trail still has."""
    names = db.scalars(
        sa.text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'study_report'::regclass")
    )
    days = [dt.datetime.strptime(name[-8:], "%Y%m%d").date() for name in names]  # noqa: DTZ007  a day, no instant
    return min(days, default=None)
