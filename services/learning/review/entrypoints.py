"""Reviews of conspicuous study: found each night, decided by people, appealed by the teacher."""

from __future__ import annotations

import datetime as dt
from typing import Any

from services.learning.review import actions, detection, queries, schemas
from services.shared.bus import Call, command, periodic, query
from services.shared.paging import page_of


class Reviews:
    """Mixed into the service."""

    database: Any

    @query
    def list_study_reviews(self, call: Call) -> dict[str, Any]:
        """Reviews of the teachers of a place, the oldest first."""
        arguments = call.load(schemas.ListReviews())
        call.authorise(place=arguments["place"], missing=queries.MISSING)
        with self.database.read(call) as db:
            return _page(db, queries.at_place(arguments["place"]), arguments["state"], arguments)

    @query
    def list_own_study_reviews(self, call: Call) -> dict[str, Any]:
        teacher_id = call.authorise_own()
        arguments = call.load(schemas.ListOwnReviews())
        with self.database.read(call) as db:
            return _page(db, queries.of_teacher(teacher_id), None, arguments)

    @command
    def decide_study_review(self, call: Call) -> dict[str, Any]:
        given = call.load(schemas.Decision())
        reply: dict[str, Any] = self.database.commit_once(
            call, lambda db: actions.decide_review(db, call, **given), schemas.Review()
        )
        return reply

    @command
    def appeal_study_review(self, call: Call) -> dict[str, Any]:
        given = call.load(schemas.Appeal())
        reply: dict[str, Any] = self.database.commit_once(
            call, lambda db: actions.appeal_review(db, call, **given), schemas.Review()
        )
        return reply

    @periodic(600.0, job="inspect_study")
    def inspect_study(self, now: dt.datetime) -> None:
        """Look at the days that are over, piece by piece; each commits by itself, and the next run goes on where this ends."""
        while self._inspect_next(now):
            pass

    def _inspect_next(self, now: dt.datetime) -> bool:
        """Look at the next piece of the oldest day that waits; whether there was one."""
        with self.database.work() as db:
            day = actions.next_day(db, now)
            if day is None:
                return False
            found = actions.next_piece(db, day)
            if found is None:
                actions.finish_day(db, day, now)
                return True
            findings = detection.find_anomalies(db, day, *found)
            if not findings:
                actions.finish_piece(db, day, *found)
                return True
        for begin in range(0, len(findings), actions.FINDINGS_AT_ONCE):
            with self.database.work() as db:
                actions.keep_findings(db, findings[begin : begin + actions.FINDINGS_AT_ONCE], day, now)
        with self.database.work() as db:
            actions.finish_piece(db, day, *found)
        return True


def _page(db: Any, condition: Any, state: str | None, arguments: dict[str, Any]) -> dict[str, Any]:
    limit = arguments["limit"]
    found = queries.list_reviews(db, condition, state, arguments["cursor"], limit + 1)
    shown = {shown["review_id"]: shown for shown in actions.describe_many(db, found)}
    return page_of(
        found, limit, lambda row: schemas.Review().dump(shown[row.review_id]), lambda row: str(row.review_id)
    )
