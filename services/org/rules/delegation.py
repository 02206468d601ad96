"""Pure rules of delegation: who may grant or revoke which role where (`domain.md` §1.2, `reliability.md` d37); no I/O."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Iterable

from services.org.contract import GrantState, Level
from services.shared.actor import REGION_ADMINS, Grant, Role, covers
from services.shared.errors import Conflict, InvalidInput, NotAllowed

SPECIALISED = {Level.PROVINCE: Role.PROVINCE_ADMIN, Level.CITY: Role.CITY_ADMIN, Level.COUNTY: Role.COUNTY_ADMIN}
SCHOOL_STAFF = frozenset({Role.SCHOOL_ADMIN, Role.PRINCIPAL})

LEVELS_OF_ROLE: dict[Role, frozenset[Level]] = {
    Role.PRINCIPAL: frozenset({Level.SCHOOL}),
    Role.SCHOOL_ADMIN: frozenset({Level.SCHOOL}),
    Role.COUNTY_ADMIN: frozenset({Level.COUNTY}),
    Role.CITY_ADMIN: frozenset({Level.CITY}),
    Role.PROVINCE_ADMIN: frozenset({Level.PROVINCE}),
    Role.SUPER_ADMIN: frozenset(SPECIALISED),
    Role.NATIONAL_OPERATOR: frozenset({Level.NATION}),
}
# How many may hold a role at one place at a time; a role not named here has no maximum.
MAXIMUM_HOLDERS: dict[Role, int] = {
    Role.PRINCIPAL: 1,  # exactly one principal per school (Guangzhou manual, `domain.md` §1.1 A5)
    # smartedu allows one, Guangzhou several (`domain.md` §1.1 A6): the stricter one is the default policy.
    Role.SCHOOL_ADMIN: 1,
}


@dataclasses.dataclass(frozen=True)
class Target:
    """Where a role is to be held. `parent` is the place directly above; its level is stored, never counted."""

    place: str
    level: Level
    parent: str


@dataclasses.dataclass(frozen=True)
class Held:
    """A live grant of the one who grants."""

    role: Role
    place: str
    level: Level


def require_role_at_level(role: Role, level: Level) -> None:
    """Raises InvalidInput("org.role_elsewhere") for, say, a county admin of a school."""
    if level not in LEVELS_OF_ROLE[role]:
        raise InvalidInput("org.role_elsewhere", "role")


def require_delegation(held: Iterable[Held], role: Role, target: Target) -> None:
    """Refuse to grant more than is held, or outside the own territory.

    Raises NotAllowed("org.grant_refused"). The same right is needed to revoke.
    """
    if not any(_allows(grant, role, target) for grant in held):
        raise NotAllowed("org.grant_refused")


def require_other_holder(grantor: uuid.UUID | None, holder: uuid.UUID) -> None:
    """Nobody grants to himself, nor revokes his own. Raises NotAllowed("org.grant_to_self")."""
    if grantor == holder:
        raise NotAllowed("org.grant_to_self")


def _allows(held: Held, role: Role, target: Target) -> bool:
    if not covers(held.place, target.place):
        return False
    if held.role is Role.NATIONAL_OPERATOR:
        return role is not Role.NATIONAL_OPERATOR  # a second operator comes from the installation, not from the first
    if held.role is Role.SCHOOL_ADMIN:
        return role is Role.PRINCIPAL
    if role in SCHOOL_STAFF:
        return keeps_schools_under(held.role, held.place, target.parent)
    if held.role is Role.SUPER_ADMIN:
        same_level = target.place == held.place and role is SPECIALISED.get(held.level)
        return same_level or (role is Role.SUPER_ADMIN and target.parent == held.place)
    return False


def keeps_schools_under(role: Role, place: str, parent: str) -> bool:
    """Whether a grant of `role` at `place` manages the schools that stand directly under `parent`.

    Cities and provinces keep only the units attached directly to them; a school of a county is the county's
    (`domain.md` §1.2: T, D or as level).
    """
    if role is Role.NATIONAL_OPERATOR:
        return covers(place, parent)
    return role in REGION_ADMINS and place == parent


def require_school_keeper(grants: Iterable[Grant], parent: str) -> None:
    """Raises NotAllowed("org.not_directly_attached") for an admin above the level that keeps the school."""
    if not any(keeps_schools_under(grant.role, grant.place, parent) for grant in grants):
        raise NotAllowed("org.not_directly_attached")


def require_period(valid_from: dt.datetime, valid_to: dt.datetime | None, now: dt.datetime) -> None:
    """A grant that would never be live is a mistake. Raises InvalidInput("org.grant_period")."""
    if valid_to is not None and (valid_to <= valid_from or valid_to <= now):
        raise InvalidInput("org.grant_period", "valid_to")


def require_room(role: Role, holders: int) -> None:
    """Raises Conflict("org.place_taken") when the place has as many holders of the role as it may."""
    maximum = MAXIMUM_HOLDERS.get(role)
    if maximum is not None and holders >= maximum:
        raise Conflict("org.place_taken", "role")


def is_live(state: GrantState, valid_from: dt.datetime, valid_to: dt.datetime | None, now: dt.datetime) -> bool:
    """Whether the grant gives its right at this moment; the end itself is outside."""
    return state is GrantState.ACTIVE and valid_from <= now and (valid_to is None or now < valid_to)
