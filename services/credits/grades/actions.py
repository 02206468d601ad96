"""Recognising the hours of a course or training that was passed, and taking them back when its grade is turned over."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.catalog.contract.courses import HOUR_TYPE_NAMES, CourseType, HourType
from services.credits import bulk, queries, schemes
from services.credits.contract.grades import GradeState
from services.credits.grades import rules
from services.credits.grades.models import CourseGrade, TrainingResult
from services.credits.grades.rules import Act
from services.credits.models import Placement
from services.credits.reversing import next_turn, standing_awards, take_back
from services.credits.rules import ledger
from services.credits.schemes import Scheme
from services.credits.sources import course_ref, training_ref
from services.credits.verification import queries as verification
from services.shared import ids


@dataclasses.dataclass(frozen=True)
class Told:
    """What learning told of a grade, whatever it is of. `key`: its columns in `model`; `rule`: the kind of source, and what
    made the amount where no conversion of the place's pack did; `place`: of whoever recognises."""

    model: type[CourseGrade | TrainingResult]
    key: dict[str, uuid.UUID]
    kept: dict[str, Any]  # columns of `model` that only it has
    source: str
    rule: str
    what: str
    version: int
    passed: bool
    amount: Decimal
    unit: str
    hour_type: str
    course_type: str
    year: int
    place: str
    graded_on: dt.date

    @classmethod
    def of_course(cls, payload: dict[str, Any]) -> Told:
        choice_id, hours = uuid.UUID(payload["choice_id"]), Decimal(payload["hours"])
        return cls(
            CourseGrade,
            {"teacher_id": uuid.UUID(payload["teacher_id"]), "choice_id": choice_id},
            {"course_no": payload["course_no"], "title": payload["title"], "hours": hours},
            course_ref(choice_id),
            "COURSE",
            f"{payload['course_no']} {payload['title']}, period {payload['period_code']}",
            amount=hours,
            unit="HOUR",
            **_common(payload),
        )

    @classmethod
    def of_training(cls, payload: dict[str, Any]) -> Told:
        application_id = uuid.UUID(payload["application_id"])
        return cls(
            TrainingResult,
            {"teacher_id": uuid.UUID(payload["teacher_id"]), "application_id": application_id},
            {},
            training_ref(application_id),
            "SPECIAL",
            f"special training {payload['title']}",
            amount=Decimal(payload["amount"]),
            unit=payload["unit"],
            **_common(payload),
        )

    @property
    def teacher_id(self) -> uuid.UUID:
        return self.key["teacher_id"]


def _common(payload: dict[str, Any]) -> dict[str, Any]:
    named = {name: payload[name] for name in ("version", "passed", "hour_type", "course_type", "year", "place")}
    return {**named, "graded_on": dt.date.fromisoformat(payload["graded_on"])}


def recognise_grade(db: Session, grade: Told, now: dt.datetime) -> None:
    """Bring the ledger to what the grade says, once: an award for a pass, its reversal when the pass is turned over.

    Old news changes nothing. The hours belong to the grade's year and are recorded where the teacher is now, under that
    place's pack. What a frozen year cannot take is held, for a complaint to decide.
    """
    # Two tellings of one teacher's grades, or a grade and a freezing, one after the other.
    queries.lock_teacher_years(db, [(grade.teacher_id, grade.year)])
    if not _keep_newer(db, grade, now):
        return
    standing = standing_awards(db, grade.teacher_id, grade.source)
    frozen = verification.is_frozen(db, grade.teacher_id, grade.year)
    act, state = rules.decide(passed=grade.passed, standing=bool(standing), frozen=frozen)
    if act is Act.ENTER:
        _append(db, [_entry(db, grade, next_turn(db, grade.teacher_id, grade.source), now)])
    elif act is Act.TAKE_BACK:
        _append(db, take_back(db, standing[-1], f"taken back: grade {grade.version} is no pass", now))
    kept: Any = db.get_one(grade.model, tuple(grade.key.values()), populate_existing=True)
    kept.state, kept.changed_at = state, now
    db.flush()


def _keep_newer(db: Session, grade: Told, now: dt.datetime) -> bool:
    present = {"version": grade.version, "passed": grade.passed, "year": grade.year, **grade.kept}
    statement = insert(grade.model).values(
        **grade.key, **present, state=GradeState.NOTHING, recorded_at=now, changed_at=now
    )
    kept = statement.on_conflict_do_update(
        index_elements=list(grade.key),
        set_={name: statement.excluded[name] for name in present},
        where=grade.model.version < statement.excluded.version,
    ).returning(sa.literal(1))
    return db.execute(kept).first() is not None


def _entry(db: Session, grade: Told, turn: int, now: dt.datetime) -> dict[str, Any]:
    """The award. Whoever left every school is recorded at the place that recognises."""
    placement = db.get(Placement, grade.teacher_id)
    place = placement.place if placement is not None and placement.place else grade.place
    scheme = schemes.find_scheme(place, grade.year)
    return {
        "teacher_id": grade.teacher_id,
        "entry_id": ids.new_id(),
        "source_ref": grade.source,
        "turn": turn,
        "evidence_version": grade.version,
        "source_kind": grade.rule,
        "programme_id": None,
        "hour_type": HOUR_TYPE_NAMES[HourType(grade.hour_type)],
        "training_form": rules.TRAINING_FORM[CourseType(grade.course_type)],
        "year": grade.year,
        "effective_on": rules.effective_day(grade.graded_on, grade.year),
        "recorded_at": now,
        "school_id": placement.school_id if placement is not None else None,
        "place": place,
        "reversal_of": None,
        "recognised_by": "",
        "recognised_at": grade.place,
        **_amount(grade, scheme),
    }


def _amount(grade: Told, scheme: Scheme | None) -> dict[str, Any]:
    """Amount, unit and what made it: in the place's unit where its pack can convert; else as it was given, for an act of
    conversion to take up."""
    unit, amount, step = grade.unit, grade.amount, None
    if scheme is not None:
        try:
            amount, step = ledger.convert(scheme.pack, unit, amount)
            unit = scheme.pack.unit
        except ledger.UnitError:
            scheme = None
    counted = "hours" if grade.unit == "HOUR" else "credits"
    told = f"{grade.rule}: {grade.amount} {counted} of {grade.what}, passed"
    return {
        "rule_id": step.rule_id if step else grade.rule,
        "unit": unit,
        "amount": amount,
        "pack_id": scheme.pack.pack_id if scheme else "",
        "pack_version": scheme.pack.version if scheme else "",
        "why": f"{told}; {step.rule_id}: {step.before} -> {step.after}, {step.why}" if step else told,
    }


def _append(db: Session, entries: list[dict[str, Any]]) -> None:
    """Under the year's lock, so a missing row means that somebody wrote past it: nothing may be half done."""
    if bulk.append_entries(db, entries) != len(entries):
        raise ValueError("an entry of this turn is there already")
