"""What org tells of its facts as they are now, to whoever rebuilds a projection of them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.org import contract, queries
from services.org.actions import grants, memberships
from services.org.contract.staffing import EMPLOYMENT_CHANGED
from services.org.contract.units import SCHOOL_CHANGED, TENANT_POLICY_CHANGED
from services.org.models import GrantHolder, Membership, School
from services.org.staffing.actions import employment
from services.org.units import queries as unit_queries
from services.org.units.actions import policies, telling
from services.org.units.models import TenantPolicy
from services.shared.bus.snapshots import Facts, Key, Snapshot, Told


def tell_memberships(_service: Any, db: Session, keys: list[Key]) -> list[Told]:
    ids = [teacher_id for (teacher_id,) in keys]
    found = db.scalars(sa.select(Membership).where(Membership.teacher_id.in_(ids))).all()
    schools = queries.find_schools_by_id(db, {membership.school_id for membership in found})
    return [
        Told((membership.teacher_id,), memberships.payload_of(membership, schools[membership.school_id].name))
        for membership in found
    ]


def tell_employment(_service: Any, db: Session, keys: list[Key]) -> list[Told]:
    ids = [teacher_id for (teacher_id,) in keys]
    found = db.scalars(sa.select(Membership).where(Membership.teacher_id.in_(ids))).all()
    return [Told((membership.teacher_id,), employment.payload_of(membership)) for membership in found]


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


def tell_schools(_service: Any, db: Session, keys: list[Key]) -> list[Told]:
    found = queries.find_schools_by_id(db, [school_id for (school_id,) in keys])
    contacts = unit_queries.find_contacts(db, found)
    return [Told((key,), telling.payload_of(school, contacts.get(key))) for key, school in found.items()]


def tell_tenant_policies(_service: Any, db: Session, keys: list[Key]) -> list[Told]:
    ids = [policy_id for (policy_id,) in keys]
    found = db.scalars(sa.select(TenantPolicy).where(TenantPolicy.policy_id.in_(ids))).all()
    return [Told((policy.policy_id,), policies.payload_of(policy)) for policy in found]


SNAPSHOTS = {
    contract.MEMBERSHIP_CHANGED: Snapshot(Facts((Membership.teacher_id,), Membership.version), tell_memberships),
    # Nobody was told of whoever has always been on duty.
    EMPLOYMENT_CHANGED: Snapshot(
        Facts((Membership.teacher_id,), Membership.employment_version, (Membership.employment_version > 0,)),
        tell_employment,
    ),
    contract.GRANTS_CHANGED: Snapshot(Facts((GrantHolder.account_id,), GrantHolder.version), tell_grants),
    SCHOOL_CHANGED: Snapshot(Facts((School.school_id,), School.version, (School.other.is_(False),)), tell_schools),
    TENANT_POLICY_CHANGED: Snapshot(Facts((TenantPolicy.policy_id,), TenantPolicy.version), tell_tenant_policies),
}
