"""Telling people what was decided: their list of notices, and the job that hands them to the SMS provider."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog
from sqlalchemy.orm import Session

from services.billing.contract.bills import CHARGE_CHANGED
from services.billing.contract.holds import HOLD_CHANGED
from services.credits.contract.verification import COMPLAINT_CHANGED, YEAR_FROZEN
from services.identity.actions import codes
from services.identity.actions.codes import Message
from services.identity.contract.notices import NoticeKind
from services.identity.notices import actions, queries, rules, schemas
from services.identity.notices.models import Notice
from services.identity.schemas import Nothing
from services.learning.contract.grades import COURSE_GRADED
from services.learning.contract.selection import CHOICE_CHANGED
from services.org.contract.transfers import TRANSFER_CHANGED
from services.shared import clock, sms
from services.shared.bus import Call, Event, command, event_handler, periodic, query
from services.shared.errors import Unavailable
from services.shared.paging import page_of

log = structlog.get_logger(__name__)

# Together at the provider; a decision about a whole school's teachers is out within seconds.
AT_ONCE = 4
BATCH = 80
# A run ends well within the period after which another process may begin one.
RUN_SECONDS = 20.0


class Notices:
    """Mixed into the service."""

    database: Any
    settings: Any
    vault: Any

    @query
    def list_notices(self, call: Call) -> dict[str, Any]:
        """What the caller was told, newest first, as it would be told today."""
        arguments = call.load(schemas.ListNotices())
        account_id = call.authorise_own()
        limit = arguments["limit"]
        with self.database.read(call) as db:
            found = queries.list_notices(db, account_id, arguments["cursor"], limit + 1)
            language = queries.language_of(db, account_id)
            return page_of(found, limit, lambda notice: _show(notice, language), lambda notice: str(notice.id))

    @query
    def get_notice_language(self, call: Call) -> dict[str, Any]:
        call.load(Nothing())
        account_id = call.authorise_own()
        with self.database.read(call) as db:
            return {"language": queries.language_of(db, account_id)}

    @command
    def choose_notice_language(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.ChooseLanguage())
        account_id = call.authorise_own()
        return self.database.commit_once(
            call, lambda db: actions.choose_language(db, account_id, arguments["language"])
        )

    @event_handler(TRANSFER_CHANGED)
    def on_transfer_changed(self, db: Session, event: Event) -> None:
        actions.note_transfer(db, self.vault, event.payload, clock.now())

    @event_handler(YEAR_FROZEN)
    def on_year_frozen(self, db: Session, event: Event) -> None:
        actions.note_year(db, self.vault, event.payload, event.occurred_at, clock.now())

    @event_handler(COMPLAINT_CHANGED)
    def on_complaint_changed(self, db: Session, event: Event) -> None:
        actions.note_complaint(db, self.vault, event.payload, event.occurred_at, clock.now())

    @event_handler(CHOICE_CHANGED)
    def on_choice_changed(self, db: Session, event: Event) -> None:
        actions.note_choice(db, self.vault, event.payload, clock.now())

    @event_handler(COURSE_GRADED)
    def on_course_graded(self, db: Session, event: Event) -> None:
        actions.note_grade(db, self.vault, event.payload, event.occurred_at, clock.now())

    @event_handler(CHARGE_CHANGED)
    def on_charge_changed(self, db: Session, event: Event) -> None:
        actions.note_charge(db, self.vault, event.payload, event.occurred_at, clock.now())

    @event_handler(HOLD_CHANGED)
    def on_hold_changed(self, db: Session, event: Event) -> None:
        actions.note_hold(db, self.vault, event.payload, event.occurred_at, clock.now())

    @periodic(5, job="send_notices")
    def send_notices(self, now: dt.datetime) -> None:
        """Hand over what is due. The provider is asked between two transactions, never inside one.

        A process that dies in between leaves its notices due again after a while, under the same message id: the
        provider knows a repetition by it.
        """
        ends_at = time.monotonic() + RUN_SECONDS
        while time.monotonic() < ends_at:
            with self.database.work() as db:
                messages = actions.claim_due(db, self.vault, self.settings.base_url, clock.now(), BATCH)
            if not messages:
                return
            sent = self._hand_over(messages)
            failed = [message.id for message in messages if message.id not in sent]
            with self.database.work() as db:
                actions.settle(db, sorted(sent), failed, clock.now())
            if failed:
                # The provider is away or refuses: the next run goes on, after a pause.
                log.warning("notices_not_sent", count=len(failed))
                return

    @periodic(3600, job="forget_notices")
    def forget_notices(self, now: dt.datetime) -> None:
        with self.database.work() as db:
            actions.forget_old(db, now)

    def _hand_over(self, messages: list[Message]) -> set[uuid.UUID]:
        """The ids of the messages that were taken."""
        with ThreadPoolExecutor(AT_ONCE) as pool:  # green threads where eventlet runs
            taken = list(pool.map(self._send_notice, messages))
        return {message.id for message, was_taken in zip(messages, taken, strict=True) if was_taken}

    def _send_notice(self, message: Message) -> bool:
        sender = sms.open_sender(self.settings, lambda *_message: self._keep_notice(message))
        try:
            sender.send(str(message.id), message.phone, message.text)
        except Unavailable:
            return False
        return True

    def _keep_notice(self, message: Message) -> None:
        with self.database.work() as db:
            codes.keep_development_message(db, self.vault, message, clock.now())


def _show(notice: Notice, language: str) -> dict[str, Any]:
    # What only the message may hold is not shown again.
    gaps = {"link": "…", **notice.details}
    text = rules.text_of(NoticeKind(notice.kind), language, gaps)
    shown = {"id": notice.id, "kind": notice.kind, "state": notice.state, "text": text}
    return schemas.NoticeShown().dump({**shown, "created_at": notice.created_at, "sent_at": notice.sent_at})
