"""Selects and writes of jobs that are reused or locked."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.shared.bulk.rules import UNFINISHED, Outcome
from services.shared.bulk.tables import download, job, row
from services.shared.errors import NotFound
from services.shared.ids import new_id
from services.shared.many_rows import document, insert_into, run_many

MISSING = "shared.job_unknown"
LEASE_SECONDS = 60
# Claims are made one after the other, so that two runners never choose two jobs of one territory.
_CLAIM_LOCK = sa.text("SELECT pg_advisory_xact_lock(hashtextextended('bulk-claim', 1))")
_FREE = "(lease_until IS NULL OR lease_until < clock_timestamp())"


# --- jobs -----------------------------------------------------------------------------------------------------------


def get_job(db: Session, job_id: uuid.UUID, owner: uuid.UUID | None) -> Any:
    """The owner's job. Raises NotFound("shared.job_unknown"): another's looks the same."""
    return _one(db, sa.select(job).where(job.c.job_id == job_id), owner)


def lock_job(db: Session, job_id: uuid.UUID, owner: uuid.UUID | None) -> Any:
    """As `get_job`, locked: a runner that is about to commit waits for this transaction, or the other way round."""
    return _one(db, sa.select(job).where(job.c.job_id == job_id).with_for_update(), owner)


def _one(db: Session, statement: Any, owner: uuid.UUID | None) -> Any:
    found = db.execute(statement).one_or_none()
    if found is None or found.account_id != owner:
        raise NotFound(MISSING)
    return found


def list_jobs(db: Session, owner: uuid.UUID | None, before: uuid.UUID | None, limit: int) -> Sequence[Any]:
    """The owner's jobs, newest first."""
    statement = sa.select(job).where(job.c.account_id.is_not_distinct_from(owner))
    if before:
        statement = statement.where(job.c.job_id < before)
    return db.execute(statement.order_by(job.c.job_id.desc()).limit(limit)).all()


def count_unfinished(db: Session, owner: uuid.UUID | None) -> int:
    return db.execute(
        sa.select(sa.func.count()).where(job.c.account_id == owner, job.c.state.in_(sorted(UNFINISHED)))
    ).scalar_one()


def count_exports(db: Session, owner: uuid.UUID | None, since: dt.datetime, kinds: Iterable[str]) -> int:
    return db.execute(
        sa.select(sa.func.count()).where(
            job.c.account_id == owner, job.c.created_at >= since, job.c.kind.in_(sorted(kinds))
        )
    ).scalar_one()


def lock_owner(db: Session, owner: uuid.UUID | None) -> None:
    """Let one job of an account be opened at a time, so that what is counted stays true until the commit."""
    db.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(f"bulk-owner {owner}", 1))))


def update_job(db: Session, job_id: uuid.UUID, **changes: Any) -> None:
    """Change a job; its version tells readers that it did."""
    db.execute(sa.update(job).where(job.c.job_id == job_id).values(version=job.c.version + 1, **changes))


# --- leases ---------------------------------------------------------------------------------------------------------


def claim(db: Session, job_id: uuid.UUID | None = None) -> Any:
    """A job that waits for a runner, now ours for a while; None when there is none.

    Of a territory only the oldest waiting job is taken, by one runner at a time; among territories the one that was
    served longest ago comes first. `job_id` asks for one of the command line's jobs, which no other runner takes.
    """
    db.execute(_CLAIM_LOCK)
    wanted = "account_id IS NOT NULL" if job_id is None else "job_id = :job_id"
    return db.execute(
        sa.text(
            "UPDATE bulk_job SET lease = :lease, served_at = clock_timestamp(),"  # noqa: S608  our own words
            " lease_until = clock_timestamp() + make_interval(secs => :seconds)"
            f" WHERE job_id = (SELECT job_id FROM bulk_job AS first WHERE waiting AND {_FREE} AND {wanted}"
            "  AND NOT EXISTS (SELECT 1 FROM bulk_job AS other WHERE other.waiting AND other.place = first.place"
            "   AND other.account_id IS NOT NULL AND first.account_id IS NOT NULL"
            "   AND (other.job_id < first.job_id OR other.lease_until >= clock_timestamp())"
            "   AND other.job_id <> first.job_id)"
            "  ORDER BY served_at, job_id LIMIT 1) RETURNING *"
        ).columns(*(sa.column(each.name, each.type) for each in job.columns)),
        {"lease": new_id(), "seconds": LEASE_SECONDS, "job_id": job_id},
    ).one_or_none()


def renew(db: Session, job_id: uuid.UUID, lease: uuid.UUID) -> Any:
    """The job as it is now, locked and still ours; None when it is somebody else's by now."""
    return db.execute(
        sa.update(job)
        .where(job.c.job_id == job_id, job.c.lease == lease)
        .values(lease_until=sa.func.clock_timestamp() + sa.func.make_interval(0, 0, 0, 0, 0, 0, LEASE_SECONDS))
        .returning(job)
    ).one_or_none()


def release(db: Session, job_id: uuid.UUID, lease: uuid.UUID, pause_seconds: float = 0.0) -> None:
    """Give the job back; nobody takes it before the pause is over."""
    until = (
        sa.func.clock_timestamp() + sa.func.make_interval(0, 0, 0, 0, 0, 0, pause_seconds) if pause_seconds else None
    )
    db.execute(sa.update(job).where(job.c.job_id == job_id, job.c.lease == lease).values(lease=None, lease_until=until))


# --- rows -----------------------------------------------------------------------------------------------------------


_INSERT_ROWS = insert_into(
    "bulk_row",
    "number integer, cells_sealed text, outcome text, code text, field text, again boolean",
    same="job_id uuid",
)
_WRITE_OUTCOMES = (
    "UPDATE bulk_row SET outcome = new.outcome, code = new.code, field = new.field, told_sealed = new.told,"  # noqa: S608
    f" again = new.outcome = 'REFUSED' FROM {document('number integer, outcome text, code text, field text, told text')}"
    " WHERE bulk_row.job_id = %(job_id)s AND bulk_row.number = new.number AND bulk_row.outcome = 'PENDING'"
)


def insert_rows(db: Session, job_id: uuid.UUID, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add judged rows (`actions.Judge`): one statement."""
    if rows:
        run_many(db, _INSERT_ROWS, rows, job_id=job_id)


def delete_rows(db: Session, job_id: uuid.UUID) -> None:
    db.execute(sa.delete(row).where(row.c.job_id == job_id))


def write_outcomes(db: Session, job_id: uuid.UUID, rows: Sequence[Mapping[str, Any]]) -> int:
    """Set what became of pending rows (number, outcome, code, field, told: sealed); returns how many there were."""
    return run_many(db, _WRITE_OUTCOMES, rows, job_id=job_id)


def count_outcomes(db: Session, job_id: uuid.UUID, outcomes: Sequence[Outcome], now: dt.datetime) -> None:
    """Add what became of some rows to the job's counts."""
    found = Counter(outcomes)
    counted = {
        column: job.c[column] + found[outcome]
        for column, outcome in (
            ("created", Outcome.CREATED),
            ("changed", Outcome.CHANGED),
            ("unchanged", Outcome.UNCHANGED),
            ("refused", Outcome.REFUSED),
        )
    }
    update_job(db, job_id, changed_at=now, **counted)


def list_pending_rows(db: Session, job_id: uuid.UUID, limit: int) -> Sequence[Any]:
    """The next rows that wait, from the index that holds no others, in its order."""
    # Of a job that has just come in the planner knows nothing: it would read and sort all that wait for each chunk.
    db.execute(sa.text("SELECT set_config('enable_bitmapscan', 'off', true)"))
    return db.execute(
        sa.select(row).where(row.c.job_id == job_id, row.c.outcome == "PENDING").order_by(row.c.number).limit(limit)
    ).all()


def list_rows(db: Session, job_id: uuid.UUID, outcome: str | None, after: int, limit: int) -> Sequence[Any]:
    """Rows in the order of the file, of one outcome or of all."""
    statement = sa.select(row).where(row.c.job_id == job_id, row.c.number > after)
    if outcome:
        # As a literal: only then does PostgreSQL use the index that holds nothing but these rows.
        statement = statement.where(row.c.outcome == sa.literal_column(f"'{Outcome(outcome)}'"))
    return db.execute(statement.order_by(row.c.number).limit(limit)).all()


def reopen_rows(db: Session, job_id: uuid.UUID) -> int:
    """Let the rows that were refused while they were done wait again; returns how many."""
    done = db.execute(
        sa.update(row)
        .where(row.c.job_id == job_id, row.c.outcome == "REFUSED", row.c.again)
        .values(outcome="PENDING", code="", field="", again=False)
    )
    return int(getattr(done, "rowcount", 0))


# --- downloads and housekeeping ---------------------------------------------------------------------------------------


def add_download(
    db: Session, job_id: uuid.UUID, account_id: uuid.UUID, token_hash: bytes, expires_at: dt.datetime
) -> None:
    db.execute(
        sa.insert(download)
        .inline()
        .values(token_hash=token_hash, job_id=job_id, account_id=account_id, expires_at=expires_at)
    )


def use_download(
    db: Session, job_id: uuid.UUID, account_id: uuid.UUID | None, token_hash: bytes, now: dt.datetime
) -> bool:
    """Use a token up; whether it was this account's, for this job, unused and in time."""
    used = db.execute(
        sa.update(download)
        .where(
            download.c.token_hash == token_hash,
            download.c.job_id == job_id,
            download.c.account_id == account_id,
            download.c.used_at.is_(None),
            download.c.expires_at > now,
        )
        .values(used_at=now)
        .returning(download.c.job_id)
    )
    return used.one_or_none() is not None


def delete_downloads(db: Session, before: dt.datetime) -> None:
    db.execute(sa.delete(download).where(download.c.expires_at < before))


def lock_expired_files(db: Session, now: dt.datetime, limit: int) -> Sequence[Any]:
    return db.execute(
        sa.select(job.c.job_id, job.c.file)
        .where(job.c.file.is_not(None), job.c.file_expires_at <= now)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()


def lock_spent_uploads(db: Session, limit: int) -> Sequence[Any]:
    """Jobs whose uploaded file has been read, or will never be."""
    return db.execute(
        sa.select(job.c.job_id, job.c.upload)
        .where(job.c.upload.is_not(None), job.c.state.not_in(("UPLOADING", "UPLOADED", "VALIDATING")))
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()


def lock_abandoned_jobs(db: Session, before: dt.datetime, limit: int) -> Sequence[Any]:
    """Jobs whose announced file never came."""
    return db.execute(
        sa.select(job)
        .where(job.c.state == "UPLOADING", job.c.created_at < before)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()


def lock_old_jobs(db: Session, before: dt.datetime, limit: int) -> Sequence[Any]:
    """Jobs at rest since then, whose rows still hold what was uploaded."""
    return db.execute(
        sa.select(job)
        .where(sa.not_(job.c.forgotten), sa.not_(job.c.waiting), job.c.changed_at < before)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()


def forget_told(db: Session, job_id: uuid.UUID) -> None:
    """Erase what was told for the report only: it is told in the first one or not at all."""
    db.execute(sa.update(row).where(row.c.job_id == job_id, row.c.told_sealed != "").values(told_sealed=""))


def forget_cells(db: Session, job_id: uuid.UUID) -> None:
    db.execute(sa.update(row).where(row.c.job_id == job_id).values(cells_sealed="", told_sealed=""))
