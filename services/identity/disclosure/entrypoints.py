"""Disclosing people for an export: in the territory only, after a fresh code, each person's row in the audit trail."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from marshmallow import Schema, fields, validate
from sqlalchemy.orm import Session

from services.identity import contract
from services.identity.actions import people
from services.identity.actions.profiles import open_profile
from services.identity.models import Account, Profile
from services.identity.vault import Vault
from services.shared import audit
from services.shared.bus import Call, command


class DisclosePeople(Schema):
    account_ids = fields.List(fields.UUID(), required=True, validate=validate.Length(1, contract.PEOPLE_AT_ONCE))
    reason = fields.String(required=True, validate=validate.Length(4, 200))
    job_id = fields.UUID(required=True)


class DisclosedPerson(Schema):
    account_id = fields.UUID()
    learner_no = fields.String()
    name = fields.String()
    id_type = fields.String()
    id_no = fields.String()
    phone = fields.String()
    segment = fields.String()
    subject = fields.String()


class Disclosure:
    """Mixed into the service."""

    database: Any
    vault: Any

    @command
    def disclose_people(self, call: Call) -> dict[str, Any]:
        """The asked people of the caller's territory, in clear; the others are left out without a word.

        A command, for it leaves a trace; its reply is kept nowhere, and to repeat it is harmless.
        """
        arguments = call.load(DisclosePeople())
        return self.database.commit_once(
            call, lambda db: {"people": disclose(db, call, self.vault, **arguments)}, keep_reply=False
        )


def disclose(
    db: Session, call: Call, vault: Vault, account_ids: Sequence[uuid.UUID], reason: str, job_id: uuid.UUID
) -> list[dict[str, Any]]:
    found = people.reachable_people(db, call, list(account_ids))
    audit.record_many(
        db,
        call,
        [
            audit.Act(account.id, placement.place if placement else "", reason, after={"job_id": str(job_id)})
            for account, _, placement in found
        ],
    )
    return DisclosedPerson(many=True).dump([_show(vault, account, profile) for account, profile, _ in found])


def _show(vault: Vault, account: Account, profile: Profile) -> dict[str, Any]:
    opened = open_profile(vault, profile)
    return {
        **{field: opened[field] for field in ("name", "id_type", "id_no", "segment", "subject")},
        "account_id": account.id,
        "learner_no": account.learner_no or "",
        "phone": vault.open("account", account.id, "phone", account.phone_sealed),
    }
