"""Selects of credits that are reused or lock."""

from __future__ import annotations

import dataclasses
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from services.credits.judgement import Score, Written
from services.credits.models import Evidence, ExamScore, LedgerEntry, Placement, Programme, Standing
from services.shared.driver import run_plain
from services.shared.errors import NotFound

# One teacher in one programme: the unit of recognition.
Study = tuple[uuid.UUID, uuid.UUID]


def find_programmes(db: Session, programme_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Programme]:
    rows = db.scalars(sa.select(Programme).where(Programme.programme_id.in_(programme_ids)))
    return {row.programme_id: row for row in rows}


def lock_programme(db: Session, programme_id: uuid.UUID) -> Programme | None:
    return db.scalars(
        sa.select(Programme).where(Programme.programme_id == programme_id).with_for_update()
    ).one_or_none()


def lock_teacher_years(db: Session, keys: Iterable[tuple[uuid.UUID, int]]) -> None:
    """Hold these (teacher, year) rows until the transaction ends; in one order everywhere, so nobody waits in a circle."""
    ordered = sorted(set(keys))
    pairs = {"teachers": [teacher for teacher, _ in ordered], "years": [year for _, year in ordered]}
    db.execute(
        sa.text(
            "INSERT INTO teacher_year (teacher_id, year)"
            " SELECT * FROM unnest(CAST(:teachers AS uuid[]), CAST(:years AS int[])) ON CONFLICT DO NOTHING"
        ),
        pairs,
    )
    db.execute(
        sa.text(
            "SELECT 1 FROM teacher_year WHERE (teacher_id, year) IN"
            " (SELECT * FROM unnest(CAST(:teachers AS uuid[]), CAST(:years AS int[])))"
            " ORDER BY teacher_id, year FOR UPDATE"
        ),
        pairs,
    )


def list_evidence(db: Session, studies: Collection[Study]) -> dict[Study, list[Evidence]]:
    """All snapshots of these teachers in these programmes."""
    found: dict[Study, list[Evidence]] = defaultdict(list)
    for row in db.scalars(sa.select(Evidence).where(*_of(Evidence, studies)).order_by(Evidence.course_id)):
        found[row.teacher_id, row.programme_id].append(row)
    return found


def list_courses(
    db: Session, teachers: Collection[uuid.UUID], passed_by: Mapping[uuid.UUID, str]
) -> dict[Study, list[Any]]:
    """The snapshots of these teachers in the programmes of `passed_by`, which names each one's gates.

    A row has `passed`, what those gates have let through before, or else `videos`, which must pass them now.
    """
    rows = run_plain(
        db,
        "SELECT teacher_id, programme_id, course_id, version, progressed_at,"
        " CASE WHEN passed ->> 'by' = gates.name THEN passed END AS passed,"
        " CASE WHEN passed ->> 'by' IS DISTINCT FROM gates.name THEN videos END AS videos"
        " FROM evidence JOIN unnest(%(programmes)s::uuid[], %(names)s::text[]) AS gates (programme_id, name)"
        " USING (programme_id) WHERE teacher_id = ANY(%(teachers)s)",
        {"teachers": list(teachers), "programmes": list(passed_by), "names": list(passed_by.values())},
    )
    found: dict[Study, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.teacher_id, row.programme_id].append(row)
    return found


def list_scores(db: Session, studies: Collection[Study]) -> dict[Study, Score]:
    """What these teachers have reached at the exams of these programmes themselves; those of courses are left out."""
    if not studies:
        return {}
    rows = db.execute(
        sa.select(ExamScore.teacher_id, ExamScore.programme_id, ExamScore.score, ExamScore.version).where(
            *_of(ExamScore, studies), ExamScore.course_id.is_(None)
        )
    )
    return {(row.teacher_id, row.programme_id): Score(row.score, row.version) for row in rows}


def sum_ledger(db: Session, studies: Collection[Study]) -> dict[Study, dict[str, Written]]:
    """What the ledger says for each course: {(teacher, programme): {source_ref: amount and number of entries}}."""
    entry = LedgerEntry
    rows = db.execute(
        sa.select(
            entry.teacher_id,
            entry.programme_id,
            entry.source_ref,
            sa.func.sum(entry.amount).label("amount"),
            sa.func.max(entry.turn).label("turns"),
        )
        .where(*_of(entry, studies))
        .group_by(entry.teacher_id, entry.programme_id, entry.source_ref)
    )
    found: dict[Study, dict[str, Written]] = defaultdict(dict)
    for row in rows:
        found[row.teacher_id, row.programme_id][row.source_ref] = Written(row.amount, row.turns)
    return found


def list_standings(db: Session, studies: Collection[Study]) -> dict[Study, Any]:
    """Of each standing what recognition and its proof compare: version, enrolled_at, hours, courses, requirement_met,
    pack_version.
    """
    one = Standing
    rows = db.execute(
        sa.select(
            one.teacher_id,
            one.programme_id,
            one.version,
            one.enrolled_at,
            one.hours,
            one.courses,
            one.requirement_met,
            one.pack_version,
        ).where(*_of(one, studies))
    )
    return {(row.teacher_id, row.programme_id): row for row in rows}


def _of(model: Any, studies: Collection[Study]) -> tuple[Any, ...]:
    """Rows of the teachers and of the programmes: a batch holds one season, so the product is no larger than the pairs."""
    teachers, programmes = {teacher for teacher, _ in studies}, {programme for _, programme in studies}
    return (
        model.teacher_id == sa.any_(sa.cast(list(teachers), sa.ARRAY(sa.Uuid))),
        model.programme_id == sa.any_(sa.cast(list(programmes), sa.ARRAY(sa.Uuid))),
    )


def list_spots(db: Session, teachers: Collection[uuid.UUID]) -> dict[uuid.UUID, Any]:
    """Where teachers are now: `school_id` and `place`."""
    rows = db.execute(
        sa.select(Placement.teacher_id, Placement.school_id, Placement.place).where(
            Placement.teacher_id == sa.any_(sa.cast(list(teachers), sa.ARRAY(sa.Uuid)))
        )
    )
    return {row.teacher_id: row for row in rows}


def list_placements(db: Session, teachers: Collection[uuid.UUID]) -> dict[uuid.UUID, Placement]:
    rows = db.scalars(
        sa.select(Placement).where(Placement.teacher_id == sa.any_(sa.cast(list(teachers), sa.ARRAY(sa.Uuid))))
    )
    return {row.teacher_id: row for row in rows}


def find_last_awards(db: Session, sources: Collection[tuple[uuid.UUID, str]]) -> dict[tuple[uuid.UUID, str], uuid.UUID]:
    """The newest entry that added to each (teacher, source): what a correction takes back."""
    if not sources:
        return {}
    entry = LedgerEntry
    rows = db.execute(
        sa.select(entry.teacher_id, entry.source_ref, entry.entry_id)
        .where(sa.tuple_(entry.teacher_id, entry.source_ref).in_(sources), entry.amount > 0)
        .ext(distinct_on(entry.teacher_id, entry.source_ref))
        .order_by(entry.teacher_id, entry.source_ref, entry.turn.desc())
    )
    return {(row.teacher_id, row.source_ref): row.entry_id for row in rows}


def list_entries_of_source(db: Session, teacher_id: uuid.UUID, source_ref: str) -> list[LedgerEntry]:
    """All changes of one source's amount, in their order."""
    select = sa.select(LedgerEntry).where(LedgerEntry.teacher_id == teacher_id, LedgerEntry.source_ref == source_ref)
    return list(db.scalars(select.order_by(LedgerEntry.turn)))


@dataclasses.dataclass(frozen=True)
class Arrived:
    """How much of a programme's evidence is here."""

    enrolments: int
    snapshots: int
    version_sum: int
    exam_results: int = 0
    exam_version_sum: int = 0


def count_arrived(db: Session, programme_id: uuid.UUID) -> Arrived:
    enrolments = db.execute(
        sa.select(sa.func.count()).where(Standing.programme_id == programme_id, Standing.enrolled_at.is_not(None))
    ).scalar_one()
    snapshots, version_sum = db.execute(
        sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(Evidence.version), 0)).where(
            Evidence.programme_id == programme_id
        )
    ).one()
    exam_results, exam_version_sum = db.execute(
        sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(ExamScore.version), 0)).where(
            ExamScore.programme_id == programme_id
        )
    ).one()
    return Arrived(enrolments, snapshots, version_sum, exam_results, exam_version_sum)


def count_standings(db: Session, programme_id: uuid.UUID) -> tuple[int, int]:
    """How many standings there are, and the sum of their versions."""
    count, version_sum = db.execute(
        sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(Standing.version), 0)).where(
            Standing.programme_id == programme_id
        )
    ).one()
    return count, version_sum


def get_standing(db: Session, teacher_id: uuid.UUID, programme_id: uuid.UUID) -> tuple[Standing, Programme]:
    """The teacher's standing and its programme. Raises NotFound."""
    row = db.execute(
        sa.select(Standing, Programme)
        .join(Programme, Programme.programme_id == Standing.programme_id)
        .where(Standing.teacher_id == teacher_id, Standing.programme_id == programme_id)
    ).one_or_none()
    if row is None:
        raise NotFound("credits.not_enrolled", "programme_id")
    return row.Standing, row.Programme


def find_place(db: Session, teacher_id: uuid.UUID) -> str | None:
    return db.scalars(sa.select(Placement.place).where(Placement.teacher_id == teacher_id)).one_or_none()


def list_entries(
    db: Session, teacher_id: uuid.UUID, year: int | None, before: uuid.UUID | None, limit: int
) -> list[LedgerEntry]:
    """Newest first; entry ids are UUIDv7 and so in the order of recording."""
    select = sa.select(LedgerEntry).where(LedgerEntry.teacher_id == teacher_id)
    if year is not None:
        select = select.where(LedgerEntry.year == year)
    if before is not None:
        select = select.where(LedgerEntry.entry_id < before)
    return list(db.scalars(select.order_by(LedgerEntry.entry_id.desc()).limit(limit)))


def list_studies(db: Session, after: Study | None, limit: int) -> list[Study]:
    """Every (teacher, programme) that has a standing, evidence or an entry, in order: nothing can hide by lacking one."""
    # Each branch is cut to the page before they are united, or every page would sort the whole nation.
    branches = [_page_of(model, after, limit) for model in (Standing, Evidence, LedgerEntry)]
    either = sa.union(*(sa.select(branch.subquery()) for branch in branches)).subquery()
    rows = db.execute(
        sa.select(either.c.teacher_id, either.c.programme_id)
        .order_by(either.c.teacher_id, either.c.programme_id)
        .limit(limit)
    )
    return [(row.teacher_id, row.programme_id) for row in rows]


def list_teachers_with_entries(db: Session, after: uuid.UUID | None, limit: int) -> list[uuid.UUID]:
    """Whose local register holds something, in order."""
    select = sa.select(LedgerEntry.teacher_id).where(LedgerEntry.programme_id.is_(None)).distinct()
    if after is not None:
        select = select.where(LedgerEntry.teacher_id > after)
    return list(db.scalars(select.order_by(LedgerEntry.teacher_id).limit(limit)))


def _page_of(model: Any, after: Study | None, limit: int) -> sa.Select[Any]:
    key = (model.teacher_id, model.programme_id)
    select = sa.select(*key).where(model.programme_id.is_not(None)).distinct().order_by(*key).limit(limit)
    if after is None:
        return select
    # The first condition is the second's consequence, spelled out for the index on the teacher.
    return select.where(model.teacher_id >= after[0], sa.tuple_(*key) > sa.tuple_(*after))
