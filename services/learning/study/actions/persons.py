"""One person under two accounts: from the merge on, what was studied under both counts for the one that is kept."""

from __future__ import annotations

import dataclasses
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.learning.models import CourseEvidence, MergedPerson
from services.learning.study.actions.evidence import announce_progress


@dataclasses.dataclass(frozen=True)
class Merge:
    """What identity says of two accounts; `live` is false when it took the merge back."""

    merged_id: uuid.UUID
    kept_id: uuid.UUID
    version: int
    live: bool

    @classmethod
    def of(cls, payload: dict[str, Any], *, live: bool) -> Merge:
        return cls(uuid.UUID(payload["merged_id"]), uuid.UUID(payload["kept_id"]), payload["version"], live)


def keep_merge(db: Session, merge: Merge) -> bool:
    """Keep what identity says, unless something newer is known, and announce what each account has studied now.

    Nothing that was watched is rewritten: the rows stay under the account that watched, so that undoing restores both.
    Returns whether it was news.
    """
    statement = insert(MergedPerson).values(vars(merge))
    changed = {name: statement.excluded[name] for name in ("kept_id", "version", "live")}
    is_news = db.execute(
        statement.on_conflict_do_update(
            index_elements=["merged_id"], set_=changed, where=MergedPerson.version < statement.excluded.version
        ).returning(sa.literal(1))
    ).one_or_none()
    if is_news is None:
        return False
    courses = db.scalars(sa.select(CourseEvidence.course_id).where(CourseEvidence.teacher_id == merge.merged_id)).all()
    announce_progress(db, {(account, course) for account in (merge.merged_id, merge.kept_id) for course in courses})
    return True
