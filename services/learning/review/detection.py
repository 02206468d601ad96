"""Looks at a piece of one Beijing day of study and tells what is conspicuous. SQL brings the candidates, the rules decide.

A national day is ten million sittings: too many for one statement, let alone one transaction. It is looked at three times,
each time in 64 pieces that read their own rows by an index: teachers, devices, and the rhythms that the first look noted.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import itertools
import uuid
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.learning.contract.reviews import Anomaly
from services.learning.review import rules
from services.learning.review.rules import Presence
from services.shared import clock


@dataclasses.dataclass(frozen=True)
class Finding:
    """`figures` are what a reviewer sees: numbers, and nobody else's id."""

    teacher_id: uuid.UUID
    anomaly: Anomaly
    sittings: tuple[uuid.UUID, ...]
    figures: dict[str, Any]


PIECES = 64


class Look(enum.StrEnum):
    """In this order: rhythms are compared when every teacher's is noted."""

    TEACHERS = "TEACHERS"
    DEVICES = "DEVICES"
    RHYTHMS = "RHYTHMS"


def find_anomalies(db: Session, day: dt.date, look: Look, piece: int) -> list[Finding]:
    """What is conspicuous in a piece of the day, by teacher and anomaly."""
    begins_at = dt.datetime.combine(day, dt.time(), clock.BEIJING)
    asked = {"begins_at": begins_at, "ends_at": begins_at + dt.timedelta(days=1), "piece": piece}
    if look is Look.TEACHERS:
        return [*_long_days(db, asked), *_impossible_speeds(db, asked)]
    if look is Look.DEVICES:
        return list(_shared_devices(db, asked))
    return list(_same_rhythms(db, day, piece))


# A sitting lasts a day at most, so one of the day before may reach into this one.
_LONG_DAYS = sa.text("""
    SELECT teacher_id, array_agg(study_session_id ORDER BY opened_at) AS sittings, sum(ms) / 1000 AS seconds
    FROM (
        SELECT teacher_id, study_session_id, opened_at, (
            SELECT coalesce(sum(upper(part) - lower(part)), 0) FROM unnest(spent * int4multirange(int4range(
                greatest(0, (extract(epoch FROM :begins_at - opened_at) * 1000)::int),
                least(86400000, (extract(epoch FROM :ends_at - opened_at) * 1000)::int)))) AS part) AS ms
        FROM study_session
        WHERE (uuid_hash_extended(teacher_id, 1) & 63) = :piece
          AND opened_at > :begins_at - interval '1 day' AND opened_at < :ends_at) AS sitting
    WHERE ms > 0 GROUP BY teacher_id HAVING sum(ms) >= :least_ms
""")


def _long_days(db: Session, asked: dict[str, Any]) -> Iterator[Finding]:
    for row in db.execute(_LONG_DAYS, {**asked, "least_ms": rules.LONG_DAY_SECONDS * 1000}):
        if rules.is_long_day(int(row.seconds)):
            yield Finding(row.teacher_id, Anomaly.LONG_DAY, tuple(row.sittings), {"seconds": int(row.seconds)})


_FAST = sa.text("""
    SELECT teacher_id, study_session_id, claimed_seconds, extract(epoch FROM heard_at - opened_at)::float AS elapsed
    FROM study_session
    WHERE (uuid_hash_extended(teacher_id, 1) & 63) = :piece AND opened_at >= :begins_at AND opened_at < :ends_at
      AND claimed_seconds > extract(epoch FROM heard_at - opened_at) + :excess - 1
    ORDER BY teacher_id, opened_at
""")


def _impossible_speeds(db: Session, asked: dict[str, Any]) -> Iterator[Finding]:
    rows = db.execute(_FAST, {**asked, "excess": rules.SPEED_EXCESS_SECONDS})
    fast = [row for row in rows if rules.is_impossible_speed(row.claimed_seconds, row.elapsed)]
    for teacher_id, group in itertools.groupby(fast, key=lambda row: row.teacher_id):
        sittings = list(group)
        figures = {
            "claimed_seconds": sum(row.claimed_seconds for row in sittings),
            "elapsed_seconds": int(sum(row.elapsed for row in sittings)),
        }
        yield Finding(teacher_id, Anomaly.IMPOSSIBLE_SPEED, tuple(row.study_session_id for row in sittings), figures)


_DEVICES = sa.text("""
    SELECT client_id, teacher_id, study_session_id, opened_at, least(heard_at, coalesce(ended_at, heard_at)) AS left_at
    FROM study_session
    WHERE (hashtextextended(client_id, 1) & 63) = :piece AND opened_at >= :begins_at AND opened_at < :ends_at
      AND client_id IN (
        SELECT client_id FROM study_session
        WHERE (hashtextextended(client_id, 1) & 63) = :piece AND opened_at >= :begins_at AND opened_at < :ends_at
        GROUP BY client_id HAVING count(DISTINCT teacher_id) >= :teachers)
    ORDER BY client_id, teacher_id, opened_at
""")


def _shared_devices(db: Session, asked: dict[str, Any]) -> Iterator[Finding]:
    rows = db.execute(_DEVICES, {**asked, "teachers": rules.DEVICE_TEACHERS_AT_ONCE})
    shared: dict[uuid.UUID, Finding] = {}
    for _, group in itertools.groupby(rows, key=lambda row: row.client_id):
        device = list(group)
        presences = [Presence(row.teacher_id, row.opened_at, row.left_at) for row in device]
        if not rules.is_shared(presences):
            continue
        figures = {
            "teachers": len({presence.teacher_id for presence in presences}),
            "at_once": rules.most_at_once(presences),
        }
        for teacher_id, sittings in itertools.groupby(device, key=lambda row: row.teacher_id):
            # On several such devices: one review, of the figures of the last and the sittings of all.
            before = shared[teacher_id].sittings if teacher_id in shared else ()
            ids = tuple(row.study_session_id for row in sittings)
            shared[teacher_id] = Finding(teacher_id, Anomaly.SHARED_DEVICE, before + ids, figures)
    yield from shared.values()


_NOTE_RHYTHMS = sa.text("""
    WITH opening AS (
        SELECT teacher_id, study_session_id, activity_id, opened_at, round(extract(epoch FROM
            lead(opened_at) OVER (PARTITION BY teacher_id ORDER BY opened_at) - opened_at) / :grain) AS pause
        FROM study_session
        WHERE (uuid_hash_extended(teacher_id, 1) & 63) = :piece AND opened_at >= :begins_at AND opened_at < :ends_at),
    rhythm AS (
        SELECT teacher_id, array_agg(study_session_id ORDER BY opened_at) AS sittings,
            md5(string_agg(activity_id || ':' || coalesce(pause::text, ''), ' ' ORDER BY opened_at)) AS beat
        FROM opening GROUP BY teacher_id HAVING count(*) >= :sittings)
    INSERT INTO day_rhythm (day, piece, teacher_id, beat, sittings)
    SELECT :day, get_byte(decode(left(beat, 2), 'hex'), 0) & 63, teacher_id, beat, sittings FROM rhythm
    ON CONFLICT DO NOTHING
""")
_ALIKE = sa.text("""
    SELECT teacher_id, sittings, alike FROM (
        SELECT teacher_id, sittings, count(*) OVER (PARTITION BY beat) AS alike
        FROM day_rhythm WHERE day = :day AND piece = :piece) AS counted
    WHERE alike >= :teachers ORDER BY teacher_id
""")


def note_rhythms(db: Session, day: dt.date, piece: int) -> None:
    """Note how each of a piece's teachers has opened videos: alike is decided when all are noted. Again changes nothing."""
    begins_at = dt.datetime.combine(day, dt.time(), clock.BEIJING)
    db.execute(
        _NOTE_RHYTHMS,
        {
            "day": day,
            "piece": piece,
            "begins_at": begins_at,
            "ends_at": begins_at + dt.timedelta(days=1),
            "grain": rules.RHYTHM_GRAIN_SECONDS,
            "sittings": rules.RHYTHM_SITTINGS,
        },
    )


def _same_rhythms(db: Session, day: dt.date, piece: int) -> Iterator[Finding]:
    for row in db.execute(_ALIKE, {"day": day, "piece": piece, "teachers": rules.RHYTHM_TEACHERS}):
        yield Finding(row.teacher_id, Anomaly.SAME_RHYTHM, tuple(row.sittings), {"teachers": row.alike})
