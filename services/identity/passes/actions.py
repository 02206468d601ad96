"""Authorisations begun and redeemed; passes bound, used, unbound."""

from __future__ import annotations

import dataclasses
import hmac
import secrets
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from services.identity import queries as people
from services.identity.access.actions.signing_in import unlock
from services.identity.access.rules.sign_ins import Method
from services.identity.actions.refusals import refused
from services.identity.actions.sign_ins import Client, open_sign_in
from services.identity.contract import passes as contract
from services.identity.contract.notices import NoticeKind
from services.identity.models import Account
from services.identity.notices.actions import Addressee, tell
from services.identity.passes import queries, rules
from services.identity.passes.issuers import Issuer
from services.identity.passes.models import PassBinding, PassFlow
from services.identity.passes.rules import Purpose, Stage
from services.identity.phone.actions.swaps import ACTIVE, lock_active, place_of
from services.identity.phone.queries import find_ticket_of
from services.identity.vault import Vault, token_hash
from services.shared import audit, clock, outbox
from services.shared.bus import Call
from services.shared.errors import Conflict, InvalidInput, NotFound
from services.shared.ids import new_id

SECRET_BYTES = 32
ROWS_AT_ONCE = 500


@dataclasses.dataclass(frozen=True)
class Begun:
    """The secrets of an authorisation: `state` and `nonce` go through the browser, `verifier` to the issuer, and
    `client_key` stays with the client that began."""

    state: str
    nonce: str
    verifier: str
    client_key: str

    @classmethod
    def fresh(cls) -> Begun:
        return cls(*(secrets.token_urlsafe(SECRET_BYTES) for _ in dataclasses.fields(cls)))


@dataclasses.dataclass(frozen=True)
class Redeemable:
    """An authorisation that this command may redeem. `subject` is what the issuer has already said to it."""

    flow_id: uuid.UUID
    issuer: str
    redirect_uri: str
    nonce: str
    verifier: str
    subject: str


def begin(
    db: Session, call: Call, vault: Vault, issuer: Issuer, redirect_uri: str, purpose: Purpose, begun: Begun
) -> dict[str, Any]:
    """Write down what has to come back."""
    flow_id = new_id()
    db.add(
        PassFlow(
            id=flow_id,
            state_hash=token_hash(begun.state),
            client_key_hash=token_hash(begun.client_key),
            issuer=issuer.name,
            purpose=purpose,
            account_id=call.actor.account_id if purpose is Purpose.BIND else None,
            sign_in_id=call.actor.session_id if purpose is Purpose.BIND else None,
            redirect_uri=redirect_uri,
            nonce_sealed=vault.seal("pass_flow", flow_id, "nonce", begun.nonce),
            verifier_sealed=vault.seal("pass_flow", flow_id, "verifier", begun.verifier),
            started_at=call.now,
            expires_at=call.now + rules.FLOW_LIFETIME,
        )
    )
    return {}


def take_up(db: Session, call: Call, vault: Vault, state: str, client_key: str, purpose: Purpose) -> Redeemable:
    """Take an authorisation for this command alone; a second one finds it used, and so does another browser.

    Raises InvalidInput("identity.pass_flow_over") for whatever is unknown, late, used, or somebody else's.
    """
    flow = queries.lock_flow(db, token_hash(state))
    if flow is None or not hmac.compare_digest(flow.client_key_hash, token_hash(client_key)):
        raise InvalidInput("identity.pass_flow_over", "state")
    stage = Stage(Purpose(flow.purpose), flow.expires_at, flow.used_by)
    own = purpose is Purpose.SIGN_IN or (flow.account_id, flow.sign_in_id) == (
        call.actor.account_id,
        call.actor.session_id,
    )
    if not own or not rules.is_redeemable(stage, purpose, call.command_id, call.now):
        raise InvalidInput("identity.pass_flow_over", "state")
    flow.used_by = call.command_id
    db.flush()
    return Redeemable(
        flow.id,
        flow.issuer,
        flow.redirect_uri,
        vault.open("pass_flow", flow.id, "nonce", flow.nonce_sealed),
        vault.open("pass_flow", flow.id, "verifier", flow.verifier_sealed),
        vault.open("pass_flow", flow.id, "subject", flow.subject_sealed),
    )


def note_subject(db: Session, vault: Vault, flow_id: uuid.UUID, subject: str) -> None:
    """Remember what the issuer said: its code works once, but our answer may get lost."""
    sealed = vault.seal("pass_flow", flow_id, "subject", subject)
    db.execute(sa.update(PassFlow).where(PassFlow.id == flow_id).values(subject_sealed=sealed))


def sign_in_by_pass(db: Session, call: Call, vault: Vault, issuer: str, subject: str, client: Client) -> dict[str, Any]:
    """Open a sign-in of the account that the pass is bound to; that also unlocks (`domain.md` §3.9).

    Refused: "identity.pass_unbound". Nothing that the issuer says of the holder, phone or e-mail, is ever looked at.
    """
    binding = queries.find_binding(db, issuer, vault.subject_candidates(issuer, subject))
    account = _account_of(db, binding) if binding is not None else None
    if binding is None or account is None:
        return refused(NotFound("identity.pass_unbound"))
    binding.used_at = call.now
    unlock(db, vault, account)
    return {"opened": open_sign_in(db, call, vault, account.id, by_code=False, method=Method.PASS, client=client)}


def _account_of(db: Session, binding: PassBinding) -> Account | None:
    """Whom a pass leads to; that of a merged account to the one that stands for the person now."""
    account = people.find_account(db, binding.account_id)
    if account is not None and account.merged_into is not None:
        account = people.find_account(db, account.merged_into)
    return account if account is not None and account.state == ACTIVE else None


def bind_pass(db: Session, call: Call, vault: Vault, issuer: Issuer, subject: str) -> dict[str, Any]:
    """Bind the pass to the caller's account; binding it again changes nothing.

    Refused: "identity.pass_taken", "identity.pass_bound_already".
    """
    account = lock_active(db, call.actor.account_id)
    if account is None:
        raise NotFound("identity.person_unknown")
    candidates = vault.subject_candidates(issuer.name, subject)
    people.lock_words(db, f"pass {candidates[-1]}")
    known = queries.find_binding(db, issuer.name, candidates)
    if known is not None:
        return show_pass(known) if known.account_id == account.id else refused(Conflict("identity.pass_taken"))
    if any(binding.issuer == issuer.name for binding in queries.list_bindings(db, account.id)):
        return refused(Conflict("identity.pass_bound_already"))
    binding_id = new_id()
    binding = PassBinding(
        id=binding_id,
        account_id=account.id,
        issuer=issuer.name,
        subject_sealed=vault.seal("pass_binding", binding_id, "subject", subject),
        subject_index=candidates[0],
        bound_at=call.now,
    )
    db.add(binding)
    _announce(db, call, vault, account, issuer, contract.PASS_BOUND, NoticeKind.PASS_BOUND)
    return show_pass(binding)


def unbind_pass(
    db: Session, call: Call, vault: Vault, pass_id: uuid.UUID, issuers: dict[str, Issuer]
) -> dict[str, Any]:
    """Take a pass off the caller's account. Raises NotFound("identity.pass_unknown"), Conflict("identity.pass_last_way_in")."""
    ticket = find_ticket_of(db, call.actor.account_id)
    account = lock_active(db, call.actor.account_id)
    bindings = queries.lock_bindings(db, call.actor.account_id)
    binding = next((each for each in bindings if each.id == pass_id), None)
    if account is None or binding is None:
        raise NotFound("identity.pass_unknown")
    if rules.is_last_way_in(
        has_password=account.password_hash is not None and account.locked_at is None,
        phone_is_dead=ticket is not None,
        other_passes=len(bindings) - 1,
    ):
        raise Conflict("identity.pass_last_way_in")
    db.delete(binding)
    issuer = issuers.get(binding.issuer) or _gone(binding.issuer)
    _announce(db, call, vault, account, issuer, contract.PASS_UNBOUND, NoticeKind.PASS_UNBOUND)
    return {}


def _gone(name: str) -> Issuer:
    """An issuer that the settings name no more; its passes can still be unbound."""
    return Issuer(name, "", "", "", name, name, (), ())


def _announce(
    db: Session, call: Call, vault: Vault, account: Account, issuer: Issuer, event: str, kind: NoticeKind
) -> None:
    account.version += 1
    db.flush()
    told = {"account_id": str(account.id), "version": account.version, "issuer": issuer.name}
    outbox.announce(db, event, account.id, told)
    details = {"provider_zh": issuer.title_zh, "provider_en": issuer.title_en}
    tell(db, vault, kind, f"pass {account.id} {account.version}", Addressee(account.id), call.now, details)
    audit.record(db, call, subject=account.id, place=place_of(db, account.id), after={"pass": issuer.name})


def show_pass(binding: PassBinding) -> dict[str, Any]:
    return {
        "pass_id": str(binding.id),
        "issuer": binding.issuer,
        "bound_at": clock.format_instant(binding.bound_at),
        "used_at": clock.format_instant(binding.used_at) if binding.used_at else None,
    }


def reseal_passes(db: Session, vault: Vault) -> int:
    """A batch of bindings under the newest keys; returns how many changed."""
    stale = sa.or_(vault.is_stale(PassBinding.subject_sealed), vault.is_stale_index(PassBinding.subject_index))
    rows = db.scalars(sa.select(PassBinding).where(stale).limit(ROWS_AT_ONCE).with_for_update(skip_locked=True)).all()
    for binding in rows:
        subject = vault.open("pass_binding", binding.id, "subject", binding.subject_sealed)
        binding.subject_sealed = vault.seal("pass_binding", binding.id, "subject", subject)
        binding.subject_index = vault.subject_candidates(binding.issuer, subject)[0]
    return len(rows)
