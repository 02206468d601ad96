"""Notices: written with what they tell, sent after its commit, by one process at a time."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.credits.contract.verification import ComplaintState
from services.identity import queries as people
from services.identity.actions.codes import Message
from services.identity.contract.notices import NoticeKind, NoticeState
from services.identity.models import Account
from services.identity.notices import queries, rules
from services.identity.notices.models import Notice, NoticeSetting
from services.identity.vault import Vault
from services.shared import clock
from services.shared.channels import Channel
from services.shared.ids import new_id

# The field that holds where a message goes.
ADDRESS = {Channel.SMS: "phone", Channel.EMAIL: "email"}


@dataclasses.dataclass(frozen=True)
class Addressee:
    """Whom to tell: a person, by the phone bound when it is sent, or a phone that is, or was, somebody's."""

    account_id: uuid.UUID | None
    phone: str | None = None
    language: str | None = None


def tell(
    db: Session,
    vault: Vault,
    kind: NoticeKind,
    cause: str,
    addressee: Addressee,
    now: dt.datetime,
    details: Mapping[str, str] | None = None,
    secret: str = "",
    due_at: dt.datetime | None = None,
) -> bool:
    """Put a notice beside what it tells, once per `cause`; returns whether it will be sent.

    Beyond a day's cap it is kept, but not sent. `secret` is the path behind the gap {link}: sealed, and forgotten when
    the message is sent. It is sent from `due_at` on. What warns of a stranger goes to the person's confirmed e-mail address too.
    """
    capped = kind in rules.DECISIONS and _is_capped(db, kind, addressee.account_id, now)
    told: dict[str, Any] = {
        "account_id": addressee.account_id,
        "kind": kind,
        "details": dict(details or {}),
        "language": addressee.language,
        "state": NoticeState.CAPPED if capped else NoticeState.WAITING,
        "created_at": now,
        "due_at": due_at or now,
    }
    made = _write(db, vault, cause, Channel.SMS, addressee.phone, secret, told)
    if made and kind in rules.WARNINGS and (email := _confirmed_email(db, vault, addressee.account_id)):
        _write(db, vault, f"{cause} {Channel.EMAIL}", Channel.EMAIL, email, secret, told)
    return made and not capped


def _write(
    db: Session, vault: Vault, cause: str, channel: Channel, to: str | None, secret: str, told: Mapping[str, Any]
) -> bool:
    """One message by one way; returns whether it is the first of its cause."""
    notice_id, field = new_id(), ADDRESS[channel]
    values = {
        **told,
        "id": notice_id,
        "cause": cause,
        "channel": channel,
        f"{field}_sealed": vault.seal("notice", notice_id, field, to) if to else None,
        "secret_sealed": vault.seal("notice", notice_id, "secret", secret) if secret else None,
    }
    made = db.execute(insert(Notice).values(values).on_conflict_do_nothing(index_elements=["cause"]))
    return bool(made.rowcount)  # type: ignore[attr-defined]


def _confirmed_email(db: Session, vault: Vault, account_id: uuid.UUID | None) -> str:
    """As it is now, for who takes over an account changes the address next."""
    profile = people.find_profile(db, account_id) if account_id else None
    if profile is None or profile.email_confirmed_at is None:
        return ""
    return vault.open("profile", profile.account_id, "email", profile.email_sealed)


def _is_capped(db: Session, kind: NoticeKind, account_id: uuid.UUID | None, now: dt.datetime) -> bool:
    # Decisions about one person may arrive at the same moment; the second counts the first.
    people.lock_words(db, f"notice {account_id}")
    today = now.astimezone(clock.BEIJING).replace(hour=0, minute=0, second=0, microsecond=0)
    return rules.is_capped(kind, queries.count_told(db, account_id, sorted(rules.DECISIONS), today))


@dataclasses.dataclass(frozen=True)
class Membership:
    """A teacher's membership as it was known before a change of it was told."""

    version: int = 0
    state: str = ""
    school: str = ""


def membership_of(db: Session, teacher_id: uuid.UUID) -> Membership:
    known = people.find_placement(db, teacher_id)
    return Membership(known.version, known.state, known.school_name) if known else Membership()


@contextlib.contextmanager
def telling_decision(db: Session, vault: Vault, payload: dict[str, Any], now: dt.datetime) -> Iterator[None]:
    """Around what follows a change of membership: the teacher is told of it, judged by what was known before."""
    before = membership_of(db, uuid.UUID(payload["teacher_id"]))
    yield
    note_membership(db, vault, before, payload, now)


def note_membership(db: Session, vault: Vault, before: Membership, payload: dict[str, Any], now: dt.datetime) -> None:
    """Tell a teacher what her school has decided, when `org.membership_changed` says so.

    What has been overtaken by a newer decision is not told any more, nor what happened long ago.
    """
    kind = rules.decision_of(before.state, payload["state"])
    stale = payload["version"] <= before.version or not rules.is_fresh(
        clock.parse_instant(payload["effective_at"]), now
    )
    # After a release the event names no school; the one that released her is the one that was known.
    school = payload["school_name"] or before.school
    teacher_id = uuid.UUID(payload["teacher_id"])
    if kind is None or stale or not school or not _is_active(db, teacher_id):
        return
    cause = f"membership {teacher_id} {payload['version']}"
    tell(db, vault, kind, cause, Addressee(teacher_id), now, {"school": school})


def note_transfer(db: Session, vault: Vault, payload: dict[str, Any], now: dt.datetime) -> None:
    """Tell a teacher that a transfer has been decided, when `org.transfer_changed` says so."""
    kind = rules.TRANSFERS.get(payload["state"])
    decided_at, teacher_id = payload["decided_at"], uuid.UUID(payload["teacher_id"])
    if kind is None or decided_at is None or not rules.is_fresh(clock.parse_instant(decided_at), now):
        return
    if _is_active(db, teacher_id):
        details = {"school": payload["to_school_name"]}
        tell(db, vault, kind, f"transfer {payload['transfer_id']}", Addressee(teacher_id), now, details)


def note_year(db: Session, vault: Vault, payload: dict[str, Any], frozen_at: dt.datetime, now: dt.datetime) -> None:
    """Tell a teacher by day what her year came to, when `credits.year_frozen` says so."""
    teacher_id, year = uuid.UUID(payload["teacher_id"]), payload["year"]
    if not rules.is_fresh(frozen_at, now) or not _is_active(db, teacher_id):
        return
    kind = rules.year_kind(payload["version"], met=payload["met"])
    cause = f"year {teacher_id} {year} {payload['version']}"
    due_at = rules.by_day(now.astimezone(clock.BEIJING))
    tell(db, vault, kind, cause, Addressee(teacher_id), now, {"year": str(year)}, due_at=due_at)


def note_complaint(
    db: Session, vault: Vault, payload: dict[str, Any], changed_at: dt.datetime, now: dt.datetime
) -> None:
    """Tell a teacher that her complaint was answered, when `credits.complaint_changed` says so."""
    teacher_id = uuid.UUID(payload["teacher_id"])
    told = payload["state"] == ComplaintState.ANSWERED and rules.is_fresh(changed_at, now)
    if told and _is_active(db, teacher_id):
        cause = f"complaint {payload['complaint_id']} {payload['version']}"
        tell(db, vault, NoticeKind.COMPLAINT_ANSWERED, cause, Addressee(teacher_id), now)


def note_choice(db: Session, vault: Vault, payload: dict[str, Any], now: dt.datetime) -> None:
    """Tell a teacher by day that courses are chosen, by her or by her school: once each per period, however many."""
    kind, teacher_id = rules.choice_kind(payload["state"], payload["chosen_by"]), uuid.UUID(payload["teacher_id"])
    if kind is None or not rules.is_fresh(clock.parse_instant(payload["at"]), now) or not _is_active(db, teacher_id):
        return
    cause = f"{kind} {teacher_id} {payload['period_id']}"
    tell(db, vault, kind, cause, Addressee(teacher_id), now, due_at=rules.by_day(now.astimezone(clock.BEIJING)))


def note_grade(db: Session, vault: Vault, payload: dict[str, Any], graded_at: dt.datetime, now: dt.datetime) -> None:
    """Tell a teacher by day of her results, once per period, and of each that was turned over."""
    teacher_id, corrected = uuid.UUID(payload["teacher_id"]), payload["version"] > 1
    if not rules.is_fresh(graded_at, now) or not _is_active(db, teacher_id):
        return
    kind = NoticeKind.GRADE_CORRECTED if corrected else NoticeKind.COURSES_GRADED
    about = f"{payload['choice_id']} {payload['version']}" if corrected else f"{teacher_id} {payload['period_id']}"
    cause = f"{kind} {about}"
    tell(db, vault, kind, cause, Addressee(teacher_id), now, due_at=rules.by_day(now.astimezone(clock.BEIJING)))


def note_charge(db: Session, vault: Vault, payload: dict[str, Any], changed_at: dt.datetime, now: dt.datetime) -> None:
    """Tell a teacher by day that a period's courses are paid, or were not in time: once per period, however many they are."""
    kind, teacher_id = rules.charge_kind(payload["state"]), uuid.UUID(payload["teacher_id"])
    if kind is None or not rules.is_fresh(changed_at, now) or not _is_active(db, teacher_id):
        return
    cause = f"{kind} {teacher_id} {payload['period_id']}"
    tell(db, vault, kind, cause, Addressee(teacher_id), now, due_at=rules.by_day(now.astimezone(clock.BEIJING)))


def note_hold(db: Session, vault: Vault, payload: dict[str, Any], changed_at: dt.datetime, now: dt.datetime) -> None:
    """Tell a teacher by day that she became a special user, or is none any more."""
    kind, teacher_id = rules.hold_kind(payload["kind"], active=payload["active"]), uuid.UUID(payload["teacher_id"])
    if kind is None or not rules.is_fresh(changed_at, now) or not _is_active(db, teacher_id):
        return
    cause = f"hold {payload['hold_id']} {payload['version']}"
    tell(db, vault, kind, cause, Addressee(teacher_id), now, due_at=rules.by_day(now.astimezone(clock.BEIJING)))


def _is_active(db: Session, account_id: uuid.UUID) -> bool:
    """Whether there is somebody to tell: a merged or erased account has no phone."""
    account = people.find_account(db, account_id)
    return account is not None and account.phone_sealed is not None


def claim_due(db: Session, vault: Vault, base_url: str, now: dt.datetime, limit: int) -> list[Message]:
    """Take up notices that are due, for as long as handing them over may take; later they are due again.

    Those that cannot be sent at all any more are given up.
    """
    due = queries.lock_due(db, now, limit)
    phones = _phones_of(db, vault, {notice.account_id for notice in due if not notice.phone_sealed})
    claimed = []
    for notice in due:
        channel = Channel(notice.channel)
        field = ADDRESS[channel]
        to = vault.open("notice", notice.id, field, getattr(notice, f"{field}_sealed"))
        to = to or (phones.get(notice.account_id, "") if channel is Channel.SMS else "")
        if not to:
            _close(notice, NoticeState.GIVEN_UP)
            continue
        notice.attempts += 1
        notice.due_at = now + rules.LEASE
        claimed.append(Message(notice.id, to, _text(db, vault, notice, base_url), channel))
    db.flush()
    return claimed


def _text(db: Session, vault: Vault, notice: Notice, base_url: str) -> str:
    link = base_url + vault.open("notice", notice.id, "secret", notice.secret_sealed)
    details = {**notice.details, "link": link}
    language = notice.language or queries.language_of(db, notice.account_id)
    return rules.text_of(NoticeKind(notice.kind), language, details)


def _phones_of(db: Session, vault: Vault, account_ids: Collection[uuid.UUID | None]) -> dict[uuid.UUID | None, str]:
    rows = db.execute(sa.select(Account.id, Account.phone_sealed).where(Account.id.in_(account_ids)))
    return {account_id: vault.open("account", account_id, "phone", sealed) for account_id, sealed in rows}


def settle(db: Session, sent: Sequence[uuid.UUID], failed: Sequence[uuid.UUID], now: dt.datetime) -> None:
    """Note which messages the provider took, and when the others are tried again."""
    rows = db.scalars(
        sa.select(Notice)
        .where(Notice.id.in_([*sent, *failed]), Notice.state == NoticeState.WAITING)
        .order_by(Notice.id)
        .with_for_update()
    )
    for notice in rows:
        if notice.id in sent:
            notice.sent_at = now
            _close(notice, NoticeState.SENT)
        elif (due_at := rules.next_try(notice.attempts, now)) is None:
            _close(notice, NoticeState.GIVEN_UP)
        else:
            notice.due_at = due_at
    db.flush()


def _close(notice: Notice, state: NoticeState) -> None:
    notice.state = state
    # Who was told what stays for the person to see; the number, the address and the link are needed no more.
    notice.phone_sealed = notice.email_sealed = notice.secret_sealed = None


def choose_language(db: Session, account_id: uuid.UUID, language: str) -> dict[str, Any]:
    """From now on the person is told in this language."""
    statement = insert(NoticeSetting).values(account_id=account_id, language=language)
    db.execute(statement.on_conflict_do_update(index_elements=["account_id"], set_={"language": language}))
    return {"language": language}


def forget_old(db: Session, now: dt.datetime) -> None:
    db.execute(sa.delete(Notice).where(Notice.created_at < now - rules.KEPT, Notice.state != NoticeState.WAITING))
