"""The teacher's profile: opened, shown masked, changed within the rules."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.identity import contract, queries
from services.identity.actions.codes import count_attempt
from services.identity.actions.refusals import refused, require
from services.identity.contract.notices import NoticeKind
from services.identity.models import Account, Placement, Profile, ProfileHistory
from services.identity.notices.actions import Addressee, tell
from services.identity.person import queries as person_queries
from services.identity.person.models import ProfileDraft
from services.identity.person.rules.review import REVIEWED, ReviewState, Way, way_of_change
from services.identity.rules import profile as rules
from services.identity.rules import teacher
from services.identity.rules.contact import is_name, masked_phone, normalised_name
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

# Each in a column `<field>_sealed`; the others stand in the column of their name.
SEALED = ("name", "id_no", "birth_date", "ethnicity", "email", "address", "nickname")
HISTORY = ("name", "id_no")  # whose former values are kept


def open_profile(vault: Vault, profile: Profile, wanted: Collection[str] = SEALED) -> dict[str, str]:
    """The profile in clear, "" for what is not filled in. For rules only: it must not leave the service.

    `wanted` says which of the sealed fields are opened: lists need two, and each opening costs.
    """
    opened = {
        field: vault.open("profile", profile.account_id, field, getattr(profile, f"{field}_sealed"))
        if field in wanted
        else ""
        for field in SEALED
    }
    since = profile.employed_since
    plain = {
        "id_type": profile.id_type or "",
        "gender": profile.gender,
        "segment": profile.segment,
        "subject": profile.subject,
        "title": profile.title,
        "post_category": profile.post_category,
        "employed_since": since.isoformat() if since else "",
    }
    return {field: (opened | plain)[field] for field in rules.EMPTY}


def open_draft(db: Session, vault: Vault, account_id: uuid.UUID) -> dict[str, str]:
    """What waits for the school's review, in clear."""
    return {
        row.field: vault.open("profile_draft", account_id, row.field, row.value_sealed)
        for row in person_queries.list_draft(db, [account_id])
    }


def show_profile(db: Session, vault: Vault, account_id: uuid.UUID) -> dict[str, Any]:
    """A profile as its owner sees it: numbers masked, the rest in full. Raises NotFound."""
    account, profile = queries.find_account(db, account_id), queries.find_profile(db, account_id)
    if account is None or profile is None:
        raise NotFound("identity.person_unknown")
    opened = open_profile(vault, profile)
    placement = queries.find_placement(db, account_id)
    return {
        **masked_number(opened),
        "account_id": account_id,
        "learner_no": account.learner_no or "",
        "phone": masked_phone(vault.open("account", account_id, "phone", account.phone_sealed)),
        "email_confirmed": profile.email_confirmed_at is not None,
        "complete": rules.is_complete(opened),
        "on_probation": teacher.is_on_probation(opened["employed_since"], beijing_day(clock.now())),
        "locked_fields": _locked_fields(db, profile, placement),
        "membership_state": placement.state if placement else "",
        "review_state": profile.review_state,
        "return_reason": profile.return_reason,
        "draft": masked_number(open_draft(db, vault, account_id)),
    }


def masked_number(values: Mapping[str, str]) -> dict[str, str]:
    """The values as their owner sees them: not even he needs the whole number on a screen."""
    return {field: masked_id_no(value) if field == "id_no" else value for field, value in values.items()}


def update_profile(db: Session, call: Call, vault: Vault, changes: dict[str, str]) -> dict[str, Any]:
    """Change the caller's profile and announce whether it is complete now; what needs a review is put aside for it.

    Raises InvalidInput for a value that cannot be right, Conflict for a field that is locked ("identity.profile_locked",
    "identity.profile_confirmed", "identity.profile_submitted"), LimitReached("identity.id_no_attempts"). Refused:
    "identity.id_no_taken", which is counted because each such answer tells something about somebody else.
    """
    account = queries.lock_account(db, call.actor.account_id) if call.actor.account_id else None
    profile = queries.find_profile(db, account.id) if account else None
    if account is None or profile is None:
        raise NotFound("identity.person_unknown")
    live = open_profile(vault, profile)
    current = {**live, **open_draft(db, vault, account.id)}
    wanted = checked_changes(current, changes, beijing_day(call.now))
    fresh = {field: value for field, value in wanted.items() if value != current[field]}
    ways = _ways(db, profile, fresh)
    if "id_no" in fresh and (refusal := refuse_taken(db, call, vault, {**current, **fresh})):
        return refusal
    _keep_draft(db, vault, account.id, live, {field: fresh[field] for field, way in ways.items() if way is Way.DRAFT})
    at_once = {field: fresh[field] for field, way in ways.items() if way is Way.LIVE}
    apply_values(db, vault, account, profile, live, at_once, call.now)
    db.flush()
    return {"changed": sorted(fresh)}


def checked_changes(current: dict[str, str], changes: Mapping[str, str], today: dt.date) -> dict[str, str]:
    """The changes normalised and completed by what follows from them. Raises InvalidInput with the field at fault."""
    wanted = dict(changes)
    if "name" in wanted:
        wanted["name"] = normalised_name(wanted["name"])
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
    return _checked_details(current, wanted, today)


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


def _checked_details(current: dict[str, str], wanted: dict[str, str], today: dt.date) -> dict[str, str]:
    after = {**current, **wanted}
    if "birth_date" in wanted or "id_no" in wanted:
        in_number = teacher.birth_date_of(after["id_type"], after["id_no"])
        # Who types only the number gets its day; who types a day beside it must type the same.
        born_on = wanted.get("birth_date", in_number or current["birth_date"])
        require(teacher.birth_date_problem(born_on, in_number, today), "birth_date")
        after["birth_date"] = wanted["birth_date"] = born_on
    if wanted.get("ethnicity"):
        code = teacher.ethnicity_of(wanted["ethnicity"])
        if code is None:
            raise InvalidInput("identity.ethnicity_unknown", "ethnicity")
        wanted["ethnicity"] = code
    if "employed_since" in wanted:
        require(teacher.employed_since_problem(wanted["employed_since"], after["birth_date"], today), "employed_since")
    require(teacher.email_problem(wanted.get("email", "")), "email")
    return wanted


def _ways(db: Session, profile: Profile, fields: Collection[str]) -> dict[str, Way]:
    """What becomes of each changed field. Raises Conflict for the first one that may not change now."""
    placement = queries.find_placement(db, profile.account_id)
    membership, required = _standing(db, placement)
    ways = {}
    # In the order of the profile: the refusal names a name before what merely follows from it.
    for field in (each for each in rules.EMPTY if each in fields):
        ways[field], problem = way_of_change(field, membership, ReviewState(profile.review_state), required=required)
        if problem:
            raise Conflict(problem, field)
    return ways


def _locked_fields(db: Session, profile: Profile, placement: Placement | None) -> list[str]:
    membership, required = _standing(db, placement)
    state = ReviewState(profile.review_state)
    ways = {field: way_of_change(field, membership, state, required=required)[0] for field in REVIEWED}
    return [field for field, way in ways.items() if way is Way.REFUSED]


def _standing(db: Session, placement: Placement | None) -> tuple[str, bool]:
    """The state of the membership, and whether the tenant reviews profiles."""
    if placement is None:
        return "", False
    return placement.state, person_queries.is_review_required(db, placement.place)


def _keep_draft(db: Session, vault: Vault, account_id: uuid.UUID, live: dict[str, str], fresh: dict[str, str]) -> None:
    for field, value in fresh.items():
        if value == live[field]:
            db.execute(
                sa.delete(ProfileDraft).where(ProfileDraft.account_id == account_id, ProfileDraft.field == field)
            )
            continue
        sealed = vault.seal("profile_draft", account_id, field, value)
        row = insert(ProfileDraft).values(account_id=account_id, field=field, value_sealed=sealed)
        db.execute(row.on_conflict_do_update(index_elements=["account_id", "field"], set_={"value_sealed": sealed}))


def apply_values(
    db: Session,
    vault: Vault,
    account: Account,
    profile: Profile,
    live: dict[str, str],
    fresh: Mapping[str, str],
    now: dt.datetime,
    *,
    cause: str = "EDIT",
) -> None:
    """Make `fresh` values count: kept, indexed, the former ones in the history, and announced where others care."""
    if not fresh:
        return
    values = {**live, **fresh}
    corrected = [field for field in HISTORY if field in fresh and live[field]]
    for field in corrected:
        keep_history(db, vault, account.id, field, live, now, cause)
    if "email" in fresh and profile.email_confirmed_at is not None:
        told_at = clock.format_instant(profile.email_confirmed_at)
        tell(db, vault, NoticeKind.EMAIL_CHANGED, f"email {account.id} {told_at}", Addressee(account.id), now)
        profile.email_confirmed_at = None
    fill_profile(vault, profile, values, now)
    if any(field in REVIEWED for field in fresh):
        account.version += 1
        announce_changed(db, [(account, profile, values)])
    if corrected:
        payload = {"account_id": str(account.id), "version": account.version, "fields_changed": corrected}
        outbox.announce(db, contract.person.IDENTITY_CORRECTED, account.id, payload)


def fill_profile(vault: Vault, profile: Profile, values: Mapping[str, str], now: dt.datetime) -> None:
    """Write checked values into the row, personal ones sealed."""
    owner = profile.account_id
    for field in SEALED:
        value = values[field]
        setattr(profile, f"{field}_sealed", vault.seal("profile", owner, field, value) if value else None)
    profile.name_index = vault.name_index(values["name"]) if values["name"] else None
    profile.id_type = values["id_type"] if values["id_no"] else None
    profile.id_no_index = vault.id_no_index(values["id_type"], values["id_no"]) if values["id_no"] else None
    for field in ("gender", "segment", "subject", "title", "post_category"):
        setattr(profile, field, values[field])
    profile.employed_since = teacher.parse_day(values["employed_since"])
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
    return told_profile(account.id, account.version if version is None else version, values)


def told_profile(account_id: uuid.UUID | str, version: int, values: Mapping[str, str]) -> dict[str, Any]:
    return {
        "account_id": str(account_id),
        "version": version,
        "complete": rules.is_complete(values),
        "named": bool(values["name"]),
        "segment": values["segment"],
        "subject": values["subject"],
    }


def id_no_word(candidates: list[str]) -> str:
    """The word that whoever claims this number locks: the oldest key's index, which all processes know in a rotation."""
    return f"id_no {candidates[-1]}"


def beijing_day(now: dt.datetime) -> dt.date:
    return now.astimezone(clock.BEIJING).date()


def is_taken(db: Session, vault: Vault, owner: uuid.UUID, id_type: str, id_no: str) -> bool:
    """Whether the number is another account's. Two people may claim one at the same moment: the second waits here."""
    candidates = vault.id_no_candidates(id_type, id_no)
    queries.lock_words(db, id_no_word(candidates))
    return queries.find_id_owner(db, candidates) not in (None, owner)


def refuse_taken(db: Session, call: Call, vault: Vault, wanted: dict[str, str]) -> dict[str, Any] | None:
    """The counted refusal of a number that belongs to somebody else; None when it is free."""
    owner = call.actor.account_id
    assert owner is not None  # only signed-in people have a profile
    today = call.now.replace(hour=0, minute=0, second=0, microsecond=0)
    if queries.count_attempts(db, ID_REFUSALS, [str(owner)], today) >= rules.ID_REFUSALS_PER_DAY:
        raise LimitReached("identity.id_no_attempts", "id_no", "retry_after_seconds=86400")
    if not is_taken(db, vault, owner, wanted["id_type"], wanted["id_no"]):
        return None
    count_attempt(db, ID_REFUSALS, str(owner), today)
    return refused(Conflict("identity.id_no_taken", "id_no"))


def keep_history(
    db: Session,
    vault: Vault,
    account_id: uuid.UUID,
    field: str,
    former: Mapping[str, str],
    now: dt.datetime,
    cause: str,
) -> None:
    """Remember a name or number that is about to be replaced."""
    history_id = new_id()
    index = vault.id_no_index(former["id_type"], former["id_no"]) if field == "id_no" else None
    db.add(
        ProfileHistory(
            id=history_id,
            account_id=account_id,
            field=field,
            value_sealed=vault.seal("profile_history", history_id, field, former[field]),
            value_index=index,
            id_type=former["id_type"] if field == "id_no" else None,
            replaced_at=now,
            cause=cause,
        )
    )
