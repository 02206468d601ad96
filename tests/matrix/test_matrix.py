"""The matrix: every endpoint, for every actor in every state of the grant, on targets at every distance.

A cell is one call through the dispatcher over the real services and their databases. What the table gives must be let through
(to success, or to a refusal that has to do with the case and not with the right); what it does not give must be refused, as
NotAllowed or as if the target did not exist, and with nothing told. Whatever a cell writes is taken back.
"""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest

from services.shared import audit_denials
from services.shared.actor import covers
from services.shared.policy import Policy
from tests.matrix import endpoints as table
from tests.matrix.capabilities import CAPABILITIES, NOT_BUILT, Column
from tests.matrix.endpoints import ENDPOINTS, INTERNAL
from tests.matrix.reach import Ask, Endpoint, Target, is_expected, targets, unknown
from tests.matrix.stories import test_accounts, test_recognition, test_study, test_training, test_units
from tests.matrix.world import Answer, Cast, GrantState, Outcome, Where, World
from yanxiu.local import processes

LEAST_CELLS = 20_000  # reliability.md S1
SHOWN = 40
STORIES = (test_accounts, test_recognition, test_study, test_training, test_units)

METHODS = {
    f"{process}.{method}": process
    for process in processes.SERVICE_PROCESSES
    for method in processes.load_class(process).policies
}


@dataclasses.dataclass(frozen=True)
class Cell:
    method: str
    cast: Cast
    target: Target
    expected: bool
    answer: Answer

    @property
    def is_right(self) -> bool:
        if self.answer.code in ENDPOINTS[self.method].blind:
            return True
        return (self.answer.outcome is Outcome.DENIED) is not self.expected and (
            self.expected or self.answer.outcome is not Outcome.OTHERWISE
        )

    def __str__(self) -> str:
        who = f"{self.cast.column} {self.cast.state or ''}".strip()
        wanted = "allowed" if self.expected else "denied"
        return (
            f"{self.method} by {who} on {self.target.relation}: {self.answer.outcome} {self.answer.code}, not {wanted}"
        )


@pytest.fixture(scope="module")
def stage(world: World) -> Iterator[World]:
    """The world as a rehearsal, in which refusals are not written down: there are thousands."""
    patch = pytest.MonkeyPatch()
    patch.setattr(audit_denials._allowance, "take", lambda _actor: None)
    with world.rehearsing():
        yield world
    patch.undo()


def play(world: World, method: str, endpoint: Endpoint, cast: Cast, target: Target) -> Answer:
    service, name = method.split(".", 1)
    answer = world.rehearse(service, name, endpoint.arguments(Ask(world, cast, target)), cast.actor)
    return endpoint.judge(answer)


def cells_of(world: World, method: str) -> Iterator[Cell]:
    endpoint = ENDPOINTS[method]
    for cast in world.cast:
        for target in targets(world, endpoint, cast):
            answer = play(world, method, endpoint, cast, target)
            yield Cell(method, cast, target, is_expected(endpoint, cast, target), answer)


_counted: dict[str, int] = {}


@pytest.mark.parametrize("method", ENDPOINTS)
def test_every_cell_is_as_the_table_says(stage: World, method: str) -> None:
    cells = list(cells_of(stage, method))
    _counted[method] = len(cells)
    wrong = [str(cell) for cell in cells if not cell.is_right]
    assert not wrong, "\n".join([f"{len(wrong)} of {len(cells)} cells are wrong:", *wrong[:SHOWN]])
    succeeded = any(cell.answer.outcome is Outcome.ALLOWED for cell in cells)
    # Whose success is told as a story, or has a reason not to be: `test_whatever_succeeds_in_no_cell_has_a_story`.
    assert succeeded or ENDPOINTS[method].unsure, f"no cell succeeds: {_codes(cells)}"


def _codes(cells: list[Cell]) -> dict[str, int]:
    return dict(collections.Counter(cell.answer.code for cell in cells if cell.expected))


def test_there_are_enough_cells() -> None:
    """After the cells themselves; alone it has nothing to count."""
    if len(_counted) < len(ENDPOINTS):
        pytest.skip("only a part of the matrix was run")
    assert sum(_counted.values()) >= LEAST_CELLS


# --- the table is whole -------------------------------------------------------------------------------------------------


def test_every_method_is_in_the_table_or_for_services_only() -> None:
    """A method that nobody has put into the table fails here; so does one that is there no more."""
    assert set(ENDPOINTS) | set(INTERNAL) | set(table.ELSEWHERE) == set(METHODS)
    assert not set(ENDPOINTS) & set(INTERNAL)


def test_what_is_for_services_only_admits_no_person() -> None:
    for method, callers in INTERNAL.items():
        policy: Policy = processes.load_class(METHODS[method]).policies[method.split(".", 1)[1]]
        assert policy.services == frozenset(callers), method
        assert (policy.anyone, policy.signed_in, policy.own, policy.roles) == (False, False, False, frozenset()), method


def test_every_endpoint_stands_on_rows_that_exist_and_every_row_has_an_endpoint() -> None:
    used = {capability for endpoint in ENDPOINTS.values() for capability in endpoint.rights}
    used |= table.TAKEN_UP_ELSEWHERE
    assert used <= set(CAPABILITIES)
    assert set(CAPABILITIES) - used == NOT_BUILT


def may_know(cast: Cast, target: Target) -> bool:
    """Inside the own territory it is no secret who is there, whatever may be done."""
    return cast.state is GrantState.ACTIVE and any(
        place and covers(cast.home, place) for place in (target.place, target.before)
    )


def test_whatever_succeeds_in_no_cell_has_a_story_or_a_reason() -> None:
    """No right is only claimed: somebody who has it was seen to use it (`telling.py`)."""
    tests = [test for module in STORIES for test in vars(module).values()]
    told = {method for test in tests for method in getattr(test, "tells", ())}
    unsure = {method for method, endpoint in ENDPOINTS.items() if endpoint.unsure}
    assert unsure - told == set(table.NO_STORY)


# --- unknown and forbidden look alike -----------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [method for method, endpoint in ENDPOINTS.items() if unknown(endpoint)])
def test_a_forbidden_target_cannot_be_told_from_one_that_does_not_exist(stage: World, method: str) -> None:
    endpoint = ENDPOINTS[method]
    nowhere = unknown(endpoint)
    assert nowhere is not None
    for cast in stage.cast:
        as_unknown = play(stage, method, endpoint, cast, nowhere)
        for target in targets(stage, endpoint, cast):
            if target.subject != str(cast.actor.account_id) and not may_know(cast, target):
                answer = play(stage, method, endpoint, cast, target)
                assert answer == as_unknown, f"{method} by {cast.column} on {target.relation}"


# --- sabotage -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["org.verify_membership", "org.list_memberships", "org.archive_teacher"])
def test_the_matrix_finds_a_scope_that_is_not_checked(
    stage: World, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """The twin: without the check of the scope there are wrong cells."""
    monkeypatch.setattr(Policy, "check", lambda *_arguments: None)
    # Row security is the second wall and hides what the first one would let through; here it stands aside.
    database = stage.process["org"].service.database
    monkeypatch.setattr(database, "app", database.worker)
    assert any(not cell.is_right for cell in cells_of(stage, method))


def test_row_security_alone_still_hides_the_others(stage: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """And with the first wall down, the second one stands."""
    monkeypatch.setattr(Policy, "check", lambda *_arguments: None)
    wrong = [cell for cell in cells_of(stage, "org.verify_membership") if not cell.is_right]
    # Inside the own territory roles differ, which row security does not know.
    assert {cell.target.relation for cell in wrong} <= {"self", Where.OWN, "moved here"}


@pytest.mark.parametrize("column", [Column.COUNTY_ADMIN, Column.AUDITOR])
def test_the_matrix_finds_a_right_too_many_and_one_too_few(
    stage: World, monkeypatch: pytest.MonkeyPatch, column: Column
) -> None:
    """The twin for the table's side: one cell turned over is found."""
    method = {Column.COUNTY_ADMIN: "org.list_memberships", Column.AUDITOR: "org.search_audit"}[column]
    capability = ENDPOINTS[method].rights[0]
    other: Any = CAPABILITIES["between services only"][column]
    monkeypatch.setitem(CAPABILITIES[capability], column, other)
    wrong = [cell for cell in cells_of(stage, method) if not cell.is_right]
    assert wrong
    assert {cell.cast.column for cell in wrong} == {column}
