"""People as others see them: administrators masked, certs by name, learning not at all."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, Protocol

from sqlalchemy.orm import Session

from services.identity import queries
from services.identity.actions.profiles import open_profile
from services.identity.models import Account, Placement, Profile
from services.identity.rules import profile as rules
from services.identity.rules.contact import masked_name, masked_phone
from services.identity.rules.documents import masked_id_no
from services.identity.vault import Vault
from services.shared.bus import Call
from services.shared.errors import NotFound

NAMED = ("name", "id_no")  # the sealed fields that others see something of


class AccountShown(Protocol):
    """What is shown of an account: the row itself, or a list's columns of it."""

    @property
    def id(self) -> uuid.UUID | str: ...
    @property
    def learner_no(self) -> str | None: ...
    @property
    def phone_sealed(self) -> str | None: ...
    @property
    def locked_at(self) -> dt.datetime | None: ...


class ProfileShown(Protocol):
    """As `AccountShown`, of a profile."""

    @property
    def name_sealed(self) -> str | None: ...
    @property
    def id_type(self) -> str | None: ...
    @property
    def id_no_sealed(self) -> str | None: ...
    @property
    def segment(self) -> str: ...
    @property
    def subject(self) -> str: ...


def show_person(vault: Vault, account: AccountShown, profile: ProfileShown) -> dict[str, Any]:
    """Somebody as an administrator sees them: everything that names a person masked."""
    account_id, id_type = account.id, profile.id_type or ""
    name = vault.open("profile", account_id, "name", profile.name_sealed)
    id_no = vault.open("profile", account_id, "id_no", profile.id_no_sealed)
    values = {
        "name": name,
        "id_type": id_type,
        "id_no": id_no,
        "segment": profile.segment,
        "subject": profile.subject,
    }
    return {
        "account_id": account_id,
        "learner_no": account.learner_no or "",
        "name": masked_name(name),
        "id_type": id_type,
        "id_no": masked_id_no(id_no),
        "phone": masked_phone(vault.open("account", account_id, "phone", account.phone_sealed)),
        "segment": profile.segment,
        "subject": profile.subject,
        "complete": rules.is_complete(values),
        "locked": account.locked_at is not None,
    }


def show_holder(vault: Vault, profile: Profile) -> dict[str, Any]:
    """What stands on a certificate."""
    opened = open_profile(vault, profile, NAMED)
    return {
        "account_id": profile.account_id,
        "name": opened["name"],
        "masked_name": masked_name(opened["name"]),
        "id_type": opened["id_type"],
        "masked_id_no": masked_id_no(opened["id_no"]),
    }


def check_enrolment_facts(db: Session, vault: Vault, account_id: uuid.UUID) -> dict[str, Any]:
    """Whether the profile suffices to enrol, and as what the account acts. Raises NotFound."""
    account, profile = queries.find_account(db, account_id), queries.find_profile(db, account_id)
    if account is None or profile is None:
        raise NotFound("identity.person_unknown")
    return {
        "account_id": str(account_id),
        "complete": rules.is_complete(open_profile(vault, profile)),
        "identity": account.active_identity,
        "segment": profile.segment,
        "subject": profile.subject,
    }


def reachable_people(
    db: Session, call: Call, account_ids: list[uuid.UUID]
) -> list[tuple[Account, Profile, Placement | None]]:
    """Those of the asked people who stand in the caller's territory; the others are as if they were not there."""
    # Row security has hidden most already, but it also shows the caller's own row, wherever that stands.
    people = []
    for account, profile, placement in queries.list_people(db, account_ids):
        try:
            call.authorise(place=placement.place if placement else "")
        except NotFound:
            continue
        people.append((account, profile, placement))
    authorise_territory(call)
    return people


def authorise_territory(call: Call) -> None:
    """For methods whose target is whatever lies in the caller's own territory: the role is all that is asked."""
    places = call.actor.places(call.policy.roles)
    call.authorise(place=places[0] if places else "")
