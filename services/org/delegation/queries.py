"""Selects of org/delegation that are reused or locked."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.org.contract import NATION, GrantState, Level
from services.org.contract.delegation import CodeState, ProposalState, SeatState
from services.org.delegation.models import AdminSeat, AuthorityCode, CodeGuess, GrantProposal, KnownAccount
from services.org.delegation.rules import seats as rules
from services.org.delegation.rules.codes import WAITING
from services.org.delegation.rules.seats import Counts
from services.org.models import AdminGrant, Division, School
from services.org.rules.delegation import STANDING, Appointee
from services.shared.placement import at_or_below


def lock_seat(db: Session, place: str, role: str) -> AdminSeat | None:
    return db.scalars(
        sa.select(AdminSeat).where(AdminSeat.place == place, AdminSeat.role == role).with_for_update()
    ).one_or_none()


def open_seats(db: Session, rows: Sequence[dict[str, Any]]) -> Sequence[AdminSeat]:
    """Insert seats, or let those stand again that stood once; returns the ones that did not stand before."""
    # Arrays, in one statement: thousands of rows as VALUES take a second to compile.
    names = ("place", "role", "level", "parent", "state")
    opened = db.execute(
        sa.text("""
            INSERT INTO admin_seat (place, role, level, parent, state, standing, changed_at)
            SELECT *, true, CAST(:now AS timestamptz) FROM unnest(
                CAST(:place AS text[]), CAST(:role AS text[]), CAST(:level AS text[]), CAST(:parent AS text[]),
                CAST(:state AS text[]))
            ON CONFLICT (place, role) DO UPDATE SET standing = true, changed_at = excluded.changed_at
            WHERE NOT admin_seat.standing
            RETURNING place, role
        """),
        {**{name: [str(row[name]) for row in rows] for name in names}, "now": rows[0]["changed_at"]},
    ).all()
    if not opened:
        return []
    places = sorted({place for place, _ in opened})
    statement = sa.select(AdminSeat).where(AdminSeat.place.in_(places)).execution_options(populate_existing=True)
    found = {(seat.place, seat.role): seat for seat in db.scalars(statement)}
    return [found[place, role] for place, role in opened]


# By `ctid`: after a large import the table has no statistics yet, and a join with it was planned as 20,000 scans of it.
FOLD_DELTAS = """
    WITH taken AS (
        DELETE FROM activation_delta WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM activation_delta LIMIT :limit FOR UPDATE SKIP LOCKED))
        RETURNING string_to_array(place, '/') AS steps, level, role, expected, generated, activated, disabled),
    spread AS (
        SELECT array_to_string(steps[1:height], '/') AS place, level, role,
            sum(expected) AS expected, sum(generated) AS generated, sum(activated) AS activated,
            sum(disabled) AS disabled
        FROM taken, generate_series(1, cardinality(steps)) AS height
        WHERE NOT starts_with(steps[height], 's') -- a school's own seat is its count
        GROUP BY 1, 2, 3),
    added AS (
        INSERT INTO activation_count AS known (place, level, role, expected, generated, activated, disabled)
        SELECT * FROM spread ORDER BY place, level, role
        ON CONFLICT (place, level, role) DO UPDATE SET
            expected = known.expected + excluded.expected,
            generated = known.generated + excluded.generated,
            activated = known.activated + excluded.activated,
            disabled = known.disabled + excluded.disabled
        RETURNING 1)
    SELECT count(*) FROM taken
"""


def fold_deltas(db: Session, limit: int) -> int:
    """Add deltas to the counts of every region above them, in one statement; returns how many were taken."""
    return int(db.execute(sa.text(FOLD_DELTAS), {"limit": limit}).scalar_one())


def find_seat_state(db: Session, place: str, role: str) -> SeatState:
    """How far the seat has come, from the grants and codes themselves."""
    here = (AdminGrant.place == place, AdminGrant.role == role)
    holders, former = db.execute(
        sa.select(
            sa.func.count().filter(AdminGrant.state == GrantState.ACTIVE),
            sa.func.count().filter(AdminGrant.state != GrantState.ACTIVE),
        ).where(*here)
    ).one()
    codes = db.scalar(
        sa.select(sa.func.count()).where(
            AuthorityCode.place == place, AuthorityCode.role == role, AuthorityCode.state == CodeState.ISSUED
        )
    )
    return rules.state_of_seat(holders=holders, codes=codes or 0, former=former)


def lock_waiting_codes(db: Session, places: Iterable[str], role: str | None = None) -> Sequence[AuthorityCode]:
    """Codes that still wait at these places, to be approved or activated."""
    statement = sa.select(AuthorityCode).where(AuthorityCode.place.in_(list(places)), AuthorityCode.state.in_(WAITING))
    if role:
        statement = statement.where(AuthorityCode.role == role)
    return db.scalars(statement.order_by(AuthorityCode.code_id).with_for_update()).all()


# --- codes ----------------------------------------------------------------------------------------------------------


def find_code(db: Session, indexes: Iterable[str]) -> AuthorityCode | None:
    return db.scalars(sa.select(AuthorityCode).where(AuthorityCode.code_index.in_(list(indexes)))).one_or_none()


def find_code_by_id(db: Session, code_id: uuid.UUID) -> AuthorityCode | None:
    return db.get(AuthorityCode, code_id)


def lock_code(db: Session, code_id: uuid.UUID) -> AuthorityCode | None:
    """The code as it is once nobody else changes it."""
    return db.scalars(
        sa.select(AuthorityCode)
        .where(AuthorityCode.code_id == code_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()


def lock_codes_of_grants(db: Session, grant_ids: Iterable[uuid.UUID]) -> Sequence[AuthorityCode]:
    """The activated codes that gave these grants."""
    return db.scalars(
        sa.select(AuthorityCode)
        .where(AuthorityCode.grant_id.in_(list(grant_ids)), AuthorityCode.state == CodeState.ACTIVATED)
        .order_by(AuthorityCode.code_id)
        .with_for_update()
    ).all()


def lock_codes_issued_by(db: Session, account_id: uuid.UUID, place: str) -> Sequence[AuthorityCode]:
    """Codes of this issuer that still wait, at a place and below it."""
    return db.scalars(
        sa.select(AuthorityCode)
        .where(
            AuthorityCode.issued_by == account_id,
            AuthorityCode.state.in_(WAITING),
            at_or_below(AuthorityCode.place, place),
        )
        .order_by(AuthorityCode.code_id)
        .with_for_update()
    ).all()


def list_due_codes(db: Session, now: dt.datetime, limit: int) -> Sequence[AuthorityCode]:
    """Waiting codes whose time is over, in the order in which seats are locked."""
    due = (
        sa.select(AuthorityCode.code_id)
        .where(AuthorityCode.state.in_(WAITING), AuthorityCode.expires_at <= now)
        .order_by(AuthorityCode.expires_at)
        .limit(limit)
    )
    return db.scalars(
        sa.select(AuthorityCode).where(AuthorityCode.code_id.in_(due)).order_by(AuthorityCode.place, AuthorityCode.role)
    ).all()


def list_codes(
    db: Session, place: str, state: str | None, after: uuid.UUID | None, limit: int
) -> Sequence[AuthorityCode]:
    """Codes at a place and below it, newest first."""
    statement = sa.select(AuthorityCode).where(at_or_below(AuthorityCode.place, place))
    if state:
        statement = statement.where(AuthorityCode.state == state)
    if after:
        statement = statement.where(AuthorityCode.code_id < after)
    return db.scalars(statement.order_by(AuthorityCode.code_id.desc()).limit(limit)).all()


# --- proposals --------------------------------------------------------------------------------------------------------


def lock_proposal(db: Session, proposal_id: uuid.UUID) -> GrantProposal | None:
    return db.scalars(
        sa.select(GrantProposal).where(GrantProposal.proposal_id == proposal_id).with_for_update()
    ).one_or_none()


def lock_open_proposal(db: Session, account_id: uuid.UUID, role: str, place: str) -> GrantProposal | None:
    """The proposal of this very grant that still waits."""
    return db.scalars(
        sa.select(GrantProposal)
        .where(
            GrantProposal.account_id == account_id,
            GrantProposal.role == role,
            GrantProposal.place == place,
            GrantProposal.state == ProposalState.OPEN,
        )
        .with_for_update()
    ).one_or_none()


def lock_due_proposals(db: Session, now: dt.datetime, limit: int) -> Sequence[GrantProposal]:
    """Open proposals whose time is over; what a command is deciding at this moment is left to it."""
    return db.scalars(
        sa.select(GrantProposal)
        .where(GrantProposal.state == ProposalState.OPEN, GrantProposal.expires_at <= now)
        .order_by(GrantProposal.expires_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()


def list_proposals(
    db: Session, place: str, state: str | None, after: uuid.UUID | None, limit: int
) -> Sequence[GrantProposal]:
    """Proposals at a place and below it, newest first."""
    statement = sa.select(GrantProposal).where(at_or_below(GrantProposal.place, place))
    if state:
        statement = statement.where(GrantProposal.state == state)
    if after:
        statement = statement.where(GrantProposal.proposal_id < after)
    return db.scalars(statement.order_by(GrantProposal.proposal_id.desc()).limit(limit)).all()


# --- guesses ----------------------------------------------------------------------------------------------------------


def count_guess(db: Session, guesser: str, window_at: dt.datetime) -> int:
    """Count one guess; returns how many there are in this window."""
    added = insert(CodeGuess).values(guesser=guesser, window_at=window_at, guesses=1)
    statement = added.on_conflict_do_update(
        index_elements=[CodeGuess.guesser, CodeGuess.window_at], set_={"guesses": CodeGuess.guesses + 1}
    ).returning(CodeGuess.guesses)
    return int(db.execute(statement).scalar_one())


def forgive_guess(db: Session, guesser: str, window_at: dt.datetime) -> None:
    db.execute(
        sa.update(CodeGuess)
        .where(CodeGuess.guesser == guesser, CodeGuess.window_at == window_at, CodeGuess.guesses > 0)
        .values(guesses=CodeGuess.guesses - 1)
    )


def forget_guesses(db: Session, before: dt.datetime) -> None:
    db.execute(sa.delete(CodeGuess).where(CodeGuess.window_at < before))


# --- accounts -------------------------------------------------------------------------------------------------------


def find_appointee(db: Session, account_id: uuid.UUID) -> Appointee:
    """What identity has told of somebody who is to act for others. Every account that stands has a phone."""
    account = db.get(KnownAccount, account_id, populate_existing=True)
    if account is None or not account.standing:
        return Appointee(known=False)
    return Appointee(known=True, named=account.named)


def keep_account(
    db: Session,
    account_id: uuid.UUID,
    *,
    profile: tuple[int, bool] = (0, False),
    standing: tuple[int, bool] = (0, True),
    erased: bool = False,
) -> None:
    """Note an account, and what is newer than what is known of its name and its standing: (version, fact)."""
    added = insert(KnownAccount).values(
        account_id=account_id,
        profile_version=profile[0],
        named=profile[1],
        standing_version=standing[0],
        standing=standing[1],
        erased=erased,
    )
    new = added.excluded
    newer_name = new.profile_version > KnownAccount.profile_version
    # What the same version tells again is no news, but may say more: rows older than `erased` learn it so.
    newer_standing = sa.or_(
        new.standing_version > KnownAccount.standing_version,
        sa.and_(new.standing_version == KnownAccount.standing_version, new.erased, KnownAccount.erased.is_(False)),
    )
    # One statement, so that two versions arriving at once cannot both think themselves the newer.
    db.execute(
        added.on_conflict_do_update(
            index_elements=[KnownAccount.account_id],
            set_={
                "profile_version": sa.func.greatest(new.profile_version, KnownAccount.profile_version),
                "named": sa.case((newer_name, new.named), else_=KnownAccount.named),
                "standing_version": sa.func.greatest(new.standing_version, KnownAccount.standing_version),
                "standing": sa.case((newer_standing, new.standing), else_=KnownAccount.standing),
                "erased": sa.case((newer_standing, new.erased), else_=KnownAccount.erased),
            },
            where=sa.or_(newer_name, newer_standing),
        )
    )


# --- progress -------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Tally:
    """Seats of one role and level at a place and below it."""

    level: str
    role: str
    counts: Counts


@dataclasses.dataclass(frozen=True)
class UnitView:
    """A unit with its own seats, and for a region also what stands at it and below it."""

    place: str
    level: str
    name: str
    school_id: uuid.UUID | None
    seats: list[SeatView]
    tallies: list[Tally]


@dataclasses.dataclass(frozen=True)
class SeatView:
    place: str
    level: str
    role: str
    state: str
    changed_at: dt.datetime
    code_expires_at: dt.datetime | None
    name: str = ""
    school_id: uuid.UUID | None = None


def get_tallies(db: Session, place: str) -> list[Tally]:
    """The counts of one region: its rows by primary key, and the few deltas that are not folded yet, in one snapshot."""
    return list_tallies(db, place, [place], depth=0).get(place, [])


def list_tallies(db: Session, above: str, places: Sequence[str], *, depth: int) -> dict[str, list[Tally]]:
    """The counts of regions that stand `depth` steps below `above`."""
    if not places:
        return {}
    rows = db.execute(
        sa.text("""
            SELECT place, level, role, sum(expected), sum(generated), sum(activated), sum(disabled) FROM (
                SELECT place, level, role, expected, generated, activated, disabled
                FROM activation_count WHERE place = ANY(CAST(:places AS text[]))
                UNION ALL
                SELECT array_to_string((string_to_array(place, '/'))[1:CAST(:steps AS integer)], '/'), level, role,
                    expected, generated, activated, disabled
                FROM activation_delta WHERE place = :above OR (place > :first AND place < :last)) AS known
            WHERE place = ANY(CAST(:places AS text[]))
            GROUP BY place, level, role
        """),
        {
            "places": list(places),
            "above": above,
            "first": f"{above}/",
            "last": f"{above}0",
            "steps": above.count("/") + 1 + depth,
        },
    )
    found: dict[str, list[Tally]] = {}
    for place, level, role, *counts in rows:
        found.setdefault(place, []).append(Tally(level, role, Counts(*counts)))
    return {place: sorted(tallies, key=_height) for place, tallies in found.items()}


def _height(tally: Tally) -> tuple[int, int]:
    level = Level(tally.level)
    return list(Level).index(level), [str(role) for role in rules.seats_of(level)].index(tally.role)


def list_units(db: Session, parent: str, state: str | None, after: str | None, limit: int) -> list[UnitView]:
    """Units that stand directly below a place, in the order of the tree; with `state`, those with a seat in it."""
    statement = sa.select(AdminSeat.place, AdminSeat.level).where(AdminSeat.parent == parent, AdminSeat.standing)
    if state:
        statement = statement.where(AdminSeat.state == state)
    if after:
        statement = statement.where(AdminSeat.place > after)
    units = db.execute(statement.distinct().order_by(AdminSeat.place).limit(limit)).all()
    places = [place for place, _ in units]
    seats = _seats(db, AdminSeat.place.in_(places))
    names = _names(db, places)
    tallies = list_tallies(db, parent, [place for place, level in units if level != Level.SCHOOL], depth=1)
    return [
        UnitView(
            place,
            level,
            *names.get(place, ("", None)),
            [seat for seat in seats if seat.place == place],
            tallies.get(place, []),
        )
        for place, level in units
    ]


def list_seats(db: Session, place: str, role: str, state: str, after: str | None, limit: int) -> list[SeatView]:
    """Seats of one role in one state, at a place and anywhere below it: whom to remind."""
    condition = sa.and_(
        AdminSeat.role == role,
        AdminSeat.state == state,
        at_or_below(AdminSeat.place, place),
    )
    if after:
        condition = sa.and_(condition, AdminSeat.place > after)
    seats = _seats(db, condition, limit)
    names = _names(db, [seat.place for seat in seats])
    named = ((seat, *names.get(seat.place, ("", None))) for seat in seats)
    return [dataclasses.replace(seat, name=name, school_id=school_id) for seat, name, school_id in named]


def _seats(db: Session, condition: Any, limit: int | None = None) -> list[SeatView]:
    """Standing seats, each with the end of the code that waits for it."""
    waiting = sa.and_(
        AuthorityCode.place == AdminSeat.place,
        AuthorityCode.role == AdminSeat.role,
        AuthorityCode.state == CodeState.ISSUED,
    )
    rows = db.execute(
        sa.select(
            AdminSeat.place,
            AdminSeat.level,
            AdminSeat.role,
            AdminSeat.state,
            AdminSeat.changed_at,
            AuthorityCode.expires_at.label("code_expires_at"),
        )
        .outerjoin(AuthorityCode, waiting)
        .where(condition, AdminSeat.standing)
        .order_by(AdminSeat.place, AdminSeat.role)
        .limit(limit)
    ).mappings()
    return [SeatView(**row) for row in rows]


def _names(db: Session, places: Sequence[str]) -> dict[str, tuple[str, uuid.UUID | None]]:
    """{place: (name, school id)} of divisions and schools."""
    schools = db.execute(sa.select(School.place, School.name, School.school_id).where(School.place.in_(places)))
    divisions = db.execute(sa.select(Division.place, Division.name).where(Division.place.in_(places)))
    names: dict[str, tuple[str, uuid.UUID | None]] = {place: (name, None) for place, name in divisions}
    return names | {place: (name, school_id) for place, name, school_id in schools}


def list_administrators(
    db: Session, place: str, state: str | None, after: uuid.UUID | None, limit: int
) -> Sequence[AdminGrant]:
    """Grants at exactly this place, oldest first; ended ones too, unless a state is asked for."""
    statement = sa.select(AdminGrant).where(AdminGrant.place == place)
    if state:
        statement = statement.where(AdminGrant.state == state)
    if after:
        statement = statement.where(AdminGrant.grant_id > after)
    return db.scalars(statement.order_by(AdminGrant.grant_id).limit(limit)).all()


# --- proof ----------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class SeatEvidence:
    """A seat beside all that decides it. `level` is the unit's, None where no unit stands."""

    place: str
    role: str
    level: str | None
    standing: bool | None
    state: str | None
    holders: int
    former: int
    codes: int


@dataclasses.dataclass(frozen=True)
class CountEvidence:
    """The counts of one role and level at a place as written, deltas included, and as the seats add up."""

    place: str
    level: str
    role: str
    written: list[int]
    counted: list[int]

    @property
    def differs(self) -> bool:
        return self.written != self.counted


def list_seat_evidence(db: Session, after: str, limit: int) -> list[SeatEvidence]:
    """The seats of the next units in the order of the tree, in one snapshot: while it runs, people go on activating."""
    wanted = [(str(level), str(role)) for level in Level for role in rules.seats_of(level)]
    rows = db.execute(
        sa.text("""
            WITH school_page AS (
                SELECT place, 'SCHOOL' AS level FROM school
                WHERE place > :after AND NOT other AND state = ANY(CAST(:states AS text[]))
                ORDER BY place LIMIT :limit),
            division_page AS (
                SELECT place, level FROM division
                WHERE place > :after AND NOT (leaf AND level = 'PROVINCE') ORDER BY place LIMIT :limit),
            seat_page AS (
                SELECT DISTINCT place FROM (
                    SELECT place FROM admin_seat WHERE place > :after AND standing ORDER BY place LIMIT :limit) AS seats),
            page AS (
                SELECT place FROM school_page UNION SELECT place FROM division_page UNION SELECT place FROM seat_page
                ORDER BY place LIMIT :limit),
            unit AS (SELECT * FROM school_page UNION ALL SELECT * FROM division_page),
            wanted AS (
                SELECT unit.place, roles.role, unit.level FROM unit JOIN page USING (place) JOIN unnest(
                    CAST(:levels AS text[]), CAST(:roles AS text[])) AS roles(level, role) USING (level)),
            seat AS (SELECT admin_seat.* FROM admin_seat JOIN page USING (place) WHERE standing)
            SELECT place, role, wanted.level, seat.standing, seat.state,
                (SELECT count(*) FROM admin_grant WHERE admin_grant.place = place_of.place
                    AND admin_grant.role = place_of.role AND state = 'ACTIVE') AS holders,
                (SELECT count(*) FROM admin_grant WHERE admin_grant.place = place_of.place
                    AND admin_grant.role = place_of.role AND state <> 'ACTIVE') AS former,
                (SELECT count(*) FROM authority_code WHERE authority_code.place = place_of.place
                    AND authority_code.role = place_of.role AND state = 'ISSUED') AS codes
            FROM (SELECT place, role FROM wanted UNION SELECT place, role FROM seat) AS place_of
            LEFT JOIN wanted USING (place, role) LEFT JOIN seat USING (place, role)
            ORDER BY place, role
        """),
        {
            "after": after,
            "limit": limit,
            "states": [str(state) for state in STANDING],
            "levels": [level for level, _ in wanted],
            "roles": [role for _, role in wanted],
        },
    ).mappings()
    return [SeatEvidence(**row) for row in rows]


def list_region_places(db: Session, after: str, limit: int) -> list[str]:
    """The country and its divisions, in the order of the tree."""
    places = [NATION] if after < NATION else []
    found = db.scalars(
        sa.select(Division.place).where(Division.place > after).order_by(Division.place).limit(limit - len(places))
    )
    return [*places, *found]


def list_count_evidence(db: Session, places: Sequence[str]) -> list[CountEvidence]:
    """Every count of these places, in one snapshot."""
    rows = db.execute(
        sa.text("""
            WITH region AS (SELECT unnest(CAST(:places AS text[])) COLLATE "C" AS place),
            written AS (
                SELECT place, level, role, sum(expected) AS expected, sum(generated) AS generated,
                    sum(activated) AS activated, sum(disabled) AS disabled
                FROM (
                    SELECT place, level, role, expected, generated, activated, disabled
                    FROM activation_count JOIN region USING (place)
                    UNION ALL
                    SELECT region.place, level, role, expected, generated, activated, disabled
                    FROM activation_delta AS delta JOIN region
                    ON delta.place = region.place OR starts_with(delta.place, region.place || '/')) AS all_written
                GROUP BY place, level, role),
            counted AS (
                SELECT region.place, level, role, count(*) AS expected,
                    count(*) FILTER (WHERE state = 'GENERATED') AS generated,
                    count(*) FILTER (WHERE state = 'ACTIVATED') AS activated,
                    count(*) FILTER (WHERE state = 'DISABLED') AS disabled
                FROM region JOIN admin_seat AS seat ON seat.standing AND (
                    seat.place = region.place OR (seat.place > region.place || '/' AND seat.place < region.place || '0'))
                GROUP BY region.place, level, role)
            SELECT place, level, role,
                coalesce(written.expected, 0), coalesce(written.generated, 0),
                coalesce(written.activated, 0), coalesce(written.disabled, 0),
                coalesce(counted.expected, 0), coalesce(counted.generated, 0),
                coalesce(counted.activated, 0), coalesce(counted.disabled, 0)
            FROM written FULL JOIN counted USING (place, level, role)
            ORDER BY place, level, role
        """),
        {"places": list(places)},
    )
    return [
        CountEvidence(place, level, role, [int(each) for each in numbers[:4]], [int(each) for each in numbers[4:]])
        for place, level, role, *numbers in rows
    ]
