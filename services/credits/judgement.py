"""From evidence to what the ledger and the standing must say. No database in here, so recognition and reconciler agree.

What a course comes to behind its gates depends on its own evidence alone: recognition keeps that beside the evidence and
passes the gates once for each snapshot. The reconciler and whoever tries another pack go through all evidence again.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from services.credits import pack_files, study_evidence
from services.credits.models import Evidence, Programme
from services.credits.rules import Outcome, Passed, Reason, SeasonPack, pass_gates, settle
from services.credits.rules.pack import Kind, Measure
from services.credits.rules.season import GATES_EDITION
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


class Score(NamedTuple):
    """The best result at the programme's exam, of 100; None when nothing was judged."""

    score: Decimal | None = None
    version: int = 0


NO_SCORE = Score()


@dataclasses.dataclass(frozen=True)
class Terms:
    """What judging asks of a programme, read once for many studies."""

    pack: SeasonPack
    ids: dict[str, uuid.UUID]  # of its courses, by their keys
    keys: dict[uuid.UUID, str]
    last_day: dt.date

    @property
    def asks_for_score(self) -> bool:
        """Whether a requirement of the pack looks at the programme's exam."""
        return any(rule.measure is Measure.SCORE for rule in self.pack.of_kind(Kind.REQUIREMENT))


def terms_of(programme: Programme, pack: SeasonPack | None = None) -> Terms:
    """Under the programme's own pack, or under another one that somebody wants to try."""
    ids = course_ids(programme)
    return Terms(
        pack=pack or pack_files.load_season_pack(programme.rule_pack),
        ids=ids,
        keys={course_id: key for key, course_id in ids.items()},
        last_day=last_day_of(programme),
    )


class Course(NamedTuple):
    """A snapshot, as far as the judgement of the whole asks of it."""

    course_id: uuid.UUID
    version: int
    progressed_at: dt.datetime
    passed: Passed


def judge(terms: Terms, evidence: Iterable[Evidence], today: dt.date, exam: Score = NO_SCORE) -> Judgement:
    """Evaluate the snapshots. Raises LookupError for a course that is not known."""
    courses = [
        Course(row.course_id, row.version, row.progressed_at, pass_course(terms, row.course_id, row.videos))
        for row in evidence
    ]
    return judge_courses(terms, courses, today, exam)


def pass_course(terms: Terms, course_id: uuid.UUID, videos: Iterable[Mapping[str, Any]]) -> Passed:
    """What one snapshot's videos come to behind the gates. Raises KeyError, TypeError or ValueError for a broken one."""
    return pass_gates(terms.pack, terms.keys[course_id], study_evidence.videos_of(videos))


def judge_courses(terms: Terms, courses: Sequence[Course], today: dt.date, exam: Score = NO_SCORE) -> Judgement:
    """As `judge`, for courses that have passed the gates."""
    outcome = settle(terms.pack, {terms.keys[row.course_id]: row.passed for row in courses}, exam.score)
    # A snapshot sent after the close tells of study before it.
    studied_on = beijing_day(max(row.progressed_at for row in courses)) if courses else today
    effective_on = min(studied_on, terms.last_day)
    return Judgement(
        outcome=outcome,
        pack=terms.pack,
        evidence_version=sum(row.version for row in courses) + exam.version,
        effective_on=effective_on,
        year=terms.pack.year_of(effective_on, terms.last_day),
    )


def passed_by(pack: SeasonPack) -> str:
    """The name under which what passed this pack's gates is kept: another content of the pack is another name."""
    return f"{pack.pack_id}@{pack.version}#{GATES_EDITION}"


def keep_passed(pack: SeasonPack, passed: Passed) -> dict[str, Any]:
    """As plain JSON, without the trace: who asks why is answered from the evidence."""
    return {
        "by": passed_by(pack),
        "studied": passed.studied_seconds,
        "counted": passed.counted_seconds,
        "reasons": passed.reasons,
    }


def kept_passed(kept: Mapping[str, Any]) -> Passed:
    return Passed(kept["studied"], kept["counted"], tuple(map(Reason, kept["reasons"])))


def beijing_day(instant: dt.datetime) -> dt.date:
    return instant.astimezone(BEIJING).date()


def last_day_of(programme: Programme) -> dt.date:
    """The last day on which study counts: windows end at the midnight after it."""
    return beijing_day(programme.closes_at - dt.timedelta(microseconds=1))


def years_to_lock(terms: Terms, progressed_at: dt.datetime) -> set[int]:
    """The years whose entries evidence of this instant may change; always the closing one, so that all recognition of a
    teacher in a programme runs one after the other.
    """
    studied_on = min(beijing_day(progressed_at), terms.last_day)
    return {terms.last_day.year, terms.pack.year_of(studied_on, terms.last_day)}


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
