"""What identity tells of profiles as they are now, to whoever rebuilds a projection of them. No personal data."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.identity import contract
from services.identity.actions.profiles import changed_payload, open_profile
from services.identity.models import Account, Profile
from services.shared.bus.snapshots import Facts, Key, Snapshot, Told

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


SNAPSHOTS = {contract.PROFILE_CHANGED: Snapshot(_PROFILES, tell_profiles)}
