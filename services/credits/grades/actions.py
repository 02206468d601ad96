"""Recognising the hours of a course that was passed, and taking them back when its grade is turned over."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.catalog.contract.courses import HOUR_TYPE_NAMES, CourseType, HourType
from services.credits import bulk, queries, schemes
from services.credits.contract.grades import GradeState
from services.credits.grades import rules
from services.credits.grades.models import CourseGrade
from services.credits.grades.rules import Act
from services.credits.models import Placement
from services.credits.reversing import next_turn, standing_awards, take_back
from services.credits.rules import ledger
from services.credits.sources import course_ref
from services.credits.verification import queries as verification
from services.shared import ids

SOURCE_KIND = "COURSE"
_KEY = ("teacher_id", "choice_id")
RULE = "COURSE"  # where no conversion of the place's pack made the amount


def recognise_grade(db: Session, payload: dict[str, Any], now: dt.datetime) -> None:
    """Bring the ledger to what the grade says, once: an award for a pass, its reversal when the pass is turned over.

    Old news changes nothing. The hours belong to the period's year and are recorded where the teacher is now, under that
    place's pack. What a frozen year cannot take is held, for a complaint to decide.
    """
    teacher_id, choice_id = uuid.UUID(payload["teacher_id"]), uuid.UUID(payload["choice_id"])
    # Two tellings of one teacher's grades, or a grade and a freezing, one after the other.
    queries.lock_teacher_years(db, [(teacher_id, payload["year"])])
    if not _keep_newer(db, payload, now):
        return
    source = course_ref(choice_id)
    standing = standing_awards(db, teacher_id, source)
    frozen = verification.is_frozen(db, teacher_id, payload["year"])
    act, state = rules.decide(passed=payload["passed"], standing=bool(standing), frozen=frozen)
    if act is Act.ENTER:
        _append(db, [_entry(db, payload, source, next_turn(db, teacher_id, source), now)])
    elif act is Act.TAKE_BACK:
        _append(db, take_back(db, standing[-1], f"taken back: grade {payload['version']} is no pass", now))
    kept = db.get_one(CourseGrade, (teacher_id, choice_id), populate_existing=True)
    kept.state, kept.changed_at = state, now
    db.flush()


def _keep_newer(db: Session, payload: dict[str, Any], now: dt.datetime) -> bool:
    values = {
        "teacher_id": uuid.UUID(payload["teacher_id"]),
        "choice_id": uuid.UUID(payload["choice_id"]),
        "version": payload["version"],
        "passed": payload["passed"],
        "course_no": payload["course_no"],
        "title": payload["title"],
        "hours": Decimal(payload["hours"]),
        "year": payload["year"],
    }
    statement = insert(CourseGrade).values(**values, state=GradeState.NOTHING, recorded_at=now, changed_at=now)
    changed = {name: statement.excluded[name] for name in values if name not in _KEY}
    kept = statement.on_conflict_do_update(
        index_elements=["teacher_id", "choice_id"],
        set_=changed,
        where=CourseGrade.version < statement.excluded.version,
    ).returning(CourseGrade.choice_id)
    return db.execute(kept).first() is not None


def _entry(db: Session, payload: dict[str, Any], source: str, turn: int, now: dt.datetime) -> dict[str, Any]:
    """The award. Whoever left every school is recorded at the city or district that taught her."""
    teacher_id, year = uuid.UUID(payload["teacher_id"]), payload["year"]
    placement = db.get(Placement, teacher_id)
    place = placement.place if placement is not None and placement.place else payload["place"]
    scheme = schemes.find_scheme(place, year)
    hours = Decimal(payload["hours"])
    amount, step = ledger.convert(scheme.pack, "HOUR", hours) if scheme else (hours, None)
    told = (
        f"{RULE}: {hours} hours of {payload['course_no']} {payload['title']}, period {payload['period_code']}, passed"
    )
    return {
        "teacher_id": teacher_id,
        "entry_id": ids.new_id(),
        "rule_id": step.rule_id if step else RULE,
        "source_ref": source,
        "turn": turn,
        "evidence_version": payload["version"],
        "source_kind": SOURCE_KIND,
        "programme_id": None,
        "unit": scheme.pack.unit if scheme else "HOUR",
        "amount": amount,
        "hour_type": HOUR_TYPE_NAMES[HourType(payload["hour_type"])],
        "training_form": rules.TRAINING_FORM[CourseType(payload["course_type"])],
        "year": year,
        "effective_on": rules.effective_day(dt.date.fromisoformat(payload["graded_on"]), year),
        "recorded_at": now,
        "school_id": placement.school_id if placement is not None else None,
        "place": place,
        "pack_id": scheme.pack.pack_id if scheme else "",
        "pack_version": scheme.pack.version if scheme else "",
        "why": f"{told}; {step.rule_id}: {step.before} -> {step.after}, {step.why}" if step else told,
        "reversal_of": None,
        "recognised_by": "",
        "recognised_at": payload["place"],
    }


def _append(db: Session, entries: list[dict[str, Any]]) -> None:
    """Under the year's lock, so a missing row means that somebody wrote past it: nothing may be half done."""
    if bulk.append_entries(db, entries) != len(entries):
        raise ValueError("an entry of this turn is there already")
