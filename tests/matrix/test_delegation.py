"""Who may give and take away which role where: decided by role and place together (`domain.md` §1.2, §3.8, "Further rights")."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from services.shared import audit_denials
from services.shared.actor import Role
from tests.matrix.capabilities import Column
from tests.matrix.reach import REGIONS
from tests.matrix.world import CITY, COUNTY, HOLDERS, NATION, PROVINCE, Cast, GrantState, Outcome, Where, World

LEVELS = ("NATION", "PROVINCE", "CITY", "COUNTY")
SPECIALISED = {"PROVINCE": Role.PROVINCE_ADMIN, "CITY": Role.CITY_ADMIN, "COUNTY": Role.COUNTY_ADMIN}
# Where each role exists at all; asking for it elsewhere is a mistake, not a matter of rights.
EXISTS: dict[Role, frozenset[str]] = {
    Role.PRINCIPAL: frozenset({"SCHOOL"}),
    Role.SCHOOL_ADMIN: frozenset({"SCHOOL"}),
    Role.COUNTY_ADMIN: frozenset({"COUNTY"}),
    Role.CITY_ADMIN: frozenset({"CITY"}),
    Role.PROVINCE_ADMIN: frozenset({"PROVINCE"}),
    Role.SUPER_ADMIN: frozenset(SPECIALISED),
    Role.DISTRICT_INSTITUTION: frozenset({"COUNTY"}),
    Role.CITY_CENTRE: frozenset({"CITY"}),
    Role.TRAINING_INSTITUTION: frozenset({"SCHOOL"}),
    Role.NATIONAL_OPERATOR: frozenset({"NATION"}),
    Role.SUPPORT_AGENT: frozenset({"NATION"}),
    Role.AUDITOR: frozenset({"NATION", "PROVINCE"}),
}
SUPERS = {Column.COUNTY_SUPER: COUNTY, Column.CITY_SUPER: CITY, Column.PROVINCE_SUPER: PROVINCE}
KEEPERS = {
    Column.COUNTY_ADMIN: COUNTY,
    Column.CITY_ADMIN: CITY,
    Column.PROVINCE_ADMIN: PROVINCE,
    **SUPERS,
}


@dataclasses.dataclass(frozen=True)
class Seat:
    """A role at a place."""

    role: Role
    place: str
    parent: str
    level: str

    @property
    def by_two_persons(self) -> bool:
        """reliability.md d37: "role province admin and above"."""
        return self.level in ("PROVINCE", "NATION")

    @property
    def institution(self) -> bool:
        return self.role in (Role.DISTRICT_INSTITUTION, Role.CITY_CENTRE)


def may_give(cast: Cast, seat: Seat) -> bool:
    """The table: A8 "own level / one below", A13 "first ones", A6 the principal, and who keeps a school its admin."""
    if cast.state is not GrantState.ACTIVE:
        return False
    if seat.role is Role.PRINCIPAL:
        return cast.column is Column.SCHOOL_ADMIN and seat.place == cast.home  # the table's row: A6 alone
    if cast.column is Column.OPERATOR:
        return seat.role is not Role.NATIONAL_OPERATOR  # a second operator comes from the installation
    if seat.level == "SCHOOL":
        return KEEPERS.get(cast.column) == seat.parent  # T of the county, D of city and province
    if cast.column in SUPERS:
        own_level = seat.place == cast.home and (seat.role is SPECIALISED.get(seat.level) or seat.institution)
        one_below = seat.role is Role.SUPER_ADMIN and seat.parent == cast.home
        return own_level or one_below
    return False


def seats(world: World) -> Iterator[Seat]:
    """Every role at every place where it exists."""
    for role in Role:
        for place, parent in REGIONS.items():
            level = LEVELS[place.count("/")]
            if level in EXISTS[role]:
                yield Seat(role, place, parent, level)
        for spot in world.spots.values():
            if "SCHOOL" in EXISTS[role]:
                yield Seat(role, spot.place, spot.parent, "SCHOOL")


@pytest.fixture(scope="module")
def stage(world: World) -> Iterator[World]:
    patch = pytest.MonkeyPatch()
    patch.setattr(audit_denials._allowance, "take", lambda _actor: None)
    with world.rehearsing():
        yield world
    patch.undo()


def holder_for(world: World, seat: Seat) -> str:
    """Somebody who may be given it: a school appoints its own teachers."""
    spot = next((spot for spot in world.spots.values() if spot.place == seat.place), world.spots[Where.OWN])
    return spot.people["second"]


def test_every_role_everywhere_is_given_by_whom_the_table_names(stage: World) -> None:
    wrong, given, cells = [], 0, 0
    for seat in seats(stage):
        grant = {"account_id": holder_for(stage, seat), "role": str(seat.role), "place": seat.place, "replace": True}
        for cast in stage.cast:
            # One person gives it, or the first of two proposes it; each way is closed to what goes the other.
            for method, two in (("grant_role", False), ("propose_grant", True)):
                answer = stage.rehearse("org", method, grant, cast.actor)
                cells += 1
                given += answer.outcome is Outcome.ALLOWED
                may = may_give(cast, seat) and seat.by_two_persons is two
                is_right = (answer.outcome is Outcome.ALLOWED) is may
                if not is_right or (not may_give(cast, seat) and answer.outcome is Outcome.OTHERWISE):
                    wrong.append(f"{method} {seat} by {cast.column} {cast.state}: {answer.outcome} {answer.code}")
    assert not wrong, "\n".join([f"{len(wrong)} of {cells} are wrong:", *wrong[:40]])
    assert given > 30
    assert cells > 1000


def test_codes_are_given_by_whom_the_table_names(stage: World) -> None:
    """Codes exist for school admins and for the admins of regions (§3.8); other roles are given by name."""
    with_code = {Role.SCHOOL_ADMIN, Role.SUPER_ADMIN, *SPECIALISED.values()}
    wrong, given = [], 0
    for seat in seats(stage):
        for cast in stage.cast:
            wanted = {"place": seat.place, "role": str(seat.role), "regenerate": True}
            answer = stage.rehearse("org", "generate_authority_code", wanted, cast.actor)
            given += answer.outcome is Outcome.ALLOWED
            may = may_give(cast, seat) and seat.role in with_code
            # A seat that is taken needs no code; the right is there.
            let_through = answer.outcome is Outcome.ALLOWED or (may and answer.outcome is Outcome.OTHERWISE)
            if let_through is not may:
                wrong.append(
                    f"{seat.role} at {seat.place} by {cast.column} {cast.state}: {answer.outcome} {answer.code}"
                )
    assert not wrong, "\n".join([f"{len(wrong)} are wrong:", *wrong[:40]])
    assert given > 20


def test_a_second_person_decides_who_may_give_it_too(stage: World) -> None:
    """Whatever the second operator proposed: approved and rejected by whom the table names, by nobody else and not by him."""
    decided = 0
    for (role, place), proposal_id in stage.proposals.items():
        seat = Seat(role, place, REGIONS[place], LEVELS[place.count("/")])
        one, why = {"proposal_id": proposal_id}, {"reason": "人选不妥"}
        acts: list[tuple[str, dict[str, str]]] = [("approve_grant", one), ("reject_proposal", one | why)]
        if (role, place) in stage.proposed_codes:
            acts.append(("approve_authority_code", {"code_id": stage.proposed_codes[role, place]}))
        for method, arguments in acts:
            for cast in stage.cast:
                answer = stage.rehearse("org", method, arguments, cast.actor)
                decided += answer.outcome is Outcome.ALLOWED
                assert (answer.outcome is Outcome.ALLOWED) is may_give(cast, seat), (method, seat, cast.column, answer)
                assert answer.outcome is not Outcome.OTHERWISE, (method, seat, cast.column, answer)
            assert stage.rehearse("org", method, arguments, stage.proposer).code == "org.two_persons"
        for cast in stage.cast:
            assert stage.rehearse("org", "withdraw_proposal", one, cast.actor).outcome is Outcome.DENIED
        assert stage.rehearse("org", "withdraw_proposal", one, stage.proposer).outcome is Outcome.ALLOWED
    assert decided > 10


def test_whoever_may_give_may_take_away(stage: World) -> None:
    """The same right revokes; nobody revokes the own grant."""
    here = stage.spots[Where.OWN]
    for column, (role, _) in HOLDERS.items():
        grant_id = here.things[f"grant of {column.value} {GrantState.ACTIVE}"]
        home = next(cast.home for cast in stage.cast if cast.column is column)
        seat = Seat(role, home, home.rpartition("/")[0], "SCHOOL" if home == here.place else LEVELS[home.count("/")])
        for cast in stage.cast:
            answer = stage.rehearse("org", "revoke_grant", {"grant_id": grant_id, "reason": "卸任"}, cast.actor)
            own = cast.column is column and cast.state is GrantState.ACTIVE
            assert (answer.outcome is Outcome.ALLOWED) is (may_give(cast, seat) and not own), (
                column,
                cast.column,
                answer,
            )


def test_nobody_gives_to_himself(stage: World) -> None:
    for cast in stage.cast:
        if cast.state is not GrantState.ACTIVE:
            continue
        for seat in seats(stage):
            grant = {
                "account_id": str(cast.actor.account_id),
                "role": str(seat.role),
                "place": seat.place,
                "replace": True,
            }
            for method in ("grant_role", "propose_grant"):
                answer = stage.rehearse("org", method, grant, cast.actor)
                assert answer.outcome is not Outcome.ALLOWED, (cast.column, seat)


def test_a_stale_token_gives_nothing(stage: World) -> None:
    """Whoever names in the token what has been revoked meanwhile can hand none of it on."""
    for cast in stage.cast:
        if cast.state is not GrantState.REVOKED:
            continue
        active = next(each for each in stage.cast if each.column is cast.column and each.state is GrantState.ACTIVE)
        stale = dataclasses.replace(cast.actor, grants=active.actor.grants, desk=active.actor.desk)
        for seat in seats(stage):
            grant = {
                "account_id": holder_for(stage, seat),
                "role": str(seat.role),
                "place": seat.place,
                "replace": True,
            }
            for method in ("grant_role", "propose_grant"):
                answer = stage.rehearse("org", method, grant, stale)
                assert answer.outcome is not Outcome.ALLOWED, (cast.column, seat)


def test_the_nation_s_place_is_known() -> None:
    assert REGIONS[NATION] == ""
