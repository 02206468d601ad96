"""What identity tells of accounts and profiles as they are now, to whoever rebuilds a projection. No personal data."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.identity import contract
from services.identity.actions.accounts import registered_payload
from services.identity.actions.profiles import changed_payload, open_profile
from services.identity.models import Account, Profile
from services.identity.person.actions.erasing import erased_payload
from services.identity.person.actions.learner_numbers import issued_payload
from services.identity.person.actions.merging import merged_payload
from services.shared.bus.snapshots import UNCHANGING, Facts, Key, Snapshot, Told

# An account that never filled in its profile was never announced, and nobody holds it.
_ANNOUNCED = sa.func.coalesce(Profile.announced_version, Account.version)
_PROFILES = Facts((Account.id,), _ANNOUNCED, (Profile.account_id == Account.id, _ANNOUNCED > 0))


def tell_profiles(service: Any, db: Session, keys: list[Key]) -> list[Told]:
    people = db.execute(
        sa.select(Account, Profile)
        .join(Profile, Profile.account_id == Account.id)
        .where(Account.id.in_([account_id for (account_id,) in keys]))
    )
    return [
        Told((account.id,), changed_payload(account, profile, open_profile(service.vault, profile)))
        for account, profile in people
    ]


def tell_accounts(_service: Any, db: Session, keys: list[Key]) -> list[Told]:
    accounts = db.scalars(sa.select(Account).where(Account.id.in_([account_id for (account_id,) in keys])))
    return [Told((account.id,), registered_payload(account)) for account in accounts]


def tell_learner_numbers(_service: Any, db: Session, keys: list[Key]) -> list[Told]:
    accounts = db.scalars(sa.select(Account).where(Account.id.in_([account_id for (account_id,) in keys])))
    return [Told((account.id,), issued_payload(account)) for account in accounts]


def tell_merges(_service: Any, db: Session, keys: list[Key]) -> list[Told]:
    """Who stands for another at present; the version is the one that the merge was announced with."""
    merged = db.scalars(sa.select(Account).where(Account.id.in_([account_id for (account_id,) in keys])))
    return [Told((account.id,), merged_payload(account)) for account in merged]


def tell_erased(_service: Any, db: Session, keys: list[Key]) -> list[Told]:
    erased = db.scalars(sa.select(Account).where(Account.id.in_([account_id for (account_id,) in keys])))
    return [Told((account.id,), erased_payload(account)) for account in erased]


SNAPSHOTS = {
    contract.ACCOUNT_REGISTERED: Snapshot(Facts((Account.id,), UNCHANGING), tell_accounts),
    contract.PROFILE_CHANGED: Snapshot(_PROFILES, tell_profiles),
    contract.person.LEARNER_NO_ISSUED: Snapshot(
        Facts((Account.id,), UNCHANGING, (Account.learner_no.is_not(None),)), tell_learner_numbers
    ),
    contract.person.PERSONS_MERGED: Snapshot(
        Facts((Account.id,), Account.version, (Account.state == "MERGED",)), tell_merges
    ),
    contract.person.PERSON_ERASED: Snapshot(
        Facts((Account.id,), Account.version, (Account.state == "ERASED",)), tell_erased
    ),
}
