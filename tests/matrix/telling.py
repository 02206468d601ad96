"""Stories: for what needs preparation out of proportion to a cell, one short run in which who has the right really succeeds.

`@story("org.close_school", …)` names the endpoints that a test takes to success. While it runs, every call is looked at: that the table
gives the caller the right, and that with the same arguments people who have nothing to do with it are answered as if there were
nothing. A named endpoint that did not succeed fails the test, and `test_matrix` fails for an endpoint with neither cell nor story.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from services.shared.actor import ANONYMOUS, Actor, Kind, Role
from tests.conftest import person
from tests.matrix.capabilities import CAPABILITIES, Column, Scope
from tests.matrix.endpoints import ENDPOINTS, ENTERING, PUBLIC
from tests.matrix.world import HOLDERS, OTHER_PROVINCE, Answer, Outcome, World

# Names of things that everybody may name; only what else a call names can be somebody's own.
EVERYBODYS = frozenset(
    {"programme_id", "activity_id", "school_id", "into", "client_id", "exam_id", "offering_id", "offering_ids"}
)


Story = Callable[..., None]


def story(*methods: str) -> Callable[[Story], Story]:
    """The test takes these endpoints to success."""

    def mark(test: Story) -> Story:
        assert set(methods) <= set(ENDPOINTS), set(methods) - set(ENDPOINTS)
        test.tells = frozenset(methods)  # type: ignore[attr-defined]
        return test

    return mark


def columns_of(actor: Actor) -> set[Column]:
    """The columns of the table that an actor may stand in."""
    if actor.kind is not Kind.PERSON:
        return {Column.VISITOR}
    if actor.identity != "TEACHER":
        return {Column.STUDENT}
    held = {(grant.role, _level(grant.role, grant.place)) for grant in actor.grants}
    columns = {column for column, (role, at) in HOLDERS.items() if (role, _level(role, at)) in held}
    return {Column.UNVERIFIED, Column.VERIFIED, *columns}


def _level(role: Role, place: str) -> int:
    """Only of a super administrator does the level make another column."""
    return place.count("/") if role is Role.SUPER_ADMIN else 0


def strangers() -> list[Actor]:
    """A visitor, and people of another province."""
    school = f"{OTHER_PROVINCE}/350100/350102/nobodys-school"
    return [
        dataclasses.replace(ANONYMOUS, address="127.0.0.9"),
        person(),
        dataclasses.replace(person(), identity="STUDENT"),
        person(None, (Role.SCHOOL_ADMIN, school)),
        person(None, (Role.COUNTY_ADMIN, school.rpartition("/")[0])),
    ]


class Telling:
    """What a story has brought about so far."""

    def __init__(self, world: World, tells: frozenset[str]) -> None:
        self.world, self.tells = world, tells
        self.succeeded: set[str] = set()
        self.tried: set[str] = set()

    def call(
        self,
        process: str,
        original: Callable[..., Any],
        method: str,
        arguments: dict[str, Any] | None = None,
        actor: Actor = ANONYMOUS,
        command_id: str | None = None,
    ) -> Any:
        name = f"{process}.{method}"
        if name not in self.tells or actor.kind is Kind.SERVICE:
            return original(method, arguments, actor, command_id)
        if name not in self.tried:
            self._refused_to_strangers(process, method, arguments or {})
        reply = original(method, arguments, actor, command_id)
        endpoint = ENDPOINTS[name]
        given = [CAPABILITIES[right][column] for right in endpoint.rights for column in columns_of(actor)]
        assert any(right.scope is not Scope.NONE for right in given), f"the table does not give {name} to {actor}"
        if endpoint.judge(Answer(Outcome.ALLOWED, "", reply)).outcome is Outcome.ALLOWED:
            self.succeeded.add(name)
        return reply

    def _refused_to_strangers(self, process: str, method: str, arguments: dict[str, Any]) -> None:
        endpoint = ENDPOINTS[f"{process}.{method}"]
        names_something = {key for key in arguments if key.endswith(("_id", "_ids"))} - EVERYBODYS
        if not names_something or {*PUBLIC, *ENTERING} & set(endpoint.rights):
            return
        self.tried.add(f"{process}.{method}")
        with self.world.rehearsing():
            for stranger in strangers():
                answer = endpoint.judge(self.world.rehearse(process, method, arguments, stranger))
                assert answer.outcome is not Outcome.ALLOWED, f"{process}.{method} was let through for {stranger}"
                unlike = answer.outcome is Outcome.OTHERWISE and answer.code not in endpoint.empty
                assert not unlike, f"{process}.{method} tells a stranger {answer.code}"


def telling(world: World, request: pytest.FixtureRequest) -> Iterator[Telling]:
    """Watch one test: fails where it does not bring about what it names."""
    told = Telling(world, getattr(inspect.unwrap(request.function), "tells", frozenset()))
    for name, component in world.process.items():
        component.call = functools.partial(told.call, name, component.call)  # type: ignore[method-assign]
    try:
        yield told
    finally:
        for component in world.process.values():
            component.call = component.call.args[1]  # type: ignore[method-assign, attr-defined]
    assert told.tells == told.succeeded, f"named and not brought about: {sorted(told.tells - told.succeeded)}"
