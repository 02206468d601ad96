"""A small nation for the matrix: schools at every distance from one, people in each, and an actor of every kind.

Everything is made by the services themselves, over databases of the test's own, with the events delivered by hand; the actors
are read out of access tokens that identity mints, as the gateway reads them. During the matrix every transaction is rolled back at
its end (`rehearse`), so that each cell meets the same world.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import datetime as dt
import enum
import queue
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from gateway.auth import AccessTokens
from services.billing.bills.models import Payment
from services.billing.selection.models import Choice as BilledChoice
from services.billing.selection.models import Closing, Unit
from services.billing.selection.models import Offering as BilledOffering
from services.billing.selection.models import Period as BilledPeriod
from services.catalog import season_file
from services.catalog.rules import stable_id
from services.credits.models import LedgerEntry
from services.identity.actions import sign_ins
from services.learning.contract.reviews import Anomaly, ReviewState
from services.learning.review.models import StudyReview
from services.learning.selection.models import Choice, Offering, Period, Seats
from services.learning.special_training.models import (
    CheckInSecret,
    ClassSession,
    TrainingApplication,
    TrainingClass,
    TrainingProject,
)
from services.learning.tools import rules as tools
from services.learning.tools.models import CourseMaterial, CourseText
from services.org.actions import grants as org_grants
from services.shared import clock
from services.shared.actor import ANONYMOUS, Actor, Desk, Kind, Role
from services.shared.bus import dispatch
from services.shared.bus.calls import Call
from services.shared.database import Database
from services.shared.errors import NotAllowed, NotFound, ServiceError
from services.shared.ids import new_id
from services.shared.keys import KeyRing
from services.shared.policy import anyone
from services.shared.settings import Settings
from services.shared.tables import outbox
from tests.component.org.conftest import new_school
from tests.component.resync.conftest import CLI, Installation
from tests.matrix.capabilities import Column
from yanxiu.journey.people import invent

NATION = "CN"
PROVINCE, OTHER_PROVINCE = "CN/440000", "CN/350000"
CITY, OTHER_CITY = "CN/440000/440100", "CN/440000/440300"
COUNTY, OTHER_COUNTY = "CN/440000/440100/440104", "CN/440000/440100/440105"
NO_NUMBER = "1000000000005"
DECLARED = {
    "year": 2026,
    "kind": "DECLARATION",
    "title": "市级培训",
    "institution": "某学院",
    "hours": "10.00",
    "started_on": "2026-03-01",
    "ended_on": "2026-03-02",
}
FOREIGN = "declaration:elsewhere"  # where an amount of another unit came from
SERIES = 71  # of the invented people


class Where(enum.StrEnum):
    """Where targets are. Everything is seen from the school OWN, its county, city and province."""

    OWN = "own school"
    NEIGHBOUR = "another school of the county"
    OTHER_COUNTY = "a school of another county of the city"
    CITY_DIRECT = "a unit attached directly to the city"
    OTHER_CITY = "a school of another city of the province"
    PROVINCE_DIRECT = "a unit attached directly to the province"
    OTHER_PROVINCE = "a school of another province"


DIVISION_OF = {
    Where.OWN: "440104",
    Where.NEIGHBOUR: "440104",
    Where.OTHER_COUNTY: "440105",
    Where.CITY_DIRECT: "440100",
    Where.OTHER_CITY: "440303",
    Where.PROVINCE_DIRECT: "440000",
    Where.OTHER_PROVINCE: "350102",
}


class GrantState(enum.StrEnum):
    ACTIVE = "active"
    REVOKED = "revoked"
    EXPIRED = "expired"


HOLDERS: dict[Column, tuple[Role, str]] = {
    Column.PRINCIPAL: (Role.PRINCIPAL, "own school"),
    Column.SCHOOL_ADMIN: (Role.SCHOOL_ADMIN, "own school"),
    Column.COUNTY_ADMIN: (Role.COUNTY_ADMIN, COUNTY),
    Column.CITY_ADMIN: (Role.CITY_ADMIN, CITY),
    Column.PROVINCE_ADMIN: (Role.PROVINCE_ADMIN, PROVINCE),
    Column.COUNTY_SUPER: (Role.SUPER_ADMIN, COUNTY),
    Column.CITY_SUPER: (Role.SUPER_ADMIN, CITY),
    Column.PROVINCE_SUPER: (Role.SUPER_ADMIN, PROVINCE),
    Column.DISTRICT_INSTITUTION: (Role.DISTRICT_INSTITUTION, COUNTY),
    Column.CITY_CENTRE: (Role.CITY_CENTRE, CITY),
    Column.TRAINING_INSTITUTION: (Role.TRAINING_INSTITUTION, "own school"),
    Column.OPERATOR: (Role.NATIONAL_OPERATOR, NATION),
    Column.SUPPORT: (Role.SUPPORT_AGENT, NATION),
    Column.AUDITOR: (Role.AUDITOR, NATION),
}


@dataclasses.dataclass
class Spot:
    """A place of the world: a school, who is there, and what else was made there (ids by name)."""

    where: Where
    school: dict[str, Any]
    people: dict[str, str] = dataclasses.field(default_factory=dict)
    things: dict[str, Any] = dataclasses.field(default_factory=dict)
    # Where a thing belongs, if not to the school itself: a request for a transfer to who decides it.
    places: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def place(self) -> str:
        return str(self.school["place"])

    @property
    def parent(self) -> str:
        return self.place.rsplit("/", 1)[0]


@dataclasses.dataclass(frozen=True)
class Cast:
    """One actor of the matrix: which column, the state of the grant, where it holds."""

    column: Column
    state: GrantState | None  # None: a column without a grant
    home: str
    actor: Actor


class Outcome(enum.StrEnum):
    ALLOWED = "allowed"
    DENIED = "denied"  # NotAllowed, or NotFound: unknown and forbidden look alike
    OTHERWISE = "refused for another reason"


@dataclasses.dataclass(frozen=True)
class Answer:
    outcome: Outcome
    code: str = ""
    reply: Any = None


class Rehearsal(Database):
    """A database whose transactions end as if they were committed, and are not."""

    committed: bool

    @contextlib.contextmanager
    def transaction(self, call: Call, **options: Any) -> Iterator[Any]:
        with super().transaction(call, **options) as db:
            yield db
            _take_back(db)

    @contextlib.contextmanager
    def work(self) -> Iterator[Any]:
        with super().work() as db:
            yield db
            _take_back(db)

    def commit_once(self, *arguments: Any, **options: Any) -> Any:
        reply = super().commit_once(*arguments, **options)
        self.committed = True
        return reply


def _take_back(db: Any) -> None:
    db.flush()
    db.execute(sa.text("SET CONSTRAINTS ALL IMMEDIATE"))
    # What was loaded is shown afterwards, as it would be after a commit.
    db.expunge_all()
    db.rollback()


class World(Installation):
    """The nation, its people and its actors."""

    def __init__(self, settings: Settings, keyring: KeyRing) -> None:
        super().__init__(settings, keyring, None)  # type: ignore[arg-type]
        self.keyring = keyring
        self.spots: dict[Where, Spot] = {}
        self.cast: list[Cast] = []
        self._tokens = AccessTokens(keyring.verify_key("access-token"))
        self.people_made = 0
        # For whom listens to every event of a type, as gateways do.
        self.broadcast: dict[str, queue.SimpleQueue[dict[str, Any]]] = {}
        self._seen: dict[str, int] = collections.defaultdict(int)
        self.programme_id = ""
        self.learner_no = ""  # of a teacher far away
        self.learner_nos: dict[str, str] = collections.defaultdict(lambda: NO_NUMBER)  # by account
        self.unplaced = ""  # somebody who belongs to no school
        self.proposer = ANONYMOUS  # an operator outside the cast, and what waits for a second person
        self.proposals: dict[tuple[Role, str], str] = {}
        self.proposed_codes: dict[tuple[Role, str], str] = {}

    def _announced(self, service: str) -> list[dispatch.Event]:
        """What is new since the last time: there are thousands of events, and one writer."""
        with self.process[service].database.work() as db:
            newer = outbox.select().where(outbox.c.position > self._seen[service]).order_by(outbox.c.position)
            rows = db.execute(newer).all()
        if rows:
            self._seen[service] = rows[-1].position
        events = [dispatch.Event(row.id, row.type, row.aggregate_id, row.occurred_at, row.payload) for row in rows]
        for event in events:
            if event.type in self.broadcast:
                self.broadcast[event.type].put(event.to_wire())
        return events

    # --- people ---

    def new_people(self, count: int) -> list[str]:
        """Accounts with a name and an ID number, from a roster."""
        people = [invent(SERIES, self.people_made + number) for number in range(count)]
        rows = [
            {
                "row": number + 2,
                "name": one.name,
                "id_no": one.id_no,
                "phone": one.phone,
                "segment": "小学",
                "subject": "语文",
            }
            for number, one in enumerate(people)
        ]
        self.people_made += count
        outcomes = self.call("identity", "import_people", {"rows": rows})["rows"]
        return [outcome["account_id"] for outcome in outcomes]

    def access_token(self, account_id: str, desk: Desk) -> str:
        """What identity gives the account at this moment, at that desk if it has one."""
        identity = self.process["identity"]
        someone = Actor(Kind.PERSON, uuid.UUID(account_id), address="127.0.0.1")
        call = Call("identity", "sign_in", {}, someone, anyone(), deadline=1e12)
        with identity.database.work() as db:
            opened = sign_ins.open_sign_in(
                db, call, identity.service.vault, uuid.UUID(account_id), by_code=True, desk=desk
            )
        return str(identity.service.mint.mint(opened.standing, opened.session_id, clock.now()))

    def read_token(self, token: str) -> Actor:
        """Who the gateway takes its bearer for."""
        sign_in = self._tokens.verify(token, clock.now())
        return Actor(
            Kind.PERSON,
            sign_in.account_id,
            sign_in.identity,
            sign_in.grants,
            sign_in.session_id,
            address="127.0.0.1",
            desk=sign_in.desk,
            waiting=sign_in.waiting,
            place=sign_in.place,
        )

    def actor(self, account_id: str, desk: Desk = Desk.ADMINISTRATOR) -> Actor:
        """The account, signed in, with a fresh code from the phone."""
        actor = self.read_token(self.access_token(account_id, desk))
        return dataclasses.replace(actor, elevated_until=clock.now() + dt.timedelta(hours=1))

    # --- acting ---

    def rehearse(self, service: str, method: str, arguments: dict[str, Any], actor: Actor) -> Answer:
        """What a call would come to. Whatever it writes is taken back."""
        process = self.process[service]
        database = process.service.database
        database.committed = False
        try:
            reply = dispatch.run_method(process.service, method, arguments, actor, command_id=str(new_id()))
        except (NotAllowed, NotFound) as error:
            # What follows a commit looks for what was taken back.
            return Answer(Outcome.ALLOWED if database.committed else Outcome.DENIED, error.code)
        except ServiceError as error:
            return Answer(Outcome.ALLOWED if database.committed else Outcome.OTHERWISE, error.code)
        return Answer(Outcome.ALLOWED, "", reply)

    @contextlib.contextmanager
    def rehearsing(self) -> Iterator[None]:
        """From now on nothing lasts."""
        real = {name: process.service.database for name, process in self.process.items()}
        for process in self.process.values():
            rehearsal = Rehearsal.__new__(Rehearsal)
            rehearsal.__dict__.update(process.service.database.__dict__)
            process.service.database = rehearsal
        try:
            yield
        finally:
            for name, process in self.process.items():
                process.service.database = real[name]


# --- making it ----------------------------------------------------------------------------------------------------------


def build(world: World) -> None:
    """The schools, their people, a holder of every role in every state, and what lies about."""
    lay_ground(world)
    add_spots(world, tuple(Where))
    _let_somebody_move(world)
    appoint(world)
    furnish(world)
    world.cast = gather(world)


def lay_ground(world: World) -> None:
    """Divisions and a season."""
    world.operator.load_divisions()
    season = season_file.read_shipped_season("2023-winter")
    world.programme_id = world.call("catalog", "publish_programme", season)["programme_id"]


def add_spots(world: World, places: tuple[Where, ...]) -> None:
    """Schools there, each with a teacher who waits and two who are verified."""
    keepers = {"PROVINCE": Role.PROVINCE_ADMIN, "CITY": Role.CITY_ADMIN, "COUNTY": Role.COUNTY_ADMIN}
    for where in places:
        division = world.call("org", "get_division", {"code": DIVISION_OF[where]})
        keeper = _holder(keepers[division["level"]], division["place"])
        made = world.call("org", "create_school", new_school(DIVISION_OF[where]), keeper)
        world.spots[where] = Spot(where, made)
    world.deliver_all()
    for where in places:
        _populate(world, world.spots[where])


def _holder(role: Role, place: str) -> Actor:
    """Somebody whom only the token names; enough while the world is made."""
    from tests.conftest import person

    return person(None, (role, place))


def school_admin(spot: Spot) -> Actor:
    return _holder(Role.SCHOOL_ADMIN, spot.place)


def _populate(world: World, spot: Spot) -> None:
    pending, verified, second = world.new_people(3)
    spot.people = {"pending": pending, "verified": verified, "second": second}
    world.deliver_all()
    for account_id in spot.people.values():
        choose(world, account_id, spot)
    for account_id in (verified, second):
        verify(world, account_id, spot)


def choose(world: World, account_id: str, spot: Spot) -> None:
    world.call("org", "choose_school", {"school_id": spot.school["school_id"]}, teacher(account_id))
    world.deliver_all()


def verify(world: World, account_id: str, spot: Spot) -> None:
    world.call("org", "verify_membership", {"teacher_id": account_id}, school_admin(spot))
    world.deliver_all()


def release(world: World, account_id: str, spot: Spot) -> None:
    arguments = {"teacher_id": account_id, "reason": "调离"}
    world.call("org", "release_membership", arguments, school_admin(spot))
    world.deliver_all()


def teacher(account_id: str) -> Actor:
    return Actor(Kind.PERSON, uuid.UUID(account_id), "TEACHER", session_id=new_id(), address="127.0.0.1")


def _let_somebody_move(world: World) -> None:
    """One teacher has left the own school for another province, one has come from there."""
    here, far = world.spots[Where.OWN], world.spots[Where.OTHER_PROVINCE]
    left, came = world.new_people(2)
    world.deliver_all()
    for account_id, before, after, name in ((left, here, far, "moved"), (came, far, here, "arrived")):
        choose(world, account_id, before)
        verify(world, account_id, before)
        release(world, account_id, before)
        choose(world, account_id, after)
        verify(world, account_id, after)
        after.people[name] = account_id


def appoint(world: World) -> None:
    """For each role three accounts: the grant of one is live, of one revoked, of one over."""
    here = world.spots[Where.OWN]
    for column, (role, at) in HOLDERS.items():
        place = here.place if at == "own school" else at
        expired, revoked, active = world.new_people(3)
        world.deliver_all()
        for account_id, state in ((expired, GrantState.EXPIRED), (revoked, GrantState.REVOKED), (active, None)):
            if role in (Role.PRINCIPAL, Role.SCHOOL_ADMIN):
                choose(world, account_id, here)
                verify(world, account_id, here)
            grant = {"account_id": account_id, "role": str(role), "place": place}
            grant_id = world.call("org", "bootstrap_grant", grant)["grant_id"]
            world.deliver_all()
            if state is not None:
                _end(world, grant_id, state)
            here.things[f"{column.value} {state or GrantState.ACTIVE}"] = account_id
            here.things[f"grant of {column.value} {state or GrantState.ACTIVE}"] = grant_id


def _end(world: World, grant_id: str, state: GrantState) -> None:
    org = world.process["org"]
    if state is GrantState.EXPIRED:
        times = f"valid_from = valid_from - interval '1 day', valid_to = '{clock.now().isoformat()}'"
        world.sql("org", f"UPDATE admin_grant SET {times} WHERE grant_id = '{grant_id}'")
        org.service.apply_due_grants(clock.now())
    else:
        call = Call("org", "revoke_grant", {}, CLI, anyone(), deadline=1e12)
        with org.database.work() as db:
            # Past the right to do it: nobody revokes a national operator over the API.
            grant = org_grants.queries.lock_grant(db, uuid.UUID(grant_id))
            org_grants._end(db, [grant], org_grants.GrantState.REVOKED, call.actor.key, call.now)
            org_grants.announce_holder(db, org_grants.queries.lock_holder(db, grant.account_id), call.now)
    world.deliver_all()


def appointed(world: World, role: Role, place: str) -> Actor:
    """Somebody with an account and the grant, as the own sign-in says, after a fresh code."""
    [account_id] = world.new_people(1)
    world.deliver_all()
    world.call("org", "bootstrap_grant", {"account_id": account_id, "role": str(role), "place": place})
    world.deliver_all()
    return world.actor(account_id)


def elevated(actor: Actor) -> Actor:
    """After a fresh code, for as long as a story may take."""
    return dataclasses.replace(actor, elevated_until=clock.now() + dt.timedelta(days=365))


# --- what lies about ------------------------------------------------------------------------------------------------------

# Where teachers of the own school are asked for, and the lowest place above both: it decides.
ASKED_FROM = {
    Where.NEIGHBOUR: COUNTY,
    Where.OTHER_COUNTY: CITY,
    Where.OTHER_CITY: PROVINCE,
    Where.OTHER_PROVINCE: NATION,
}
# Schools that somebody wants to move into the own county, and who executes that.
MOVING = {Where.OTHER_COUNTY: CITY, Where.OTHER_CITY: PROVINCE, Where.OTHER_PROVINCE: NATION}
WITH_OTHER = (Where.OWN, Where.OTHER_COUNTY, Where.OTHER_CITY, Where.OTHER_PROVINCE)


def furnish(world: World) -> None:
    """Second schools, archived teachers, transfers, moves, requests, codes and holds: what endpoints are about."""
    operator = world.actor(world.spots[Where.OWN].things[f"{Column.OPERATOR} {GrantState.ACTIVE}"])
    for spot in world.spots.values():
        spot.school = world.call("org", "get_school", spot_id(spot))
        add_school_and_archived(world, spot, operator)
    for where, decided_at in ASKED_FROM.items():
        ask_for_teacher(world, world.spots[Where.OWN], world.spots[where], decided_at)
    for where, executed_at in MOVING.items():
        _ask_for_school(world, world.spots[where], executed_at)
    for where in WITH_OTHER:
        ask_for_missing_school(world, world.spots[where])
    for where, spot in world.spots.items():
        if where is not Where.OWN:
            generate_code(world, spot, operator)
    for where, division in ((Where.OWN, CITY), (Where.CITY_DIRECT, CITY), (Where.OTHER_CITY, OTHER_CITY)):
        hold(world, world.spots[where], division)
        owe(world, world.spots[where], division)
    world.deliver_all()
    keep_courses(world)
    propose(world)
    for spot in world.spots.values():
        keep_bank(world, spot, operator)
        declare(world, spot)
        find_conspicuous(world, spot)
        choose_courses(world, spot)
        apply_for_training(world, spot)
        if spot.where is not Where.OTHER_PROVINCE:  # where nobody has adopted rules
            earn_elsewhere(world, spot)
    ask_something(world)
    world.learner_no = learner_no(world, world.spots[Where.OTHER_PROVINCE].people["second"])
    [world.unplaced] = world.new_people(1)
    world.deliver_all()
    world.learner_nos |= dict(world.sql("org", "SELECT account_id::text, learner_no FROM learner_number"))  # type: ignore[arg-type]


def spot_id(spot: Spot) -> dict[str, str]:
    return {"school_id": spot.school["school_id"]}


def learner_no(world: World, account_id: str) -> str:
    [(number,)] = world.sql("org", f"SELECT learner_no FROM learner_number WHERE account_id = '{account_id}'")
    return str(number)


def member(world: World, spot: Spot) -> str:
    """A new teacher, verified there."""
    [account_id] = world.new_people(1)
    world.deliver_all()
    choose(world, account_id, spot)
    verify(world, account_id, spot)
    return account_id


def add_school_and_archived(world: World, spot: Spot, operator: Actor) -> None:
    made = world.call("org", "create_school", new_school(DIVISION_OF[spot.where]), operator)
    spot.things["neighbour"] = made["school_id"]
    spot.people["archived"] = archived = member(world, spot)
    world.call("org", "archive_teacher", {"teacher_id": archived, "status": "LEFT"}, school_admin(spot))
    world.deliver_all()


def ask_for_teacher(world: World, here: Spot, there: Spot, decided_at: str) -> None:
    asked = {**spot_id(there), "learner_no": learner_no(world, member(world, here))}
    transfer_id = world.call("org", "request_transfer", asked, school_admin(there))["transfer_id"]
    there.things |= {"transfer": transfer_id, "asked": transfer_id}
    there.places["transfer"] = decided_at


def _ask_for_school(world: World, spot: Spot, executed_at: str) -> None:
    asked = {**spot_id(spot), "division_code": "440104", "reason": "区划调整"}
    keeper = _holder(Role.COUNTY_ADMIN, COUNTY)
    spot.things["move"] = world.call("org", "request_school_move", asked, keeper)["move_id"]
    spot.places["move"] = executed_at


def ask_for_missing_school(world: World, spot: Spot) -> None:
    [waiting] = world.new_people(1)
    world.deliver_all()
    world.call("org", "choose_school", {"other_of": DIVISION_OF[spot.where]}, teacher(waiting))
    asked = {"name": "新建小学", "school_type": "PRIMARY", "town": "某街道"}
    spot.things["request"] = world.call("org", "request_school", asked, teacher(waiting))["request_id"]
    spot.places["request"] = f"{spot.parent}/other"


def question_bank(code: str, place: str) -> dict[str, Any]:
    """One question; the place owns it."""
    question = {"key": "q1", "kind": "TRUE_FALSE", "prompt": "对吗？", "answer": True}
    return {"code": code, "place": place, "titles": {"zh": "题库", "en": "Bank"}, "questions": [question]}


def keep_bank(world: World, spot: Spot, operator: Actor) -> None:
    """A question bank of the region that the school lies in, waiting to be published."""
    made = world.call(
        "catalog",
        "import_question_bank",
        question_bank(f"bank-{spot.where.name.lower().replace('_', '-')}", spot.parent),
        operator,
    )
    spot.things["bank"] = made["bank_id"]
    spot.places["bank"] = spot.parent


def declare(world: World, spot: Spot) -> None:
    """Two declarations of a teacher: one waits for the school, one for the department."""
    for kind in ("declaration", "passed"):
        author = teacher(member(world, spot))
        made = world.call("credits", "create_declaration", DECLARED, author)
        spot.things[kind] = made["declaration_id"]
        one = {"declaration_id": made["declaration_id"]}
        world.call("credits", "submit_declaration", one, author)
        if kind == "passed":
            world.call("credits", "pass_declaration", one, school_admin(spot))


def find_conspicuous(world: World, spot: Spot) -> None:
    """A day of a teacher's study that waits for a reviewer."""
    found = StudyReview(
        review_id=new_id(),
        teacher_id=uuid.UUID(member(world, spot)),
        anomaly=Anomaly.LONG_DAY,
        studied_on=clock.now().date(),
        found={"seconds": 70_000, "sittings": 0},
        state=ReviewState.PENDING,
        decided_by=None,
        found_at=clock.now(),
        changed_at=clock.now(),
    )
    spot.things["review"] = str(found.review_id)
    with world.process["learning"].database.work() as db:
        db.add(found)


def choose_courses(world: World, spot: Spot) -> None:
    """A course of the city that its teacher has chosen and may still cancel, and one that nobody has chosen; one of the
    district, chosen, whose window is over; one that she is admitted to and that is being taught."""
    now, city = clock.now(), spot.parent.rpartition("/")[0]
    for name, tier, place, ends, state in (
        ("choice", "CITY", city, now + dt.timedelta(days=5), "CHOSEN"),
        ("choice of the district", "DISTRICT", spot.parent, now - dt.timedelta(days=1), "CHOSEN"),
        ("admitted to the district's", "DISTRICT", spot.parent, now - dt.timedelta(days=1), "ADMITTED"),
    ):
        period = Period(
            period_id=new_id(),
            version=1,
            code="2026-1",
            title="2026年上半年",
            tier=tier,
            place=place,
            year=2026,
            state="SELECTING" if state == "CHOSEN" else "TEACHING",
            selects_from=now - dt.timedelta(days=9),
            selects_until=ends,
            due_on=ends.date(),
        )
        taken, free = (_offering_of(period, course_no) for course_no in ("C1", "C2"))
        chosen = Choice(
            teacher_id=uuid.UUID(spot.people["verified"]),
            offering_id=taken.offering_id,
            choice_id=new_id(),
            period_id=period.period_id,
            version=1,
            school_id=uuid.UUID(spot.school["school_id"]),
            place=spot.place,
            charging_place=place,
            state=state,
            chosen_by="SELF",
            chosen_at=now,
            changed_at=now,
            charge_version=0,
        )
        seats = [Seats(offering_id=each.offering_id, capacity=None, taken=1) for each in (taken, free)]
        with world.process["learning"].database.work() as db:
            db.add_all([period, taken, free, *seats, chosen])
        spot.things[name] = str(chosen.choice_id)
        spot.places[name] = spot.place if tier == "CITY" else place
        if tier == "CITY":
            spot.things["offered"] = str(free.offering_id)


def apply_for_training(world: World, spot: Spot) -> None:
    """Projects that the school holds as an institution: one that its teacher has applied for, one whose class she attends
    and that ends today, one that nobody has applied for."""
    now, today = clock.now(), clock.now().astimezone(clock.BEIJING).date()
    for name, state in (("training to review", "SCHOOL_REVIEW"), ("training to grade", "ATTENDING"), ("project", "")):
        project = _project_of(spot, today, now)
        rows: list[Any] = [
            project,
            TrainingClass(project_id=project.project_id, admitted=0, notice_title="", notice="", noticed_at=None),
        ]
        if state:
            application = TrainingApplication(
                teacher_id=uuid.UUID(spot.people["verified"]),
                project_id=project.project_id,
                application_id=new_id(),
                version=1,
                school_id=uuid.UUID(spot.school["school_id"]),
                place=spot.place,
                state=state,
                statement="",
                applied_at=now,
                changed_at=now,
            )
            rows.append(application)
            spot.things[name] = str(application.application_id)
        session = ClassSession(
            session_id=new_id(),
            project_id=project.project_id,
            title="第一讲",
            lecturer="",
            venue="",
            starts_at=now - dt.timedelta(hours=1),
            ends_at=now + dt.timedelta(days=1),
        )
        secret = CheckInSecret(session_id=session.session_id, project_id=project.project_id, secret=b"s" * 32)
        with world.process["learning"].database.work() as db:
            db.add_all([*rows, session, secret])
        spot.things[f"class of {name}"] = str(project.project_id)
        spot.things[f"session of {name}"] = str(session.session_id)


def _project_of(spot: Spot, today: dt.date, now: dt.datetime) -> TrainingProject:
    project_id = new_id()
    city = spot.parent.rpartition("/")[0] or spot.parent
    return TrainingProject(
        project_id=project_id,
        version=1,
        place=city,
        shown_at=city,
        institution_place=spot.place,
        title="骨干教师专项培训",
        hour_type="PROFESSIONAL",
        course_type="FACE_TO_FACE",
        unit="HOUR",
        amount=Decimal(24),
        starts_on=today - dt.timedelta(days=9),
        ends_on=today,
        applies_from=now - dt.timedelta(days=30),
        applies_until=now + dt.timedelta(days=1),
        capacity=None,
        audience={"segments": [], "subjects": [], "place_ids": [], "school_ids": []},
        content={"project_id": str(project_id), "title": "骨干教师专项培训"},
        state="PUBLISHED",
    )


def _offering_of(period: Period, course_no: str) -> Offering:
    return Offering(
        offering_id=new_id(),
        version=1,
        period_id=period.period_id,
        course_id=new_id(),
        course_no=course_no,
        title="课程",
        hour_type="PROFESSIONAL",
        course_type="REMOTE",
        hours=Decimal(10),
        fee=Decimal(100),
        material_fee=Decimal(0),
        public_course=False,
        charging_unit_id=new_id(),
        charging_place=period.place,
        capacity=None,
        audience={},
        capability=False,
        state="OPEN",
    )


def earn_elsewhere(world: World, spot: Spot) -> None:
    """Ten credits of a province that counts in them: of one teacher as they are, of another one converted."""
    for kind in ("foreign", "converted"):
        spot.things[kind] = member(world, spot)
        earned = [("CREDIT", FOREIGN), *([("HOUR", f"conversion:{FOREIGN}")] if kind == "converted" else [])]
        with world.process["credits"].database.work() as db:
            db.add_all([_entry(uuid.UUID(spot.things[kind]), *each) for each in earned])


def _entry(teacher_id: uuid.UUID, unit: str, source_ref: str) -> LedgerEntry:
    now = clock.now()
    return LedgerEntry(
        teacher_id=teacher_id,
        entry_id=new_id(),
        source_ref=source_ref,
        turn=1,
        rule_id="GX.CONV",
        evidence_version=1,
        source_kind="DECLARATION",
        programme_id=None,
        unit=unit,
        amount=Decimal(10),
        hour_type="",
        training_form="",
        year=2026,
        effective_on=now.date(),
        recorded_at=now,
        school_id=None,
        place="CN/450000/450100/450103/s1",
        pack_id="guangxi-2016",
        pack_version="",
        why="",
        reversal_of=None,
        recognised_by="",
        recognised_at="",
    )


QUESTION, MATERIAL, COMING_MATERIAL = str(new_id()), str(new_id()), str(new_id())


def ask_something(world: World) -> None:
    """A question in a course of the season, which is over; so it is written past the door."""
    course_id = stable_id("2023-winter", "party20")
    asked = "怎样设计分层作业？"
    question = CourseText(
        text_id=uuid.UUID(QUESTION),
        course_id=course_id,
        programme_id=uuid.UUID(world.programme_id),
        place=NATION,
        kind=tools.Kind.QUESTION,
        author_id=uuid.UUID(world.spots[Where.OTHER_PROVINCE].people["verified"]),
        by_tutor=False,
        visibility=tools.Visibility.COURSE,
        title="",
        text=asked,
        written_at=clock.now(),
        changed_at=clock.now(),
        reports=1,
        folded_text=asked,
        tokens=tools.tokens(course_id, asked),
    )
    cipher = world.process["learning"].service.cipher
    files = [
        CourseMaterial(
            material_id=uuid.UUID(material_id),
            course_id=course_id,
            programme_id=uuid.UUID(world.programme_id),
            place=NATION,
            title=material_id,
            sha256="1" * 64,
            media_type="application/pdf",
            size=1,
            file_key_sealed=cipher.seal("key", "course_material", material_id, "file_key"),
            storage_key=storage_key,
            added_by=question.author_id,
            added_at=clock.now(),
        )
        for material_id, storage_key in ((MATERIAL, "materials/aa/" + "1" * 30), (COMING_MATERIAL, None))
    ]
    with world.process["learning"].database.work() as db:
        db.merge(question)
        for file in files:
            db.merge(file)


def generate_code(world: World, spot: Spot, operator: Actor) -> None:
    code = {"place": spot.place, "role": "SCHOOL_ADMIN"}
    spot.things["code"] = world.call("org", "generate_authority_code", code, operator)["code_id"]


# Seats that take two persons: what a second operator has proposed, by name and by code.
PROPOSED = (
    (Role.SUPER_ADMIN, PROVINCE),
    (Role.PROVINCE_ADMIN, PROVINCE),
    (Role.PROVINCE_ADMIN, OTHER_PROVINCE),
    (Role.AUDITOR, NATION),
)


def propose(world: World) -> None:
    operator_id, *appointees = world.new_people(1 + len(PROPOSED))
    world.deliver_all()
    world.call("org", "bootstrap_grant", {"account_id": operator_id, "role": "NATIONAL_OPERATOR", "place": NATION})
    world.deliver_all()
    world.proposer = world.actor(operator_id)
    for (role, place), account_id in zip(PROPOSED, appointees, strict=True):
        wanted = {"account_id": account_id, "role": str(role), "place": place}
        world.proposals[role, place] = world.call("org", "propose_grant", wanted, world.proposer)["proposal_id"]
        if role is not Role.AUDITOR:
            seat = {"place": place, "role": str(role)}
            code = world.call("org", "generate_authority_code", seat, world.proposer)
            world.proposed_codes[role, place] = code["code_id"]


# Whose periods there are: a city's, a district's, another city's.
PERIODS_AT = {Where.OWN: CITY, Where.NEIGHBOUR: COUNTY, Where.OTHER_CITY: OTHER_CITY}


OFFER_WINDOW = {"applies_from": "2020-01-01T00:00:00+08:00", "applies_until": "2050-01-01T00:00:00+08:00"}


def course_of(spot: Spot, **changes: Any) -> dict[str, Any]:
    unit = {"applicant_unit_id": spot.school["school_id"], "charging_unit_id": spot.school["school_id"]}
    facts = {"title": "教育心理学", "hour_type": "PROFESSIONAL", "course_type": "REMOTE", "hours": "18"}
    return {"course_no": new_id().hex[-12:], **facts, **unit, **changes}


def project_of(spot: Spot) -> dict[str, Any]:
    return {
        "title": "骨干教师专项培训",
        "level": "CITY",
        "course_type": "FACE_TO_FACE",
        "hour_type": "PROFESSIONAL",
        "amount": "24",
        "institution_unit_id": spot.school["school_id"],
        "starts_on": "2050-05-01",
        "ends_on": "2050-05-31",
        **OFFER_WINDOW,
    }


def period_at(place: str, year: int = 2050) -> dict[str, Any]:
    window = {"selects_from": f"{year}-03-01T00:00:00+08:00", "selects_until": f"{year}-03-16T00:00:00+08:00"}
    code = f"{year}-{new_id().hex[-8:]}"
    return {"place": place, "code": code, "title": "第一期", "year": year, "due_on": f"{year}-03-31", **window}


def keep_courses(world: World) -> None:
    """A course that each school keeps as an institution; periods of two cities and a district, in every state for a step."""
    for spot in world.spots.values():
        keeper = _holder(Role.TRAINING_INSTITUTION, spot.place)
        made = world.call("catalog", "create_course", {"place": spot.place, **course_of(spot)}, keeper)
        spot.things["course"] = made["course_id"]
        offer = {"kind": "SKILL", "title": "心理健康教育", "institution": "某学院", **OFFER_WINDOW}
        offered = world.call("catalog", "create_study_offer", {"place": spot.place, **offer}, keeper)
        spot.things["study offer"] = offered["offer_id"]
        planned = {"place": spot.place, **project_of(spot)}
        for name in ("kept project", "shown project"):
            spot.things[name] = world.call("catalog", "create_training_project", planned, keeper)["project_id"]
        shown = {"project_id": spot.things["shown project"], "version": 1}
        world.call("catalog", "publish_training_project", shown, keeper)
        applicant = dataclasses.replace(teacher(member(world, spot)), place=spot.place)
        applied = world.call("catalog", "apply_for_study", {"offer_id": offered["offer_id"]}, applicant)
        spot.things["application"] = applied["application_id"]
    for where, place in PERIODS_AT.items():
        spot = world.spots[where]
        for kind in ("period", "billed", "teaching", "graded", "shown"):
            keep_period(world, spot, place, kind)
        extra = world.call("catalog", "create_course", {"place": place, **course_of(spot)}, keeper_of(place))
        spot.things["course to offer"] = extra["course_id"]


def keeper_of(place: str) -> Actor:
    return _holder(Role.DISTRICT_INSTITUTION if place == COUNTY else Role.CITY_CENTRE, place)


def keep_period(world: World, spot: Spot, place: str, kind: str) -> None:
    """A period with one offering, in the state that `kind` names; "shown" is published."""
    keeper = keeper_of(place)
    period_id = world.call("catalog", "plan_period", period_at(place), keeper)["period_id"]
    own = world.call("catalog", "create_course", {"place": place, **course_of(spot)}, keeper)
    wanted = {"period_id": period_id, "offerings": [{"course_id": own["course_id"]}]}
    [offering] = world.call("catalog", "add_offerings", wanted, keeper)["items"]
    if kind == "shown":
        world.call("catalog", "publish_period", {"period_id": period_id, "version": 1}, keeper)
    elif kind != "period":
        world.sql("catalog", f"UPDATE period SET state = '{kind.upper()}' WHERE period_id = '{period_id}'")
    spot.things[kind], spot.places[kind] = period_id, place
    spot.things[f"offering of {kind}"], spot.places[f"offering of {kind}"] = offering["offering_id"], place


def hold(world: World, spot: Spot, city: str) -> None:
    held = {"teacher_id": member(world, spot), "kind": "SPECIAL_USER", "reason": "逾期未缴费"}
    world.deliver_all()
    spot.things["hold"] = world.call("billing", "place_hold", held, _holder(Role.CITY_CENTRE, city))["hold_id"]
    spot.places["hold"] = city


def owe(world: World, spot: Spot, city: str) -> None:
    """A bill of the school to its city, printed and paid in part, and money that fits no bill."""
    billing, admin = world.process["billing"], school_admin(spot)
    period_id, payee, now = str(new_id()), new_id(), clock.now()
    with billing.database.work() as db:
        db.add(Unit(unit_id=payee, version=1, name="收费单位", seal_name="收费单位", place=f"{city}/s{payee.hex}"))
        db.add(
            BilledPeriod(
                period_id=uuid.UUID(period_id),
                version=1,
                code="2023-1",
                title="2023年上半年",
                tier="CITY",
                place=city,
                year=2023,
                state="CLOSED",
                due_on=(now + dt.timedelta(days=30)).date(),
            )
        )
        offering = BilledOffering(
            offering_id=new_id(),
            version=1,
            period_id=uuid.UUID(period_id),
            course_no="C1",
            title="课程",
            hour_type="PROFESSIONAL",
            course_type="REMOTE",
            hours=Decimal(10),
            fee=Decimal(50),
            material_fee=Decimal(0),
            public_course=False,
            charging_unit_id=payee,
            charging_place=city,
        )
        choices = [
            BilledChoice(
                choice_id=new_id(),
                version=1,
                teacher_id=uuid.UUID(spot.people[who]),
                school_id=uuid.UUID(spot.school["school_id"]),
                place=spot.place,
                offering_id=offering.offering_id,
                period_id=uuid.UUID(period_id),
                state="CHOSEN",
                chosen_at=now,
            )
            for who in ("verified", "second")
        ]
        db.add_all([offering, *choices, Closing(period_id=uuid.UUID(period_id), choices=2, versions=2)])
    billing.service.make_bills(now)
    [bill] = world.call("billing", "list_bills", {"place": spot.place, "period_id": period_id}, admin)["items"]
    world.call("billing", "print_notice", {"bill_id": bill["bill_id"]}, admin)
    paid = {"amount": "50.00", "receipt_no": f"R{new_id().hex[-12:]}", "paid_on": now.date().isoformat()}
    keeper = _holder(Role.CITY_CENTRE, city)
    world.call("billing", "register_payment", {"bill_id": bill["bill_id"], **paid}, keeper)
    stray = Payment(
        payment_id=new_id(),
        bill_id=None,
        bill_no="unknown",
        place="",
        keeper_place=city,
        amount=Decimal(50),
        receipt_no=f"S{new_id().hex[-12:]}",
        paid_on=now.date(),
        payer="",
        source="BANK_FILE",
        state="UNKNOWN_NOTICE",
        registered_by="matrix",
        registered_at=now,
    )
    with billing.database.work() as db:
        db.add(stray)
        spot.things["stray payment"] = str(stray.payment_id)
    spot.things |= {"bill": bill["bill_id"], "kept bill": bill["bill_id"], "kept period": period_id}
    spot.things["billed choice"] = str(choices[0].choice_id)
    # Of the other teacher the last day has passed.
    world.sql("billing", f"UPDATE charge SET state = 'UNPAID' WHERE choice_id = '{choices[1].choice_id}'")
    spot.places |= {"bill": spot.place, "kept bill": city, "kept period": city}


# --- the cast -------------------------------------------------------------------------------------------------------------


def gather(world: World) -> list[Cast]:
    here = world.spots[Where.OWN]
    cast = [Cast(Column.VISITOR, None, "", dataclasses.replace(ANONYMOUS, address="127.0.0.1"))]
    for column, kind in ((Column.UNVERIFIED, "pending"), (Column.VERIFIED, "verified")):
        actor = world.actor(here.people[kind], Desk.TEACHER)
        cast.append(Cast(column, None, here.place, actor))
    [student] = world.new_people(1)
    world.deliver_all()
    as_student = dataclasses.replace(world.actor(student, Desk.TEACHER), identity="STUDENT")
    cast.append(Cast(Column.STUDENT, None, "", as_student))
    for column, (_, at) in HOLDERS.items():
        home = here.place if at == "own school" else at
        for state in GrantState:
            actor = world.actor(here.things[f"{column.value} {state}"])
            cast.append(Cast(column, state, home, actor))
    return cast
