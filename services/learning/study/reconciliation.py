"""Rebuilds every counter of study from the trail and compares: reports -> sittings -> watched time. Changes nothing."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.learning.study import trail
from services.shared import clock

Pair = tuple[uuid.UUID, uuid.UUID]  # (teacher, activity)


@dataclasses.dataclass(frozen=True)
class Difference:
    """A counter that does not follow from what it was counted from."""

    teacher_id: uuid.UUID
    activity_id: uuid.UUID
    study_session_id: uuid.UUID | None  # None: of the watched time as a whole
    counter: str
    kept: str
    rebuilt: str


# Each branch stops by itself: of a union PostgreSQL would read everything before it takes the first rows.
_PAIRS = sa.text("""
    (SELECT teacher_id, activity_id FROM watched
     WHERE (teacher_id, activity_id) > (:teacher, :activity) ORDER BY teacher_id, activity_id LIMIT :limit)
    UNION
    (SELECT DISTINCT teacher_id, activity_id FROM study_session
     WHERE (teacher_id, activity_id) > (:teacher, :activity) ORDER BY teacher_id, activity_id LIMIT :limit)
    ORDER BY teacher_id, activity_id LIMIT :limit
""")

_WATCHED = sa.text("""
    WITH pair AS (SELECT * FROM UNNEST(CAST(:teachers AS uuid[]), CAST(:activities AS uuid[])) AS p (teacher_id, activity_id)),
    rebuilt AS (
        SELECT pair.*, coalesce(range_agg(sitting.seen), '{}') AS seen, coalesce(range_agg(sitting.countable), '{}') AS countable,
            coalesce(range_agg(sitting.countable) FILTER (WHERE sitting.held), '{}')
                - coalesce(range_agg(sitting.countable) FILTER (WHERE NOT sitting.held), '{}') AS held
        FROM pair LEFT JOIN study_session AS sitting USING (teacher_id, activity_id)
        GROUP BY pair.teacher_id, pair.activity_id),
    compared AS (
        SELECT rebuilt.teacher_id, rebuilt.activity_id, counter.*
        FROM rebuilt LEFT JOIN watched USING (teacher_id, activity_id)
        CROSS JOIN LATERAL (VALUES
            ('seen', coalesce(watched.seen, '{}'), rebuilt.seen),
            ('countable', coalesce(watched.countable, '{}'), rebuilt.countable),
            ('held', coalesce(watched.held, '{}'), rebuilt.held)) AS counter (counter, kept, rebuilt))
    SELECT teacher_id, activity_id, CAST(NULL AS uuid) AS study_session_id, counter, kept::text, rebuilt::text
    FROM compared WHERE kept <> rebuilt
""")

_SITTINGS = sa.text("""
    WITH sitting AS (
        SELECT kept.* FROM study_session AS kept
        JOIN UNNEST(CAST(:teachers AS uuid[]), CAST(:activities AS uuid[])) AS p (teacher_id, activity_id)
            USING (teacher_id, activity_id)
        WHERE kept.opened_at >= :from),
    rebuilt AS (
        SELECT study_session_id, range_agg(int4range(report.seq, report.seq + 1)) AS seqs, range_agg(report.seen) AS seen,
            range_agg(report.countable) AS countable, range_agg(report.spent) AS spent,
            sum((SELECT sum(report.segments[i + 1] - report.segments[i])
                 FROM generate_series(1, cardinality(report.segments), 2) AS i)) AS claimed
        FROM sitting JOIN study_report AS report USING (study_session_id)
        GROUP BY study_session_id),
    compared AS (
        SELECT sitting.teacher_id, sitting.activity_id, sitting.study_session_id, counter.*
        FROM sitting LEFT JOIN rebuilt USING (study_session_id)
        CROSS JOIN LATERAL (VALUES
            ('sitting.seqs', sitting.seqs::text, coalesce(rebuilt.seqs, '{}')::text),
            ('sitting.seen', sitting.seen::text, coalesce(rebuilt.seen, '{}')::text),
            ('sitting.countable', sitting.countable::text, coalesce(rebuilt.countable, '{}')::text),
            ('sitting.spent', sitting.spent::text, coalesce(rebuilt.spent, '{}')::text),
            ('sitting.claimed_seconds', sitting.claimed_seconds::text, coalesce(rebuilt.claimed, 0)::text))
            AS counter (counter, kept, rebuilt))
    SELECT teacher_id, activity_id, study_session_id, counter, kept, rebuilt FROM compared WHERE kept <> rebuilt
""")

_NOBODY = uuid.UUID(int=0)


def list_pairs(db: Session, after: Pair | None, limit: int) -> list[Pair]:
    """The next (teacher, activity) pairs that were ever studied, by id."""
    teacher_id, activity_id = after or (_NOBODY, _NOBODY)
    rows = db.execute(_PAIRS, {"teacher": teacher_id, "activity": activity_id, "limit": limit})
    return [(row.teacher_id, row.activity_id) for row in rows]


def find_differences(db: Session, pairs: list[Pair]) -> list[Difference]:
    """Watched time must be the union of its sittings, and a sitting the sum of its reports, as far back as the trail goes."""
    if not pairs:
        return []
    asked: dict[str, Any] = {"teachers": [teacher for teacher, _ in pairs], "activities": [video for _, video in pairs]}
    rows = list(db.execute(_WATCHED, asked))
    oldest = trail.oldest_day(db)
    if oldest is not None:
        begin = dt.datetime.combine(oldest, dt.time(), clock.BEIJING)
        rows += db.execute(_SITTINGS, {**asked, "from": begin})
    return [Difference(**row._asdict()) for row in rows]
