"""Whom an endpoint can be about, and what the table of rights says of one actor and one target."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable, Iterator
from typing import Any

from services.shared.actor import covers
from services.shared.ids import new_id
from tests.matrix.capabilities import CAPABILITIES, NO_RIGHT, Column, Right, Scope
from tests.matrix.world import (
    CITY,
    COUNTY,
    NATION,
    OTHER_CITY,
    OTHER_COUNTY,
    OTHER_PROVINCE,
    PROVINCE,
    Answer,
    Cast,
    GrantState,
    Outcome,
    Spot,
    Where,
    World,
)

# From nearest to farthest, with the place directly above each.
REGIONS = {
    COUNTY: CITY,
    OTHER_COUNTY: CITY,
    CITY: PROVINCE,
    OTHER_CITY: PROVINCE,
    PROVINCE: NATION,
    OTHER_PROVINCE: NATION,
    NATION: "",
}


NOT_YOURSELF = frozenset({"org.not_yourself", "identity.not_yourself"})
# Who of the cast is a teacher somewhere; the others belong to no school.
AT_OWN_SCHOOL = frozenset({Column.UNVERIFIED, Column.VERIFIED, Column.PRINCIPAL, Column.SCHOOL_ADMIN})


class About(enum.StrEnum):
    """What an endpoint's target is."""

    NOTHING = "nothing but the caller"
    PERSON = "a teacher"
    UNIT = "a school"
    REGION = "a region"
    NATION = "the nation"
    THING = "what was made somewhere"


@dataclasses.dataclass(frozen=True)
class Target:
    """One target: a teacher or school somewhere, or a region. `relation` says where, seen from the own school."""

    relation: str
    place: str = ""
    parent: str = ""
    subject: str = ""
    spot: Spot | None = None
    kind: str = ""
    before: str = ""  # where the teacher was before, or belongs until a transfer is decided


@dataclasses.dataclass(frozen=True)
class Ask:
    """What an endpoint's arguments are made from."""

    world: World
    cast: Cast
    target: Target

    @property
    def teacher(self) -> dict[str, Any]:
        return {"teacher_id": self.target.subject}

    @property
    def school(self) -> dict[str, Any]:
        assert self.target.spot is not None
        return {"school_id": self.target.spot.school["school_id"]}

    def thing(self, name: str) -> str:
        """The id of what was made at the target's place; one that is nowhere, where there is none."""
        return self.target.spot.things.get(name, str(new_id())) if self.target.spot else str(new_id())


Arguments = Callable[[Ask], dict[str, Any]]


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """One service method: the rows of the table that give it, what it is about, how it is called.

    `kind` names whom it is about (`Spot.people`), or what (`Spot.things`). `not_oneself`: nobody decides about himself (§1.2). `where`
    narrows a right that reaches the target further, by a rule that the table only points at. `empty` are codes by which the caller's own
    matter turns out not to be there, and which tell no more than that. `blind` are codes that say so of everything beyond reach as well: there only the role is
    seen to be checked. `instead` decides where the table's letters cannot say how far
    a right reaches (things with two ends); they still say who has it at all. `missing`: the code by which a bulk decision's row says that
    there is no such teacher. `shows`: the part of the answer that stays empty for whom the target is hidden. `unsure`: why no cell can succeed
    in this world, though the right is there; a story shows that it does (`telling.py`).
    """

    rights: tuple[str, ...]
    about: About
    arguments: Arguments
    kind: str = "verified"
    not_oneself: bool = False
    where: Callable[[Cast, Target], bool] = lambda _cast, _target: True
    instead: Callable[[Cast, Target], bool] | None = None
    empty: frozenset[str] = frozenset()
    blind: frozenset[str] = frozenset()
    missing: str = ""
    shows: str = ""
    unsure: str = ""

    def judge(self, answer: Answer) -> Answer:
        """What an answer means here: an empty list shows nothing, and a bulk decision says it of its one row."""
        if answer.code in self.empty:
            return dataclasses.replace(answer, outcome=Outcome.OTHERWISE)
        if answer.outcome is Outcome.ALLOWED and self.shows and not answer.reply[self.shows]:
            return Answer(Outcome.DENIED)
        if answer.outcome is Outcome.ALLOWED and self.missing:
            return self._of_the_row(answer)
        return answer

    def _of_the_row(self, answer: Answer) -> Answer:
        [row] = answer.reply["rows"] if "rows" in answer.reply else answer.reply["items"]
        if row["outcome"] in ("DONE", "CREATED", "UNCHANGED"):
            return answer
        denied = row["code"] == self.missing or row["code"] in NOT_YOURSELF
        return Answer(Outcome.DENIED if denied else Outcome.OTHERWISE, row["code"])


def targets(world: World, endpoint: Endpoint, cast: Cast) -> Iterator[Target]:
    """Every target that an endpoint has in the world, for one actor."""
    if endpoint.about is About.NOTHING:
        yield Target("self")
    elif endpoint.about is About.NATION:
        yield Target("nation", NATION)
    elif endpoint.about is About.THING:
        for where, spot in world.spots.items():
            if endpoint.kind in spot.things:
                place = spot.places.get(endpoint.kind, spot.place)
                before = world.spots[Where.OWN].place if endpoint.kind == "asked" else ""
                yield Target(where, place, place.rpartition("/")[0], "", spot, endpoint.kind, before)
    elif endpoint.about is About.REGION:
        for place, parent in REGIONS.items():
            yield Target(place, place, parent)
    else:
        for where, spot in world.spots.items():
            subject = spot.people.get(endpoint.kind, "") if endpoint.about is About.PERSON else ""
            yield Target(where, spot.place, spot.parent, subject, spot)
        if endpoint.about is About.PERSON:
            yield from _particular_people(world, endpoint, cast)


def _particular_people(world: World, endpoint: Endpoint, cast: Cast) -> Iterator[Target]:
    here, far = world.spots[Where.OWN], world.spots[Where.OTHER_PROVINCE]
    if endpoint.kind in ("verified", "second"):
        yield Target("moved away", far.place, far.parent, far.people["moved"], far, before=here.place)
        yield Target("moved here", here.place, here.parent, here.people["arrived"], here, before=far.place)
    if cast.actor.account_id is not None:
        place = here.place if cast.column in AT_OWN_SCHOOL else ""
        yield Target("self", place, "", str(cast.actor.account_id), here)


def unknown(endpoint: Endpoint) -> Target | None:
    """A target that nobody ever made."""
    if endpoint.about is About.PERSON and not endpoint.shows:
        return Target("unknown", subject=str(new_id()))
    return None


def right_of(capability: str, cast: Cast) -> Right:
    """A grant that is over gives nothing; its former holder is a teacher as others are."""
    rights = CAPABILITIES[capability]
    if cast.state in (GrantState.REVOKED, GrantState.EXPIRED):
        return rights[Column.VERIFIED]
    return rights[cast.column]


def is_expected(endpoint: Endpoint, cast: Cast, target: Target) -> bool:
    """Whether the table gives this actor the right, on this target."""
    if endpoint.not_oneself and target.subject and target.subject == str(cast.actor.account_id):
        return False
    rights = list(_rights(endpoint, cast))
    if endpoint.instead is not None:
        return any(right.scope is not Scope.NONE for right in rights) and endpoint.instead(cast, target)
    return endpoint.where(cast, target) and any(_reaches(endpoint, right, cast, target) for right in rights)


def _rights(endpoint: Endpoint, cast: Cast) -> Iterator[Right]:
    for capability in endpoint.rights:
        yield right_of(capability, cast)
        # An administrator is a teacher, too, in what concerns the own person.
        as_teacher = CAPABILITIES[capability][Column.VERIFIED] if cast.state is not None else NO_RIGHT
        if as_teacher.scope is Scope.SELF:
            yield as_teacher


def _reaches(endpoint: Endpoint, right: Right, cast: Cast, target: Target) -> bool:
    if endpoint.about is About.NOTHING:
        # Lists of whatever the caller may see: nobody without the right gets in, and what is in them is looked at elsewhere.
        # Nothing of a project is asked for that way.
        return right.scope not in (Scope.NONE, Scope.PROJECTS)
    match right.scope:
        case Scope.EVERYBODY:
            return True
        case Scope.SELF:
            return target.subject == str(cast.actor.account_id)
        case Scope.OWN_SCHOOL:
            return target.place == cast.home
        case Scope.TERRITORY:
            return bool(target.place) and covers(cast.home, target.place)
        case Scope.DIRECT:
            return target.parent == cast.home
    return False
