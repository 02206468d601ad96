"""Two accounts of one person become one: proposed by one of support, approved by another, undone within 30 days."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.identity import contract, queries
from services.identity.actions.people import show_person
from services.identity.actions.profiles import (
    SEALED,
    announce_changed,
    apply_values,
    fill_profile,
    id_no_word,
    keep_history,
    open_profile,
)
from services.identity.actions.sign_ins import end_sign_ins
from services.identity.contract.notices import NoticeKind
from services.identity.models import Account, Profile, ProfileHistory
from services.identity.notices.actions import Addressee, tell
from services.identity.passes.models import PassBinding
from services.identity.person import queries as person_queries
from services.identity.person.actions.learner_numbers import issue
from services.identity.person.models import PersonMerge, ProfileDraft
from services.identity.person.rules import merging as rules
from services.identity.person.rules.merging import Act, Candidate, MergeState, Side
from services.identity.person.rules.review import ReviewState, after_membership
from services.identity.rules.contact import name_key
from services.identity.rules.documents import IdType, normalised_id_no
from services.identity.rules.profile import EMPTY
from services.identity.vault import Vault
from services.shared import audit, outbox
from services.shared.bus import Call
from services.shared.errors import Conflict, InvalidInput, NotAllowed, NotFound
from services.shared.ids import new_id

NATION = person_queries.NATION
MISSING = "identity.merge_unknown"
# They belong together: whose document is right says them all.
OF_DOCUMENT = ("name", "id_type", "id_no", "birth_date", "gender")


class Pair:
    """The two accounts of a merge, locked, with what stands in their profiles."""

    def __init__(self, db: Session, vault: Vault, kept_id: uuid.UUID, merged_id: uuid.UUID) -> None:
        # In one order: another merge may lock the same two the other way round.
        people = {each: _lock_person(db, each) for each in sorted((kept_id, merged_id))}
        self.kept, self.kept_profile = people[kept_id]
        self.merged, self.merged_profile = people[merged_id]
        self.kept_values = open_profile(vault, self.kept_profile)
        self.merged_values = open_profile(vault, self.merged_profile)

    def require_mergeable(self, db: Session, document_of: str, shown: rules.Document) -> None:
        """Raises Conflict for two who cannot be merged, or not on this document."""
        candidates = _candidate(db, self.kept, self.kept_values), _candidate(db, self.merged, self.merged_values)
        documents = document(self.kept_values), document(self.merged_values)
        problem = rules.merge_problem(*candidates) or rules.proof_problem(shown, *documents, Side(document_of))
        if problem:
            raise Conflict(problem)


def propose_merge(db: Session, call: Call, vault: Vault, wanted: Mapping[str, Any]) -> PersonMerge:
    """Write down that two accounts are one person, for somebody else to approve.

    The number of the document that was shown is typed in: it must be the one that the person goes on with. Raises
    NotFound, NotAllowed for an own account, InvalidInput("identity.merge_same"), Conflict of `rules.merge_problem`,
    "identity.merge_proof", "identity.merge_open".
    """
    kept_id, merged_id = wanted["kept_id"], wanted["merged_id"]
    if kept_id == merged_id:
        raise InvalidInput("identity.merge_same", "merged_id")
    _authorise(db, call, kept_id, merged_id)
    pair = Pair(db, vault, kept_id, merged_id)
    pair.require_mergeable(db, wanted["document_of"], _shown(wanted))
    if person_queries.takes_part_in_open_merge(db, (kept_id, merged_id)):
        raise Conflict("identity.merge_open")
    merge = PersonMerge(
        id=new_id(),
        kept_id=kept_id,
        merged_id=merged_id,
        state=MergeState.PROPOSED,
        proposed_by=_agent(call),
        proposed_at=call.now,
        **{name: wanted[name] for name in ("phone_of", "document_of", "proof", "reason")},
    )
    db.add(merge)
    db.flush()
    _record(db, call, merge, before="", reason=merge.reason)
    return merge


def approve_merge(db: Session, call: Call, vault: Vault, wanted: Mapping[str, Any]) -> PersonMerge:
    """Make the two one. The approver has looked at the document too, and types its number.

    Raises NotFound, NotAllowed("identity.merge_two_persons") for the proposer and for one's own account, Conflict as in
    proposing, "identity.merge_decided".
    """
    merge = _lock(db, call, wanted["merge_id"])
    state = rules.next_state(MergeState(merge.state), Act.APPROVE)
    if merge.proposed_by == call.actor.account_id:
        raise NotAllowed("identity.merge_two_persons")
    pair = Pair(db, vault, merge.kept_id, merge.merged_id)
    pair.require_mergeable(db, merge.document_of, _shown(wanted))
    before = merge.state
    merge.state, merge.decided_by, merge.decided_at = state, _agent(call), call.now
    merge.undo_until = call.now + rules.UNDO_WITHIN
    merge.undo_sealed = vault.seal("person_merge", merge.id, "undo", json.dumps(_snapshot(vault, pair)))
    _merge(db, call, vault, merge, pair)
    _record(db, call, merge, before=before)
    return merge


def reject_merge(db: Session, call: Call, merge_id: uuid.UUID, reason: str) -> PersonMerge:
    """Refuse a proposal. Raises NotFound, NotAllowed for the proposer, Conflict("identity.merge_decided")."""
    merge = _lock(db, call, merge_id)
    state = rules.next_state(MergeState(merge.state), Act.REJECT)
    if merge.proposed_by == call.actor.account_id:
        raise NotAllowed("identity.merge_two_persons")
    return _close(db, call, merge, state, reason)


def withdraw_merge(db: Session, call: Call, merge_id: uuid.UUID, reason: str) -> PersonMerge:
    """Take one's own proposal back. Raises NotFound, also for somebody else's, Conflict("identity.merge_decided")."""
    merge = _lock(db, call, merge_id)
    if merge.proposed_by != call.actor.account_id:
        raise NotFound(MISSING)
    return _close(db, call, merge, rules.next_state(MergeState(merge.state), Act.WITHDRAW), reason)


def undo_merge(db: Session, call: Call, vault: Vault, merge_id: uuid.UUID, reason: str) -> PersonMerge:
    """Take two persons apart again who were merged by mistake.

    The account that had gone signs in by SMS code: its password is not kept. Raises NotFound, NotAllowed for one's own
    account, Conflict("identity.merge_undo_over"), ("identity.merge_undo_taken") when a third account has its phone or
    number by now.
    """
    merge = _lock(db, call, merge_id)
    state = rules.next_state(MergeState(merge.state), Act.UNDO)
    if merge.decided_at is None or not rules.is_undoable(merge.decided_at, call.now):
        raise Conflict("identity.merge_undo_over")
    pair = Pair(db, vault, merge.kept_id, merge.merged_id)
    before = merge.state
    undo = json.loads(vault.open("person_merge", merge.id, "undo", merge.undo_sealed))
    _part(db, call, vault, pair, undo)
    # What the merge wrote into the kept one's history was another person's.
    mixed_up = sa.delete(ProfileHistory).where(
        ProfileHistory.account_id == pair.kept.id,
        ProfileHistory.cause == "MERGE",
        ProfileHistory.replaced_at >= merge.decided_at,
    )
    db.execute(mixed_up.execution_options(synchronize_session=False))
    merge.state, merge.undo_sealed, merge.undone_by, merge.undone_at = state, None, _agent(call), call.now
    db.flush()
    _record(db, call, merge, before=before, reason=reason)
    return merge


def show_merge(db: Session, vault: Vault, merge: PersonMerge) -> dict[str, Any]:
    """A merge with both accounts, masked."""
    shown = {}
    for side, account_id in (("kept", merge.kept_id), ("merged", merge.merged_id)):
        account, profile = queries.find_account(db, account_id), queries.find_profile(db, account_id)
        if account is not None and profile is not None:
            shown[side] = show_person(vault, account, profile)
    columns = (
        "state", "phone_of", "document_of", "proof", "reason", "proposed_by", "proposed_at", "decided_by", "decided_at",
        "decision_reason", "undo_until", "undone_by", "undone_at",
    )  # fmt: skip
    return {"merge_id": merge.id, **shown, **{column: getattr(merge, column) for column in columns}}


# --- together -----------------------------------------------------------------------------------------------------------


def _merge(db: Session, call: Call, vault: Vault, merge: PersonMerge, pair: Pair) -> None:
    phone = vault.open("account", pair.merged.id, "phone", pair.merged.phone_sealed)
    for account in (pair.kept, pair.merged):
        # By the phone of now: one of the two is about to be nobody's.
        own = vault.open("account", account.id, "phone", account.phone_sealed)
        told = Addressee(account.id, phone=own)
        tell(db, vault, NoticeKind.ACCOUNTS_MERGED, f"merge {merge.id} {account.id}", told, call.now)
    _let_go(db, call, pair)
    if merge.phone_of == Side.MERGED:
        _set_phone(vault, pair.kept, phone)
        # As after any change of the phone: whoever holds the old one is out.
        end_sign_ins(db, pair.kept.id, "MERGED", call.now)
    if merge.document_of == Side.KEPT and pair.merged_values["id_no"]:
        keep_history(db, vault, pair.kept.id, "id_no", pair.merged_values, call.now, "MERGE")
    apply_values(
        db, vault, pair.kept, pair.kept_profile, pair.kept_values, _gained(pair, merge), call.now, cause="MERGE"
    )
    if pair.merged.learner_no:
        # The other number goes on leading here; but the person needs one to show.
        issue(db, [pair.kept])
    db.flush()
    outbox.announce(db, contract.person.PERSONS_MERGED, pair.merged.id, merged_payload(pair.merged))


def _let_go(db: Session, call: Call, pair: Pair) -> None:
    """Close the account that goes: no phone, no password, no sign-in, found by nobody. Its phone and number are free."""
    account, profile = pair.merged, pair.merged_profile
    end_sign_ins(db, account.id, "MERGED", call.now)
    account.state, account.merged_into = "MERGED", pair.kept.id
    account.phone_sealed = account.phone_index = None
    account.password_hash, account.locked_at, account.failed_count = None, None, 0
    account.version += 1
    profile.id_type = profile.id_no_sealed = profile.id_no_index = profile.name_index = None
    account.place = profile.place = ""
    profile.review_state, profile.submitted_at, profile.return_reason = "EDITABLE", None, ""
    for table in (ProfileDraft, PassBinding):
        db.execute(sa.delete(table).where(table.account_id == account.id))
    db.flush()  # before the kept account takes what is unique
    announce_changed(db, [(account, profile, {**pair.merged_values, "id_type": "", "id_no": ""})])


def _gained(pair: Pair, merge: PersonMerge) -> dict[str, str]:
    """What the kept profile gets: the right document, and whatever only the other one says."""
    right = pair.merged_values if merge.document_of == Side.MERGED else pair.kept_values
    gained = {field: right[field] for field in OF_DOCUMENT}
    for field in EMPTY:
        if field not in OF_DOCUMENT and pair.kept_values[field] == EMPTY[field]:
            gained[field] = pair.merged_values[field]
    return {field: value for field, value in gained.items() if value != pair.kept_values[field]}


# --- apart again --------------------------------------------------------------------------------------------------------


def _snapshot(vault: Vault, pair: Pair) -> dict[str, Any]:
    """What the merge takes from both accounts. The password is not in it: the person signs in by SMS code."""
    return {
        side: {"phone": vault.open("account", account.id, "phone", account.phone_sealed), "profile": values}
        for side, account, values in (
            ("kept", pair.kept, pair.kept_values),
            ("merged", pair.merged, pair.merged_values),
        )
    }


def _part(db: Session, call: Call, vault: Vault, pair: Pair, undo: Mapping[str, Any]) -> None:
    kept, merged, then = pair.kept, pair.merged, undo["merged"]
    phone = vault.open("account", kept.id, "phone", kept.phone_sealed)
    # Changed since the merge, it is the kept one's own choice and stays.
    kept_phone = undo["kept"]["phone"] if phone == then["phone"] else phone
    restored = _given_back(pair, undo)
    _require_free(
        db,
        vault,
        pair,
        {kept_phone, then["phone"]},
        {document({**pair.kept_values, **restored}), document(then["profile"])},
    )
    if kept_phone != phone:
        _set_phone(vault, kept, kept_phone)
        end_sign_ins(db, kept.id, "MERGE_UNDONE", call.now)
    apply_values(db, vault, kept, pair.kept_profile, pair.kept_values, restored, call.now, cause="MERGE")
    db.flush()  # before the other account takes what is unique
    merged.state, merged.merged_into = "ACTIVE", None
    _set_phone(vault, merged, then["phone"])
    merged.version += 1
    placement = queries.find_placement(db, merged.id)
    merged.place = pair.merged_profile.place = placement.place if placement else ""
    pair.merged_profile.review_state = after_membership("", placement.state if placement else "", ReviewState.EDITABLE)
    fill_profile(vault, pair.merged_profile, then["profile"], call.now)
    announce_changed(db, [(merged, pair.merged_profile, then["profile"])])
    db.flush()
    payload = {"kept_id": str(kept.id), "merged_id": str(merged.id), "version": merged.version}
    outbox.announce(db, contract.person.MERGE_UNDONE, merged.id, payload)


def _given_back(pair: Pair, undo: Mapping[str, Any]) -> dict[str, str]:
    """The kept one's former values, wherever the merge put another's and nobody has changed that since."""
    before, theirs = undo["kept"]["profile"], undo["merged"]["profile"]
    return {
        field: before[field] for field, value in pair.kept_values.items() if value == theirs[field] != before[field]
    }


def _require_free(db: Session, vault: Vault, pair: Pair, phones: set[str], documents: set[rules.Document]) -> None:
    """Raises Conflict when a third account has one of these by now."""
    own = (pair.kept.id, pair.merged.id)
    for phone in phones:
        owner = queries.find_account_by_phone(db, vault.phone_candidates(phone))
        if owner is not None and owner.id not in own:
            raise Conflict("identity.merge_undo_taken", "phone")
    for id_type, id_no in sorted(documents):
        if not id_no:
            continue
        candidates = vault.id_no_candidates(id_type, id_no)
        queries.lock_words(db, id_no_word(candidates))
        if queries.find_id_owner(db, candidates) not in (None, *own):
            raise Conflict("identity.merge_undo_taken", "id_no")


# --- for good -----------------------------------------------------------------------------------------------------------


def settle_merges(db: Session, now: Any, limit: int = 200) -> int:
    """Make merges final that nobody may undo any more: what only the undoing needed is destroyed. Returns how many."""
    due = sa.select(PersonMerge).where(PersonMerge.state == MergeState.MERGED, PersonMerge.undo_until <= now)
    merges = list(db.scalars(due.order_by(PersonMerge.id).limit(limit).with_for_update(skip_locked=True)))
    for merge in merges:
        settle(db, merge)
    return len(merges)


def settle(db: Session, merge: PersonMerge) -> None:
    """End the time of undoing; the history of the account that went becomes that of the person."""
    merge.state = rules.next_state(MergeState(merge.state), Act.SETTLE)
    merge.undo_sealed = None
    db.execute(
        sa.update(ProfileHistory)
        .where(ProfileHistory.account_id == merge.merged_id)
        .values(account_id=merge.kept_id)
        .execution_options(synchronize_session=False)
    )
    if (profile := queries.find_profile(db, merge.merged_id)) is not None:
        wipe(profile)
    db.flush()


def wipe(profile: Profile) -> None:
    """Destroy all that a profile says of its person."""
    for field in SEALED:
        setattr(profile, f"{field}_sealed", None)
    profile.id_type = profile.id_no_index = profile.name_index = profile.employed_since = None
    profile.email_confirmed_at = None
    profile.gender = EMPTY["gender"]
    profile.segment = profile.subject = profile.title = profile.post_category = profile.place = ""
    profile.review_state, profile.submitted_at, profile.return_reason = "EDITABLE", None, ""


# --- parts --------------------------------------------------------------------------------------------------------------


def document(values: Mapping[str, str]) -> rules.Document:
    return (values["id_type"], values["id_no"]) if values["id_no"] else ("", "")


def _shown(wanted: Mapping[str, Any]) -> rules.Document:
    """The document that one of support has before him, as he typed it."""
    return IdType(wanted["id_type"]), normalised_id_no(wanted["id_no"])


def _candidate(db: Session, account: Account, values: Mapping[str, str]) -> Candidate:
    return Candidate(
        account.state,
        bool(queries.find_grants(db, account.id)),
        person_queries.stands_for_others(db, account.id),
        name_key(values["name"]),
    )


def _lock_person(db: Session, account_id: uuid.UUID) -> tuple[Account, Profile]:
    account, profile = queries.lock_account(db, account_id), queries.find_profile(db, account_id)
    if account is None or profile is None:
        raise NotFound("identity.person_unknown")
    return account, profile


def _set_phone(vault: Vault, account: Account, phone: str) -> None:
    account.phone_sealed = vault.seal("account", account.id, "phone", phone)
    account.phone_index = vault.phone_index(phone)


def _lock(db: Session, call: Call, merge_id: uuid.UUID) -> PersonMerge:
    merge = person_queries.lock_merge(db, merge_id)
    if merge is None:
        raise NotFound(MISSING)
    _authorise(db, call, merge.kept_id, merge.merged_id, MISSING)
    return merge


def _authorise(
    db: Session, call: Call, kept_id: uuid.UUID, merged_id: uuid.UUID, missing: str = "identity.person_unknown"
) -> None:
    """Both people are within the caller's reach, and neither is he. Who is at no school belongs to the nation."""
    for account_id in (kept_id, merged_id):
        placement = queries.find_placement(db, account_id)
        call.authorise(place=(placement.place if placement else "") or NATION, missing=missing)
        if account_id == call.actor.account_id:
            raise NotAllowed("identity.merge_two_persons")


def _agent(call: Call) -> uuid.UUID:
    assert call.actor.account_id is not None  # the policy admits persons only
    return call.actor.account_id


def _close(db: Session, call: Call, merge: PersonMerge, state: MergeState, reason: str) -> PersonMerge:
    before = merge.state
    merge.state, merge.decided_by, merge.decided_at, merge.decision_reason = state, _agent(call), call.now, reason
    db.flush()
    _record(db, call, merge, before=before, reason=reason)
    return merge


def merged_payload(merged: Account) -> dict[str, Any]:
    """Whose the account is now, as `PERSONS_MERGED` tells it."""
    return {"kept_id": str(merged.merged_into), "merged_id": str(merged.id), "version": merged.version}


def _record(db: Session, call: Call, merge: PersonMerge, *, before: str, reason: str = "") -> None:
    for account_id in (merge.kept_id, merge.merged_id):
        placement = queries.find_placement(db, account_id)
        audit.record(
            db,
            call,
            subject=account_id,
            place=placement.place if placement else "",
            reason=reason,
            before={"merge": before},
            after={"merge": merge.state, "merge_id": str(merge.id)},
        )
