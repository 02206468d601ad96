"""Selects of org that are reused or locked."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.org import contract
from services.org.contract import GrantState, Level
from services.org.models import AdminGrant, Division, GrantHolder, Membership, MembershipPeriod, School, SchoolContact
from services.org.rules import schools as school_rules
from services.org.rules.delegation import STANDING, Target
from services.shared.actor import Role
from services.shared.errors import NotFound
from services.shared.many_rows import words_of
from services.shared.placement import at_or_below, is_below
from services.shared.search_tokens import tokens_of_search

# Ids as one text: an array of a hundred takes the driver longer than the database the whole question.
_TEACHERS = sa.cast(
    sa.func.string_to_array(sa.bindparam("teachers", type_=sa.Text), " "),
    postgresql.ARRAY(postgresql.UUID(as_uuid=True)),
)
_MEMBERSHIPS = sa.select(Membership).where(Membership.teacher_id == sa.any_(_TEACHERS)).order_by(Membership.teacher_id)
_LOCK_MEMBERSHIPS = _MEMBERSHIPS.with_for_update()
_OPEN_PERIODS = sa.select(MembershipPeriod).where(
    MembershipPeriod.teacher_id == sa.any_(_TEACHERS), MembershipPeriod.closed_at.is_(None)
)


@dataclasses.dataclass(frozen=True)
class MembershipView:
    """A membership with the name of its school."""

    teacher_id: uuid.UUID
    school_id: uuid.UUID
    school_name: str
    place: str
    state: str
    reason: str
    version: int
    changed_at: dt.datetime


# --- divisions ------------------------------------------------------------------------------------------------------


def get_division(db: Session, code: str) -> Division:
    """Raises NotFound("org.division_unknown")."""
    if (division := db.get(Division, code)) is None:
        raise NotFound("org.division_unknown")
    return division


def list_divisions(db: Session, parent: str) -> Sequence[Division]:
    return db.scalars(sa.select(Division).where(Division.parent == parent).order_by(Division.code)).all()


def place_of_division(db: Session, code: str) -> str:
    return contract.NATION if code == contract.NATION else get_division(db, code).place


# --- schools --------------------------------------------------------------------------------------------------------


def get_school(db: Session, school_id: uuid.UUID) -> School:
    """Raises NotFound("org.school_unknown")."""
    if (school := db.get(School, school_id)) is None:
        raise NotFound("org.school_unknown", "school_id")
    return school


def find_contact(db: Session, school_id: uuid.UUID) -> SchoolContact | None:
    return db.get(SchoolContact, school_id)


def get_other(db: Session, division_code: str) -> School:
    """The pseudo-school 其他 of a county. Raises NotFound("org.division_unknown") where there is none."""
    if (school := db.get(School, school_rules.id_of_other(division_code))) is None:
        raise NotFound("org.division_unknown", "other_of")
    return school


def list_schools(db: Session, place: str, name: str | None, after: str | None, limit: int) -> Sequence[School]:
    """Schools open to teachers below `place` in the order of the tree; with `name`, those whose name contains it."""
    statement = sa.select(School).where(
        is_below(School.place, place), School.state.in_(school_rules.OPEN_TO_TEACHERS), School.other.is_(False)
    )
    if name:
        statement = statement.where(
            School.name_tokens.contains(tokens_of_search(name)),
            sa.func.strpos(sa.func.lower(School.name), name.lower()) > 0,  # the pairs may stand apart
        )
    if after:
        statement = statement.where(School.place > after)
    return db.scalars(statement.order_by(School.place).limit(limit)).all()


def find_schools_by_code(db: Session, codes: Iterable[str]) -> Sequence[School]:
    return db.scalars(sa.select(School).where(School.code.in_(list(codes))).order_by(School.place)).all()


def find_schools_by_id(db: Session, school_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, School]:
    rows = db.scalars(sa.select(School).where(School.school_id.in_(list(school_ids))))
    return {school.school_id: school for school in rows}


def find_schools_by_name(db: Session, names: Iterable[str]) -> Sequence[School]:
    """Living schools of these names, wherever they stand; a name is unique only under one parent."""
    return db.scalars(
        sa.select(School).where(School.name.in_(list(names)), School.state.in_(("DRAFT", "ACTIVE", "SUSPENDED")))
    ).all()


def find_divisions(db: Session, codes: Iterable[str]) -> dict[str, Division]:
    rows = db.scalars(sa.select(Division).where(Division.code.in_(list(codes))))
    return {division.code: division for division in rows}


# --- memberships ----------------------------------------------------------------------------------------------------


def lock_membership(db: Session, teacher_id: uuid.UUID) -> Membership | None:
    return db.scalars(sa.select(Membership).where(Membership.teacher_id == teacher_id).with_for_update()).one_or_none()


def lock_memberships(db: Session, teacher_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Membership]:
    """The memberships of many by teacher, locked in one order, so that two imports cannot wait for each other."""
    rows = db.scalars(_LOCK_MEMBERSHIPS, {"teachers": words_of(teacher_ids)})
    return {membership.teacher_id: membership for membership in rows}


def find_memberships(db: Session, teacher_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Membership]:
    rows = db.scalars(_MEMBERSHIPS, {"teachers": words_of(teacher_ids)})
    return {membership.teacher_id: membership for membership in rows}


def list_open_periods(db: Session, teacher_ids: Iterable[uuid.UUID]) -> Sequence[MembershipPeriod]:
    return db.scalars(_OPEN_PERIODS, {"teachers": words_of(teacher_ids)}).all()


def get_membership(db: Session, teacher_id: uuid.UUID) -> MembershipView:
    """Raises NotFound("org.no_membership")."""
    row = db.execute(_memberships().where(Membership.teacher_id == teacher_id)).mappings().one_or_none()
    if row is None:
        raise NotFound("org.no_membership")
    return MembershipView(**row)


def list_memberships(
    db: Session, place: str, state: str | None, after: uuid.UUID | None, limit: int
) -> list[MembershipView]:
    """Members of the school at `place`, by teacher."""
    statement = _memberships().where(Membership.place == place)
    if state:
        statement = statement.where(Membership.state == state)
    if after:
        statement = statement.where(Membership.teacher_id > after)
    rows = db.execute(statement.order_by(Membership.teacher_id).limit(limit)).mappings()
    return [MembershipView(**row) for row in rows]


def _memberships() -> sa.Select:
    return sa.select(
        Membership.teacher_id,
        Membership.school_id,
        School.name.label("school_name"),
        Membership.place,
        Membership.state,
        Membership.reason,
        Membership.version,
        Membership.changed_at,
    ).join(School, School.school_id == Membership.school_id)


# --- grants ---------------------------------------------------------------------------------------------------------


def find_target(db: Session, place: str) -> Target | None:
    """What stands at a place, or None when nothing does. 其他 has no staff, so it is no target."""
    if place == contract.NATION:
        return Target(place, Level.NATION, "")
    parent = school_rules.parent_of(place)
    level = db.scalars(sa.select(Division.level).where(Division.place == place)).one_or_none()
    if level is not None:
        return Target(place, Level(level), parent)
    if db.scalars(sa.select(School.school_id).where(School.place == place, School.other.is_(False))).one_or_none():
        return Target(place, Level.SCHOOL, parent)
    return None


def get_target(db: Session, place: str) -> Target:
    """Raises NotFound("org.place_unknown")."""
    if (target := find_target(db, place)) is None:
        raise NotFound("org.place_unknown", "place")
    return target


def lock_standing_school(db: Session, place: str) -> bool:
    """Let one appointment at a school be decided at a time; returns whether the school still stands."""
    state = db.scalar(sa.select(School.state).where(School.place == place).with_for_update())
    return state in STANDING


def is_verified_at(db: Session, teacher_id: uuid.UUID, place: str) -> bool:
    state = db.scalar(sa.select(Membership.state).where(Membership.teacher_id == teacher_id, Membership.place == place))
    return state == contract.MembershipState.VERIFIED


def lock_holder(db: Session, account_id: uuid.UUID) -> GrantHolder:
    """The holder's row, made when missing, locked."""
    db.execute(insert(GrantHolder).values(account_id=account_id, version=0).on_conflict_do_nothing())
    return db.scalars(sa.select(GrantHolder).where(GrantHolder.account_id == account_id).with_for_update()).one()


def list_active_grants(db: Session, account_id: uuid.UUID) -> Sequence[AdminGrant]:
    """Grants not ended yet, also those that start later."""
    return db.scalars(
        sa.select(AdminGrant)
        .where(AdminGrant.account_id == account_id, AdminGrant.state == GrantState.ACTIVE)
        .order_by(AdminGrant.grant_id)
    ).all()


def list_announced_grants(db: Session, account_ids: Iterable[uuid.UUID]) -> Sequence[AdminGrant]:
    """The grants that the last announcement of each of these holders named."""
    return db.scalars(
        sa.select(AdminGrant).where(AdminGrant.account_id.in_(list(account_ids)), AdminGrant.announced)
    ).all()


def list_holders_at(db: Session, role: str, place: str) -> Sequence[AdminGrant]:
    """Active grants of a role at one place."""
    return db.scalars(
        sa.select(AdminGrant)
        .where(AdminGrant.role == role, AdminGrant.place == place, AdminGrant.state == GrantState.ACTIVE)
        .order_by(AdminGrant.account_id)
    ).all()


def list_operators(db: Session) -> Sequence[AdminGrant]:
    """The national operators, the oldest grant first."""
    return db.scalars(_operators()).all()


def lock_operators(db: Session) -> Sequence[AdminGrant]:
    return db.scalars(_operators().with_for_update()).all()


def _operators() -> sa.Select:
    operator = (AdminGrant.role == Role.NATIONAL_OPERATOR, AdminGrant.place == contract.NATION)
    return sa.select(AdminGrant).where(*operator, AdminGrant.state == GrantState.ACTIVE).order_by(AdminGrant.grant_id)


def list_grants_at(db: Session, place: str) -> Sequence[AdminGrant]:
    """Active grants of every role at exactly this place."""
    return db.scalars(
        sa.select(AdminGrant)
        .where(AdminGrant.place == place, AdminGrant.state == GrantState.ACTIVE)
        .order_by(AdminGrant.account_id, AdminGrant.grant_id)
    ).all()


def move_grants(db: Session, before: str, after: str) -> None:
    db.execute(sa.update(AdminGrant).where(AdminGrant.place == before).values(place=after))


def lock_grant(db: Session, grant_id: uuid.UUID) -> AdminGrant:
    """Raises NotFound("org.grant_unknown")."""
    grant = db.scalars(sa.select(AdminGrant).where(AdminGrant.grant_id == grant_id).with_for_update()).one_or_none()
    if grant is None:
        raise NotFound("org.grant_unknown")
    return grant


def lock_due_grants(db: Session, now: dt.datetime, limit: int) -> Sequence[AdminGrant]:
    """Active grants that have ended by now, or have begun and were not announced as live."""
    due = sa.or_(
        AdminGrant.valid_to <= now,
        sa.and_(AdminGrant.announced.is_(False), AdminGrant.valid_from <= now),
    )
    return db.scalars(
        sa.select(AdminGrant)
        .where(AdminGrant.state == GrantState.ACTIVE, due)
        .order_by(AdminGrant.account_id)
        .limit(limit)
        # What a command is deciding at this moment is left to it, and to the next run.
        .with_for_update(skip_locked=True)
    ).all()


def list_grants(db: Session, place: str, after: uuid.UUID | None, limit: int) -> Sequence[AdminGrant]:
    """Grants at a place and below it, oldest first."""
    statement = sa.select(AdminGrant).where(at_or_below(AdminGrant.place, place))
    if after:
        statement = statement.where(AdminGrant.grant_id > after)
    return db.scalars(statement.order_by(AdminGrant.grant_id).limit(limit)).all()
