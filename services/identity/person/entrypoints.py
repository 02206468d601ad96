"""The person’s record: learner number, reviews and corrections, merging, erasure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from services.identity.actions import codes
from services.identity.actions.people import authorise_territory
from services.identity.actions.refusals import accepted
from services.identity.person import queries, schemas
from services.identity.person.actions import adding, consents, duplicates, erasing, merging, reviews, searching
from services.identity.person.models import PersonMerge
from services.identity.person.rules.review import Act
from services.identity.schemas import Nothing, OneAccount
from services.shared.bus import Call, command, periodic, query
from services.shared.clock import format_instant
from services.shared.database import PLANNED_ONCE
from services.shared.errors import NotFound
from services.shared.paging import page_of

# Made once: building a schema costs more than what it does to a row.
REVIEW = schemas.ReviewShown()
SEARCH_PEOPLE = schemas.SearchPeople()


class Persons:
    """Mixed into the service."""

    database: Any
    vault: Any
    _code_sent: Callable[[Call, Callable[[Session], Any]], Any]

    # --- the profile's review ---

    @command
    def submit_profile(self, call: Call) -> dict[str, Any]:
        call.load(Nothing())
        return self.database.commit_once(call, lambda db: reviews.submit_profile(db, call, self.vault))

    @query
    def list_profile_reviews(self, call: Call) -> dict[str, Any]:
        """Whose profile waits for review, the longest waiting first, masked."""
        arguments = call.load(schemas.ListReviews())
        desk = reviews.desk_of(call, arguments["place"])
        cursor, limit = arguments["cursor"], arguments["limit"]
        after = (cursor["submitted_at"], cursor["account_id"]) if cursor else None
        with self.database.read(call) as db:
            found = queries.list_submitted(db, desk.everybody_at, desk.administrators_at, after, limit + 1)
            drafts = queries.list_draft(db, [account.id for account, _ in found])

            def show(row: Any) -> Any:
                draft = [each for each in drafts if each.account_id == row[0].id]
                return REVIEW.dump(reviews.show_review(self.vault, row[0], row[1], draft, call.now))

            return page_of(found, limit, show, _review_cursor)

    @command
    def confirm_profiles(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.DecideReviews())
        return self._decide(call, arguments["decisions"], Act.CONFIRM, "")

    @command
    def return_profiles(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.ReturnReviews())
        return self._decide(call, arguments["decisions"], Act.RETURN, arguments["reason"])

    @command
    def reopen_profile(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.AccountAndReason())
        return self.database.commit_once(
            call, lambda db: reviews.reopen_profile(db, call, self.vault, **arguments), schemas.Reopened()
        )

    @command
    def reveal_profile_review(self, call: Call) -> dict[str, Any]:
        """Name and number in clear, for the comparison with the document; never stored, so a repetition is recorded again."""
        arguments = call.load(schemas.AccountAndReason())
        return self.database.commit_once(
            call,
            lambda db: reviews.reveal_review(db, call, self.vault, **arguments),
            schemas.Revealed(),
            keep_reply=False,
        )

    # --- finding people ---

    @query
    def search_people(self, call: Call) -> dict[str, Any]:
        arguments = call.load(SEARCH_PEOPLE)
        with self.database.read(call, PLANNED_ONCE) as db:
            found = searching.search_people(db, call, self.vault, arguments)
            return page_of(
                found,
                arguments["limit"],
                lambda row: searching.show_found(self.vault, row),
                searching.cursor_of,
            )

    @command
    def add_teacher(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.AddTeacher())
        authorise_territory(call)
        return accepted(self.database.commit_once(call, lambda db: adding.add_teacher(db, call, self.vault, arguments)))

    @command
    def ask_for_own_account(self, call: Call) -> dict[str, Any]:
        """Each question is counted, so it is a command; the answer is kept nowhere."""
        arguments = call.load(schemas.AskForOwnAccount())
        call.authorise_own()
        return self.database.commit_once(
            call, lambda db: duplicates.ask_for_own_account(db, call, self.vault, arguments), keep_reply=False
        )

    @query
    def list_possible_duplicates(self, call: Call) -> dict[str, Any]:
        account_id = call.load(OneAccount())["account_id"]
        with self.database.read(call) as db:
            found = duplicates.list_possible_duplicates(db, call, self.vault, account_id)
            return {"items": schemas.Suspect(many=True).dump(found)}

    @command
    def show_identity_history(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.AccountAndReason())
        return self.database.commit_once(
            call,
            lambda db: duplicates.show_identity_history(db, call, self.vault, **arguments),
            schemas.IdentityHistory(),
            keep_reply=False,
        )

    # --- merging ---

    @command
    def propose_merge(self, call: Call) -> dict[str, Any]:
        wanted = call.load(schemas.ProposeMerge())
        return self._merge(call, lambda db: merging.propose_merge(db, call, self.vault, wanted))

    @command
    def approve_merge(self, call: Call) -> dict[str, Any]:
        wanted = call.load(schemas.ApproveMerge())
        return self._merge(call, lambda db: merging.approve_merge(db, call, self.vault, wanted))

    @command
    def reject_merge(self, call: Call) -> dict[str, Any]:
        wanted = call.load(schemas.MergeAndReason())
        return self._merge(call, lambda db: merging.reject_merge(db, call, **wanted))

    @command
    def withdraw_merge(self, call: Call) -> dict[str, Any]:
        wanted = call.load(schemas.MergeAndReason())
        return self._merge(call, lambda db: merging.withdraw_merge(db, call, **wanted))

    @command
    def undo_merge(self, call: Call) -> dict[str, Any]:
        wanted = call.load(schemas.MergeAndReason())
        return self._merge(call, lambda db: merging.undo_merge(db, call, self.vault, **wanted))

    @query
    def list_merges(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.ListMerges())
        call.authorise(place=queries.NATION)
        limit = arguments["limit"]
        with self.database.read(call) as db:
            found = queries.list_merges(db, arguments["state"], arguments["cursor"], limit + 1)
            return page_of(found, limit, lambda merge: self._show_merge(db, merge), lambda merge: str(merge.id))

    @query
    def get_merge(self, call: Call) -> dict[str, Any]:
        merge_id = call.load(schemas.OneMerge())["merge_id"]
        call.authorise(place=queries.NATION)
        with self.database.read(call) as db:
            merge = queries.find_merge(db, merge_id)
            if merge is None:
                raise NotFound(merging.MISSING)
            return self._show_merge(db, merge)

    @periodic(3600, job="settle_merges")
    def settle_merges(self, now: dt.datetime) -> None:
        with self.database.work() as db:
            merging.settle_merges(db, now)

    # --- erasure ---

    @command
    def request_erasure_code(self, call: Call) -> dict[str, Any]:
        call.load(Nothing())

        def act(db: Session) -> dict[str, Any]:
            phone = erasing.own_phone(db, call, self.vault)
            return codes.request_sms_code(db, call, self.vault, phone, erasing.PURPOSE)

        return self._code_sent(call, act)

    @command
    def request_erasure(self, call: Call) -> dict[str, Any]:
        code = call.load(schemas.RequestErasure())["sms_code"]
        return accepted(self.database.commit_once(call, lambda db: erasing.request_erasure(db, call, self.vault, code)))

    @command
    def cancel_erasure(self, call: Call) -> dict[str, Any]:
        call.load(Nothing())
        return self.database.commit_once(call, lambda db: erasing.cancel_erasure(db, call))

    @query
    def get_erasure(self, call: Call) -> dict[str, Any]:
        call.load(Nothing())
        with self.database.read(call) as db:
            return erasing.show_erasure(queries.find_erasure(db, call.authorise_own()))

    @periodic(600, job="erase_due")
    def erase_due(self, now: dt.datetime) -> None:
        with self.database.work() as db:
            erasing.erase_due(db, self.vault, now)

    # --- consents ---

    @query
    def list_consent_texts(self, call: Call) -> dict[str, Any]:
        call.load(Nothing())
        return {"items": list(consents.current_texts().values())}

    @command
    def record_consent(self, call: Call) -> dict[str, Any]:
        arguments = call.load(schemas.RecordConsent())
        return self.database.commit_once(call, lambda db: consents.record_consent(db, call, **arguments))

    @query
    def list_consents(self, call: Call) -> dict[str, Any]:
        call.load(Nothing())
        with self.database.read(call) as db:
            return consents.show_consents(db, call)

    # --- parts ---

    def _merge(self, call: Call, act: Callable[[Session], PersonMerge]) -> Any:
        """Act once, and show the merge as it then stands."""
        return self.database.commit_once(call, lambda db: self._show_merge(db, act(db)))

    def _show_merge(self, db: Session, merge: PersonMerge) -> Any:
        return schemas.MergeShown().dump(merging.show_merge(db, self.vault, merge))

    def _decide(self, call: Call, decisions: list[dict[str, Any]], act: Act, reason: str) -> dict[str, Any]:
        authorise_territory(call)
        return self.database.commit_once(
            call,
            lambda db: {
                "rows": schemas.DecidedRow(many=True).dump(
                    reviews.decide_reviews(db, call, self.vault, decisions, act, reason)
                )
            },
        )


def _review_cursor(row: Any) -> dict[str, str]:
    return {"submitted_at": format_instant(row[1].submitted_at), "account_id": str(row[0].id)}
