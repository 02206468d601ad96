"""Accounts that may be one person's: what support is shown, and the way out for the person."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from services.identity import queries
from services.identity.actions.codes import count_attempt
from services.identity.actions.people import show_person
from services.identity.actions.profiles import ID_REFUSALS, open_profile
from services.identity.person import queries as person_queries
from services.identity.rules.contact import masked_phone, name_key
from services.identity.rules.documents import masked_id_no, normalised_id_no
from services.identity.rules.profile import ID_REFUSALS_PER_DAY
from services.identity.vault import Vault
from services.shared import audit
from services.shared.bus import Call
from services.shared.errors import LimitReached, NotFound

NAMESAKES_COMPARED = 200


def ask_for_own_account(db: Session, call: Call, vault: Vault, wanted: Mapping[str, str]) -> dict[str, Any]:
    """Who is refused because the ID number is taken asks where: the phone of that account, masked.

    Told to whoever types the name that belongs to the number; every question counts, as a refused number does. Raises
    LimitReached("identity.id_no_attempts").
    """
    own = call.actor.account_id
    today = call.now.replace(hour=0, minute=0, second=0, microsecond=0)
    if queries.count_attempts(db, ID_REFUSALS, [str(own)], today) >= ID_REFUSALS_PER_DAY:
        raise LimitReached("identity.id_no_attempts", "id_no", "retry_after_seconds=86400")
    count_attempt(db, ID_REFUSALS, str(own), today)
    number = normalised_id_no(wanted["id_no"])
    owner = queries.find_id_owner(db, vault.id_no_candidates(wanted["id_type"], number))
    profile = queries.find_profile(db, owner) if owner and owner != own else None
    account = queries.find_account(db, owner) if owner else None
    if profile is None or account is None:
        return {"found": False, "phone": ""}
    if name_key(open_profile(vault, profile)["name"]) != name_key(wanted["name"]):
        return {"found": False, "phone": ""}
    return {"found": True, "phone": masked_phone(vault.open("account", account.id, "phone", account.phone_sealed))}


def list_possible_duplicates(db: Session, call: Call, vault: Vault, account_id: uuid.UUID) -> list[dict[str, Any]]:
    """Accounts that may be the same person's, masked, each with what speaks for it. Raises NotFound."""
    profile = _authorised(db, call, account_id)
    values = open_profile(vault, profile)
    present = vault.id_no_candidates(values["id_type"], values["id_no"]) if values["id_no"] else []
    found = {}
    for account, other in person_queries.list_by_number(
        db, person_queries.list_former_numbers(db, account_id), present, account_id
    ):
        found[account.id] = {**show_person(vault, account, other), "sign": "FORMER_ID_NO"}
    if values["name"] and values["birth_date"]:
        namesakes = vault.name_candidates(values["name"])
        for account, other in person_queries.list_by_name(db, namesakes, account_id, NAMESAKES_COMPARED):
            if open_profile(vault, other)["birth_date"] == values["birth_date"]:
                found.setdefault(account.id, {**show_person(vault, account, other), "sign": "NAME_AND_BIRTH_DATE"})
    return list(found.values())


def show_identity_history(db: Session, call: Call, vault: Vault, account_id: uuid.UUID, reason: str) -> dict[str, Any]:
    """Former names and numbers of a person, masked: for support, recorded with the reason. Raises NotFound."""
    _authorised(db, call, account_id)
    placement = queries.find_placement(db, account_id)
    audit.record(db, call, subject=account_id, place=placement.place if placement else "", reason=reason)
    items = []
    for row in person_queries.list_history(db, account_id):
        value = vault.open("profile_history", row.id, row.field, row.value_sealed)
        # The surname is what two documents are compared by; the rest of a former name is nobody's business.
        masked = masked_id_no(value) if row.field == "id_no" else value[:1] + "*" * (len(value) - 1)
        items.append({"field": row.field, "value": masked, "replaced_at": row.replaced_at, "cause": row.cause})
    return {"account_id": account_id, "items": items}


def _authorised(db: Session, call: Call, account_id: uuid.UUID) -> Any:
    placement = queries.find_placement(db, account_id)
    place = (placement.place if placement else "") or person_queries.NATION
    call.authorise(place=place, missing="identity.person_unknown")
    profile = queries.find_profile(db, account_id)
    if profile is None:
        raise NotFound("identity.person_unknown")
    return profile
