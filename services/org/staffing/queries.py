"""Selects of org/staffing that are reused or locked."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import functools
import uuid
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.org.contract import NATION, GrantState, MembershipState
from services.org.contract.staffing import Employment
from services.org.models import AdminGrant, Division, Membership, MembershipPeriod, Place, School
from services.org.rules.membership import Act
from services.org.rules.schools import is_other
from services.org.staffing.models import PersonMerge, StaffCount, StaffCountChange
from services.org.staffing.rules.counts import Key
from services.shared.errors import NotFound
from services.shared.placement import at_or_below

_MEMBERSHIP: Any = Membership.__table__.c
_SCHOOL: Any = School.__table__.c

# Of the tables and not of the classes: rows are all that is wanted, and they come twice as fast.
_STAFF = sa.join(Membership.__table__, School.__table__, _SCHOOL.school_id == _MEMBERSHIP.school_id)
_COLUMNS = (
    _MEMBERSHIP.teacher_id,
    _MEMBERSHIP.school_id,
    _SCHOOL.name.label("school_name"),
    _MEMBERSHIP.place,
    _MEMBERSHIP.state,
    _MEMBERSHIP.employment,
    _MEMBERSHIP.employment_at,
    _MEMBERSHIP.version,
    _MEMBERSHIP.changed_at,
)
_PRESENT: Any = sa.literal_column("membership.present")  # kept by the database: PENDING or VERIFIED, and on duty
_IDS = ("teacher_id", "school_id")

# A list that asks for no state shows whom the school has and who waits for its word.
PRESENT = (MembershipState.PENDING, MembershipState.VERIFIED)


_BEFORE_ALL = uuid.UUID(int=0)
ARRIVING = (Act.CHOOSE, Act.ADD, Act.TRANSFER)


@dataclasses.dataclass(frozen=True)
class StaffView:
    """A teacher as lists show her: where she is, how sure that is, and whether she is on duty."""

    teacher_id: uuid.UUID
    school_id: uuid.UUID
    school_name: str
    place: str
    state: str
    employment: str
    employment_at: dt.datetime
    version: int
    changed_at: dt.datetime


@dataclasses.dataclass(frozen=True)
class StaffFilter:
    """What a list shows; `employment` None means on duty only, unless the archived are asked for too."""

    state: MembershipState | None = None
    employment: Employment | None = None
    with_archived: bool = False


@dataclasses.dataclass(frozen=True)
class PeriodView:
    """One stay at one school."""

    teacher_id: uuid.UUID
    school_id: uuid.UUID
    school_name: str
    place: str
    opened_by: str
    opened_at: dt.datetime
    verified_at: dt.datetime | None
    closed_by: str | None
    closed_at: dt.datetime | None


@dataclasses.dataclass(frozen=True)
class Unit:
    """A division or school with its name."""

    place: str
    name: str


# --- lists ----------------------------------------------------------------------------------------------------------


def list_staff(
    db: Session, place: str, wanted: StaffFilter, after: tuple[str, uuid.UUID | str] | None, limit: int
) -> Sequence[sa.Row]:
    """Teachers at a school, or at the schools below a region, in the order of the tree; rows with the fields of StaffView.

    Each filter has an index of its own that holds nothing else, in this order: the last page is read as fast as the first.
    """
    return db.execute(_list_of(wanted), _range_of(place, after, limit)).all()


def count_staff(db: Session, place: str, wanted: StaffFilter, limit: int) -> int:
    """How many `list_staff` would list, counted no further than `limit`."""
    listed = _list_of(wanted).subquery()
    return db.execute(sa.select(sa.func.count()).select_from(listed), _range_of(place, None, limit)).scalar_one()


def _range_of(place: str, after: tuple[str, uuid.UUID | str] | None, limit: int) -> dict[str, Any]:
    """What the statement of a list takes."""
    # At the school itself, or below the region: a range either way. At a region itself there is nobody.
    first, beyond = (place, f"{place}/") if is_school(place) else (f"{place}/", f"{place}0")
    # Whatever the cursor says, the list begins no earlier than the place does.
    after_place, after_teacher = max((first, _BEFORE_ALL), _position(after) if after else (first, _BEFORE_ALL))
    return {"after_place": after_place, "after_teacher": after_teacher, "beyond": beyond, "limit": limit}


def _position(after: tuple[str, uuid.UUID | str]) -> tuple[str, uuid.UUID]:
    """Of a row of a list, whose ids are text, or of a cursor."""
    place, teacher_id = after
    return place, uuid.UUID(str(teacher_id))


@functools.cache
def _list_of(wanted: StaffFilter) -> sa.Select:
    """The statement of a list, made once: every administrator's page is one of these few.

    It is a range between two rows in the order of the list's own index, beginning with the columns that the filter fixes:
    `(state, employment, place, teacher) > (PENDING, ON_DUTY, …)`. Said as `state = PENDING` it could be looked for along any
    index, and near the end of the table, where each seems to hold one row, the planner took the wrong one.
    """
    fixed, conditions = _index_of(wanted)
    leading, values = [column for column, _ in fixed], [value for _, value in fixed]
    position = (*leading, _MEMBERSHIP.place, _MEMBERSHIP.teacher_id)
    after = (sa.bindparam("after_place", type_=Place), sa.bindparam("after_teacher", type_=sa.Uuid()))
    # The ids go out as text, so they come as text: making them into objects and back takes longer than the row.
    columns = [sa.cast(column, sa.Text).label(column.name) if column.name in _IDS else column for column in _COLUMNS]
    return (
        sa.select(*columns)
        .select_from(_STAFF)
        .where(
            sa.tuple_(*position) > sa.tuple_(*values, *after),
            sa.tuple_(*position[:-1]) < sa.tuple_(*values, sa.bindparam("beyond", type_=Place)),
            *conditions,
        )
        .order_by(*position)
        .limit(sa.bindparam("limit"))
    )


def _index_of(wanted: StaffFilter) -> tuple[list[tuple[Any, Any]], list[Any]]:
    """What leads the index that a list is read along, and what its rows must meet besides."""
    state, employment = wanted.state, wanted.employment
    if employment is None and not wanted.with_archived:
        employment = Employment.ON_DUTY
    if state and employment:
        return [(_MEMBERSHIP.state, _as_it_is(state)), (_MEMBERSHIP.employment, _as_it_is(employment))], []
    if employment is Employment.ON_DUTY:
        return [(_PRESENT, sa.true())], [_PRESENT]
    states = _MEMBERSHIP.state.in_([_as_it_is(each) for each in ((state,) if state else PRESENT)])
    if employment:
        return [(_MEMBERSHIP.employment, _as_it_is(employment))], [
            _MEMBERSHIP.employment != _as_it_is(Employment.ON_DUTY),
            states,
        ]
    return [], [states]


def get_staff(db: Session, teacher_id: uuid.UUID) -> StaffView:
    """Raises NotFound("org.membership_unknown")."""
    row = db.execute(_staff().where(Membership.teacher_id == teacher_id)).mappings().one_or_none()
    if row is None:
        raise NotFound("org.membership_unknown")
    return StaffView(**row)


def list_waiting(db: Session, place: str, after: tuple[dt.datetime, uuid.UUID] | None, limit: int) -> list[StaffView]:
    """Who waits for the word of the school at `place`, longest first."""
    statement = _staff().where(Membership.place == place, Membership.state == MembershipState.PENDING)
    if after:
        statement = statement.where(sa.tuple_(Membership.changed_at, Membership.teacher_id) > sa.tuple_(*after))
    statement = statement.order_by(Membership.changed_at, Membership.teacher_id).limit(limit)
    return [StaffView(**row) for row in db.execute(statement).mappings()]


def count_waiting(db: Session, place: str) -> tuple[int, dt.datetime | None]:
    """How many wait for the word of the school at `place`, and since when the first of them."""
    count, since = db.execute(
        sa.select(sa.func.count(), sa.func.min(Membership.changed_at)).where(
            Membership.place == place, Membership.state == MembershipState.PENDING
        )
    ).one()
    return count, since


def list_archived_arrivals(db: Session, place: str, limit: int) -> list[StaffView]:
    """Verified teachers of the school who came archived and still are: the school has to set them on duty (S3:192)."""
    arrived = sa.and_(MembershipPeriod.teacher_id == Membership.teacher_id, MembershipPeriod.closed_at.is_(None))
    statement = (
        _staff()
        .join(MembershipPeriod, arrived)
        .where(
            Membership.place == place,
            Membership.state == MembershipState.VERIFIED,
            Membership.employment != Employment.ON_DUTY,
            Membership.employment_at < MembershipPeriod.opened_at,
            # A stay that begins because the whole school moved or was merged is nobody's arrival.
            MembershipPeriod.opened_by.in_(ARRIVING),
        )
        .order_by(MembershipPeriod.opened_at, Membership.teacher_id)
        .limit(limit)
    )
    return [StaffView(**row) for row in db.execute(statement).mappings()]


def _staff() -> sa.Select:
    return sa.select(*_COLUMNS).select_from(_STAFF)


def is_school(place: str) -> bool:
    """Whether teachers are at this very place; below regions they are at their schools."""
    return is_other(place) or place.rpartition("/")[2].startswith("s")


def _as_it_is(value: enum.StrEnum) -> Any:
    """A value of ours in the text of a statement; never one that came from outside."""
    return sa.literal_column(f"'{value}'")


def count_grants(db: Session, holders: Collection[tuple[uuid.UUID, str]]) -> dict[uuid.UUID, int]:
    """How many grants each of these (account, place) holds exactly there."""
    rows = db.execute(
        sa.select(AdminGrant.account_id, sa.func.count())
        .where(
            sa.tuple_(AdminGrant.account_id, AdminGrant.place).in_(list(holders)),
            AdminGrant.state == GrantState.ACTIVE,
        )
        .group_by(AdminGrant.account_id)
    )
    return {account_id: count for account_id, count in rows}  # noqa: C416  rows are not pairs to mypy


# --- periods --------------------------------------------------------------------------------------------------------


def list_periods(db: Session, teacher_id: uuid.UUID) -> list[PeriodView]:
    """The stays of a teacher that the caller may see, oldest first."""
    statement = _periods().where(MembershipPeriod.teacher_id == teacher_id).order_by(MembershipPeriod.opened_at)
    return [PeriodView(**row) for row in db.execute(statement).mappings()]


def find_period_at(db: Session, teacher_id: uuid.UUID, at: dt.datetime) -> PeriodView | None:
    """The stay in which this moment falls; the moment of a move belongs to the new school."""
    statement = _periods().where(
        MembershipPeriod.teacher_id == teacher_id,
        MembershipPeriod.opened_at <= at,
        sa.or_(MembershipPeriod.closed_at.is_(None), MembershipPeriod.closed_at > at),
    )
    row = db.execute(statement.order_by(MembershipPeriod.opened_at.desc()).limit(1)).mappings().one_or_none()
    return PeriodView(**row) if row else None


def _periods() -> sa.Select:
    return sa.select(
        MembershipPeriod.teacher_id,
        MembershipPeriod.school_id,
        School.name.label("school_name"),
        MembershipPeriod.place,
        MembershipPeriod.opened_by,
        MembershipPeriod.opened_at,
        MembershipPeriod.verified_at,
        MembershipPeriod.closed_by,
        MembershipPeriod.closed_at,
    ).join(School, School.school_id == MembershipPeriod.school_id)


# --- counts ---------------------------------------------------------------------------------------------------------


def counts_at(db: Session, places: Collection[str]) -> list[tuple[str, str, str, int]]:
    """(place, state, employment, teachers) as last folded."""
    rows = db.execute(
        sa.select(StaffCount.place, StaffCount.state, StaffCount.employment, StaffCount.teachers).where(
            StaffCount.place.in_(list(places))
        )
    )
    return [(place, state, employment, teachers) for place, state, employment, teachers in rows]


def changes_below(db: Session, place: str) -> list[tuple[str, str, str, int]]:
    """What was changed at `place` and below it since the last fold: seconds of work, however large the territory."""
    rows = db.execute(
        sa.select(
            StaffCountChange.place,
            StaffCountChange.state,
            StaffCountChange.employment,
            sa.cast(sa.func.sum(StaffCountChange.teachers), sa.BigInteger),
        )
        .where(at_or_below(StaffCountChange.place, place))
        .group_by(StaffCountChange.place, StaffCountChange.state, StaffCountChange.employment)
    )
    return [(school, state, employment, teachers) for school, state, employment, teachers in rows]


def take_changes(db: Session, limit: int) -> list[tuple[str, str, str, int]]:
    """The oldest unfolded changes, taken out of the table."""
    oldest = (
        sa.select(StaffCountChange.change_id)
        .order_by(StaffCountChange.change_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = db.execute(
        sa.delete(StaffCountChange)
        .where(StaffCountChange.change_id.in_(oldest))
        .returning(
            StaffCountChange.place, StaffCountChange.state, StaffCountChange.employment, StaffCountChange.teachers
        )
    )
    return [(place, state, employment, teachers) for place, state, employment, teachers in rows]


def add_counts(db: Session, sums: dict[Key, int]) -> None:
    """Add to the counts, in the order of the keys, so that two folds cannot wait for each other."""
    columns = {
        "places": [place for place, _, _ in sums],
        "states": [state for _, state, _ in sums],
        "employments": [employment for _, _, employment in sums],
        "teachers": list(sums.values()),
    }
    db.execute(_ADDITION, columns)


# Four arrays and not a parameter for each value: a statement takes 65,535 of those, and a fold has more.
_ADDITION = sa.text("""
    INSERT INTO staff_count (place, state, employment, teachers)
    SELECT * FROM unnest(
        CAST(:places AS text[]), CAST(:states AS text[]), CAST(:employments AS text[]), CAST(:teachers AS bigint[]))
    ON CONFLICT (place, state, employment) DO UPDATE SET teachers = staff_count.teachers + excluded.teachers
""")


def find_name(db: Session, place: str) -> str | None:
    """What stands at a place is called; None when nothing does."""
    if place == NATION:
        return ""
    divisions = sa.select(Division.name).where(Division.place == place)
    schools = sa.select(School.name).where(School.place == place)
    return db.scalars(sa.union_all(divisions, schools)).one_or_none()


def list_units_under(db: Session, place: str, after: str | None, limit: int) -> list[Unit]:
    """Divisions and schools directly under a region, 其他 too, in the order of the tree."""
    divisions = sa.select(Division.place, Division.name).where(Division.parent == place.rpartition("/")[2])
    schools = sa.select(School.place, School.name).where(School.parent == place)
    units = sa.union_all(divisions, schools).subquery()
    statement = sa.select(units.c.place, units.c.name).order_by(units.c.place).limit(limit)
    if after:
        statement = statement.where(units.c.place > after)
    return [Unit(*row) for row in db.execute(statement)]


def compare_counts(db: Session, after: str, limit: int) -> list[dict[str, Any]]:
    """Places in the order of the tree, each with what is counted there and what there is, told in one statement.

    Two statements would see two moments, and call every change between them a difference.
    """
    rows = db.execute(_COMPARISON, {"after": after, "limit": limit}).mappings()
    return [dict(row) for row in rows]


_COMPARISON = sa.text("""
    SELECT unit.place,
        coalesce((SELECT jsonb_object_agg(one.key, one.n) FROM (
            SELECT state || ' ' || employment AS key, sum(teachers) AS n FROM (
                SELECT state, employment, teachers FROM staff_count WHERE place = unit.place
                UNION ALL
                SELECT state, employment, teachers FROM staff_count_change
                WHERE place = unit.place OR (place > unit.place || '/' AND place < unit.place || '0')
            ) AS counted GROUP BY state, employment HAVING sum(teachers) <> 0) AS one), '{}') AS counted,
        coalesce((SELECT jsonb_object_agg(one.key, one.n) FROM (
            SELECT state || ' ' || employment AS key, count(*) AS n FROM membership
            WHERE place = unit.place OR (place > unit.place || '/' AND place < unit.place || '0')
            GROUP BY state, employment) AS one), '{}') AS there
    FROM (
        SELECT place FROM (
            SELECT 'CN'::text COLLATE "C" AS place
            UNION ALL SELECT place FROM division
            UNION ALL SELECT place FROM school) AS every
        WHERE place > :after ORDER BY place LIMIT :limit
    ) AS unit ORDER BY unit.place
""")


# --- merged persons -------------------------------------------------------------------------------------------------


def lock_merge(db: Session, merged_id: uuid.UUID) -> PersonMerge | None:
    return db.scalars(sa.select(PersonMerge).where(PersonMerge.merged_id == merged_id).with_for_update()).one_or_none()


def find_kept(db: Session, account_id: uuid.UUID) -> uuid.UUID:
    """The account under which this person goes on: another's after a merge, else itself."""
    kept = db.scalars(
        sa.select(PersonMerge.kept_id).where(PersonMerge.merged_id == account_id, PersonMerge.live)
    ).one_or_none()
    return kept or account_id


def list_accounts_of(db: Session, kept_ids: Iterable[uuid.UUID]) -> Sequence[PersonMerge]:
    """The live merges into these accounts."""
    return db.scalars(sa.select(PersonMerge).where(PersonMerge.kept_id.in_(list(kept_ids)), PersonMerge.live)).all()
