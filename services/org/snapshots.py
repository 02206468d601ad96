"""What org tells of its facts as they are now, to whoever rebuilds a projection of them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.org import contract, queries
from services.org.actions import grants, memberships
from services.org.models import GrantHolder, Membership
from services.shared.bus.snapshots import Facts, Key, Snapshot, Told


def tell_memberships(_service: Any, db: Session, keys: list[Key]) -> list[Told]:
    ids = [teacher_id for (teacher_id,) in keys]
    found = db.scalars(sa.select(Membership).where(Membership.teacher_id.in_(ids))).all()
    schools = queries.find_schools_by_id(db, {membership.school_id for membership in found})
    return [
        Told((membership.teacher_id,), memberships.payload_of(membership, schools[membership.school_id].name))
        for membership in found
    ]


def tell_grants(_service: Any, db: Session, keys: list[Key]) -> list[Told]:
    ids = [account_id for (account_id,) in keys]
    holders = db.scalars(sa.select(GrantHolder).where(GrantHolder.account_id.in_(ids))).all()
    # What was announced last, not what is live by the clock: the sweeper announces the difference, with a new version.
    announced = queries.list_announced_grants(db, ids)
    return [
        Told(
            (holder.account_id,),
            grants.payload_of(holder, [grant for grant in announced if grant.account_id == holder.account_id]),
        )
        for holder in holders
    ]


SNAPSHOTS = {
    contract.MEMBERSHIP_CHANGED: Snapshot(Facts((Membership.teacher_id,), Membership.version), tell_memberships),
    contract.GRANTS_CHANGED: Snapshot(Facts((GrantHolder.account_id,), GrantHolder.version), tell_grants),
}
