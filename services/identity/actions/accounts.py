"""Accounts: registration, the standing that tokens tell, identities, revocation of access."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.identity import contract, queries, tokens
from services.identity.access import queries as access_queries
from services.identity.access.rules import desks
from services.identity.actions.codes import spend_code
from services.identity.actions.refusals import refused
from services.identity.models import Account, AccountGrants, Profile, Revocation, SignIn
from services.identity.rules.contact import masked_phone
from services.identity.rules.profile import Identity, may_become
from services.identity.vault import Vault
from services.shared import clock, outbox
from services.shared.actor import Desk
from services.shared.bus import Call
from services.shared.errors import Conflict, InvalidInput, NotFound
from services.shared.ids import new_id

# Memberships in which a person stands somewhere; org's other states are of somebody who does not.
BELONGING = frozenset({"PENDING", "VERIFIED"})


@dataclasses.dataclass(frozen=True)
class Standing:
    """What an access token says about an account in one sign-in. At the teacher's desk there are no grants."""

    account_id: uuid.UUID
    active_identity: str
    grants: list[list[str]]
    version: int
    tokens_not_before: dt.datetime | None
    desk: Desk
    elevated_until: dt.datetime | None
    waiting: bool
    place: str = ""  # of the school that the person belongs to


@dataclasses.dataclass(frozen=True)
class SignInTimes:
    """At which desk a sign-in stands, since when, and what that is good for."""

    desk: Desk = Desk.TEACHER
    desk_opened_at: dt.datetime | None = None
    elevated_until: dt.datetime | None = None
    tokens_not_before: dt.datetime | None = None

    @classmethod
    def of(cls, sign_in: SignIn) -> SignInTimes:
        return cls(Desk(sign_in.desk), sign_in.desk_opened_at, sign_in.elevated_until, sign_in.tokens_not_before)


@dataclasses.dataclass(frozen=True)
class Registration:
    phone: str
    sms_code: str
    password_hash: str | None
    identity: str


def register_account(db: Session, call: Call, vault: Vault, wanted: Registration) -> dict[str, Any]:
    """Make the account of a phone whose code was typed right; returns its id.

    Refused: "identity.sms_code_refused" (the try counts), "identity.phone_taken". Whether a phone is known is told only
    to who has just read a message on it.
    """
    if not spend_code(db, vault, wanted.phone, "REGISTER", wanted.sms_code, call.now):
        return refused(InvalidInput("identity.sms_code_refused", "sms_code"))
    if queries.find_account_by_phone(db, vault.phone_candidates(wanted.phone)):
        return refused(Conflict("identity.phone_taken", "phone"))
    # Two codes of one phone may be spent at the same moment; the unique index then refuses the second registration.
    account = new_account(vault, wanted.phone, wanted.identity, "SELF", call.now)
    account.password_hash = wanted.password_hash
    db.add(account)
    db.flush()
    db.add(Profile(account_id=account.id, changed_at=call.now))
    outbox.announce(db, contract.ACCOUNT_REGISTERED, account.id, registered_payload(account))
    return {"account_id": str(account.id)}


def new_account(vault: Vault, phone: str, identity: str, origin: str, now: dt.datetime) -> Account:
    account_id = new_id()
    return Account(
        id=account_id,
        phone_sealed=vault.seal("account", account_id, "phone", phone),
        phone_index=vault.phone_index(phone),
        identities=[identity],
        active_identity=identity,
        registered_as=identity,
        version=1,
        origin=origin,
        registered_at=now,
    )


def registered_payload(account: Account) -> dict[str, Any]:
    return told_registered(account.id, account.registered_as or account.active_identity)


def told_registered(account_id: uuid.UUID | str, identity: str) -> dict[str, Any]:
    return {"account_id": str(account_id), "version": 1, "identity": identity}


def get_standing(db: Session, call: Call) -> Standing:
    """The caller's, in the sign-in that the call comes from. Raises NotFound for an account that is gone."""
    account = queries.find_account(db, call.actor.account_id) if call.actor.account_id else None
    if account is None:
        raise NotFound("identity.person_unknown")
    sign_in = db.get(SignIn, call.actor.session_id) if call.actor.session_id else None
    own = sign_in is not None and sign_in.account_id == account.id
    return standing_of(db, account, sign_in if own else None, call.now)


def standing_of(db: Session, account: Account, sign_in: SignIn | None, now: dt.datetime) -> Standing:
    times = SignInTimes.of(sign_in) if sign_in is not None else SignInTimes()
    return standing_by(db, account, times, access_queries.read_facts(db, account.id), now)


def standing_by(
    db: Session, account: Account, sign_in: SignInTimes, facts: access_queries.Facts, now: dt.datetime
) -> Standing:
    """As `standing_of`, from facts that were read already."""
    grants = facts.grants
    desk = desks.desk_at(sign_in.desk, sign_in.desk_opened_at, bool(grants), now)
    elevated_until = desks.elevation_at(sign_in.elevated_until, now)
    not_before = max(filter(None, (account.tokens_not_before, sign_in.tokens_not_before)), default=None)
    administers = desk is Desk.ADMINISTRATOR
    return Standing(
        account.id,
        account.active_identity,
        grants if administers else [],
        account.version,
        not_before,
        desk,
        elevated_until,
        # Somebody above has appointed the administrator: no school has to vouch for that first.
        waiting=not administers and access_queries.is_waiting_at(db, facts.place, facts.state),
        place=facts.place if facts.state in BELONGING else "",
    )


def show_account(db: Session, vault: Vault, account_id: uuid.UUID) -> dict[str, Any]:
    """An account as its owner sees it. Raises NotFound."""
    account = queries.find_account(db, account_id)
    if account is None:
        raise NotFound("identity.person_unknown")
    return shown_account(vault, account, queries.find_grants(db, account.id))


def shown_account(vault: Vault, account: Account, grants: list[list[str]]) -> dict[str, Any]:
    return {
        "account_id": account.id,
        "phone": masked_phone(vault.open("account", account.id, "phone", account.phone_sealed)),
        "identities": account.identities,
        "active_identity": account.active_identity,
        "has_password": account.password_hash is not None,
        "locked": account.locked_at is not None,
        "grants": [{"role": role, "place": place} for role, place in grants],
        "registered_at": clock.format_instant(account.registered_at),
    }


def switch_identity(db: Session, call: Call, wanted: Identity) -> dict[str, Any]:
    """Act as `wanted` from now on; older access tokens end. Raises Conflict("identity.identity_not_held")."""
    account = queries.lock_account(db, call.actor.account_id) if call.actor.account_id else None
    if account is None:
        raise NotFound("identity.person_unknown")
    if not may_become(account.identities, wanted):
        raise Conflict("identity.identity_not_held", "identity")
    if account.active_identity != wanted:
        account.identities = sorted({*account.identities, wanted})
        account.active_identity = wanted
        account.version += 1
        db.flush()
        revoke_access(db, account.id, call.now)
    return {"active_identity": account.active_identity}


def keep_grants(db: Session, payload: dict[str, Any], now: dt.datetime) -> None:
    """Store org's list of an account's grants unless a newer one is known, and end tokens that tell the old one."""
    account_id = uuid.UUID(payload["account_id"])
    values = {"account_id": account_id, "version": payload["version"], "grants": payload["grants"]}
    statement = insert(AccountGrants).values(values)
    # One statement, so that two versions arriving at once cannot both think themselves the first.
    newer = statement.on_conflict_do_update(
        index_elements=["account_id"],
        set_={name: statement.excluded[name] for name in ("version", "grants")},
        where=AccountGrants.version < statement.excluded.version,
    ).returning(AccountGrants.account_id)
    if db.execute(newer).one_or_none() is not None:
        revoke_access(db, account_id, now)


def revoke_access(db: Session, account_id: uuid.UUID, now: dt.datetime, sign_in_id: uuid.UUID | None = None) -> None:
    """Void the access tokens given out so far: of the account, or of one sign-in that is over for good."""
    if sign_in_id is not None:
        not_before = now + tokens.LIFETIME
    else:
        found = _advance_not_before(db, account_id, now)
        if found is None:
            return  # org may grant before it is told of an account; there are no tokens to void
        not_before = found
    _announce_revocation(db, account_id, sign_in_id, not_before, now)


def _announce_revocation(
    db: Session, account_id: uuid.UUID, sign_in_id: uuid.UUID | None, not_before: dt.datetime, now: dt.datetime
) -> None:
    db.add(Revocation(id=new_id(), account_id=account_id, sign_in_id=sign_in_id, not_before=not_before, revoked_at=now))
    payload = {
        "account_id": str(account_id),
        "session_id": str(sign_in_id) if sign_in_id else None,
        "not_before": clock.format_instant(not_before),
    }
    outbox.announce(db, contract.ACCESS_REVOKED, account_id, payload)


def revoke_desk(db: Session, sign_in: SignIn, now: dt.datetime) -> None:
    """Void the access tokens of one sign-in that goes on: its next ones tell another desk."""
    not_before = max(filter(None, (now, sign_in.tokens_not_before and sign_in.tokens_not_before + tokens.NEXT_INSTANT)))
    sign_in.tokens_not_before = not_before
    _announce_revocation(db, sign_in.account_id, sign_in.id, not_before, now)


def _advance_not_before(db: Session, account_id: uuid.UUID, now: dt.datetime) -> dt.datetime | None:
    # Always forward: the tokens minted since the last revocation may carry an `iat` a little ahead of the clock.
    later = sa.func.greatest(now, Account.tokens_not_before + tokens.NEXT_INSTANT)
    return db.scalar(
        sa.update(Account)
        .where(Account.id == account_id)
        .values(tokens_not_before=later)
        .returning(Account.tokens_not_before)
        .execution_options(synchronize_session=False)
    )
