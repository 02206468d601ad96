"""Pure rules of delegation: who may grant or revoke which role where (`domain.md` §1.2, `reliability.md` d37); no I/O."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Iterable

from services.org.contract import GrantState, Level, SchoolState
from services.shared.actor import REGION_ADMINS, Grant, Role, covers
from services.shared.errors import Conflict, InvalidInput, NotAllowed, NotFound, Unavailable

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
    Role.DISTRICT_INSTITUTION: frozenset({Level.COUNTY}),
    Role.CITY_CENTRE: frozenset({Level.CITY}),
    Role.TRAINING_INSTITUTION: frozenset({Level.SCHOOL}),
    Role.SUPPORT_AGENT: frozenset({Level.NATION}),
    Role.AUDITOR: frozenset({Level.NATION, Level.PROVINCE}),
}
# Where somebody can be appointed: a suspended school is still administered.
STANDING = frozenset({SchoolState.DRAFT, SchoolState.ACTIVE, SchoolState.SUSPENDED})
# Appointed by the super admin of the same place, besides the specialised one (`domain.md` §1.1 A9, A10).
INSTITUTIONS = {Level.COUNTY: Role.DISTRICT_INSTITUTION, Level.CITY: Role.CITY_CENTRE}


# "Role province admin and above" (`reliability.md` d37): whatever reaches over a province or the whole nation.
BY_TWO_PERSONS = frozenset({Level.PROVINCE, Level.NATION})


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


# Identity's announcement takes a moment: an account this young that is not known yet is asked for again.
ANNOUNCEMENT = dt.timedelta(minutes=1)


@dataclasses.dataclass(frozen=True)
class Appointee:
    """What identity has told of an account that is to act for others. Every account is bound to a phone."""

    known: bool
    named: bool = False


def require_role_at_level(role: Role, level: Level) -> None:
    """Raises InvalidInput("org.role_elsewhere") for, say, a county admin of a school."""
    if level not in LEVELS_OF_ROLE[role]:
        raise InvalidInput("org.role_elsewhere", "role")


def require_delegation(held: Iterable[Held], role: Role, target: Target, max_school_admins: int) -> None:
    """Refuse to grant more than is held, or outside the own territory.

    Raises NotAllowed("org.grant_refused"). The same right is needed to revoke. `max_school_admins` is the tenant's policy
    at the target: where a school may have several admins, they appoint each other.
    """
    if not any(_allows(grant, role, target, max_school_admins) for grant in held):
        raise NotAllowed("org.grant_refused")


def needs_second_person(level: Level) -> bool:
    """Whether a role at this level is given by two persons, one who proposes and one who approves."""
    return level in BY_TWO_PERSONS


def require_one_person_enough(level: Level) -> None:
    """Raises Conflict("org.second_person_needed"): such a role is proposed, and another one approves."""
    if needs_second_person(level):
        raise Conflict("org.second_person_needed", "role")


def require_two_persons_needed(level: Level) -> None:
    """What one person may give needs no proposal. Raises Conflict("org.no_second_person_needed")."""
    if not needs_second_person(level):
        raise Conflict("org.no_second_person_needed", "role")


def require_second_person(first: uuid.UUID, second: uuid.UUID | None) -> None:
    """Nobody decides about what he proposed himself. Raises NotAllowed("org.two_persons")."""
    if first == second:
        raise NotAllowed("org.two_persons")


def gives_as_school(held: Iterable[Held], role: Role, target: Target, max_school_admins: int) -> bool:
    """Whether the right to give comes from the school itself and from nobody above: then only for its own teachers."""
    sources = {grant.role for grant in held if _allows(grant, role, target, max_school_admins)}
    return sources == {Role.SCHOOL_ADMIN}


def require_own_teacher(*, verified_here: bool) -> None:
    """A school appoints from its own verified teachers. Raises Conflict("org.not_own_teacher")."""
    if not verified_here:
        raise Conflict("org.not_own_teacher", "account_id")


def require_known(appointee: Appointee, age: dt.timedelta) -> None:
    """Refuse an account that identity does not have, or has no more; `age` is since the id was made.

    Raises NotFound("org.account_unknown"), or Unavailable("org.account_not_told") for one that may only be too young.
    """
    if appointee.known:
        return
    if dt.timedelta(0) <= age < ANNOUNCEMENT:
        raise Unavailable("org.account_not_told", "account_id")
    raise NotFound("org.account_unknown", "account_id")


def age_of(made: uuid.UUID, now: float) -> dt.timedelta:
    """Since an id was made, by the time in it (UUIDv7, RFC 9562 §5.7); `now` in seconds since 1970, as ids tell it."""
    return dt.timedelta(milliseconds=int(now * 1000) - (made.int >> 80))


def require_true_name(appointee: Appointee) -> None:
    """Administrators are real-name (Guangzhou manual, `domain.md` §1.2). Raises Conflict("org.true_name_needed")."""
    if not appointee.named:
        raise Conflict("org.true_name_needed")


def require_separation(role: Role, others: Iterable[Role]) -> None:
    """An auditor holds nothing else, so that nobody audits himself. Raises Conflict("org.auditor_alone")."""
    held = set(others)
    if (role is Role.AUDITOR and held) or Role.AUDITOR in held:
        raise Conflict("org.auditor_alone", "role")


def require_other_holder(grantor: uuid.UUID | None, holder: uuid.UUID) -> None:
    """Nobody grants to himself, nor revokes his own. Raises NotAllowed("org.grant_to_self")."""
    if grantor == holder:
        raise NotAllowed("org.grant_to_self")


def require_another_operator(*, others: int) -> None:
    """The last one stays until there is a successor. Raises Conflict("org.last_operator")."""
    if not others:
        raise Conflict("org.last_operator")


def _allows(held: Held, role: Role, target: Target, max_school_admins: int) -> bool:
    if not covers(held.place, target.place):
        return False
    if held.role is Role.SCHOOL_ADMIN:
        return role is Role.PRINCIPAL or (role is Role.SCHOOL_ADMIN and max_school_admins > 1)
    if role is Role.PRINCIPAL:
        return False  # the school's own to name and to relieve (Guangzhou manual, S3:196), nobody's above it
    if held.role is Role.NATIONAL_OPERATOR:
        return role is not Role.NATIONAL_OPERATOR  # a second operator comes from the installation, not from the first
    if role in (Role.SCHOOL_ADMIN, Role.TRAINING_INSTITUTION):
        return keeps_schools_under(held.role, held.place, target.parent)
    if held.role is Role.SUPER_ADMIN:
        appointed_here = role in (SPECIALISED.get(held.level), INSTITUTIONS.get(held.level))
        return (target.place == held.place and appointed_here) or (
            role is Role.SUPER_ADMIN and target.parent == held.place
        )
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


def too_many(role: Role, holders: int, max_school_admins: int) -> int:
    """How many of the present holders are in the way of one more; 0 while there is room.

    Exactly one principal per school (Guangzhou manual, `domain.md` §1.1 A5); admins as the tenant's policy says: smartedu
    has one, Guangzhou several (§4.7 C8). Other roles have no maximum.
    """
    maximum = {Role.PRINCIPAL: 1, Role.SCHOOL_ADMIN: max_school_admins}.get(role)
    return 0 if maximum is None else max(0, holders + 1 - maximum)


def require_room(role: Role, holders: int, max_school_admins: int) -> None:
    """Raises Conflict("org.place_taken") when the place has as many holders of the role as it may."""
    if too_many(role, holders, max_school_admins):
        raise Conflict("org.place_taken", "role")


def require_standing(*, standing: bool) -> None:
    """Nobody is appointed to a school that was merged or closed. Raises Conflict("org.unit_ended")."""
    if not standing:
        raise Conflict("org.unit_ended", "place")


def is_live(state: GrantState, valid_from: dt.datetime, valid_to: dt.datetime | None, now: dt.datetime) -> bool:
    """Whether the grant gives its right at this moment; the end itself is outside."""
    return state is GrantState.ACTIVE and valid_from <= now and (valid_to is None or now < valid_to)
