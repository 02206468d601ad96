"""What a county's people are told does not depend on what is in other counties (`reliability.md` S3).

Everything that they can call is called twice: while the rest of the nation is empty, and when it is full of schools, teachers,
administrators, codes, transfers, requests and holds. Every answer must be the same to the byte: lists, counts, searches, pages, and
refusals too. Targets elsewhere are ids that nobody made in the first round, and real ones in the second.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from services.shared import audit_denials, clock
from services.shared.bus.calls import MARKER, Query
from services.shared.ids import new_id
from services.shared.keys import KeyRing
from services.shared.policy import Policy
from services.shared.settings import Settings
from tests.conftest import FixedClock
from tests.matrix import world as nation
from tests.matrix.capabilities import Column
from tests.matrix.conftest import made_world
from tests.matrix.endpoints import ENDPOINTS, PUBLIC
from tests.matrix.reach import About, Ask, Endpoint, Target, targets
from tests.matrix.world import COUNTY, DIVISION_OF, Cast, GrantState, Outcome, Spot, Where, World

INSIDE = (Where.OWN, Where.NEIGHBOUR)
OUTSIDE = tuple(where for where in Where if where not in INSIDE)
# Whose territory is the county, or lies in it.
COLUMNS = frozenset(
    {
        Column.VERIFIED,
        Column.PRINCIPAL,
        Column.SCHOOL_ADMIN,
        Column.COUNTY_ADMIN,
        Column.COUNTY_SUPER,
        Column.DISTRICT_INSTITUTION,
    }
)
# Where an answer may differ, and why.
MAY_DIFFER = {
    "org.preview_transfer": "a learner number leads to a teacher wherever she is (S3:160)",
    "org.request_transfer": "the same",
    "identity.issue_captcha": "it is drawn at random",
}

Answers = dict[tuple[str, ...], str]


@pytest.fixture(scope="module")
def county(settings: Settings, keyring: KeyRing) -> Iterator[World]:
    """The county with everything in it, and nothing elsewhere. Time stands still."""
    patch = pytest.MonkeyPatch()
    patch.setattr(audit_denials._allowance, "take", lambda _actor: None)
    clock.install(FixedClock(clock.now().replace(microsecond=0)))
    with made_world(settings, keyring, "apart") as world:
        nation.lay_ground(world)
        nation.add_spots(world, INSIDE)
        nation.appoint(world)
        operator = world.actor(world.spots[Where.OWN].things[f"{Column.OPERATOR} {GrantState.ACTIVE}"])
        here, neighbour = world.spots[Where.OWN], world.spots[Where.NEIGHBOUR]
        for spot in (here, neighbour):
            nation.add_school_and_archived(world, spot, operator)
        nation.ask_for_teacher(world, here, neighbour, COUNTY)
        nation.ask_for_missing_school(world, here)
        nation.generate_code(world, neighbour, operator)
        nation.hold(world, here, nation.CITY)
        world.deliver_all()
        nation.keep_period(world, here, COUNTY, "shown")
        world.deliver_all()
        for spot in (here, neighbour):
            spot.things = Things(spot.things)
        world.learner_no = nation.learner_no(world, here.people["second"])
        here.people |= {"moved": str(new_id()), "arrived": str(new_id())}
        world.cast = [
            cast for cast in nation.gather(world) if cast.column in COLUMNS and cast.state in (None, GrantState.ACTIVE)
        ]
        yield world
    clock.install(clock.SystemClock())
    patch.undo()


def fill_the_rest(world: World) -> None:
    """Everywhere else the same as here, and more of it."""
    nation.add_spots(world, OUTSIDE)
    operator = world.actor(world.spots[Where.OWN].things[f"{Column.OPERATOR} {GrantState.ACTIVE}"])
    for where in OUTSIDE:
        spot = world.spots[where]
        nation.add_school_and_archived(world, spot, operator)
        nation.generate_code(world, spot, operator)
        if where in nation.WITH_OTHER:
            nation.ask_for_missing_school(world, spot)
    for where, city in ((Where.OTHER_COUNTY, nation.CITY), (Where.OTHER_CITY, nation.OTHER_CITY)):
        nation.hold(world, world.spots[where], city)
    there, far = world.spots[Where.OTHER_COUNTY], world.spots[Where.OTHER_PROVINCE]
    nation.ask_for_teacher(world, there, far, nation.NATION)
    for role in ("SCHOOL_ADMIN", "PRINCIPAL"):
        grant = {"account_id": there.people["verified"], "role": role, "place": there.place}
        world.call("org", "bootstrap_grant", grant)
    world.deliver_all()


class Things(dict[str, str]):
    """What the county has; of anything else an id that is nobody's, the same each time."""

    def __missing__(self, name: str) -> str:
        # Not kept here: what a place has is also what it is asked about.
        return str(uuid.uuid5(uuid.NAMESPACE_URL, name))


def nobody(where: Where) -> Spot:
    """A school that is not there, with people and things that are not."""
    division = {
        Where.OTHER_COUNTY: nation.OTHER_COUNTY,
        Where.CITY_DIRECT: nation.CITY,
        Where.PROVINCE_DIRECT: nation.PROVINCE,
    }
    parent = division.get(where, f"{nation.OTHER_PROVINCE}/350100/350102")
    school = {
        "school_id": str(new_id()),
        "place": f"{parent}/s{new_id().hex}",
        "version": 1,
        "division_code": DIVISION_OF[where],
    }
    names = ("pending", "verified", "second", "archived", "moved", "arrived")
    names_of_things = ("neighbour", "transfer", "asked", "move", "request", "code", "hold")
    things = {name: str(new_id()) for name in names_of_things}
    return Spot(where, school, {name: str(new_id()) for name in names}, Things(things))


def crawl(world: World) -> Answers:
    """Everything that the county's people can ask and do, and what came of it."""
    with world.rehearsing():
        return {
            (method, cast.column, target.relation): told(world, method, endpoint, cast, target)
            for method, endpoint in ENDPOINTS.items()
            if method not in MAY_DIFFER
            for cast in world.cast
            for target in _asked_about(world, endpoint, cast)
        }


def _asked_about(world: World, endpoint: Endpoint, cast: Cast) -> Iterator[Target]:
    for target in targets(world, endpoint, cast):
        # Names of schools anywhere are public; what is asked of the public side about elsewhere is no secret.
        if endpoint.rights == PUBLIC and endpoint.about is About.UNIT and target.relation not in INSIDE:
            continue
        yield target


def told(world: World, method: str, endpoint: Endpoint, cast: Cast, target: Target) -> str:
    service, name = method.split(".", 1)
    answer = world.rehearse(service, name, endpoint.arguments(Ask(world, cast, target)), cast.actor)
    reply: Any = answer.reply
    if not isinstance(getattr(getattr(type(world.process[service].service), name), MARKER), Query):
        reply = None  # new ids and secrets; what was refused, and how, is compared
    return json.dumps([answer.outcome, answer.code, reply], ensure_ascii=False, sort_keys=True)


@pytest.fixture(scope="module")
def twice(county: World) -> tuple[Answers, Answers]:
    county.spots |= {where: nobody(where) for where in OUTSIDE}
    empty = crawl(county)
    for where in OUTSIDE:
        del county.spots[where]
    fill_the_rest(county)
    for where in OUTSIDE:
        # What has no counterpart there stays something that nobody made.
        spot, stand_in = county.spots[where], nobody(where)
        spot.people = stand_in.people | spot.people
        spot.things = stand_in.things | spot.things
    return empty, crawl(county)


def test_every_answer_is_the_same_whether_the_rest_is_empty_or_full(twice: tuple[Answers, Answers]) -> None:
    empty, full = twice
    assert set(empty) == set(full)
    different = [
        f"{' '.join(key)}\n  {empty[key][:300]}\n  {full[key][:300]}" for key in empty if empty[key] != full[key]
    ]
    assert not different, "\n".join([f"{len(different)} of {len(empty)} answers differ:", *different[:20]])


def test_the_answers_say_something(twice: tuple[Answers, Answers]) -> None:
    """Refusals alone would always be the same."""
    said = [json.loads(answer) for answer in twice[1].values()]
    assert sum(outcome == Outcome.ALLOWED and bool(reply) for outcome, _, reply in said) > len(said) // 20


def test_without_the_walls_the_answers_differ(
    twice: tuple[Answers, Answers], county: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin."""
    monkeypatch.setattr(Policy, "check", lambda *_arguments: None)
    with county.rehearsing():
        database = county.process["org"].service.database
        monkeypatch.setattr(database, "app", database.worker)
        cast = next(each for each in county.cast if each.column is Column.COUNTY_ADMIN)
        endpoint = ENDPOINTS["org.list_memberships"]
        elsewhere = [each for each in targets(county, endpoint, cast) if each.relation is Where.OTHER_COUNTY]
        [told_now] = [told(county, "org.list_memberships", endpoint, cast, target) for target in elsewhere]
    assert told_now != twice[0]["org.list_memberships", cast.column, Where.OTHER_COUNTY]
