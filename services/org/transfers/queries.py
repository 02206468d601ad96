"""Selects of org/transfers that are reused or locked."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import uuid
from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from services.org.contract.transfers import TransferLevel, TransferState
from services.org.models import School
from services.org.staffing import queries as staffing
from services.org.transfers.models import LearnerNumber, Transfer
from services.shared.errors import NotFound
from services.shared.placement import is_below


class Side(enum.StrEnum):
    """Which end of a transfer a list is about."""

    RECEIVING = "RECEIVING"
    LEAVING = "LEAVING"
    BOTH = "BOTH"


@dataclasses.dataclass(frozen=True)
class TransferView:
    """A transfer with the names of its schools."""

    transfer_id: uuid.UUID
    teacher_id: uuid.UUID
    from_school_id: uuid.UUID
    from_school_name: str
    from_place: str
    to_school_id: uuid.UUID
    to_school_name: str
    to_place: str
    place: str
    level: str
    state: str
    version: int
    note: str
    requested_at: dt.datetime
    decided_at: dt.datetime | None
    reason: str


# --- learner numbers ------------------------------------------------------------------------------------------------


ERASED_VERSION = 2  # a number is told once, as version 1


def keep_learner_number(db: Session, account_id: uuid.UUID, learner_no: str, version: int) -> None:
    """Keep identity's word unless a newer one is known."""
    given = insert(LearnerNumber).values(account_id=account_id, learner_no=learner_no, version=version)
    db.execute(
        given.on_conflict_do_update(
            index_elements=[LearnerNumber.account_id],
            set_={"learner_no": given.excluded.learner_no, "version": given.excluded.version},
            where=LearnerNumber.version < given.excluded.version,
        )
    )


def forget_learner_number(db: Session, account_id: uuid.UUID) -> None:
    """Of an erased person: the number leads to nobody, also when identity's word of it arrives only now."""
    # The row stays, for its version; no number looks like this.
    keep_learner_number(db, account_id, f"erased {account_id}", ERASED_VERSION)


def find_teacher(db: Session, learner_no: str) -> uuid.UUID | None:
    """Whose number it is today: after a merge, the account under which the person goes on."""
    account_id = db.scalars(
        sa.select(LearnerNumber.account_id).where(LearnerNumber.learner_no == learner_no)
    ).one_or_none()
    return staffing.find_kept(db, account_id) if account_id else None


def get_teacher(db: Session, learner_no: str) -> uuid.UUID:
    """As `find_teacher`. Raises NotFound("org.learner_no_unknown")."""
    if (teacher_id := find_teacher(db, learner_no)) is None:
        raise NotFound("org.learner_no_unknown", "learner_no")
    return teacher_id


# --- transfers ------------------------------------------------------------------------------------------------------


def find_transfer(db: Session, transfer_id: uuid.UUID) -> Transfer:
    """Raises NotFound("org.transfer_unknown")."""
    if (transfer := db.get(Transfer, transfer_id)) is None:
        raise NotFound("org.transfer_unknown")
    return transfer


def lock_transfer(db: Session, transfer_id: uuid.UUID) -> Transfer:
    """Raises NotFound("org.transfer_unknown")."""
    statement = sa.select(Transfer).where(Transfer.transfer_id == transfer_id).with_for_update()
    # Whoever waited for the lock must see what the other one has decided, not what was loaded before.
    transfer = db.scalars(statement, execution_options={"populate_existing": True}).one_or_none()
    if transfer is None:
        raise NotFound("org.transfer_unknown")
    return transfer


def list_open_transfers(db: Session, teacher_id: uuid.UUID) -> Sequence[Transfer]:
    """What waits for a decision about a teacher."""
    return db.scalars(
        sa.select(Transfer).where(Transfer.teacher_id == teacher_id, Transfer.state == TransferState.PENDING)
    ).all()


def lock_open_transfers(db: Session, teacher_ids: Iterable[uuid.UUID]) -> Sequence[Transfer]:
    """What still waits for a decision about these teachers."""
    return db.scalars(
        sa.select(Transfer)
        .where(Transfer.teacher_id.in_(list(teacher_ids)), Transfer.state == TransferState.PENDING)
        .order_by(Transfer.transfer_id)
        .with_for_update()
    ).all()


def lock_transfers_of_person(db: Session, teacher_id: uuid.UUID) -> Sequence[Transfer]:
    return db.scalars(sa.select(Transfer).where(Transfer.teacher_id == teacher_id).with_for_update()).all()


def lock_open_transfers_at(db: Session, place: str) -> Sequence[Transfer]:
    """What still waits for a decision about coming to, or leaving, the school at this place."""
    return db.scalars(
        sa.select(Transfer)
        .where(
            sa.or_(Transfer.from_place == place, Transfer.to_place == place), Transfer.state == TransferState.PENDING
        )
        .order_by(Transfer.transfer_id)
        .with_for_update()
    ).all()


def move_school(db: Session, before: str, after: str) -> None:
    """Let transfers of every state follow a school to its new place: both sides go on seeing their history."""
    for column in (Transfer.from_place, Transfer.to_place):
        db.execute(sa.update(Transfer).where(column == before).values({column: after}))


def get_view(db: Session, transfer_id: uuid.UUID) -> TransferView:
    """Raises NotFound("org.transfer_unknown")."""
    row = db.execute(_transfers().where(Transfer.transfer_id == transfer_id)).mappings().one_or_none()
    if row is None:
        raise NotFound("org.transfer_unknown")
    return TransferView(**row)


def find_teacher_of(db: Session, transfer_id: uuid.UUID) -> uuid.UUID | None:
    return db.scalars(sa.select(Transfer.teacher_id).where(Transfer.transfer_id == transfer_id)).one_or_none()


def list_transfers(
    db: Session, place: str, side: Side, state: TransferState | None, after: uuid.UUID | None, limit: int
) -> list[TransferView]:
    """Transfers to, from, or to and from the school or region at `place`, newest first."""
    statement = _transfers().where(*_concerning(place, side, state))
    return _newest_first(db, statement, after, limit)


def count_transfers(db: Session, place: str, side: Side, state: TransferState | None, limit: int) -> int:
    """How many `list_transfers` would list, counted no further than `limit`."""
    statement = sa.select(Transfer.transfer_id).where(*_concerning(place, side, state)).limit(limit)
    return db.execute(sa.select(sa.func.count()).select_from(statement.subquery())).scalar_one()


def _concerning(place: str, side: Side, state: TransferState | None) -> list[sa.ColumnElement[bool]]:
    ends = {Side.RECEIVING: [Transfer.to_place], Side.LEAVING: [Transfer.from_place]}.get(
        side, [Transfer.to_place, Transfer.from_place]
    )
    here = [end == place if staffing.is_school(place) else is_below(end, place) for end in ends]
    return [sa.or_(*here), *([Transfer.state == state] if state else [])]


def list_own(db: Session, teacher_id: uuid.UUID, after: uuid.UUID | None, limit: int) -> list[TransferView]:
    return _newest_first(db, _transfers().where(Transfer.teacher_id == teacher_id), after, limit)


def list_to_decide(
    db: Session, seats: Iterable[tuple[TransferLevel, str]], after: uuid.UUID | None, limit: int
) -> list[TransferView]:
    """What waits for a decision at these (level, place), oldest first."""
    mine = sa.or_(sa.false(), *(sa.and_(Transfer.level == level, Transfer.place == place) for level, place in seats))
    statement = _transfers().where(Transfer.state == TransferState.PENDING, mine)
    if after:
        statement = statement.where(Transfer.transfer_id > after)
    rows = db.execute(statement.order_by(Transfer.transfer_id).limit(limit)).mappings()
    return [TransferView(**row) for row in rows]


def count_open(db: Session, place: str) -> tuple[int, int]:
    """How many transfers wait for a decision: to the school at `place`, and from it."""
    coming, leaving = db.execute(
        sa.select(
            sa.func.count().filter(Transfer.to_place == place), sa.func.count().filter(Transfer.from_place == place)
        ).where(
            sa.or_(Transfer.to_place == place, Transfer.from_place == place), Transfer.state == TransferState.PENDING
        )
    ).one()
    return coming, leaving


def _newest_first(db: Session, statement: sa.Select, after: uuid.UUID | None, limit: int) -> list[TransferView]:
    if after:
        statement = statement.where(Transfer.transfer_id < after)
    rows = db.execute(statement.order_by(Transfer.transfer_id.desc()).limit(limit)).mappings()
    return [TransferView(**row) for row in rows]


def _transfers() -> sa.Select:
    left, joined = aliased(School), aliased(School)
    return (
        sa.select(
            Transfer.transfer_id,
            Transfer.teacher_id,
            Transfer.from_school_id,
            left.name.label("from_school_name"),
            Transfer.from_place,
            Transfer.to_school_id,
            joined.name.label("to_school_name"),
            Transfer.to_place,
            Transfer.place,
            Transfer.level,
            Transfer.state,
            Transfer.version,
            Transfer.note,
            Transfer.requested_at,
            Transfer.decided_at,
            Transfer.reason,
        )
        .join(left, left.school_id == Transfer.from_school_id)
        .join(joined, joined.school_id == Transfer.to_school_id)
    )
