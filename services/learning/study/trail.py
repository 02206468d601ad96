"""The trail of study: every report as it came and what it earned, kept by the day (`performance.md` §3.2)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.learning.models import RecordedReport, ranges_text

_ADD_DAY = sa.text("SELECT add_study_report_day(:day)")
_DROP_DAYS = sa.text("SELECT drop_study_report_days(:kept_from)")
_ADD_REPORTS = sa.text("""
    INSERT INTO study_report (recorded_on, study_session_id, seq, teacher_id, activity_id, received_at, segments,
                              seen, countable, spent)
    SELECT :day, study_session_id, seq, teacher_id, activity_id, received_at, segments::integer[],
           seen::int4multirange, countable::int4multirange, spent::int4multirange
    FROM UNNEST(CAST(:sessions AS uuid[]), CAST(:seqs AS integer[]), CAST(:teachers AS uuid[]), CAST(:activities AS uuid[]),
                CAST(:received AS timestamptz[]), CAST(:segments AS text[]), CAST(:seen AS text[]), CAST(:countable AS text[]),
                CAST(:spent AS text[]))
        AS new (study_session_id, seq, teacher_id, activity_id, received_at, segments, seen, countable, spent)
""")


def add_reports(db: Session, reports: Sequence[RecordedReport]) -> None:
    """Add reports of one day to the trail, in one statement. The rows are values here, no part of the session."""
    [day] = {report.recorded_on for report in reports}
    # Asked each time, for it costs a look into the catalogue: what an earlier transaction added may have been rolled back.
    db.execute(_ADD_DAY, {"day": day})
    db.execute(
        _ADD_REPORTS,
        {
            "day": day,
            "sessions": [report.study_session_id for report in reports],
            "seqs": [report.seq for report in reports],
            "teachers": [report.teacher_id for report in reports],
            "activities": [report.activity_id for report in reports],
            "received": [report.received_at for report in reports],
            # A multirange would forget the order, and PostgreSQL unnests arrays of arrays whole.
            "segments": ["{" + ",".join(map(str, report.segments)) + "}" for report in reports],
            "seen": [ranges_text(report.seen) for report in reports],
            "countable": [ranges_text(report.countable) for report in reports],
            "spent": [ranges_text(report.spent) for report in reports],
        },
    )


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
