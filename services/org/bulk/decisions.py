"""A school's decisions about many of its teachers; each row is what the single command would have done."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from marshmallow import Schema, fields
from sqlalchemy.orm import Session

from services.org.actions import memberships
from services.org.contract import bulk
from services.org.contract.staffing import Employment
from services.org.policy import POLICIES
from services.org.staffing.actions import employment
from services.org.transfers.queries import get_teacher
from services.shared.bulk.columns import Fault
from services.shared.bulk.kinds import Chunk, JobRow, Kind, NoParameters, each_row
from services.shared.bulk.rules import Outcome
from services.shared.errors import NotFound
from services.shared.fields import Text


class WithReason(Schema):
    reason = Text(200, required=True)


class Archiving(Schema):
    status = fields.Enum(Employment, required=True)
    reason = Text(200, load_default="")


class Restoring(Schema):
    reason = Text(200, load_default="")


def is_teacher_named(values: Mapping[str, str]) -> Fault | None:
    """By learner number, as on paper, or by id, as in a list of the API."""
    if "learner_no" in values:
        return None
    try:
        uuid.UUID(values["teacher_id"])
    except KeyError:
        return Fault("shared.value_missing", "learner_no")
    except ValueError:
        return Fault("shared.value_malformed", "teacher_id")
    return None


def find_teachers(chunk: Chunk) -> dict[int, uuid.UUID]:
    """Whom the rows mean, by row number. Found with the service's own eyes: only the action decides whom the caller may see."""
    found = {}
    with chunk.service.database.work() as db:
        for row in chunk.rows:
            if learner_no := row.values.get("learner_no"):
                try:
                    found[row.number] = get_teacher(db, learner_no)
                except NotFound:
                    continue
            else:
                found[row.number] = uuid.UUID(row.values["teacher_id"])
    return found


def decides(
    name: str, title: str, method: str, act: Callable[..., Any], parameters: type[Schema] = NoParameters
) -> Kind:
    """A kind whose rows name teachers, each handed to the action of the single command `method`, under its policy."""

    def run_row(db: Session, chunk: Chunk, row: JobRow) -> Outcome:
        # A number that is nobody's looks like one of a teacher elsewhere.
        if row.number not in chunk.prepared:
            raise NotFound(memberships.MISSING)
        act(db, chunk.call, chunk.prepared[row.number], **chunk.parameters)
        return Outcome.CHANGED

    return Kind(
        name=name,
        title=title,
        columns=bulk.MEMBER_COLUMNS,
        policy=POLICIES[method],
        prepare=find_teachers,
        run=each_row(run_row),
        parameters=parameters,
        repeats=(("teacher_id",), ("learner_no",)),
        check=is_teacher_named,
    )


KINDS = (
    decides(bulk.VERIFY_MEMBERSHIPS, "批量审核通过", "verify_membership", memberships.verify_membership),
    decides(bulk.REJECT_MEMBERSHIPS, "批量审核不通过", "reject_membership", memberships.reject_membership, WithReason),
    decides(bulk.RELEASE_MEMBERSHIPS, "批量移出学校", "release_membership", memberships.release_membership, WithReason),
    decides(bulk.ARCHIVE_TEACHERS, "批量归档", "archive_teacher", employment.archive_teacher, Archiving),
    decides(bulk.RESTORE_TEACHERS, "批量恢复在职", "restore_teacher", employment.restore_teacher, Restoring),
)
