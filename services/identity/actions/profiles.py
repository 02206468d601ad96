"""The teacher's profile: opened, shown masked, changed within the rules."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from services.identity import contract, queries
from services.identity.actions.codes import count_attempt
from services.identity.actions.refusals import refused, require
from services.identity.models import Account, Profile, ProfileHistory
from services.identity.rules import profile as rules
from services.identity.rules.contact import is_name, masked_phone
from services.identity.rules.documents import (
    Gender,
    IdType,
    gender_of,
    id_no_problem,
    masked_id_no,
    normalised_id_no,
)
from services.identity.vault import Vault
from services.shared import clock, outbox
from services.shared.bus import Call
from services.shared.errors import Conflict, InvalidInput, LimitReached, NotFound
from services.shared.ids import new_id

ID_REFUSALS = "id_no_account"


def open_profile(vault: Vault, profile: Profile) -> dict[str, str]:
    """The profile in clear, "" for what is not filled in. For rules only: it must not leave the service."""
    return {
        "name": vault.open("profile", profile.account_id, "name", profile.name_sealed),
        "id_type": profile.id_type or "",
        "id_no": vault.open("profile", profile.account_id, "id_no", profile.id_no_sealed),
        "gender": profile.gender,
        "segment": profile.segment,
        "subject": profile.subject,
    }


def show_profile(db: Session, vault: Vault, account_id: uuid.UUID) -> dict[str, Any]:
    """A profile as its owner sees it: the name in full, numbers masked. Raises NotFound."""
    account, profile = queries.find_account(db, account_id), queries.find_profile(db, account_id)
    if account is None or profile is None:
        raise NotFound("identity.person_unknown")
    opened = open_profile(vault, profile)
    placement = queries.find_placement(db, account_id)
    state = placement.state if placement else ""
    return {
        **opened,
        "account_id": account_id,
        "id_no": masked_id_no(opened["id_no"]),
        "phone": masked_phone(vault.open("account", account_id, "phone", account.phone_sealed)),
        "complete": rules.is_complete(opened),
        "locked_fields": list(rules.LOCKED_WHEN_VERIFIED) if state == rules.VERIFIED else [],
        "membership_state": state,
    }


def update_profile(db: Session, call: Call, vault: Vault, changes: dict[str, str]) -> dict[str, Any]:
    """Change the caller's profile and announce whether it is complete now.

    Raises InvalidInput for a value that cannot be right, Conflict("identity.profile_locked") for a name or number that
    the school has verified, LimitReached("identity.id_no_attempts"). Refused: "identity.id_no_taken", which is counted
    because each such answer tells something about somebody else.
    """
    account = queries.lock_account(db, call.actor.account_id) if call.actor.account_id else None
    profile = queries.find_profile(db, account.id) if account else None
    if account is None or profile is None:
        raise NotFound("identity.person_unknown")
    current = open_profile(vault, profile)
    wanted = checked_changes(current, changes, beijing_day(call.now))
    placement = queries.find_placement(db, account.id)
    if field := rules.locked_change(current, wanted, placement.state if placement else ""):
        raise Conflict("identity.profile_locked", field)
    fresh = {field: value for field, value in wanted.items() if value != current[field]}
    if "id_no" in fresh and (refusal := _refuse_taken(db, call, vault, {**current, **fresh})):
        return refusal
    if fresh:
        _keep_history(db, vault, account.id, current, fresh, call.now)
        fill_profile(vault, profile, {**current, **fresh}, call.now)
        account.version += 1
        announce_changed(db, [(account, profile, {**current, **fresh})])
        db.flush()
    return {"changed": sorted(fresh)}


def checked_changes(current: dict[str, str], changes: dict[str, str], today: dt.date) -> dict[str, str]:
    """The changes normalised and completed by what follows from them. Raises InvalidInput with the field at fault."""
    wanted = dict(changes)
    if "name" in wanted:
        require("" if is_name(wanted["name"]) else "identity.name_form", "name")
    if "id_no" in wanted:
        wanted.setdefault("id_type", current["id_type"] or IdType.RESIDENT_ID)
        wanted["id_no"] = normalised_id_no(wanted["id_no"])
        require(id_no_problem(IdType(wanted["id_type"]), wanted["id_no"], today), "id_no")
        if not changes.get("gender") and current["gender"] == Gender.UNKNOWN:
            wanted["gender"] = gender_of(IdType(wanted["id_type"]), wanted["id_no"])
    elif "id_type" in wanted and wanted["id_type"] != current["id_type"]:
        raise InvalidInput("identity.id_type_missing", "id_no")
    if "segment" in wanted:
        wanted["segment"] = _segment(wanted["segment"])
    if "segment" in wanted or "subject" in wanted:
        wanted["subject"] = _subject(current, wanted)
    return wanted


def _segment(text: str) -> str:
    segment = rules.segment_of(text)
    if segment is None:
        raise InvalidInput("identity.segment_unknown", "segment")
    return segment


def _subject(current: dict[str, str], wanted: dict[str, str]) -> str:
    segment = wanted.get("segment", current["segment"])
    # A change of segment drops 幼教, which belongs to no other one, and whatever kindergarten does not teach.
    fits = (current["subject"] == rules.KINDERGARTEN_SUBJECT) == (segment == rules.Segment.KINDERGARTEN)
    subject = rules.subject_for(segment, wanted.get("subject", current["subject"] if fits else ""))
    require(rules.subject_problem(segment, subject), "subject")
    return subject


def fill_profile(vault: Vault, profile: Profile, values: dict[str, str], now: dt.datetime) -> None:
    """Write checked values into the row, personal ones sealed."""
    owner = profile.account_id
    profile.name_sealed = vault.seal("profile", owner, "name", values["name"]) if values["name"] else None
    if values["id_no"]:
        profile.id_type = values["id_type"]
        profile.id_no_sealed = vault.seal("profile", owner, "id_no", values["id_no"])
        profile.id_no_index = vault.id_no_index(values["id_type"], values["id_no"])
    profile.gender, profile.segment, profile.subject = values["gender"], values["segment"], values["subject"]
    profile.changed_at = now


def announce_changed(db: Session, changed: Sequence[tuple[Account, Profile, dict[str, str]]]) -> None:
    """Tell each profile with its values as they are now, at the account's present version."""
    for account, profile, _ in changed:
        profile.announced_version = account.version
    told = [(account.id, changed_payload(account, profile, values)) for account, profile, values in changed]
    outbox.announce_many(db, contract.PROFILE_CHANGED, told)


def changed_payload(account: Account, profile: Profile, values: dict[str, str]) -> dict[str, Any]:
    """The profile as it was last announced: versions of the account that others were never told are not counted."""
    version = profile.announced_version
    return {
        "account_id": str(account.id),
        "version": account.version if version is None else version,
        "complete": rules.is_complete(values),
        "segment": values["segment"],
        "subject": values["subject"],
    }


def id_no_word(candidates: list[str]) -> str:
    """The word that whoever claims this number locks: the oldest key's index, which all processes know in a rotation."""
    return f"id_no {candidates[-1]}"


def beijing_day(now: dt.datetime) -> dt.date:
    return now.astimezone(clock.BEIJING).date()


def _refuse_taken(db: Session, call: Call, vault: Vault, wanted: dict[str, str]) -> dict[str, Any] | None:
    owner = call.actor.account_id
    today = call.now.replace(hour=0, minute=0, second=0, microsecond=0)
    if queries.count_attempts(db, ID_REFUSALS, [str(owner)], today) >= rules.ID_REFUSALS_PER_DAY:
        raise LimitReached("identity.id_no_attempts", "id_no", "retry_after_seconds=86400")
    # Two people may claim one number at the same moment: the second waits here, and then sees the first.
    candidates = vault.id_no_candidates(wanted["id_type"], wanted["id_no"])
    queries.lock_words(db, id_no_word(candidates))
    if queries.find_id_owner(db, candidates) in (None, owner):
        return None
    count_attempt(db, ID_REFUSALS, str(owner), today)
    return refused(Conflict("identity.id_no_taken", "id_no"))


def _keep_history(
    db: Session, vault: Vault, account_id: uuid.UUID, current: dict[str, str], fresh: dict[str, str], now: dt.datetime
) -> None:
    for field in ("name", "id_no"):
        if field in fresh and current[field]:
            history_id = new_id()
            db.add(
                ProfileHistory(
                    id=history_id,
                    account_id=account_id,
                    field=field,
                    value_sealed=vault.seal("profile_history", history_id, field, current[field]),
                    replaced_at=now,
                )
            )
