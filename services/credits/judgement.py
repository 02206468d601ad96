"""From evidence to what the ledger and the standing must say. No database in here, so recognition and reconciler agree."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from services.credits import pack_files, study_evidence
from services.credits.models import Evidence, Programme
from services.credits.rules import Outcome, SeasonPack, evaluate
from services.shared.clock import BEIJING

ZERO = Decimal("0.00")


@dataclasses.dataclass(frozen=True)
class Judgement:
    """What one teacher's evidence in one programme earns."""

    outcome: Outcome
    pack: SeasonPack
    # The versions of all the snapshots together: it grows with every change of evidence, so it names the state judged.
    evidence_version: int
    effective_on: dt.date
    year: int


@dataclasses.dataclass(frozen=True)
class Written:
    """What the ledger holds of one source: its entries' sum, and how many there are."""

    amount: Decimal = ZERO
    turns: int = 0


@dataclasses.dataclass(frozen=True)
class Delta:
    """By how much the ledger must change for one course, as the source's entry number `turn`."""

    course: str
    source_ref: str
    turn: int
    rule_id: str
    amount: Decimal
    why: str


def judge(
    programme: Programme, evidence: Iterable[Evidence], today: dt.date, pack: SeasonPack | None = None
) -> Judgement:
    """Evaluate the snapshots under the programme's pack, or under another one that somebody wants to try.

    Raises LookupError for a course or pack that is not known.
    """
    keys = {course["course_id"]: course["key"] for course in programme.courses}
    rows = list(evidence)
    pack = pack or pack_files.load_season_pack(programme.rule_pack)
    outcome = evaluate(pack, {keys[str(row.course_id)]: study_evidence.videos_of(row.videos) for row in rows})
    last_day = last_day_of(programme)
    # A snapshot sent after the close tells of study before it.
    effective_on = min(max((beijing_day(row.progressed_at) for row in rows), default=today), last_day)
    return Judgement(
        outcome, pack, sum(row.version for row in rows), effective_on, pack.year_of(effective_on, last_day)
    )


def beijing_day(instant: dt.datetime) -> dt.date:
    return instant.astimezone(BEIJING).date()


def last_day_of(programme: Programme) -> dt.date:
    """The last day on which study counts: windows end at the midnight after it."""
    return beijing_day(programme.closes_at - dt.timedelta(microseconds=1))


def years_to_lock(programme: Programme, progressed_at: dt.datetime) -> set[int]:
    """The years whose entries evidence of this instant may change; always the closing one, so that all recognition of a
    teacher in a programme runs one after the other.
    """
    last_day = last_day_of(programme)
    pack = pack_files.load_season_pack(programme.rule_pack)
    return {last_day.year, pack.year_of(min(beijing_day(progressed_at), last_day), last_day)}


def course_ids(programme: Programme) -> dict[str, uuid.UUID]:
    return {course["key"]: uuid.UUID(course["course_id"]) for course in programme.courses}


def source_ref(course_id: uuid.UUID) -> str:
    return f"course:{course_id}"


def deltas(judgement: Judgement, ids: Mapping[str, uuid.UUID], in_ledger: Mapping[str, Written]) -> list[Delta]:
    """What to append so that the ledger's sum for each course equals the judgement; nothing where it does already."""
    found = []
    for course in judgement.outcome.courses:
        if course.key not in ids:
            continue
        ref = source_ref(ids[course.key])
        written = in_ledger.get(ref, Written())
        amount = course.hours - written.amount
        if amount:
            found.append(
                Delta(course.key, ref, written.turns + 1, course.rule_id, amount, _why(judgement.outcome, course.key))
            )
    return found


def _why(outcome: Outcome, key: str) -> str:
    lines = [line for line in outcome.trace if line.course == key and line.unit == "HOURS"]
    return "; ".join(f"{line.rule_id}: {line.before} -> {line.after}, {line.why}" for line in lines)


def courses_shown(outcome: Outcome, ids: Mapping[str, uuid.UUID]) -> list[dict[str, Any]]:
    """The courses as plain JSON, for the standing and its event."""
    return [
        {
            "course_id": str(ids[course.key]),
            "key": course.key,
            "studied_seconds": course.studied_seconds,
            "counted_seconds": course.counted_seconds,
            "hours": f"{course.hours:.2f}",
            "reasons": [str(reason) for reason in course.reasons],
        }
        for course in outcome.courses
        if course.key in ids
    ]


def shortfalls_shown(outcome: Outcome) -> list[dict[str, str]]:
    return [
        {"rule_id": short.rule_id, "measure": short.measure, "missing": str(short.missing)}
        for short in outcome.shortfalls
    ]
