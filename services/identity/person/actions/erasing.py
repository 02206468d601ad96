"""A person is forgotten: what names them is destroyed, what they earned stays under an id that leads nowhere."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from services.identity import contract, queries
from services.identity.actions.codes import spend_code
from services.identity.actions.refusals import refused
from services.identity.actions.sign_ins import end_sign_ins
from services.identity.contract.notices import NoticeKind
from services.identity.mail.actions import own_email
from services.identity.mail.models import EmailCode
from services.identity.models import (
    Account,
    AccountGrants,
    AttemptWindow,
    DevelopmentMessage,
    ProfileHistory,
    SignIn,
    SmsCode,
)
from services.identity.notices.actions import Addressee, tell
from services.identity.notices.models import Notice, NoticeSetting
from services.identity.passes.models import PassBinding, PassFlow
from services.identity.person import queries as person_queries
from services.identity.person.actions.merging import settle, wipe
from services.identity.person.models import Erasure, ProfileDraft, RetiredLearnerNo
from services.identity.person.rules import erasure as rules
from services.identity.person.rules.erasure import Act, ErasureState
from services.identity.person.rules.merging import MergeState
from services.identity.phone.models import PhoneChange, PhoneTicket
from services.identity.vault import Vault
from services.shared import audit, clock, outbox
from services.shared.bus import Call
from services.shared.errors import Conflict, InvalidInput, NotFound
from services.shared.ids import new_id
from services.shared.tables import idempotency

log = structlog.get_logger(__name__)

PURPOSE = "ERASURE"  # of the SMS code
BY_ACCOUNT = (
    ProfileHistory,
    ProfileDraft,
    EmailCode,
    SignIn,
    AccountGrants,
    PassBinding,
    PassFlow,
    PhoneChange,
    Notice,
    NoticeSetting,
)


def own_phone(db: Session, call: Call, vault: Vault) -> str:
    """The phone that a code goes to. Raises NotFound for an account that is gone."""
    account = queries.find_account(db, call.authorise_own())
    if account is None or account.phone_sealed is None:
        raise NotFound("identity.person_unknown")
    return vault.open("account", account.id, "phone", account.phone_sealed)


def request_erasure(db: Session, call: Call, vault: Vault, code: str) -> dict[str, Any]:
    """Ask to be erased, proved by a code sent to the own phone; it happens 15 days later unless it is taken back.

    Raises Conflict: "identity.erasure_requested", "identity.erasure_holds_grants", "identity.erasure_phone_ticket".
    Refused: "identity.sms_code_refused", which counts.
    """
    account = queries.lock_account(db, call.authorise_own())
    if account is None or account.state != "ACTIVE":
        raise NotFound("identity.person_unknown")
    newest = person_queries.find_erasure(db, account.id)
    state = rules.next_state(ErasureState(newest.state) if newest else None, Act.REQUEST)
    if queries.find_grants(db, account.id):
        raise Conflict("identity.erasure_holds_grants")
    if _has_open_ticket(db, account.id):
        raise Conflict("identity.erasure_phone_ticket")
    phone = vault.open("account", account.id, "phone", account.phone_sealed)
    if not spend_code(db, vault, phone, PURPOSE, code, call.now):
        return refused(InvalidInput("identity.sms_code_refused", "sms_code"))
    wish = Erasure(
        id=new_id(), account_id=account.id, state=state, requested_at=call.now, due_at=rules.due_at(call.now)
    )
    db.add(wish)
    db.flush()
    day = f"{wish.due_at.astimezone(clock.BEIJING):%Y-%m-%d}"
    tell(db, vault, NoticeKind.ERASURE_REQUESTED, f"erasure {wish.id}", Addressee(account.id), call.now, {"day": day})
    _record(db, call, account.id, before="", after=state)
    return show_erasure(wish)


def cancel_erasure(db: Session, call: Call) -> dict[str, Any]:
    """Take the wish back. Raises Conflict("identity.erasure_not_requested")."""
    account = queries.lock_account(db, call.authorise_own())
    newest = person_queries.find_erasure(db, account.id) if account else None
    if account is None or newest is None:
        raise Conflict("identity.erasure_not_requested")
    newest.state = rules.next_state(ErasureState(newest.state), Act.CANCEL)
    newest.ended_at = call.now
    db.flush()
    _record(db, call, account.id, before=ErasureState.REQUESTED, after=newest.state)
    return show_erasure(newest)


def show_erasure(wish: Erasure | None) -> dict[str, Any]:
    """Where the own wish stands; state "" for none."""
    if wish is None:
        return {"state": "", "requested_at": None, "due_at": None, "ended_at": None}
    times = {name: getattr(wish, name) for name in ("requested_at", "due_at", "ended_at")}
    return {"state": wish.state, **{name: clock.format_instant(at) if at else None for name, at in times.items()}}


def erase_due(db: Session, vault: Vault, now: dt.datetime, limit: int = 20) -> int:
    """Erase those whose time to think it over has passed; returns how many.

    Who was given an office or opened a phone ticket meanwhile waits until that is over.
    """
    done = 0
    for wish in person_queries.lock_due_erasures(db, now, limit):
        account = queries.lock_account(db, wish.account_id)
        if account is None or queries.find_grants(db, account.id) or _has_open_ticket(db, account.id):
            continue
        try:
            # One who cannot be erased, by a defect of ours, must not keep the others waiting.
            with db.begin_nested():
                erase_person(db, vault, account, now)
                wish.state, wish.ended_at = rules.next_state(ErasureState(wish.state), Act.ERASE), now
        except SQLAlchemyError as error:
            log.error("erasure_failed", erasure_id=str(wish.id), error=type(error).__name__)  # noqa: TRY400
        else:
            done += 1
    return done


def erase_person(db: Session, vault: Vault, account: Account, now: dt.datetime) -> None:
    """Destroy what names a person, under this account and those merged into it. The caller holds its lock."""
    person_queries.withdraw_proposals(db, account.id, now)
    merged = person_queries.lock_merged_into(db, account.id)
    for merge in person_queries.list_merges_into(db, account.id):
        if merge.state == MergeState.MERGED:
            settle(db, merge)
    for each in (*merged, account):
        _erase_account(db, vault, each, now)
    person_queries.blank_merge_reasons(db, account.id)
    db.flush()


def _erase_account(db: Session, vault: Vault, account: Account, now: dt.datetime) -> None:
    if account.phone_sealed is not None:
        phones = vault.phone_candidates(vault.open("account", account.id, "phone", account.phone_sealed))
        _delete(db, SmsCode, SmsCode.phone_index.in_(phones))
        _delete(db, DevelopmentMessage, DevelopmentMessage.to_index.in_(phones))
    end_sign_ins(db, account.id, "ERASED", now)  # tells the gateways; the rows go below
    for table in BY_ACCOUNT:
        _delete(db, table, table.account_id == account.id)
    _delete(db, AttemptWindow, AttemptWindow.subject == str(account.id))
    # Replies that are kept for repeated commands tell what the person did.
    db.execute(sa.delete(idempotency).where(idempotency.c.actor == str(account.id)))
    db.execute(sa.update(PhoneTicket).where(PhoneTicket.account_id == account.id).values(forget_at=now))
    if (profile := queries.find_profile(db, account.id)) is not None:
        if email := own_email(vault, profile):
            _delete(db, DevelopmentMessage, DevelopmentMessage.to_index.in_(vault.email_candidates(email)))
        wipe(profile)
    if account.learner_no is not None:
        db.add(RetiredLearnerNo(learner_no=account.learner_no))
    account.state, account.merged_into, account.learner_no = "ERASED", None, None
    account.phone_sealed = account.phone_index = account.password_hash = account.locked_at = None
    account.failed_count, account.place = 0, ""
    account.version += 1
    db.flush()
    outbox.announce(db, contract.person.PERSON_ERASED, account.id, erased_payload(account))


def erased_payload(account: Account) -> dict[str, Any]:
    return {"account_id": str(account.id), "version": account.version}


def _delete(db: Session, table: Any, condition: sa.ColumnElement[bool]) -> None:
    db.execute(sa.delete(table).where(condition).execution_options(synchronize_session=False))


def _has_open_ticket(db: Session, account_id: uuid.UUID) -> bool:
    open_one = sa.exists().where(PhoneTicket.account_id == account_id, PhoneTicket.over_at.is_(None))
    return bool(db.scalar(sa.select(open_one)))


def _record(db: Session, call: Call, account_id: uuid.UUID, *, before: str, after: str) -> None:
    audit.record(db, call, subject=account_id, before={"erasure": before}, after={"erasure": after})
