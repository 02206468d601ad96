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
from typing import Any

import sqlalchemy as sa

from gateway.auth import AccessTokens
from services.catalog import season_file
from services.identity.actions import sign_ins
from services.learning.contract.reviews import Anomaly, ReviewState
from services.learning.review.models import StudyReview
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
    world.deliver_all()
    propose(world)
    for spot in world.spots.values():
        declare(world, spot)
        find_conspicuous(world, spot)
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


def hold(world: World, spot: Spot, city: str) -> None:
    held = {"teacher_id": member(world, spot), "kind": "SPECIAL_USER", "reason": "逾期未缴费"}
    spot.things["hold"] = world.call("org", "place_hold", held, _holder(Role.CITY_CENTRE, city))["hold_id"]
    spot.places["hold"] = city


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
