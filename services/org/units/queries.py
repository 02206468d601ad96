"""Selects of org/units that are reused or locked."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.org.contract import MembershipState, SchoolKind, SchoolState, SchoolType
from services.org.contract.units import MoveState, ProfileReview, RequestState, TenantMode
from services.org.models import Division, Membership, School, SchoolContact
from services.org.units import models
from services.org.units.models import SchoolCode, SchoolFormerPlace, SchoolMove, SchoolRequest, SchoolRequestAsker
from services.org.units.rules import policies
from services.org.units.rules.lifecycle import LIVING, CodeEnd
from services.org.units.rules.policies import TenantPolicy
from services.shared.driver import run_plain
from services.shared.errors import NotFound
from services.shared.many_rows import words_of
from services.shared.placement import at_or_below, is_below
from services.shared.search_tokens import tokens_of_search

# --- tenant policies ------------------------------------------------------------------------------------------------


def tenant_policy(db: Session, place: str) -> TenantPolicy:
    """The policy that holds at a place: of the nearest of it and those above that decided one, else the default."""
    rows = db.scalars(
        sa.select(models.TenantPolicy).where(
            models.TenantPolicy.place.in_(policies.path_to(place)), models.TenantPolicy.withdrawn.is_(False)
        )
    )
    return policies.nearest(
        TenantPolicy(row.place, TenantMode(row.mode), row.max_school_admins, ProfileReview(row.profile_review))
        for row in rows
    )


def lock_tenant_policy(db: Session, place: str, now: dt.datetime) -> models.TenantPolicy:
    """The place's own row, locked; made with version 0 when it never decided anything."""
    default = policies.DEFAULT
    db.execute(
        insert(models.TenantPolicy)
        .values(
            policy_id=policies.id_of(place),
            place=place,
            version=0,
            mode=default.mode,
            max_school_admins=default.max_school_admins,
            profile_review=default.profile_review,
            withdrawn=True,
            changed_at=now,
        )
        .on_conflict_do_nothing()
    )
    statement = sa.select(models.TenantPolicy).where(models.TenantPolicy.place == place).with_for_update()
    return db.scalars(statement).one()


def list_tenant_policies(db: Session, place: str, after: str | None, limit: int) -> Sequence[models.TenantPolicy]:
    """What was decided at a place and below it, in the order of the tree."""
    table = models.TenantPolicy
    statement = sa.select(table).where(at_or_below(table.place, place), table.withdrawn.is_(False))
    if after:
        statement = statement.where(table.place > after)
    return db.scalars(statement.order_by(table.place).limit(limit)).all()


# --- schools --------------------------------------------------------------------------------------------------------


# In one order, so that two that hold several never wait for each other crosswise; the key is that of `_lock_key`.
_HOLD_SCHOOLS = """
    SELECT pg_advisory_xact_lock_shared(hashtextextended('school ' || school_id, 0))
    FROM (SELECT school_id FROM unnest(string_to_array(%(schools)s, ' ')) AS school_id ORDER BY school_id) AS ordered
"""


def hold_schools(db: Session, school_ids: Iterable[uuid.UUID]) -> None:
    """Until the transaction ends none of these schools is merged, closed or moved; read them after this.

    An advisory lock, because a row lock would need the right to change the school.
    """
    run_plain(db, _HOLD_SCHOOLS, {"schools": words_of(set(school_ids))})


def lock_school(db: Session, school_id: uuid.UUID) -> School:
    """The school, while nobody enters or leaves it. Raises NotFound("org.school_unknown") for one out of reach."""
    db.execute(sa.select(sa.func.pg_advisory_xact_lock(_lock_key(school_id))))
    school = db.scalars(
        sa.select(School)
        .where(School.school_id == school_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if school is None:
        raise NotFound("org.school_unknown", "school_id")
    return school


def get_school(db: Session, school_id: uuid.UUID, field: str = "school_id") -> School:
    """The school as it is at this moment. Raises NotFound("org.school_unknown")."""
    school = db.get(School, school_id, populate_existing=True)
    if school is None:
        raise NotFound("org.school_unknown", field)
    return school


def lock_schools(db: Session, school_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, School]:
    """As `lock_school` for several, in one order, so that two mergers cannot wait for each other."""
    return {school_id: lock_school(db, school_id) for school_id in sorted(set(school_ids))}


def _lock_key(school_id: uuid.UUID) -> Any:
    return sa.func.hashtextextended(f"school {school_id}", 0)


def get_contact(db: Session, school_id: uuid.UUID) -> SchoolContact:
    return db.get_one(SchoolContact, school_id)


def find_contacts(db: Session, school_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, SchoolContact]:
    rows = db.scalars(sa.select(SchoolContact).where(SchoolContact.school_id.in_(list(school_ids))))
    return {contact.school_id: contact for contact in rows}


def find_namesake(db: Session, parent: str, name: str, school_id: uuid.UUID) -> School | None:
    """Another living school of this name under this parent."""
    return db.scalars(
        sa.select(School).where(
            School.parent == parent,
            School.name == name,
            School.state.in_(LIVING),
            School.school_id != school_id,
            School.other.is_(False),
        )
    ).one_or_none()


def kind_of(school: School) -> SchoolKind:
    return SchoolKind(school.kind)


def type_of(school: School) -> SchoolType:
    return SchoolType(school.school_type)


def list_units(db: Session, place: str, filters: dict[str, Any], after: str | None, limit: int) -> Sequence[School]:
    """Schools and institutions at every state below a place, in the order of the tree."""
    statement = sa.select(School).where(is_below(School.place, place), School.other.is_(False))
    for column in ("kind", "state", "attachment", "school_type", "nature"):
        if filters.get(column):
            statement = statement.where(getattr(School, column) == filters[column])
    if filters.get("code"):  # also one that is void by now
        statement = statement.where(
            School.school_id.in_(sa.select(SchoolCode.school_id).where(SchoolCode.code == filters["code"]))
        )
    if name := filters.get("q"):
        statement = statement.where(
            School.name_tokens.contains(tokens_of_search(name)),
            sa.func.strpos(sa.func.lower(School.name), name.lower()) > 0,
        )
    if after:
        statement = statement.where(School.place > after)
    return db.scalars(statement.order_by(School.place).limit(limit)).all()


def count_units(db: Session, place: str) -> list[tuple[str, str, str, int]]:
    """(state, kind, attachment, how many) of the units below a place."""
    columns = (School.state, School.kind, School.attachment)
    rows = db.execute(
        sa.select(*columns, sa.func.count())
        .where(is_below(School.place, place), School.other.is_(False))
        .group_by(*columns)
    )
    return [(state, kind, attachment, count) for state, kind, attachment, count in rows]


# --- codes ----------------------------------------------------------------------------------------------------------


def find_taken_codes(db: Session, codes: Collection[str]) -> set[str]:
    """Those that are, or were, a school's. One that was typed wrong never was."""
    if not codes:
        return set()
    free = SchoolCode.void_reason.is_not_distinct_from(CodeEnd.CORRECTED)
    return set(db.scalars(sa.select(SchoolCode.code).where(SchoolCode.code.in_(codes), sa.not_(free))))


def lock_codes(db: Session, codes: Iterable[str]) -> Sequence[SchoolCode]:
    wanted = list(codes)
    if not wanted:
        return ()
    return db.scalars(
        sa.select(SchoolCode).where(SchoolCode.code.in_(wanted)).order_by(SchoolCode.code).with_for_update()
    ).all()


def find_last_code(db: Session, school_id: uuid.UUID) -> SchoolCode | None:
    """The code that a school lost when it was merged or closed, locked."""
    return db.scalars(
        sa.select(SchoolCode)
        .where(SchoolCode.school_id == school_id, SchoolCode.void_reason.in_((CodeEnd.MERGED, CodeEnd.CLOSED)))
        .order_by(SchoolCode.void_at.desc())
        .limit(1)
        .with_for_update()
    ).one_or_none()


def list_codes(db: Session, school_id: uuid.UUID) -> Sequence[SchoolCode]:
    return db.scalars(
        sa.select(SchoolCode).where(SchoolCode.school_id == school_id).order_by(SchoolCode.given_at, SchoolCode.code)
    ).all()


# --- teachers of a school -------------------------------------------------------------------------------------------


def lock_members(db: Session, place: str, states: Collection[str]) -> Sequence[Membership]:
    """Memberships at exactly this place that are in one of these states."""
    return db.scalars(
        sa.select(Membership)
        .where(Membership.place == place, Membership.state.in_(states))
        .order_by(Membership.teacher_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def move_released(db: Session, before: str, after: str) -> None:
    """Let the rows of released teachers follow their last school; what is told of them names no place."""
    db.execute(
        sa.update(Membership)
        .where(Membership.place == before, Membership.state == MembershipState.RELEASED)
        .values(place=after)
    )


# --- moves ----------------------------------------------------------------------------------------------------------


def list_former_places(db: Session, school_id: uuid.UUID) -> Sequence[SchoolFormerPlace]:
    """Where the school stood before, oldest first."""
    return db.scalars(
        sa.select(SchoolFormerPlace)
        .where(SchoolFormerPlace.school_id == school_id)
        .order_by(SchoolFormerPlace.until_at)
    ).all()


def find_last_move(db: Session, school_id: uuid.UUID) -> dt.datetime | None:
    """Since when the school stands where it does; None since it was created."""
    return db.scalar(sa.select(sa.func.max(SchoolFormerPlace.until_at)).where(SchoolFormerPlace.school_id == school_id))


def find_open_move(db: Session, school_id: uuid.UUID) -> SchoolMove | None:
    """The request that waits for its decision, locked."""
    return db.scalars(
        sa.select(SchoolMove)
        .where(SchoolMove.school_id == school_id, SchoolMove.state == MoveState.REQUESTED)
        .with_for_update()
    ).one_or_none()


def has_open_move(db: Session, school_id: uuid.UUID) -> bool:
    waiting = sa.select(SchoolMove.move_id).where(
        SchoolMove.school_id == school_id, SchoolMove.state == MoveState.REQUESTED
    )
    return db.scalar(sa.select(waiting.exists())) is True


def find_move(db: Session, move_id: uuid.UUID) -> SchoolMove:
    """Raises NotFound("org.move_unknown")."""
    if (move := db.get(SchoolMove, move_id)) is None:
        raise NotFound("org.move_unknown")
    return move


def lock_move(db: Session, move_id: uuid.UUID) -> SchoolMove:
    """Raises NotFound("org.move_unknown")."""
    move = db.scalars(
        sa.select(SchoolMove)
        .where(SchoolMove.move_id == move_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if move is None:
        raise NotFound("org.move_unknown")
    return move


def list_moves(db: Session, place: str, state: str | None, after: uuid.UUID | None, limit: int) -> Sequence[SchoolMove]:
    """Moves out of a place or into it, oldest first."""
    sides = (SchoolMove.from_parent, SchoolMove.to_parent)
    touches = sa.or_(*(at_or_below(side, place) for side in sides))
    statement = sa.select(SchoolMove).where(touches)
    if state:
        statement = statement.where(SchoolMove.state == state)
    if after:
        statement = statement.where(SchoolMove.move_id > after)
    return db.scalars(statement.order_by(SchoolMove.move_id).limit(limit)).all()


def find_division(db: Session, code: str) -> Division | None:
    return db.get(Division, code)


# --- missing schools ------------------------------------------------------------------------------------------------


def lock_request(db: Session, request_id: uuid.UUID) -> SchoolRequest:
    """Raises NotFound("org.request_unknown")."""
    request = db.scalars(
        sa.select(SchoolRequest).where(SchoolRequest.request_id == request_id).with_for_update()
    ).one_or_none()
    if request is None:
        raise NotFound("org.request_unknown")
    return request


def lock_open_request(db: Session, values: dict[str, Any]) -> SchoolRequest:
    """The open request for the school of these values, made when it is the first; locked."""
    db.execute(
        insert(SchoolRequest)
        .values(**values)
        .on_conflict_do_nothing(
            index_elements=[SchoolRequest.place, SchoolRequest.name_key],
            index_where=SchoolRequest.state == sa.literal_column("'OPEN'"),
        )
    )
    return db.scalars(
        sa.select(SchoolRequest)
        .where(
            SchoolRequest.place == values["place"],
            SchoolRequest.name_key == values["name_key"],
            SchoolRequest.state == RequestState.OPEN,
        )
        .with_for_update()
    ).one()


def list_open_askers(db: Session, account_id: uuid.UUID) -> Sequence[SchoolRequestAsker]:
    """What an account still asks for, locked."""
    return db.scalars(
        sa.select(SchoolRequestAsker)
        .join(SchoolRequest, SchoolRequest.request_id == SchoolRequestAsker.request_id)
        .where(
            SchoolRequestAsker.teacher_id == account_id,
            SchoolRequestAsker.withdrawn_at.is_(None),
            SchoolRequest.state == RequestState.OPEN,
        )
        .order_by(SchoolRequestAsker.request_id)
        .with_for_update(of=SchoolRequestAsker)
    ).all()


def lock_asker(db: Session, request_id: uuid.UUID, accounts: Collection[uuid.UUID]) -> SchoolRequestAsker | None:
    """The row by which one of these accounts, all of one person, still asks for it."""
    return db.scalars(
        sa.select(SchoolRequestAsker)
        .where(
            SchoolRequestAsker.request_id == request_id,
            SchoolRequestAsker.teacher_id.in_(accounts),
            SchoolRequestAsker.withdrawn_at.is_(None),
        )
        .limit(1)
        .with_for_update()
    ).one_or_none()


def list_askers(db: Session, request_id: uuid.UUID) -> list[uuid.UUID]:
    """Teachers who still ask for it."""
    return list(
        db.scalars(
            sa.select(SchoolRequestAsker.teacher_id)
            .where(SchoolRequestAsker.request_id == request_id, SchoolRequestAsker.withdrawn_at.is_(None))
            .order_by(SchoolRequestAsker.asked_at, SchoolRequestAsker.teacher_id)
        )
    )


def list_requests(
    db: Session, place: str, state: str | None, after: uuid.UUID | None, limit: int
) -> Sequence[SchoolRequest]:
    """Requests of a place and all below it, oldest first."""
    statement = sa.select(SchoolRequest).where(at_or_below(SchoolRequest.place, place))
    if state:
        statement = statement.where(SchoolRequest.state == state)
    if after:
        statement = statement.where(SchoolRequest.request_id > after)
    return db.scalars(statement.order_by(SchoolRequest.request_id).limit(limit)).all()


def list_requests_of(
    db: Session, accounts: Collection[uuid.UUID], after: uuid.UUID | None, limit: int
) -> Sequence[SchoolRequest]:
    """What a person asked for, under any of these accounts, newest first."""
    asked = sa.select(SchoolRequestAsker.request_id).where(SchoolRequestAsker.teacher_id.in_(accounts))
    statement = sa.select(SchoolRequest).where(SchoolRequest.request_id.in_(asked))
    if after:
        statement = statement.where(SchoolRequest.request_id < after)
    return db.scalars(statement.order_by(SchoolRequest.request_id.desc()).limit(limit)).all()


def find_listed(db: Session, place: str, name: str) -> School | None:
    """A school open to teachers of exactly this name, under this division or one above it."""
    return db.scalars(
        sa.select(School)
        .where(
            School.parent.in_(policies.path_to(place)),
            School.name == name,
            School.state == SchoolState.ACTIVE,
            School.other.is_(False),
        )
        .limit(1)
    ).one_or_none()
