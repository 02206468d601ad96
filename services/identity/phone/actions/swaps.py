"""The swap itself: an account gets another phone, its sign-ins end, the old number is told."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy.orm import Session

from services.identity import queries as people
from services.identity.actions.sign_ins import end_sign_in
from services.identity.contract import phone as contract
from services.identity.contract.notices import NoticeKind
from services.identity.contract.phone import Way
from services.identity.models import Account
from services.identity.notices.actions import Addressee, tell
from services.identity.vault import Vault
from services.org.contract import NATION
from services.shared import audit, outbox
from services.shared.bus import Call

ACTIVE = "ACTIVE"


def lock_active(db: Session, account_id: uuid.UUID | None) -> Account | None:
    """The account, if somebody can still sign in to it."""
    account = people.lock_account(db, account_id) if account_id else None
    return account if account is not None and account.state == ACTIVE and account.phone_sealed else None


def phone_of(vault: Vault, account: Account) -> str:
    return vault.open("account", account.id, "phone", account.phone_sealed)


def is_taken(db: Session, vault: Vault, phone: str) -> bool:
    """Whether the phone is some account's."""
    return people.find_account_by_phone(db, vault.phone_candidates(phone)) is not None


def swap_phone(
    db: Session, call: Call, vault: Vault, account: Account, new_phone: str, way: Way, keep: uuid.UUID | None = None
) -> None:
    """Bind the new phone. All sign-ins end but `keep`, the one that has just proved both phones."""
    old_phone = phone_of(vault, account)
    account.phone_sealed = vault.seal("account", account.id, "phone", new_phone)
    account.phone_index = vault.phone_index(new_phone)
    account.version += 1
    db.flush()
    for sign_in in people.lock_other_sign_ins(db, account.id, keep):
        end_sign_in(db, sign_in, "PHONE_CHANGED", call.now)
    tell(
        db,
        vault,
        NoticeKind.PHONE_CHANGED,
        f"phone {account.id} {account.version}",
        Addressee(account.id, old_phone),
        call.now,
    )
    told: dict[str, Any] = {"account_id": str(account.id), "version": account.version, "way": way}
    outbox.announce(db, contract.PHONE_CHANGED, account.id, told)
    audit.record(db, call, subject=account.id, place=place_of(db, account.id), after={"phone": "CHANGED", "way": way})


def place_of(db: Session, account_id: uuid.UUID | None) -> str:
    """Where what is done about this account is on record."""
    placement = people.find_placement(db, account_id) if account_id else None
    return placement.place if placement and placement.place else NATION
