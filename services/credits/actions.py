"""What credits does with what it hears: keeps evidence, recognises hours, closes the recognition of a programme."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any

import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.credits import bulk, contract, judgement, queries
from services.credits.bulk import Score, Snapshot
from services.credits.judgement import Delta, Judgement, Terms
from services.credits.models import Programme
from services.credits.queries import Study
from services.credits.statistics import counting
from services.shared import clock, ids, outbox
from services.shared.bus import NotYet

log = structlog.get_logger(__name__)


@dataclasses.dataclass(frozen=True)
class Enrolment:
    """One `learning.enrolled`."""

    teacher_id: uuid.UUID
    programme_id: uuid.UUID
    at: dt.datetime


def keep_programme(db: Session, payload: dict[str, Any]) -> None:
    """Keep what recognition needs of a published programme, unless a newer version is known."""
    values = {
        "programme_id": uuid.UUID(payload["programme_id"]),
        "version": payload["version"],
        "code": payload["code"],
        "titles": payload["titles"],
        "rule_pack": payload["rule_pack"],
        "closes_at": clock.parse_instant(payload["closes_at"]),
        "courses": [{name: course[name] for name in ("course_id", "key", "title")} for course in payload["courses"]],
    }
    statement = insert(Programme).values(values)
    db.execute(
        statement.on_conflict_do_update(
            index_elements=["programme_id"],
            set_={name: statement.excluded[name] for name in values if name != "programme_id"},
            where=Programme.version < statement.excluded.version,
        )
    )


def recognise_progress(
    db: Session,
    enrolments: Sequence[Enrolment],
    snapshots: Sequence[Snapshot],
    now: dt.datetime,
    scores: Sequence[Score] = (),
) -> None:
    """Take in enrolments, evidence and exam scores, and bring ledger and standings to what they come to.

    Raises NotYet while a programme, or a course of it, has not arrived from the catalogue.
    """
    items: list[Enrolment | Snapshot | Score] = [*enrolments, *snapshots, *scores]
    programmes = _programmes_of(db, items)
    terms = {programme_id: judgement.terms_of(programme) for programme_id, programme in programmes.items()}
    # Lock before reading: two batches with different courses of one teacher must not judge each other's half.
    queries.lock_teacher_years(
        db,
        [
            (item.teacher_id, year)
            for item in items
            for year in judgement.years_to_lock(terms[item.programme_id], item.at)
        ],
    )

    def passed(snapshot: Snapshot) -> dict[str, Any]:
        of = terms[snapshot.programme_id]
        return judgement.keep_passed(of.pack, judgement.pass_course(of, snapshot.course_id, snapshot.videos))

    changed = bulk.keep_newer_evidence(db, snapshots, passed) | bulk.keep_newer_scores(db, scores)
    enrolled = {(item.teacher_id, item.programme_id): item.at for item in enrolments}
    recognise(db, changed | set(enrolled), programmes, enrolled, now)


def _programmes_of(db: Session, items: Sequence[Enrolment | Snapshot | Score]) -> dict[uuid.UUID, Programme]:
    wanted = {item.programme_id for item in items}
    programmes = queries.find_programmes(db, wanted)
    if wanted - set(programmes):
        raise NotYet("a programme")
    known = {uuid.UUID(course["course_id"]) for programme in programmes.values() for course in programme.courses}
    if any(isinstance(item, Snapshot) and item.course_id not in known for item in items):
        raise NotYet("a course")
    return programmes


def recognise(
    db: Session,
    studies: Collection[Study],
    programmes: dict[uuid.UUID, Programme],
    enrolled: dict[Study, dt.datetime],
    now: dt.datetime,
) -> None:
    """Judge these teachers' whole evidence, append the differences to the ledger, write and announce standings.

    The caller holds the teachers' year rows. The base of a difference is the ledger itself, so judging once more, after
    whatever accident, adds nothing.
    """
    if not studies:
        return
    terms = {programme_id: judgement.terms_of(programme) for programme_id, programme in programmes.items()}
    judged = _judge(db, studies, terms, judgement.beijing_day(now))
    in_ledger, standings = queries.sum_ledger(db, studies), queries.list_standings(db, studies)
    changes = [
        (study, change)
        for study, each in judged.items()
        for change in judgement.deltas(each, terms[study[1]].ids, in_ledger.get(study, {}))
    ]
    _append(db, changes, judged, now)
    rows, announcements = [], []
    for study, each in judged.items():
        ids_of = terms[study[1]].ids
        row, is_news = _standing_row(study, ids_of, each, standings.get(study), enrolled.get(study), now)
        rows.append(row)
        if is_news:
            announcements.append((study[0], recognised_payload(row)))
    bulk.put_standings(db, rows)
    counting.count(db, studies, now)
    outbox.announce_many(db, contract.HOURS_RECOGNISED, announcements)


def _judge(
    db: Session, studies: Collection[Study], terms: Mapping[uuid.UUID, Terms], today: dt.date
) -> dict[Study, Judgement]:
    """In the order of the studies, so that entries are numbered in it."""
    gates = {programme_id: judgement.passed_by(of.pack) for programme_id, of in terms.items()}
    courses = queries.list_courses(db, {teacher_id for teacher_id, _ in studies}, gates)
    scores = queries.list_scores(db, [study for study in studies if terms[study[1]].asks_for_score])
    return {
        study: judgement.judge_courses(
            terms[study[1]],
            [_course(terms[study[1]], row) for row in courses.get(study, ())],
            today,
            scores.get(study, judgement.NO_SCORE),
        )
        for study in sorted(studies)
    }


def _course(terms: Terms, row: Any) -> judgement.Course:
    """Whatever passed other gates than the present ones goes through these."""
    passed = (
        judgement.kept_passed(row.passed)
        if row.passed is not None
        else judgement.pass_course(terms, row.course_id, row.videos)
    )
    return judgement.Course(row.course_id, row.version, row.progressed_at, passed)


def _append(
    db: Session, changes: Sequence[tuple[Study, Delta]], judged: Mapping[Study, Judgement], now: dt.datetime
) -> None:
    spots = queries.list_spots(db, {teacher_id for (teacher_id, _), _ in changes})
    taken_back = queries.find_last_awards(
        db, [(study[0], change.source_ref) for study, change in changes if change.amount < 0]
    )
    entries = [
        _entry(study, judged[study], change, spots.get(study[0]), taken_back.get((study[0], change.source_ref)), now)
        for study, change in changes
    ]
    if (added := bulk.append_entries(db, entries)) != len(entries):
        # The natural key held something back: harmless, but somebody judged what the ledger already knew.
        log.warning("ledger_entries_already_there", wanted=len(entries), added=added)


def _entry(
    study: Study, judged: Judgement, change: Delta, spot: Any, last_award: uuid.UUID | None, now: dt.datetime
) -> dict[str, Any]:
    """A ledger row. One that takes away is a correction and names the entry it takes back."""
    teacher_id, programme_id = study
    taken_back = last_award if change.amount < 0 else None
    return {
        "teacher_id": teacher_id,
        "entry_id": ids.new_id(),
        "rule_id": change.rule_id,
        "source_ref": change.source_ref,
        "turn": change.turn,
        "evidence_version": judged.evidence_version,
        "source_kind": "CORRECTION" if taken_back else judged.pack.source_kind,
        "programme_id": programme_id,
        "unit": judged.pack.unit,
        "amount": change.amount,
        "hour_type": judged.pack.hour_type,
        "training_form": judged.pack.training_form,
        "year": judged.year,
        "effective_on": judged.effective_on,
        "recorded_at": now,
        "school_id": spot.school_id if spot else None,
        "place": spot.place if spot else "",
        "pack_id": judged.pack.pack_id,
        "pack_version": judged.pack.version,
        "why": change.why,
        "reversal_of": taken_back,
        "recognised_by": "",
        "recognised_at": "",
    }


def _standing_row(
    study: Study,
    ids_of: Mapping[str, uuid.UUID],
    judged: Judgement,
    old: Any,
    enrolled_at: dt.datetime | None,
    now: dt.datetime,
) -> tuple[dict[str, Any], bool]:
    """The standing as it must be, and whether it differs from the announced one in more than seconds."""
    outcome = judged.outcome
    courses = judgement.courses_shown(outcome, ids_of)
    is_news = (
        old is None
        or _in_essence(courses) != _in_essence(old.courses)
        or old.pack_version != judged.pack.version
        # An exam moves no hour, and may yet decide.
        or old.requirement_met != outcome.requirement_met
    )
    return {
        "teacher_id": study[0],
        "programme_id": study[1],
        "version": (old.version if old else 0) + is_news,
        "enrolled_at": (old.enrolled_at if old else None) or enrolled_at,
        "hours": outcome.hours,
        "courses": courses,
        "courses_done": outcome.courses_done,
        "requirement_met": outcome.requirement_met,
        "shortfalls": judgement.shortfalls_shown(outcome),
        "evidence_version": judged.evidence_version,
        "pack_id": judged.pack.pack_id,
        "pack_version": judged.pack.version,
        "recorded_at": now,
    }, is_news


def _in_essence(courses: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [(course["course_id"], course["hours"], course["reasons"]) for course in courses]


def recognised_payload(row: dict[str, Any]) -> dict[str, Any]:
    """A row of `standing` as `credits.hours_recognised` tells it."""
    hours: Decimal = row["hours"]
    return {
        "teacher_id": str(row["teacher_id"]),
        "programme_id": str(row["programme_id"]),
        "version": row["version"],
        "hours": f"{hours:.2f}",
        "courses_done": row["courses_done"],
        "courses_total": len(row["courses"]),
        "requirement_met": row["requirement_met"],
        "courses": row["courses"],
    }


def close_recognition(db: Session, programme_id: uuid.UUID, expected: queries.Arrived, now: dt.datetime) -> None:
    """Announce, once, that all evidence of the programme has been judged.

    Raises NotYet while anything of what learning counted is still on its way.
    """
    programme = queries.lock_programme(db, programme_id)
    if programme is None:
        raise NotYet("the programme")
    if programme.recognition_closed_at is not None:
        return
    arrived = queries.count_arrived(db, programme_id)
    # More than expected is fine: a report that was saved from a broken network may follow the count.
    if (
        arrived.enrolments < expected.enrolments
        or arrived.snapshots < expected.snapshots
        or arrived.version_sum < expected.version_sum
        or arrived.exam_results < expected.exam_results
        or arrived.exam_version_sum < expected.exam_version_sum
    ):
        raise NotYet("evidence")
    programme.recognition_closed_at = now
    outbox.announce(db, contract.RECOGNITION_CLOSED, programme_id, closed_payload(db, programme_id))


def closed_payload(db: Session, programme_id: uuid.UUID) -> dict[str, Any]:
    """How much certs must hold before it may decide."""
    standings, version_sum = queries.count_standings(db, programme_id)
    return {"programme_id": str(programme_id), "standings": standings, "version_sum": int(version_sum)}
