"""Selects of declarations."""

from __future__ import annotations

import dataclasses
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.credits.contract.declarations import DeclarationState as State
from services.credits.declarations.models import Attachment, Declaration, DeclarationRound
from services.credits.models import Placement
from services.shared.errors import NotFound
from services.shared.placement import at_or_below

MISSING = "credits.declaration_unknown"


@dataclasses.dataclass(frozen=True)
class Filter:
    """What a reviewer's list shows: declarations of teachers who are at `place` or below it now."""

    place: str
    state: str | None = None
    year: int | None = None
    kind: str | None = None
    recogniser: str | None = None


def get_declaration(db: Session, declaration_id: uuid.UUID) -> Declaration:
    """Raises NotFound."""
    declaration = db.get(Declaration, declaration_id)
    if declaration is None:
        raise NotFound(MISSING)
    return declaration


def lock_declaration(db: Session, declaration_id: uuid.UUID) -> Declaration:
    """Raises NotFound."""
    select = sa.select(Declaration).where(Declaration.declaration_id == declaration_id).with_for_update()
    declaration = db.scalars(select.execution_options(populate_existing=True)).one_or_none()
    if declaration is None:
        raise NotFound(MISSING)
    return declaration


def list_rounds(db: Session, declaration_id: uuid.UUID) -> list[DeclarationRound]:
    """In their order."""
    select = sa.select(DeclarationRound).where(DeclarationRound.declaration_id == declaration_id)
    return list(db.scalars(select.order_by(DeclarationRound.round)))


def get_round(db: Session, declaration: Declaration) -> DeclarationRound:
    """The round that is under review."""
    found = db.get(DeclarationRound, (declaration.declaration_id, declaration.round))
    assert found is not None  # a declaration under review has one
    return found


def list_own(db: Session, teacher_id: uuid.UUID, before: uuid.UUID | None, limit: int) -> list[Declaration]:
    """Newest first."""
    select = sa.select(Declaration).where(Declaration.teacher_id == teacher_id)
    if before is not None:
        select = select.where(Declaration.declaration_id < before)
    return list(db.scalars(select.order_by(Declaration.declaration_id.desc()).limit(limit)))


def count_of_year(db: Session, teacher_id: uuid.UUID, year: int) -> int:
    count = db.scalar(
        sa.select(sa.func.count()).where(
            Declaration.teacher_id == teacher_id, Declaration.year == year, Declaration.state != State.WITHDRAWN
        )
    )
    return count or 0


def list_approved_items(db: Session, teacher_id: uuid.UUID, year: int, table_id: str) -> list[Declaration]:
    """The teacher's activities of a year that a table pays and that stand approved, in the order of their approval."""
    last = sa.and_(
        DeclarationRound.declaration_id == Declaration.declaration_id, DeclarationRound.round == Declaration.round
    )
    return list(
        db.scalars(
            sa.select(Declaration)
            .join(DeclarationRound, last)
            .where(
                Declaration.teacher_id == teacher_id,
                Declaration.year == year,
                Declaration.state == State.APPROVED,
                Declaration.content["item"]["table"].astext == table_id,
            )
            .order_by(DeclarationRound.final_at, Declaration.declaration_id)
        )
    )


def list_declarations(db: Session, wanted: Filter, after: uuid.UUID | None, limit: int) -> list[Declaration]:
    """Of the teachers of a place, the longest waiting first; drafts are nobody's but their author's."""
    select = (
        sa.select(Declaration)
        .join(Placement, Placement.teacher_id == Declaration.teacher_id)
        .where(at_or_below(Placement.place, wanted.place), Declaration.state != State.DRAFT)
    )
    for column, value in (
        (Declaration.state, wanted.state),
        (Declaration.year, wanted.year),
        (Declaration.kind, wanted.kind),
        (Declaration.recogniser, wanted.recogniser),
    ):
        if value is not None:
            select = select.where(column == value)
    if after is not None:
        select = select.where(Declaration.declaration_id > after)
    return list(db.scalars(select.order_by(Declaration.declaration_id).limit(limit)))


def list_attachments(
    db: Session, declaration_id: uuid.UUID, round_: int | None = None, *, stored: bool = True
) -> list[Attachment]:
    """Those of a round, or of all, in the order in which they were added; without `stored` also places still empty."""
    select = sa.select(Attachment).where(Attachment.declaration_id == declaration_id)
    if stored:
        select = select.where(Attachment.storage_key.is_not(None))
    found = db.scalars(select.order_by(Attachment.attachment_id))
    return [each for each in found if round_ is None or is_of_round(each, round_)]


def is_of_round(attachment: Attachment, round_: int) -> bool:
    return attachment.first_round <= round_ and (attachment.last_round is None or round_ <= attachment.last_round)


def get_attachment(db: Session, declaration_id: uuid.UUID, attachment_id: uuid.UUID) -> Attachment:
    """Raises NotFound."""
    found = db.get(Attachment, attachment_id)
    if found is None or found.declaration_id != declaration_id:
        raise NotFound("credits.attachment_unknown")
    return found


def list_stale_attachments(db: Session, key_prefix: str, limit: int) -> list[Attachment]:
    """Those whose key was not sealed with the newest key; of an erased person's there is none any more."""
    select = sa.select(Attachment).where(
        ~sa.func.starts_with(Attachment.file_key_sealed, key_prefix), Attachment.file_key_sealed != ""
    )
    return list(db.scalars(select.limit(limit).with_for_update(skip_locked=True)))
