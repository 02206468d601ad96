"""Counting: each change of a teacher's facts becomes deltas, deltas are folded into the roll-ups of all places above.

What was counted of a teacher is remembered row by row, so a delta is always the difference between what is true and what
was counted: counting again adds nothing, and a teacher who moves takes her counts along.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.credits.statistics.models import EVERYONE, MEASURES
from services.shared import clock
from services.shared.employment import ON_DUTY

FOLD = 5000  # deltas at once
_NAMES = ", ".join(MEASURES)
# Keys of one batch as rows, in one order everywhere so that nobody waits in a circle.
_KEYS = "unnest(CAST(:teachers AS uuid[]), CAST(:programmes AS uuid[])) AS key (teacher_id, programme_id)"

_BEGIN = sa.text(f"""
    INSERT INTO counted (teacher_id, programme_id)
    SELECT DISTINCT teacher_id, programme_id FROM {_KEYS} ORDER BY teacher_id, programme_id ON CONFLICT DO NOTHING
""")  # noqa: S608  our own names
_LOCK = sa.text(f"""
    SELECT 1 FROM counted WHERE (teacher_id, programme_id) IN (SELECT * FROM {_KEYS})
    ORDER BY teacher_id, programme_id FOR UPDATE
""")  # noqa: S608
# What is true now: of a teacher in a programme by the standing, of a person as such by the placement. Who is archived is in
# no denominator (`domain.md` §3.4); what she did stays counted.
_COUNT = sa.text(f"""
    WITH fact AS (
        SELECT key.teacher_id, key.programme_id, coalesce(placement.place, '') AS place,
            CASE WHEN person.counts THEN 1 ELSE 0 END AS registered,
            CASE WHEN person.counts AND placement.state = 'VERIFIED' THEN 1 ELSE 0 END AS verified,
            CASE WHEN standing.enrolled_at IS NOT NULL THEN 1 ELSE 0 END AS enrolled,
            CASE WHEN jsonb_path_exists(standing.courses, '$[*].studied_seconds ? (@ > 0)') THEN 1 ELSE 0 END AS studying,
            CASE WHEN standing.requirement_met THEN 1 ELSE 0 END AS finished,
            CASE WHEN certified.teacher_id IS NOT NULL THEN 1 ELSE 0 END AS certified,
            coalesce(standing.hours, 0) AS hours
        FROM (SELECT DISTINCT * FROM {_KEYS}) AS key
        LEFT JOIN placement ON placement.teacher_id = key.teacher_id
        LEFT JOIN standing ON standing.teacher_id = key.teacher_id AND standing.programme_id = key.programme_id
        LEFT JOIN certified ON certified.live
            AND certified.teacher_id = key.teacher_id AND certified.programme_id = key.programme_id
        LEFT JOIN employment ON employment.teacher_id = key.teacher_id,
        LATERAL (SELECT key.programme_id = :everyone AND placement.place <> ''
            AND coalesce(employment.status, :on_duty) = :on_duty AS counts) AS person
    ), changed AS (
        SELECT fact.*, {", ".join(f"counted.{name} AS was_{name}" for name in ("place", *MEASURES))}
        FROM fact JOIN counted USING (teacher_id, programme_id)
        WHERE (fact.place, {", ".join(f"fact.{name}" for name in MEASURES)})
            IS DISTINCT FROM (counted.place, {", ".join(f"counted.{name}" for name in MEASURES)})
    ), remembered AS (
        UPDATE counted SET place = changed.place, {", ".join(f"{name} = changed.{name}" for name in MEASURES)}
        FROM changed WHERE counted.teacher_id = changed.teacher_id AND counted.programme_id = changed.programme_id
    ), delta AS (
        SELECT programme_id, was_place AS place, {", ".join(f"-was_{name} AS {name}" for name in MEASURES)} FROM changed
        UNION ALL
        SELECT programme_id, place, {_NAMES} FROM changed
    )
    INSERT INTO statistic_delta (programme_id, place, day, recorded_at, {_NAMES})
    SELECT programme_id, place, :day, :now, {", ".join(f"sum({name})" for name in MEASURES)} FROM delta
    WHERE place <> '' GROUP BY programme_id, place
    HAVING {" OR ".join(f"sum({name}) <> 0" for name in MEASURES)}
""")  # noqa: S608

# One folder at a time, whatever the number of processes: two would wait for each other's rows of the nation.
_ALONE = sa.text("SELECT pg_try_advisory_xact_lock(hashtext('fold_statistics'))")
_FOLD = sa.text(f"""
    WITH taken AS (
        DELETE FROM statistic_delta WHERE delta_id IN (SELECT delta_id FROM statistic_delta ORDER BY delta_id LIMIT :limit)
        RETURNING programme_id, place, day, {_NAMES}
    ), above AS (
        SELECT taken.*, array_to_string((string_to_array(taken.place, '/'))[1:depth], '/') AS at
        FROM taken, generate_series(1, array_length(string_to_array(taken.place, '/'), 1)) AS depth
    ), by_day AS (
        INSERT INTO statistic_day AS kept (programme_id, place, day, {_NAMES})
        SELECT programme_id, at, day, {", ".join(f"sum({name})" for name in MEASURES)} FROM above
        GROUP BY programme_id, at, day
        ON CONFLICT (programme_id, place, day) DO UPDATE SET
            {", ".join(f"{name} = kept.{name} + excluded.{name}" for name in MEASURES)}
    ), total AS (
        INSERT INTO statistic AS kept (programme_id, place, parent, {_NAMES})
        SELECT programme_id, at, CASE WHEN strpos(at, '/') = 0 THEN '' ELSE regexp_replace(at, '/[^/]*$', '') END,
            {", ".join(f"sum({name})" for name in MEASURES)} FROM above GROUP BY programme_id, at
        ON CONFLICT (programme_id, place) DO UPDATE SET
            {", ".join(f"{name} = kept.{name} + excluded.{name}" for name in MEASURES)}
    )
    SELECT count(*) FROM taken
""")  # noqa: S608


def count(db: Session, keys: Collection[tuple[uuid.UUID, uuid.UUID]], now: dt.datetime) -> None:
    """Bring what is counted of these (teacher, programme) pairs to what is true, in the caller's transaction.

    The rows are locked before the facts are read: of two transactions that change one teacher's facts, the later one
    counts with both changes.
    """
    if not keys:
        return
    ordered = sorted(set(keys))
    given: dict[str, Any] = {
        "teachers": [teacher for teacher, _ in ordered],
        "programmes": [programme for _, programme in ordered],
    }
    db.flush()
    db.execute(_BEGIN, given)
    db.execute(_LOCK, given)
    day = now.astimezone(clock.BEIJING).date()
    db.execute(_COUNT, {**given, "everyone": EVERYONE, "on_duty": ON_DUTY, "day": day, "now": now})


def count_person(db: Session, teacher_id: uuid.UUID, now: dt.datetime) -> None:
    """Count a person anew wherever they are counted: after they moved, or were verified."""
    programmes = db.scalars(
        sa.text("SELECT programme_id FROM counted WHERE teacher_id = :id"), {"id": teacher_id}
    ).all()
    count(db, [(teacher_id, programme_id) for programme_id in {*programmes, EVERYONE}], now)


_KEEP_CERTIFIED = sa.text("""
    INSERT INTO certified (teacher_id, programme_id, certificate_id, number, version, live)
    VALUES (:teacher, :programme, :certificate, :number, :version, :live)
    ON CONFLICT (teacher_id, programme_id) DO UPDATE SET
        certificate_id = excluded.certificate_id,
        number = CASE WHEN excluded.number = '' THEN certified.number ELSE excluded.number END,
        version = excluded.version,
        live = excluded.live
    WHERE certified.version <= excluded.version
    RETURNING teacher_id
""")


def keep_certified(db: Session, payload: dict[str, Any], now: dt.datetime, *, live: bool) -> bool:
    """Keep what became of the teacher's certificate of a programme: issued, issued again, or (not `live`) revoked.

    False for old news: an edition that is announced after the one that replaced it, or after its revocation.
    """
    key = (uuid.UUID(payload["teacher_id"]), uuid.UUID(payload["programme_id"]))
    told = {
        "teacher": key[0],
        "programme": key[1],
        "certificate": uuid.UUID(payload["certificate_id"]),
        "number": payload.get("number", ""),
        "version": payload["version"],
        "live": live,
    }
    is_news = db.execute(_KEEP_CERTIFIED, told).first() is not None
    if is_news:
        count(db, [key], now)
    return is_news


def fold(db: Session) -> int:
    """Fold the oldest deltas into the roll-ups; how many there were (0 while another process folds)."""
    if not db.scalar(_ALONE):
        return 0
    folded: int = db.scalar(_FOLD, {"limit": FOLD}) or 0
    return folded
