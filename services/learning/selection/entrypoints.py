"""Selection: baskets, choices, their lists and totals, and the end of each window."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from typing import Any

from services.billing import contract as billing
from services.billing.contract.bills import CHARGE_CHANGED
from services.billing.contract.holds import Blocked
from services.catalog.contract.periods import OFFERING_CHANGED, PERIOD_CHANGED
from services.learning.contract.selection import BUCKETS, ChosenBy
from services.learning.selection import counting, queries, rules, schemas
from services.learning.selection.actions import basket, choosing, closing, keeping, moving
from services.learning.selection.actions.choosing import Chosen
from services.learning.selection.models import Choice, EmploymentStatus
from services.learning.selection.queries import Wanted
from services.org.contract.staffing import EMPLOYMENT_CHANGED
from services.shared import audit, clock
from services.shared.bus import Call, command, event_handler, periodic, query
from services.shared.employment import keep_employment
from services.shared.errors import NotAllowed, ServiceError, Unavailable
from services.shared.paging import page_of

TEACHER = "TEACHER"
FOLD_SECONDS = 5.0
STATES = ("chosen", "cancelled", "void", "billed", "admitted", "unpaid", "passed", "failed")


class Selection:
    """Mixed into the service."""

    database: Any
    bus: Any

    # --- the basket ---

    @command
    def put_in_basket(self, call: Call) -> dict[str, Any]:
        teacher_id, offering_id = _as_teacher(call), call.load(schemas.OneOffering())["offering_id"]
        self.database.commit_once(call, lambda db: basket.put(db, teacher_id, offering_id, call.now))
        return self._basket(call, teacher_id)

    @command
    def take_from_basket(self, call: Call) -> dict[str, Any]:
        teacher_id, offering_id = _as_teacher(call), call.load(schemas.OneOffering())["offering_id"]
        self.database.commit_once(call, lambda db: basket.take_out(db, teacher_id, offering_id))
        return self._basket(call, teacher_id)

    @query
    def get_basket(self, call: Call) -> dict[str, Any]:
        call.load(schemas.Nothing())
        return self._basket(call, call.authorise_own())

    @command
    def submit_basket(self, call: Call) -> dict[str, Any]:
        """Choose all that lies in the basket; each line is decided by itself, and a repetition gets the same answer."""
        teacher_id, expected = _as_teacher(call), call.load(schemas.Submit())["offering_ids"]
        held = teacher_id in held_teachers(self.bus, [teacher_id], call)

        def act(db: Any) -> dict[str, Any]:
            done = basket.submit(db, teacher_id, expected, held=held, now=call.now)
            return {"lines": [_line(offering_id, outcome) for offering_id, outcome in done]}

        reply: dict[str, Any] = self.database.commit_once(call, act, schemas.Submitted())
        return reply

    def _basket(self, call: Call, teacher_id: uuid.UUID) -> dict[str, Any]:
        with self.database.read(call) as db:
            shown: dict[str, Any] = schemas.Basket().dump(basket.show(db, teacher_id, call.now))
            return shown

    # --- choosing and cancelling ---

    @command
    def choose_course(self, call: Call) -> dict[str, Any]:
        teacher_id, offering_id = _as_teacher(call), call.load(schemas.OneOffering())["offering_id"]
        held = teacher_id in held_teachers(self.bus, [teacher_id], call)
        reply: dict[str, Any] = self.database.commit_once(
            call,
            lambda db: choosing.choose(db, teacher_id, offering_id, ChosenBy.SELF, held=held, now=call.now),
            schemas.ChoiceMade(),
        )
        return reply

    @command
    def choose_course_for(self, call: Call) -> dict[str, Any]:
        """The school chooses for one of its teachers; many at once are a job."""
        given = call.load(schemas.ForTeacher())
        with self.database.look(call) as db:
            authorise_school(db, call, given["teacher_id"])
        held = given["teacher_id"] in held_teachers(self.bus, [given["teacher_id"]], call)
        reply: dict[str, Any] = self.database.commit_once(
            call, lambda db: choose_for(db, call, held=held, **given), schemas.ChoiceMade()
        )
        return reply

    @command
    def cancel_choice(self, call: Call) -> dict[str, Any]:
        """Inside the window: the teacher's own, or one of the school's teachers'."""
        choice_id = call.load(schemas.OneChoice())["choice_id"]

        def act(db: Any) -> Chosen:
            return cancel_choice(db, call, queries.get_choice(db, choice_id))

        reply: dict[str, Any] = self.database.commit_once(call, act, schemas.ChoiceMade())
        return reply

    @command
    def void_choice(self, call: Call) -> dict[str, Any]:
        """After the window: only the institution that charges for the course."""
        given = call.load(schemas.Void())
        reply: dict[str, Any] = self.database.commit_once(
            call,
            lambda db: choosing.describe(moving.void_choice(db, call, **given), None, news=True),
            schemas.ChoiceMade(),
        )
        return reply

    # --- looking ---

    @query
    def list_seats(self, call: Call) -> dict[str, Any]:
        """How many seats of a period's offerings are taken."""
        arguments = call.load(schemas.ListSeats())
        limit = arguments["limit"]
        with self.database.read(call) as db:
            found = queries.list_seats(db, arguments["period_id"], arguments["cursor"], limit + 1)
        return page_of(found, limit, schemas.SeatsShown().dump, lambda row: str(row.offering_id))

    @query
    def list_own_choices(self, call: Call) -> dict[str, Any]:
        teacher_id = call.authorise_own()
        arguments = call.load(schemas.ListOwn())
        limit = arguments["limit"]
        with self.database.read(call) as db:
            found = queries.list_own_choices(db, teacher_id, _wanted(arguments), arguments["cursor"], limit + 1)
        return page_of(found, limit, schemas.ChoiceShown().dump, lambda row: str(row.Choice.choice_id))

    @query
    def list_choices(self, call: Call) -> dict[str, Any]:
        """选课查询, 录取查询: choices of the teachers of a place."""
        arguments = call.load(schemas.ListChoices())
        place, limit = arguments["place"], arguments["limit"]
        call.authorise(place=place, missing=queries.MISSING)
        with self.database.read(call) as db:
            found = queries.list_choices(db, place, _wanted(arguments), arguments["cursor"], limit + 1)

        def key(row: Any) -> str:
            return f"{row.Placement.place} {row.Choice.teacher_id} {row.Choice.offering_id}"

        return page_of(found, limit, schemas.PlacedChoiceShown().dump, key)

    @query
    def list_choice_statistics(self, call: Call) -> dict[str, Any]:
        """选课统计, 课程通过率统计: a period's courses, with how many of a place's teachers stand where."""
        arguments = call.load(schemas.ListStatistics())
        place, limit = arguments["place"], arguments["limit"]
        call.authorise(place=place, missing=queries.MISSING)
        with self.database.read(call) as db:
            found = list(
                queries.list_totals(db, place, arguments["period_id"], arguments["cursor"], limit + 1).values()
            )
            as_of = queries.as_of(db, call.now)

        def show(pair: Any) -> Any:
            offering, numbers = pair
            return schemas.OfferingNumbers().dump({**vars(offering), **_numbers(numbers)})

        page = page_of(found, limit, show, lambda pair: str(pair[0].offering_id))
        return {**page, "as_of": clock.format_instant(as_of)}

    @query
    def list_choice_statistics_below(self, call: Call) -> dict[str, Any]:
        """The same for each place directly below, in the order of the tree: there are no league tables."""
        arguments = call.load(schemas.StatisticsBelow())
        place, limit = arguments["place"], arguments["limit"]
        call.authorise(place=place, missing=queries.MISSING)
        with self.database.read(call) as db:
            found = queries.list_totals_below(
                db, place, arguments["period_id"], arguments["offering_id"], arguments["cursor"], limit + 1
            )
            as_of = queries.as_of(db, call.now)

        def show(pair: Any) -> Any:
            return schemas.PlaceNumbers().dump({"place": pair[0], **_numbers(pair[1])})

        page = page_of(found, limit, show, lambda pair: pair[0])
        return {**page, "as_of": clock.format_instant(as_of)}

    @query
    def reconcile_choices(self, call: Call) -> dict[str, Any]:
        """The proof that the totals equal the choices, once all deltas are folded."""
        call.load(schemas.Nothing())
        with self.database.work() as db:
            while counting.fold(db):
                pass
            checked, differences = counting.find_differences(db)
        return {"checked": checked, "differences": differences, "after": None}

    # --- by themselves ---

    @periodic(5.0, job="close_selection")
    def close_selection(self, now: dt.datetime) -> None:
        """Close the periods whose window has ended, one transaction each."""
        with self.database.work() as db:
            due = closing.list_due(db, now)
        for period_id in due:
            with self.database.work() as db:
                closing.close_period(db, period_id, now)

    @periodic(2.0, job="fold_choices")
    def fold_choices(self, _now: dt.datetime) -> None:
        """Fold what changed since the last run; what is left waits for the next."""
        until = time.monotonic() + FOLD_SECONDS
        while time.monotonic() < until:
            with self.database.work() as db:
                if not counting.fold(db):
                    return

    # --- what other services announce ---

    @event_handler(PERIOD_CHANGED)
    def on_period_changed(self, db: Any, event: Any) -> None:
        keeping.keep_period(db, event.payload)

    @event_handler(OFFERING_CHANGED)
    def on_offering_changed(self, db: Any, event: Any) -> None:
        keeping.keep_offering(db, event.payload, clock.now())

    @event_handler(EMPLOYMENT_CHANGED)
    def on_employment_changed(self, db: Any, event: Any) -> None:
        keep_employment(db, EmploymentStatus, event.payload)

    @event_handler(CHARGE_CHANGED)
    def on_charge_changed(self, db: Any, event: Any) -> None:
        moving.keep_charge(db, event.payload)


def held_teachers(bus: Any, teacher_ids: list[uuid.UUID], call: Call | None) -> set[uuid.UUID]:
    """Whom a hold of billing bars from choosing.

    Raises Unavailable when billing does not say: a hold must not be dodged by its absence.
    """
    asked = {"teacher_ids": [str(each) for each in teacher_ids]}
    try:
        holds = bus.ask(billing.SERVICE, "find_holds", asked, call)["holds"]
    except ServiceError as error:
        raise Unavailable("learning.holds_unknown", "", error.code) from error
    return {uuid.UUID(hold["teacher_id"]) for hold in holds if Blocked.SELECTION in hold["blocks"]}


def authorise_school(db: Any, call: Call, teacher_id: uuid.UUID) -> str:
    """The place where the teacher is now, which must be the caller's school."""
    place = queries.find_place(db, teacher_id)
    call.authorise(place=place, missing="learning.teacher_unknown", field="teacher_id")
    assert place is not None
    return place


def choose_for(db: Any, call: Call, teacher_id: uuid.UUID, offering_id: uuid.UUID, *, held: bool) -> Chosen:
    """The school's choice for a teacher, on record."""
    place = authorise_school(db, call, teacher_id)
    chosen = choosing.choose(db, teacher_id, offering_id, ChosenBy.ADMIN, held=held, now=call.now)
    if chosen.news:
        _record(db, call, chosen, place)
    return chosen


def cancel_choice(db: Any, call: Call, choice: Choice) -> Chosen:
    """Cancel one's own choice, or one of the school's teachers', on record."""
    place = queries.find_place(db, choice.teacher_id)
    call.authorise(subject=choice.teacher_id, place=place, missing=queries.MISSING)
    cancelled = choosing.cancel(db, choice, call.now)
    if cancelled.news and choice.teacher_id != call.actor.account_id:
        _record(db, call, cancelled, place or "", before="CHOSEN")
    return cancelled


def _record(db: Any, call: Call, chosen: Chosen, place: str, before: str = "") -> None:
    audit.record(
        db,
        call,
        subject=chosen.teacher_id,
        place=place,
        before={"choice_id": str(chosen.choice_id), "state": before} if before else {},
        after={
            "choice_id": str(chosen.choice_id),
            "offering_id": str(chosen.offering_id),
            "state": str(chosen.state),
        },
    )


def _as_teacher(call: Call) -> uuid.UUID:
    teacher_id = call.authorise_own()
    if call.actor.identity != TEACHER:
        raise NotAllowed("learning.teachers_only")
    return teacher_id


def _line(offering_id: uuid.UUID, outcome: Chosen | str) -> dict[str, Any]:
    if isinstance(outcome, Chosen):
        return {"offering_id": offering_id, "choice_id": outcome.choice_id, "refusal": ""}
    return {"offering_id": offering_id, "choice_id": None, "refusal": outcome}


def _wanted(arguments: dict[str, Any]) -> Wanted:
    states = BUCKETS[arguments["bucket"]] if arguments["bucket"] else None
    if state := arguments.get("state"):
        states = frozenset({state}) & states if states is not None else frozenset({state})
    return Wanted(
        states, arguments["period_id"], arguments.get("offering_id"), arguments.get("teacher_id"), arguments["search"]
    )


def _numbers(numbers: dict[str, int]) -> dict[str, Any]:
    told: dict[str, Any] = {name: numbers.get(name.upper(), 0) for name in STATES}
    return {**told, "pass_rate": rules.pass_rate(told["passed"], told["failed"])}
