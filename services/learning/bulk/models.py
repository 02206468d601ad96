"""What jobs of learning decide by: org's grants at this moment, and whose learner number it is."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from services.learning.models import Model
from services.shared.account_grants import AccountGrantsMixin


class AccountGrants(AccountGrantsMixin, Model):
    """Projection of org's grants."""


class LearnerNumber(Model):
    """Whose learner number 继续教育学号 it is: identity's word, kept because rosters name teachers by it."""

    __tablename__ = "learner_number"

    account_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    learner_no: Mapped[str]


def keep_learner_number(db: Session, payload: dict[str, Any]) -> None:
    """Store whose number it is; a number is permanent (S3:75-79), so the first word is the last."""
    values = {"account_id": uuid.UUID(payload["account_id"]), "learner_no": payload["learner_no"]}
    db.execute(insert(LearnerNumber).values(values).on_conflict_do_nothing(index_elements=["account_id"]))


def forget_learner_number(db: Session, account_id: uuid.UUID) -> None:
    """Of an erased person: the number leads to nobody, also when identity's word of it arrives only now."""
    # The row stays; no number looks like this.
    statement = insert(LearnerNumber).values(account_id=account_id, learner_no=f"erased {account_id}")
    db.execute(
        statement.on_conflict_do_update(
            index_elements=["account_id"], set_={"learner_no": statement.excluded.learner_no}
        )
    )
