"""One batch of the daily proof after the other."""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.credits import judgement, queries, reconciliation
from services.credits.contract import reconciling as contract
from services.credits.queries import Study
from services.credits.reconciliation import Difference
from services.credits.reconciling.models import ReconciliationDifference, ReconciliationRun
from services.shared import outbox

log = structlog.get_logger(__name__)

BATCH = 500


def reconcile_batch(db: Session, now: dt.datetime) -> bool:
    """Prove the next studies of today's run, or of one that was begun before; whether there may be more.

    It may die anywhere and goes on from there. While another process works on the run there is nothing to do.
    """
    run = _next_run(db, now)
    if run is None:
        return False
    after = (run.after_teacher, run.after_programme) if run.after_teacher and run.after_programme else None
    studies = queries.list_studies(db, after, BATCH)
    found = _confirmed(db, studies, judgement.beijing_day(now))
    run.checked += len(studies)
    run.differences += len(found)
    if found:
        _report(db, run, found, now)
    if studies:
        run.after_teacher, run.after_programme = studies[-1]
    if len(studies) < BATCH:
        run.done_at = now
        log.info("reconciled", day=str(run.day), checked=run.checked, differences=run.differences)
    db.flush()
    return run.done_at is None


def _next_run(db: Session, now: dt.datetime) -> ReconciliationRun | None:
    """The oldest run that is not done; today's, where there is none yet. None when today is proved, or being proved."""
    unfinished = sa.select(ReconciliationRun).where(ReconciliationRun.done_at.is_(None)).order_by(ReconciliationRun.day)
    if db.scalars(unfinished).first() is None:
        today = insert(ReconciliationRun).values(day=judgement.beijing_day(now), checked=0, differences=0, begun_at=now)
        db.execute(today.on_conflict_do_nothing())
    return db.scalars(unfinished.limit(1).with_for_update(skip_locked=True)).one_or_none()


def _confirmed(db: Session, studies: Sequence[Study], today: dt.date) -> list[Difference]:
    """Differences that are still there under the locks of whoever writes: the first look may see half of a commit."""
    suspects = sorted(
        {(each.teacher_id, each.programme_id) for each in reconciliation.find_differences(db, studies, today)}
    )
    if not suspects:
        return []
    programmes = queries.find_programmes(db, {programme_id for _, programme_id in suspects})
    queries.lock_teacher_years(
        db,
        [
            (teacher_id, judgement.last_day_of(programmes[programme_id]).year)
            for teacher_id, programme_id in suspects
            if programme_id in programmes
        ],
    )
    db.expire_all()
    return reconciliation.find_differences(db, suspects, today)


def _report(db: Session, run: ReconciliationRun, found: Sequence[Difference], now: dt.datetime) -> None:
    day = run.day
    rows = [{**dataclasses.asdict(each), "day": day, "found_at": now} for each in found]
    db.execute(insert(ReconciliationDifference).on_conflict_do_nothing(), rows)
    for programme_id, count in collections.Counter(each.programme_id for each in found).items():
        log.error("reconciliation_differs", programme_id=str(programme_id), differences=count, day=str(day))
        payload = {"programme_id": str(programme_id), "day": day.isoformat(), "differences": count}
        outbox.announce(db, contract.RECONCILIATION_FAILED, programme_id, payload)
