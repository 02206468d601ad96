"""Housekeeping: what may be forgotten, and values that wait for the newest key."""

from __future__ import annotations

import datetime as dt
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from services.identity import tokens
from services.identity.models import (
    Account,
    AttemptWindow,
    DevelopmentMessage,
    Profile,
    ProfileHistory,
    RefreshToken,
    Revocation,
    SignIn,
    SmsCode,
)
from services.identity.vault import Vault

# The longest limit counts one day; a second one keeps the clocks of all time zones on the safe side.
LIMITS_KEPT = dt.timedelta(days=2)
MAILBOX_KEPT = dt.timedelta(days=7)
# A used token stays recognisable as stolen for as long as a sign-in may live.
TOKENS_KEPT = dt.timedelta(days=30)
ROWS_AT_ONCE = 500


def forget_stale(db: Session, now: dt.datetime) -> int:
    """Delete what nothing asks for any more; returns the number of rows."""
    stale = (
        sa.delete(SmsCode).where(SmsCode.issued_at < now - LIMITS_KEPT),
        sa.delete(AttemptWindow).where(AttemptWindow.starts_at < now - LIMITS_KEPT),
        sa.delete(DevelopmentMessage).where(DevelopmentMessage.sent_at < now - MAILBOX_KEPT),
        # Twice a token's life: a sign-in's revocation reaches that far.
        sa.delete(Revocation).where(Revocation.revoked_at < now - 3 * tokens.LIFETIME),
        sa.delete(RefreshToken).where(RefreshToken.expires_at < now - TOKENS_KEPT),
        sa.delete(SignIn).where(
            SignIn.started_at < now - TOKENS_KEPT,
            ~sa.exists().where(RefreshToken.sign_in_id == SignIn.id),
        ),
    )
    results = [db.execute(statement.execution_options(synchronize_session=False)) for statement in stale]
    return sum(cast(CursorResult[Any], result).rowcount for result in results)


def reseal_personal_data(db: Session, vault: Vault) -> int:
    """Bring a batch of values and indexes under the newest keys after a rotation; returns how many rows changed."""
    return _reseal_accounts(db, vault) + _reseal_profiles(db, vault) + _reseal_history(db, vault)


def _reseal_accounts(db: Session, vault: Vault) -> int:
    rows = db.scalars(
        _waiting(Account, sa.or_(vault.is_stale(Account.phone_sealed), vault.is_stale_index(Account.phone_index)))
    ).all()
    for account in rows:
        phone = vault.open("account", account.id, "phone", account.phone_sealed)
        account.phone_sealed = vault.seal("account", account.id, "phone", phone)
        account.phone_index = vault.phone_index(phone)
    return len(rows)


def _reseal_profiles(db: Session, vault: Vault) -> int:
    stale = sa.or_(
        vault.is_stale(Profile.name_sealed),
        vault.is_stale(Profile.id_no_sealed),
        vault.is_stale_index(Profile.id_no_index),
    )
    rows = db.scalars(_waiting(Profile, stale)).all()
    for profile in rows:
        owner = profile.account_id
        if profile.name_sealed:
            profile.name_sealed = vault.cipher.reseal(profile.name_sealed, "profile", owner, "name")
        if profile.id_no_sealed and profile.id_type:
            id_no = vault.open("profile", owner, "id_no", profile.id_no_sealed)
            profile.id_no_sealed = vault.seal("profile", owner, "id_no", id_no)
            profile.id_no_index = vault.id_no_index(profile.id_type, id_no)
    return len(rows)


def _reseal_history(db: Session, vault: Vault) -> int:
    rows = db.scalars(_waiting(ProfileHistory, vault.is_stale(ProfileHistory.value_sealed))).all()
    for old in rows:
        old.value_sealed = vault.cipher.reseal(old.value_sealed, "profile_history", old.id, old.field)
    return len(rows)


def _waiting(model, stale):
    # SKIP LOCKED: a row that somebody is changing right now gets the newest key by that change, or next time.
    return sa.select(model).where(stale).limit(ROWS_AT_ONCE).with_for_update(skip_locked=True)
