"""Selects of identity that are reused, or that lock."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.identity.models import (
    Account,
    AccountGrants,
    AttemptWindow,
    DevelopmentMessage,
    Placement,
    Profile,
    RefreshToken,
    Revocation,
    SignIn,
    SmsCode,
)
from services.identity.rules.sign_in import REFRESH_IDLE, SendHistory
from services.shared.driver import run_plain
from services.shared.many_rows import words_of

HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
# Built once: every sign-in asks it, and building takes longer than asking.
LOCK_ACCOUNT = sa.select(Account).where(Account.id == sa.bindparam("account_id")).with_for_update()
LOCK_WORDS = """
    SELECT pg_advisory_xact_lock(number)
    FROM (SELECT hashtextextended(word, 0) AS number FROM unnest(%(words)s::text[]) AS word ORDER BY number) AS ordered
"""

# The candidates as one text: an array of a thousand takes the driver longer than all the rest of the question.
PHONE_OWNERS = """
    SELECT id, phone_index, learner_no IS NULL AND state = 'ACTIVE' AS unnumbered
    FROM account WHERE phone_index = ANY (string_to_array(%(candidates)s, ' '))
"""
ID_OWNERS = """
    SELECT account_id, id_no_index, name_sealed
    FROM profile WHERE id_no_index = ANY (string_to_array(%(candidates)s, ' '))
"""


def find_account(db: Session, account_id: uuid.UUID) -> Account | None:
    return db.get(Account, account_id)


def find_account_by_phone(db: Session, phone_candidates: Sequence[str]) -> Account | None:
    return db.scalars(sa.select(Account).where(Account.phone_index.in_(phone_candidates))).one_or_none()


def lock_account(db: Session, account_id: uuid.UUID) -> Account | None:
    return db.scalars(LOCK_ACCOUNT, {"account_id": account_id}).one_or_none()


def lock_accounts(db: Session, account_ids: Collection[uuid.UUID]) -> list[Account]:
    """Several accounts, locked in one order."""
    accounts = sa.select(Account).where(Account.id.in_(account_ids)).order_by(Account.id)
    return list(db.scalars(accounts.with_for_update()))


def find_profile(db: Session, account_id: uuid.UUID) -> Profile | None:
    return db.get(Profile, account_id)


def find_id_owner(db: Session, id_no_candidates: Sequence[str]) -> uuid.UUID | None:
    return db.scalar(sa.select(Profile.account_id).where(Profile.id_no_index.in_(id_no_candidates)))


def list_phone_owners(db: Session, phone_candidates: Iterable[str]) -> Sequence[Any]:
    """Rows of (id, phone_index, unnumbered: still without a learner number)."""
    return run_plain(db, PHONE_OWNERS, {"candidates": words_of(phone_candidates)})


def list_id_owners(db: Session, id_no_candidates: Iterable[str]) -> Sequence[Any]:
    """Rows of (account_id, id_no_index, name_sealed)."""
    return run_plain(db, ID_OWNERS, {"candidates": words_of(id_no_candidates)})


def find_grants(db: Session, account_id: uuid.UUID) -> list[list[str]]:
    found = db.get(AccountGrants, account_id)
    return found.grants if found else []


def find_placement(db: Session, account_id: uuid.UUID) -> Placement | None:
    return db.get(Placement, account_id)


def list_people(db: Session, account_ids: Collection[uuid.UUID]) -> list[tuple[Account, Profile, Placement | None]]:
    """Those of the asked people whom the transaction's scope shows, oldest account first."""
    rows = db.execute(
        sa.select(Account, Profile, Placement)
        .join(Profile, Profile.account_id == Account.id)
        .outerjoin(Placement, Placement.teacher_id == Account.id)
        .where(Account.id.in_(account_ids))
        .order_by(Account.id)
    )
    return [(account, profile, placement) for account, profile, placement in rows]


def lock_newest_code(db: Session, phone_candidates: Sequence[str], purpose: str) -> SmsCode | None:
    """The code sent last; earlier ones are dead. Locked, so parallel guesses are counted one after the other."""
    return db.scalars(
        sa.select(SmsCode)
        .where(SmsCode.phone_index.in_(phone_candidates), SmsCode.purpose == purpose)
        # By id, which follows the real clock: a simulated one may stand still or be set back.
        .order_by(SmsCode.id.desc())
        .limit(1)
        .with_for_update()
    ).one_or_none()


def send_history(
    db: Session, phone_candidates: Sequence[str], address_candidates: Sequence[str], network: str, now: dt.datetime
) -> SendHistory:
    """What was sent lately, and whether `network`, a masked address, is one of the owner's. Call it under `lock_words` of both, or parallel requests do not see each other."""
    recent = SmsCode.issued_at > now - HOUR
    unused_sent_at, last_hour, last_day = db.execute(
        sa.select(
            sa.func.max(SmsCode.issued_at).filter(SmsCode.used_at.is_(None)),
            sa.func.count().filter(recent),
            sa.func.count(SmsCode.id),
        ).where(
            SmsCode.phone_index.in_(phone_candidates), SmsCode.issued_at > now - DAY, SmsCode.issued_at <= now + HOUR
        )
    ).one()
    from_address = db.scalar(
        sa.select(sa.func.count(SmsCode.id)).where(SmsCode.address_index.in_(address_candidates), recent)
    )
    is_known = db.scalar(
        sa.select(
            sa.exists().where(
                Account.phone_index.in_(phone_candidates),
                SignIn.account_id == Account.id,
                SignIn.address == network,
                SignIn.last_used_at > now - REFRESH_IDLE,
            )
        )
    )
    return SendHistory(unused_sent_at, last_hour, last_day, from_address or 0, bool(network and is_known))


def lock_words(db: Session, *words: str) -> None:
    """Let transactions that name the same word wait for each other until they end.

    The locks are taken in one order whatever the order of the words, so that two callers never wait crosswise.
    """
    run_plain(db, LOCK_WORDS, {"words": list(words)})


def count_attempts(db: Session, kind: str, subjects: Sequence[str], starts_at: dt.datetime) -> int:
    attempts = db.scalar(
        sa.select(sa.func.sum(AttemptWindow.attempts)).where(
            AttemptWindow.kind == kind, AttemptWindow.subject.in_(subjects), AttemptWindow.starts_at == starts_at
        )
    )
    return int(attempts or 0)


def lock_refresh_token(db: Session, token_hash: str) -> tuple[RefreshToken, SignIn] | None:
    """The token and its sign-in; the sign-in is locked first, as everything that ends it does."""
    found = db.get(RefreshToken, token_hash)
    if found is None:
        return None
    sign_in = db.scalars(sa.select(SignIn).where(SignIn.id == found.sign_in_id).with_for_update()).one()
    db.refresh(found, with_for_update=True)
    return found, sign_in


def lock_other_sign_ins(db: Session, account_id: uuid.UUID, own_id: uuid.UUID | None) -> list[SignIn]:
    """The living sign-ins of an account but one, locked in one order."""
    living = sa.select(SignIn).where(SignIn.account_id == account_id, SignIn.ended_at.is_(None))
    if own_id is not None:
        living = living.where(SignIn.id != own_id)
    return list(db.scalars(living.order_by(SignIn.id).with_for_update()))


def list_revocations(db: Session, since: dt.datetime) -> list[Revocation]:
    return list(db.scalars(sa.select(Revocation).where(Revocation.revoked_at > since).order_by(Revocation.id)))


def list_development_messages(db: Session, to: Sequence[str], limit: int) -> list[DevelopmentMessage]:
    """Newest first; of one phone or address, or of all when none is given."""
    newest = sa.select(DevelopmentMessage).order_by(DevelopmentMessage.id.desc()).limit(limit)
    if to:
        newest = newest.where(DevelopmentMessage.to_index.in_(to))
    return list(db.scalars(newest))
