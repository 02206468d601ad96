"""Housekeeping of jobs: files go after a day, rows' contents after a month, uploads that never came after an hour."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from services.shared.bulk import actions, queries
from services.shared.bulk.files import SealedFiles
from services.shared.bulk.rules import CONTENT_LIFETIME, UPLOAD_LIFETIME, Act
from services.shared.database import Database

JOBS_AT_ONCE = 100


def keep_house(database: Database, files: SealedFiles, now: dt.datetime) -> None:
    """Do all of it. A file goes before its row forgets it, so a run that is cut off is only repeated."""
    _drop_files(database, files, now)
    _drop_uploads(database, files)
    with database.work() as db:
        _cancel_abandoned(db, now)
        queries.delete_downloads(db, now - CONTENT_LIFETIME)
    while _forget_old(database, now):
        pass


def _drop_files(database: Database, files: SealedFiles, now: dt.datetime) -> None:
    with database.work() as db:
        for found in queries.lock_expired_files(db, now, JOBS_AT_ONCE):
            files.forget(found.file["pieces"])
            queries.forget_told(db, found.job_id)
            queries.update_job(db, found.job_id, file=None)


def _drop_uploads(database: Database, files: SealedFiles) -> None:
    with database.work() as db:
        for found in queries.lock_spent_uploads(db, JOBS_AT_ONCE):
            files.forget(found.upload["pieces"])
            queries.update_job(db, found.job_id, upload=None)


def _cancel_abandoned(db: Session, now: dt.datetime) -> None:
    for found in queries.lock_abandoned_jobs(db, now - UPLOAD_LIFETIME, JOBS_AT_ONCE):
        actions.change_state(db, found, Act.CANCEL, now)


def _forget_old(database: Database, now: dt.datetime) -> bool:
    """Erase what was uploaded with one batch of old jobs, also with previews that nobody ever started."""
    with database.work() as db:
        old = queries.lock_old_jobs(db, now - CONTENT_LIFETIME, JOBS_AT_ONCE)
        for found in old:
            if found.state in ("READY", "UPLOADING"):
                actions.change_state(db, found, Act.CANCEL, now)
            queries.forget_cells(db, found.job_id)
            queries.update_job(db, found.job_id, forgotten=True, report_due=False)
    return len(old) == JOBS_AT_ONCE
