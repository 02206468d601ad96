"""Selects of identity/access that are reused, or that lock."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.identity import queries
from services.identity.access.models import TenantPolicy
from services.identity.access.rules import waiting
from services.identity.access.rules.guesses import COUNTED, WINDOW, Guesses, minute_of
from services.identity.access.rules.logins import Login, LoginKind
from services.identity.models import Account, AttemptWindow, Placement, SignIn, SmsCode
from services.identity.person.queries import find_by_learner_no
from services.identity.rules.documents import IdType
from services.identity.vault import Vault
from services.shared.driver import run_plain

TYPED, ACCOUNT, ADDRESS = "sign_in_typed", "sign_in_account", "sign_in_address"
DAY = dt.timedelta(days=1)
# As text: every sign-in asks these, and building the expressions took longer than the database.
COUNT_GUESSES = """
    SELECT coalesce(sum(attempts) FILTER (WHERE kind = 'sign_in_typed'), 0) AS typed,
           coalesce(sum(attempts) FILTER (WHERE kind = 'sign_in_account'), 0) AS account,
           coalesce(sum(attempts) FILTER (WHERE kind = 'sign_in_address' AND starts_at = %(minute)s), 0) AS minute,
           coalesce(sum(attempts) FILTER (WHERE kind = 'sign_in_address'), 0) AS address
    FROM attempt_window
    WHERE starts_at > %(since)s AND starts_at <= %(until)s
      AND (kind = 'sign_in_typed' AND subject = ANY (%(typed)s)
           OR kind = 'sign_in_account' AND subject = %(account)s
           OR kind = 'sign_in_address' AND subject = ANY (%(addresses)s))
"""
# The same work whether or not anybody has such a phone.
FIND_PHONE_AND_GUESSES = (
    "WITH owner AS MATERIALIZED (SELECT id, password_hash FROM account WHERE phone_index = ANY (%(phones)s)), counted AS ("  # noqa: S608  constants
    + COUNT_GUESSES.replace("%(account)s", "(SELECT id::text FROM owner)")
    + """)
    SELECT counted.typed, counted.account, counted.minute, counted.address, owner.id, owner.password_hash
    FROM counted LEFT JOIN owner ON true
    """
)
READ_FACTS = """
    SELECT account_grants.grants, placement.place, placement.state
    FROM (SELECT %(account_id)s::uuid AS id) AS one
    LEFT JOIN account_grants ON account_grants.account_id = one.id
    LEFT JOIN placement ON placement.teacher_id = one.id
"""
# The sign-in, its first refresh token, and what its access token is to tell: to the database and back once.
OPEN_SIGN_IN = (
    """
    WITH opened AS (
        INSERT INTO sign_in
            (id, account_id, by_code, method, device, address, started_at, last_used_at, desk, desk_opened_at)
        VALUES (%(id)s, %(account_id)s, %(by_code)s, %(method)s, %(device)s, %(address)s, %(now)s, %(now)s,
                %(desk)s, %(desk_opened_at)s)
    ), given AS (
        INSERT INTO refresh_token (token_hash, sign_in_id, account_id, issued_at, expires_at)
        VALUES (%(token_hash)s, %(id)s, %(account_id)s, %(now)s, %(expires_at)s)
    )
    """  # noqa: S608  constants
    + READ_FACTS
)


class Facts(NamedTuple):
    """What org has announced of an account, as its tokens need it."""

    grants: list[list[str]]
    place: str
    state: str


def find_account_by_login(db: Session, vault: Vault, login: Login) -> Account | None:
    """The living account that a phone, a learner number or an ID number leads to."""
    match login.kind:
        case LoginKind.PHONE:
            return queries.find_account_by_phone(db, vault.phone_candidates(login.text))
        case LoginKind.LEARNER_NO:
            return find_by_learner_no(db, login.text)
        case LoginKind.ID_NO:
            # A residence permit's number has the same form, and its first six digits are nobody's region.
            candidates = [
                index
                for id_type in (IdType.RESIDENT_ID, IdType.RESIDENCE_PERMIT)
                for index in vault.id_no_candidates(id_type, login.text)
            ]
            owner = queries.find_id_owner(db, candidates)
            return queries.find_account(db, owner) if owner else None


def count_guesses(
    db: Session, typed: Sequence[str], account_id: uuid.UUID, addresses: Sequence[str], now: dt.datetime
) -> Guesses:
    """Wrong guesses within the last quarter of an hour, in one look."""
    asked = {**_counted(typed, addresses, now), "account": str(account_id)}
    [counted] = run_plain(db, COUNT_GUESSES, asked)
    return Guesses(*map(int, counted))


def find_phone_and_guesses(
    db: Session, phones: Sequence[str], typed: Sequence[str], addresses: Sequence[str], now: dt.datetime
) -> tuple[uuid.UUID | None, str | None, Guesses]:
    """The account of a phone with its hash, and the wrong guesses at both: `count_guesses` in the same look."""
    asked = {**_counted(typed, addresses, now), "phones": list(phones)}
    [found] = run_plain(db, FIND_PHONE_AND_GUESSES, asked)
    return found.id, found.password_hash, Guesses(*map(int, found[:4]))


def _counted(typed: Sequence[str], addresses: Sequence[str], now: dt.datetime) -> dict[str, Any]:
    return {
        "typed": list(typed),
        "addresses": list(addresses),
        "since": now - COUNTED,
        # A simulated clock may have been set back; what lies ahead of it is no guess of now.
        "until": now + WINDOW,
        "minute": minute_of(now),
    }


def add_sign_in(db: Session, sign_in: dict[str, Any], token_hash: str, expires_at: dt.datetime) -> Facts:
    """Insert a sign-in and its first refresh token; what to tell of the account in its access token."""
    return _facts(run_plain(db, OPEN_SIGN_IN, {**sign_in, "token_hash": token_hash, "expires_at": expires_at}))


def read_facts(db: Session, account_id: uuid.UUID) -> Facts:
    return _facts(run_plain(db, READ_FACTS, {"account_id": account_id}))


def _facts(found: list[Any]) -> Facts:
    [row] = found
    return Facts(row.grants or [], row.place or "", row.state or "")


def forget_guesses(db: Session, typed: Sequence[str], account_id: uuid.UUID) -> None:
    """Begin counting anew for these, not for the address: one right password does not excuse a hundred wrong ones."""
    window = AttemptWindow
    theirs = sa.or_(
        (window.kind == TYPED) & window.subject.in_(typed),
        (window.kind == ACCOUNT) & (window.subject == str(account_id)),
    )
    db.execute(sa.delete(AttemptWindow).where(theirs).execution_options(synchronize_session=False))


def count_unused_codes(db: Session, phone_candidates: Sequence[str], now: dt.datetime) -> int:
    """SMS codes of the last day that nobody has used."""
    unused = sa.select(sa.func.count(SmsCode.id)).where(
        SmsCode.phone_index.in_(phone_candidates),
        SmsCode.issued_at > now - DAY,
        SmsCode.issued_at <= now + DAY,
        SmsCode.used_at.is_(None),
    )
    return db.scalar(unused) or 0


def is_waiting(db: Session, account_id: uuid.UUID) -> bool:
    """Whether this teacher may do nothing yet but finish the registration (GATED tenants)."""
    # Columns and not the row: whoever asks before and after a change must not get a remembered one.
    placed = sa.select(Placement.place, Placement.state).where(Placement.teacher_id == account_id)
    found = db.execute(placed).one_or_none()
    return found is not None and is_waiting_at(db, found.place, found.state)


def is_waiting_at(db: Session, place: str, state: str) -> bool:
    """As `is_waiting`, for who is known to stand there. Most are verified, and cost no look."""
    if not place or state == waiting.VERIFIED:
        return False
    return waiting.is_waiting(place, state, gating_mode(db, place))


def gating_mode(db: Session, place: str) -> str:
    """The mode of the nearest policy at or above a place, "" where none was ever decided."""
    nearest = (
        sa.select(TenantPolicy.mode)
        .where(TenantPolicy.place.in_(waiting.places_above(place)), TenantPolicy.withdrawn.is_(False))
        .order_by(sa.func.length(TenantPolicy.place).desc())
        .limit(1)
    )
    return db.scalar(nearest) or ""


def lock_living_sign_in(db: Session, sign_in_id: uuid.UUID | None, account_id: uuid.UUID | None) -> SignIn | None:
    """One sign-in of this account that has not ended."""
    found = sa.select(SignIn).where(SignIn.id == sign_in_id, SignIn.account_id == account_id, SignIn.ended_at.is_(None))
    return db.scalars(found.with_for_update()).one_or_none()


def list_living_sign_ins(
    db: Session, account_id: uuid.UUID, used_since: dt.datetime, before: uuid.UUID | None, limit: int
) -> list[SignIn]:
    """Those that can still be refreshed, newest first, one row more than `limit`."""
    living = sa.select(SignIn).where(
        SignIn.account_id == account_id, SignIn.ended_at.is_(None), SignIn.last_used_at > used_since
    )
    if before is not None:
        living = living.where(SignIn.id < before)
    return list(db.scalars(living.order_by(SignIn.id.desc()).limit(limit + 1)))
