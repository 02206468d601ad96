"""What billing keeps of people: identity's word of numbers and of merged and erased accounts."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.billing.models import LearnerNumber, MergedPerson
from services.billing.queries import ERASED_VERSION


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


def keep_merge(db: Session, payload: dict[str, Any], *, live: bool) -> None:
    """Keep what identity says of two accounts, unless something newer is known: debts of both are one person's."""
    given = insert(MergedPerson).values(
        merged_id=uuid.UUID(payload["merged_id"]),
        kept_id=uuid.UUID(payload["kept_id"]),
        version=payload["version"],
        live=live,
    )
    db.execute(
        given.on_conflict_do_update(
            index_elements=[MergedPerson.merged_id],
            set_={name: given.excluded[name] for name in ("kept_id", "version", "live")},
            where=MergedPerson.version < given.excluded.version,
        )
    )
