"""Many teachers in one command: each gets an outcome of her own, and one refusal stops nobody else."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable, Sequence

from services.org.contract.staffing import RowResult
from services.shared.errors import ServiceError


@dataclasses.dataclass(frozen=True)
class RowOutcome:
    """What became of one teacher; `code` says why nothing did."""

    teacher_id: uuid.UUID
    outcome: RowResult
    code: str = ""


def each(teacher_ids: Sequence[uuid.UUID], decide: Callable[[uuid.UUID], None]) -> list[RowOutcome]:
    """Decide about each in turn. `decide` either changes everything it has to, or raises and has changed nothing."""
    return [_outcome(teacher_id, decide) for teacher_id in teacher_ids]


def _outcome(teacher_id: uuid.UUID, decide: Callable[[uuid.UUID], None]) -> RowOutcome:
    try:
        decide(teacher_id)
    except ServiceError as error:
        return RowOutcome(teacher_id, RowResult.REFUSED, error.code)
    return RowOutcome(teacher_id, RowResult.DONE)
