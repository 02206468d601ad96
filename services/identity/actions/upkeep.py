"""Housekeeping: what may be forgotten, and values that wait for the newest key."""

from __future__ import annotations

import datetime as dt
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from services.identity import tokens
from services.identity.actions.profiles import SEALED, fill_profile, open_profile
from services.identity.mail.models import EmailCode
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
from services.identity.person.models import PersonMerge, ProfileDraft
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
        sa.delete(EmailCode).where(EmailCode.issued_at < now - LIMITS_KEPT),
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
    reseals = (_reseal_accounts, _reseal_profiles, _reseal_history, _reseal_drafts, _reseal_merges)
    return sum(reseal(db, vault) for reseal in reseals)


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
        *(vault.is_stale(getattr(Profile, f"{field}_sealed")) for field in SEALED),
        vault.is_stale_index(Profile.id_no_index),
        vault.is_stale_index(Profile.name_index),
    )
    rows = db.scalars(_waiting(Profile, stale)).all()
    for profile in rows:
        # All of it, whatever was stale: what is filled in is sealed and indexed by the newest keys.
        fill_profile(vault, profile, open_profile(vault, profile), profile.changed_at)
    return len(rows)


def _reseal_history(db: Session, vault: Vault) -> int:
    stale = sa.or_(vault.is_stale(ProfileHistory.value_sealed), vault.is_stale_index(ProfileHistory.value_index))
    rows = db.scalars(_waiting(ProfileHistory, stale)).all()
    for old in rows:
        value = vault.open("profile_history", old.id, old.field, old.value_sealed)
        old.value_sealed = vault.seal("profile_history", old.id, old.field, value)
        if old.value_index is not None and old.id_type:
            old.value_index = vault.id_no_index(old.id_type, value)
    return len(rows)


def _reseal_drafts(db: Session, vault: Vault) -> int:
    rows = db.scalars(_waiting(ProfileDraft, vault.is_stale(ProfileDraft.value_sealed))).all()
    for draft in rows:
        draft.value_sealed = vault.cipher.reseal(draft.value_sealed, "profile_draft", draft.account_id, draft.field)
    return len(rows)


def _reseal_merges(db: Session, vault: Vault) -> int:
    rows = db.scalars(_waiting(PersonMerge, vault.is_stale(PersonMerge.undo_sealed))).all()
    for merge in rows:
        if merge.undo_sealed:
            merge.undo_sealed = vault.cipher.reseal(merge.undo_sealed, "person_merge", merge.id, "undo")
    return len(rows)


def _waiting(model, stale):
    # SKIP LOCKED: a row that somebody is changing right now gets the newest key by that change, or next time.
    return sa.select(model).where(stale).limit(ROWS_AT_ONCE).with_for_update(skip_locked=True)
