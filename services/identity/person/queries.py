"""Selects of the person's record that are reused, or that lock."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Collection, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Text,
    and_,
    bindparam,
    cast,
    exists,
    func,
    literal_column,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import UUID, psycopg
from sqlalchemy.orm import Session, aliased

from services.identity.access.models import TenantPolicy
from services.identity.models import Account, AccountGrants, Placement, Profile, ProfileHistory
from services.identity.person.models import Consent, Erasure, PersonMerge, ProfileDraft
from services.shared.actor import Role
from services.shared.driver import run_plain

NATION = "CN"
# A word of the statement and no parameter: as text it has only those that its caller gives.
LIVING = Account.state == literal_column("'ACTIVE'")


def find_by_learner_no(db: Session, learner_no: str) -> Account | None:
    """The living account that a learner number leads to; that of a merged person leads to the kept one."""
    account = db.scalars(select(Account).where(Account.learner_no == learner_no)).one_or_none()
    if account is not None and account.merged_into is not None:
        account = db.get(Account, account.merged_into)
    return account if account is not None and account.state == "ACTIVE" else None


def _is_within(count: int) -> ColumnElement[bool]:
    """Condition: the profile's person is in one of so many places, or below it; the places come as parameters.

    A range first, which an index serves in order under any parameters: in the C collation "/" comes right before "0".
    """
    return or_(*(_is_below(number) for number in range(count)))


def _is_below(number: int) -> ColumnElement[bool]:
    at, below, beyond = (bindparam(f"{name}{number}", type_=Text) for name in ("at", "below", "beyond"))
    itself_or_below = or_(Profile.place == at, func.starts_with(Profile.place, below))
    return and_(Profile.place >= at, Profile.place < beyond, itself_or_below)


def _administers() -> ColumnElement[bool]:
    """Condition: the profile's person is the administrator of the very unit where they belong."""
    grant = func.jsonb_build_array(func.jsonb_build_array(str(Role.SCHOOL_ADMIN), Profile.place))
    return exists().where(AccountGrants.account_id == Profile.account_id, AccountGrants.grants.contains(grant))


def _values_of(places: Sequence[str]) -> dict[str, str]:
    return {
        f"{name}{number}": value
        for number, place in enumerate(places)
        for name, value in (("at", place), ("below", f"{place}/"), ("beyond", f"{place}0"))
    }


# What a list of people shows of three tables; whole rows would cost more than finding them. Ids as text, for that is what
# they are opened by and shown as.
_FOUND: tuple[Any, ...] = (
    cast(Profile.account_id, Text).label("id"),
    Profile.place,
    Profile.name_sealed,
    Profile.id_type,
    Profile.id_no_sealed,
    Profile.segment,
    Profile.subject,
    Profile.review_state,
    Account.learner_no,
    Account.phone_sealed,
    Account.locked_at,
    Placement.state.label("membership_state"),
    cast(Placement.school_id, Text).label("school_id"),
    Placement.school_name,
)


def list_people_by(
    db: Session,
    way: str,
    keys: Sequence[str],
    places: Sequence[str],
    after: tuple[str, uuid.UUID] | None,
    limit: int,
) -> list[Any]:
    """Living people in these places whom one of the keys leads to, in the order of place and account.

    `way`: what the keys are, one of `WAYS`. Over the whole nation people count too who are at no school.
    """
    places = [] if NATION in places else places
    values: dict[str, Any] = {f"key{number}": key for number, key in enumerate(keys)}
    values |= {**_values_of(places), "limit": limit}
    if after is not None:
        values |= {"after_place": after[0], "after_account": after[1]}
    return run_plain(db, _people_by(way, len(keys), len(places), paged=after is not None), values)


@cache
def _people_by(way: str, keys: int, places: int, *, paged: bool) -> str:
    """The statement as text, made once: building it anew would cost more than the database takes to answer it."""
    found = (
        select(*_FOUND)
        .join(Account, Account.id == Profile.account_id)
        .outerjoin(Placement, Placement.teacher_id == Profile.account_id)
        .where(WAYS[way](*(bindparam(f"key{number}", type_=Text) for number in range(keys))), LIVING)
        .order_by(Profile.place, Profile.account_id)
        .limit(bindparam("limit", type_=Integer))
    )
    if places:
        found = found.where(_is_within(places))
    if paged:
        position = tuple_(bindparam("after_place", type_=Text), bindparam("after_account", type_=UUID(as_uuid=True)))
        found = found.where(tuple_(Profile.place, Profile.account_id) > position)
    return str(found.compile(dialect=psycopg.dialect()))


def _has_learner_no(learner_no: ColumnElement[str]) -> ColumnElement[bool]:
    """The account that a learner number leads to."""
    numbered = aliased(Account)
    leads_to = select(func.coalesce(numbered.merged_into, numbered.id)).where(numbered.learner_no == learner_no)
    return Account.id == leads_to.scalar_subquery()


WAYS: dict[str, Callable[..., ColumnElement[bool]]] = {
    "phone": lambda *indexes: Account.phone_index.in_(indexes),
    "id_no": lambda *indexes: Profile.id_no_index.in_(indexes),
    "learner_no": _has_learner_no,
    "name": lambda *indexes: Profile.name_index.in_(indexes),
}


def list_submitted(
    db: Session,
    everybody_at: Sequence[str],
    administrators_at: Sequence[str],
    after: tuple[dt.datetime, uuid.UUID] | None,
    limit: int,
) -> list[tuple[Account, Profile]]:
    """Whose profile waits for review, the longest waiting first: everybody in some places, in others who administers."""
    places = [*everybody_at, *administrators_at]
    asked = or_(
        *(_is_below(number) for number in range(len(everybody_at))),
        *(and_(_is_below(number), _administers()) for number in range(len(everybody_at), len(places))),
    )
    found = (
        select(Account, Profile)
        .join(Profile, Profile.account_id == Account.id)
        .where(Profile.review_state == "SUBMITTED", asked, Account.state == "ACTIVE")
        .order_by(Profile.submitted_at, Profile.account_id)
        .limit(limit)
    )
    if after is not None:
        found = found.where(tuple_(Profile.submitted_at, Profile.account_id) > after)
    return [(account, profile) for account, profile in db.execute(found, _values_of(places))]


def list_draft(db: Session, account_ids: Collection[uuid.UUID]) -> list[ProfileDraft]:
    """What waits for a review, of all these accounts."""
    rows = select(ProfileDraft).where(ProfileDraft.account_id.in_(account_ids))
    return list(db.scalars(rows.order_by(ProfileDraft.account_id, ProfileDraft.field)))


def is_review_required(db: Session, place: str) -> bool:
    """Whether the tenant of this place has every change of a confirmed profile reviewed: the nearest policy decides."""
    steps = place.split("/")
    path = ["/".join(steps[: length + 1]) for length in range(len(steps))]
    nearest = (
        select(TenantPolicy.profile_review)
        .where(TenantPolicy.place.in_(path), TenantPolicy.withdrawn.is_(False))
        .order_by(func.length(TenantPolicy.place).desc())
        .limit(1)
    )
    return db.scalar(nearest) == "REQUIRED"


def stands_for_others(db: Session, account_id: uuid.UUID) -> bool:
    """Whether somebody has been merged into this account."""
    return db.scalar(select(exists().where(Account.merged_into == account_id))) or False


def takes_part_in_open_merge(db: Session, account_ids: Collection[uuid.UUID]) -> bool:
    """Whether one of them is named by a proposal, or is the account that went in a merge that may still be undone."""
    open_ones = select(PersonMerge.id).where(
        or_(
            and_(
                PersonMerge.state == "PROPOSED",
                or_(PersonMerge.kept_id.in_(account_ids), PersonMerge.merged_id.in_(account_ids)),
            ),
            and_(PersonMerge.state == "MERGED", PersonMerge.merged_id.in_(account_ids)),
        )
    )
    return db.scalars(open_ones.limit(1)).first() is not None


def lock_merge(db: Session, merge_id: uuid.UUID) -> PersonMerge | None:
    return db.scalars(select(PersonMerge).where(PersonMerge.id == merge_id).with_for_update()).one_or_none()


def find_merge(db: Session, merge_id: uuid.UUID) -> PersonMerge | None:
    return db.get(PersonMerge, merge_id)


def list_merges(db: Session, state: str, after: uuid.UUID | None, limit: int) -> list[PersonMerge]:
    """Merges in a state, the newest first."""
    newest = select(PersonMerge).where(PersonMerge.state == state).order_by(PersonMerge.id.desc()).limit(limit)
    return list(db.scalars(newest.where(PersonMerge.id < after) if after is not None else newest))


def list_former_numbers(db: Session, account_id: uuid.UUID) -> list[str]:
    """Keyed indexes of the ID numbers that an account had."""
    former = select(ProfileHistory.value_index).where(
        ProfileHistory.account_id == account_id, ProfileHistory.value_index.is_not(None)
    )
    return [index for index in db.scalars(former) if index]


def list_by_number(
    db: Session, present: Collection[str], former: Collection[str], but: uuid.UUID
) -> list[tuple[Account, Profile]]:
    """Living others who have one of the `present` numbers now, or once had one of the `former`."""
    once = select(ProfileHistory.account_id).where(ProfileHistory.value_index.in_(former))
    found = (
        select(Account, Profile)
        .join(Profile, Profile.account_id == Account.id)
        .where(
            Account.state == "ACTIVE",
            Account.id != but,
            or_(Profile.id_no_index.in_(present), Profile.account_id.in_(once)),
        )
        .order_by(Account.id)
    )
    return [(account, profile) for account, profile in db.execute(found)]


def list_by_name(db: Session, names: Collection[str], but: uuid.UUID, limit: int) -> list[tuple[Account, Profile]]:
    """Living others of this name."""
    found = (
        select(Account, Profile)
        .join(Profile, Profile.account_id == Account.id)
        .where(Profile.name_index.in_(names), Account.id != but, Account.state == "ACTIVE")
        .order_by(Account.id)
        .limit(limit)
    )
    return [(account, profile) for account, profile in db.execute(found)]


def list_history(db: Session, account_id: uuid.UUID) -> list[ProfileHistory]:
    """Former names and numbers, the newest first."""
    rows = select(ProfileHistory).where(ProfileHistory.account_id == account_id)
    return list(db.scalars(rows.order_by(ProfileHistory.replaced_at.desc(), ProfileHistory.id.desc())))


def find_erasure(db: Session, account_id: uuid.UUID) -> Erasure | None:
    """The newest wish of a person to be erased."""
    newest = select(Erasure).where(Erasure.account_id == account_id).order_by(Erasure.id.desc()).limit(1)
    return db.scalars(newest).one_or_none()


def lock_due_erasures(db: Session, now: dt.datetime, limit: int) -> list[Erasure]:
    """Wishes whose time has come; those that another process deals with are left out."""
    due = select(Erasure).where(Erasure.state == "REQUESTED", Erasure.due_at <= now)
    return list(db.scalars(due.order_by(Erasure.due_at).limit(limit).with_for_update(skip_locked=True)))


def lock_merged_into(db: Session, account_id: uuid.UUID) -> list[Account]:
    """The accounts that were merged into this one."""
    merged = select(Account).where(Account.merged_into == account_id).order_by(Account.id)
    return list(db.scalars(merged.with_for_update()))


def list_merges_into(db: Session, account_id: uuid.UUID) -> list[PersonMerge]:
    return list(db.scalars(select(PersonMerge).where(PersonMerge.kept_id == account_id).with_for_update()))


def withdraw_proposals(db: Session, account_id: uuid.UUID, now: dt.datetime) -> None:
    """Proposals about a person who is being erased are void."""
    db.execute(
        update(PersonMerge)
        .where(
            PersonMerge.state == "PROPOSED",
            or_(PersonMerge.kept_id == account_id, PersonMerge.merged_id == account_id),
        )
        .values(state="WITHDRAWN", decided_at=now)
        .execution_options(synchronize_session=False)
    )


def blank_merge_reasons(db: Session, account_id: uuid.UUID) -> None:
    """What support wrote about an erased person goes too."""
    db.execute(
        update(PersonMerge)
        .where(or_(PersonMerge.kept_id == account_id, PersonMerge.merged_id == account_id))
        .values(reason="", decision_reason="")
        .execution_options(synchronize_session=False)
    )


def lock_consents(db: Session, account_id: uuid.UUID) -> None:
    """Let the answers of one person wait for each other: an append-only table has no rows to lock."""
    db.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"consent {account_id}", 0))))


def find_consent(db: Session, account_id: uuid.UUID, kind: str) -> Consent | None:
    newest = select(Consent).where(Consent.account_id == account_id, Consent.kind == kind)
    return db.scalars(newest.order_by(Consent.id.desc()).limit(1)).one_or_none()


def list_consents(db: Session, account_id: uuid.UUID) -> list[Consent]:
    """All answers of a person, the oldest first."""
    return list(db.scalars(select(Consent).where(Consent.account_id == account_id).order_by(Consent.id)))
