"""Counting: whoever changes a teacher's certificates or place leaves a mark; one worker counts the marked teachers anew.

A mark commits with its change, so whoever takes it sees the change; what was counted of a teacher is remembered, so counting
again adds nothing. The teacher's place is that of now: who moves takes her certificates along.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.certs.overview.models import MEASURES, NO_PROGRAMME
from services.certs.rules import Kind, State

MARKS: Final = 5000  # taken at once
_NAMES = ", ".join(MEASURES)
_SUMS = ", ".join(f"sum({name}) AS {name}" for name in MEASURES)
_PREFIXES = "generate_series(1, array_length(string_to_array(place, '/'), 1)) AS depth"
_AT = "array_to_string((string_to_array(place, '/'))[1:depth], '/')"

_MARK = sa.text("""
    INSERT INTO certificate_count_due (teacher_id, marked_at)
    SELECT DISTINCT teacher_id, CAST(:now AS timestamptz) FROM unnest(CAST(:teachers AS uuid[])) AS due (teacher_id)
""")
# One at a time, whatever the number of processes: two would wait for each other's rows of the nation.
_ALONE = sa.text("SELECT pg_try_advisory_xact_lock(hashtext('count_certificates'))")
_COUNT = sa.text(f"""
    WITH taken AS (
        DELETE FROM certificate_count_due WHERE due_id IN (
            SELECT due_id FROM certificate_count_due ORDER BY due_id LIMIT :limit
        ) RETURNING teacher_id
    ), who AS (
        SELECT DISTINCT taken.teacher_id, coalesce(placement.place, '') AS place
        FROM taken LEFT JOIN placement ON placement.teacher_id = taken.teacher_id
    ), fact AS (
        SELECT teacher_id, place, kind, programme_id, {_SUMS} FROM (
            SELECT who.teacher_id, who.place, kind,
                CASE WHEN kind = '{Kind.LEARNING}' THEN programme_id ELSE '{NO_PROGRAMME}' END AS programme_id,
                CASE WHEN state = '{State.ISSUED}' THEN 1 ELSE 0 END AS valid,
                CASE WHEN state = '{State.REPLACED}' THEN 1 ELSE 0 END AS replaced,
                CASE WHEN state = '{State.REVOKED}' THEN 1 ELSE 0 END AS revoked, 0 AS blocked
            FROM who JOIN certificate ON certificate.teacher_id = who.teacher_id
            UNION ALL
            SELECT who.teacher_id, who.place, kind, programme_id, 0, 0, 0, 1
            FROM who JOIN decision ON decision.teacher_id = who.teacher_id AND decision.state = '{State.BLOCKED}'
        ) AS each WHERE place <> '' GROUP BY teacher_id, place, kind, programme_id
    ), was AS (
        SELECT counted.* FROM certificate_counted AS counted JOIN who ON who.teacher_id = counted.teacher_id
    ), forgotten AS (
        DELETE FROM certificate_counted AS counted USING was
        WHERE (counted.teacher_id, counted.kind, counted.programme_id) = (was.teacher_id, was.kind, was.programme_id)
            AND NOT EXISTS (SELECT 1 FROM fact WHERE (fact.teacher_id, fact.kind, fact.programme_id)
                = (was.teacher_id, was.kind, was.programme_id))
    ), remembered AS (
        INSERT INTO certificate_counted (teacher_id, kind, programme_id, place, {_NAMES})
        SELECT teacher_id, kind, programme_id, place, {_NAMES} FROM fact
        ON CONFLICT (teacher_id, kind, programme_id) DO UPDATE
        SET place = excluded.place, {", ".join(f"{name} = excluded.{name}" for name in MEASURES)}
    ), delta AS (
        SELECT place, kind, programme_id, {_NAMES} FROM fact
        UNION ALL
        SELECT place, kind, programme_id, {", ".join(f"-{name}" for name in MEASURES)} FROM was
    ), above AS (
        SELECT {_AT} AS at, kind, programme_id, {_SUMS} FROM delta, {_PREFIXES} GROUP BY 1, 2, 3
        HAVING {" OR ".join(f"sum({name}) <> 0" for name in MEASURES)}
    ), total AS (
        INSERT INTO certificate_figures AS kept (place, kind, programme_id, parent, {_NAMES})
        SELECT at, kind, programme_id,
            CASE WHEN strpos(at, '/') = 0 THEN '' ELSE regexp_replace(at, '/[^/]*$', '') END, {_NAMES} FROM above
        ON CONFLICT (place, kind, programme_id) DO UPDATE SET
            {", ".join(f"{name} = kept.{name} + excluded.{name}" for name in MEASURES)}
    )
    SELECT count(*) FROM taken
""")  # noqa: S608  our own names

_DIFFERENCES = sa.text(f"""
    WITH right_now AS (
        SELECT {_AT} AS place, kind, programme_id, {_SUMS}
        FROM certificate_counted, {_PREFIXES} GROUP BY 1, 2, 3
    )
    SELECT coalesce(right_now.place, kept.place) AS place, coalesce(right_now.kind, kept.kind) AS kind,
        coalesce(right_now.programme_id, kept.programme_id) AS programme_id
    FROM right_now FULL JOIN certificate_figures AS kept USING (place, kind, programme_id)
    WHERE ({", ".join(f"coalesce(right_now.{name}, 0)" for name in MEASURES)})
        <> ({", ".join(f"coalesce(kept.{name}, 0)" for name in MEASURES)})
    ORDER BY 1, 2, 3 LIMIT :limit
""")  # noqa: S608


def mark(db: Session, teacher_ids: Collection[uuid.UUID], now: dt.datetime) -> None:
    """Have these teachers counted once the caller's transaction is through."""
    if teacher_ids:
        db.execute(_MARK, {"teachers": list(teacher_ids), "now": now})


def count(db: Session) -> int:
    """Count the teachers of the oldest marks; how many marks there were (0 while another process counts)."""
    if not db.scalar(_ALONE):
        return 0
    taken: int = db.scalar(_COUNT, {"limit": MARKS}) or 0
    return taken


def differences(db: Session, limit: int) -> list[dict[str, str]]:
    """Where the totals are not the sums of what was counted: there should be none."""
    found = db.execute(_DIFFERENCES, {"limit": limit}).mappings()
    return [{name: str(value) for name, value in row.items()} for row in found]
