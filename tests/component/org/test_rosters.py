"""Rosters through the real org and identity: spreadsheet in, people and memberships out."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from gateway import rosters
from services.identity.service import IdentityService
from services.shared.actor import Actor, Role
from services.shared.ids import new_id
from tests.component.org.conftest import Org
from yanxiu import samples

pytestmark = pytest.mark.postgres

LIWAN = "CN/440000/440100/440103"


class TwoServices:
    """Org and identity over their databases, asked as one actor under one key."""

    def __init__(self, org: Org, identity: Any, actor: Actor) -> None:
        self._services = {"org": org.component, "identity": identity}
        self._actor = actor
        self._key = str(new_id())
        self.told: list[str] = []

    def ask(self, service: str, method: str, arguments: dict[str, Any]) -> Any:
        return self._services[service].call(method, arguments, self._actor)

    def tell(self, service: str, method: str, arguments: dict[str, Any], step: str) -> Any:
        self.told.append(step)
        return self._services[service].call(method, arguments, self._actor, command_id=f"{self._key}/{step}")


@pytest.fixture
def services(org: Org, component: Callable[..., Any]) -> Callable[..., TwoServices]:
    identity = component(IdentityService)
    return lambda place=LIWAN: TwoServices(org, identity, org.person(None, (Role.COUNTY_ADMIN, place)))


@pytest.fixture
def edition() -> int:
    return uuid.uuid4().int % 9000 + 100


def outcomes(rows: list[rosters.RosterRow]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.outcome] = counts.get(row.outcome, 0) + 1
    return counts


def test_the_sample_rosters_come_in_whole_but_for_the_ten_faulty_rows(
    services: Callable[..., TwoServices], edition: int
) -> None:
    progress: list[tuple[int, int]] = []
    schools = rosters.import_schools(samples.schools_xlsx(edition), services())
    teachers = rosters.import_teachers(
        samples.teachers_xlsx(edition), services(), lambda done, total: progress.append((done, total))
    )
    assert outcomes(schools) == {"CREATED": samples.SCHOOLS}
    assert outcomes(teachers) == {"CREATED": 190, "REFUSED": 10}
    assert progress == [(100, 200), (200, 200)]
    refused = [samples.Fault(row.number, row.code, row.field) for row in teachers if not row.alive]
    assert refused == samples.teachers(edition).faults


def test_a_second_import_of_the_same_file_changes_nothing(
    services: Callable[..., TwoServices], edition: int, org: Org
) -> None:
    for _ in range(2):
        schools = rosters.import_schools(samples.schools_xlsx(edition), services())
        teachers = rosters.import_teachers(samples.teachers_xlsx(edition), services())
    assert outcomes(schools) == {"UNCHANGED": samples.SCHOOLS}
    assert outcomes(teachers) == {"UNCHANGED": 190, "REFUSED": 10}
    school = org.call("find_schools", {"codes": [samples.schools(edition)[0]["code"]]})["items"][0]
    members = org.call("list_memberships", {"school_id": school["school_id"], "limit": 200}, org.admin_of(school))
    assert {member["version"] for member in members["items"]} == {1}


def test_the_same_request_repeated_tells_the_first_outcome_again(
    services: Callable[..., TwoServices], edition: int
) -> None:
    """A client whose connection broke sends the same key again, and must learn what the first try did."""
    same = services()
    first = rosters.import_schools(samples.schools_xlsx(edition), same)
    assert rosters.import_schools(samples.schools_xlsx(edition), same) == first


def test_schools_out_of_reach_refuse_their_rows_and_make_no_account(
    services: Callable[..., TwoServices], edition: int
) -> None:
    rosters.import_schools(samples.schools_xlsx(edition), services())
    stranger = services("CN/440000/440100/440105")
    rows = rosters.import_teachers(samples.teachers_xlsx(edition), stranger)
    assert outcomes(rows) == {"REFUSED": 200}
    assert {row.code for row in rows} >= {"org.school_unknown"}
    assert stranger.told == []
