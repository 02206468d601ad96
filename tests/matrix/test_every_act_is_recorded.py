"""Every write of an administrator on somebody or something else leaves an audit row (`domain.md` §1.2, enforcement rules)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from services.shared import audit, audit_denials
from services.shared.bus.calls import MARKER, Command
from tests.matrix.endpoints import ENDPOINTS
from tests.matrix.reach import About, Ask, Endpoint, is_expected, targets
from tests.matrix.world import GrantState, Outcome, World
from yanxiu.local import processes

# Commands that change nothing about anybody.
CHANGES_NOTHING = {
    "org-bulk.open_job": "nothing has been done yet; each row is recorded when it runs",
    "org-bulk.submit_rows": "the same",
    "credits.settle_handovers": "no pack hands anything over here; each certificate that is entered is recorded",
    "learning.prepare_course_material": "a place for a file; the file is recorded once it is there",
    "catalog.publish_programme": "the same season again is no change",
}
# What was looked at in clear is recorded with its reason; nothing changes.
VIEWS = {"identity.show_identity_history"}


def _is_command(method: str) -> bool:
    process, name = method.split(".", 1)
    return isinstance(getattr(getattr(processes.load_class(process), name), MARKER), Command)


WRITES = [
    method
    for method, endpoint in ENDPOINTS.items()
    if _is_command(method)
    and endpoint.about is not About.NOTHING
    and not endpoint.unsure
    and method not in CHANGES_NOTHING
]


@pytest.fixture(scope="module")
def stage(world: World) -> Iterator[World]:
    patch = pytest.MonkeyPatch()
    patch.setattr(audit_denials._allowance, "take", lambda _actor: None)
    with world.rehearsing():
        yield world
    patch.undo()


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> list[audit.Act]:
    acts: list[audit.Act] = []
    record_many = audit.record_many

    def remember(db: Any, call: Any, given: Any, *more: Any, **options: Any) -> None:
        acts.extend(given)
        record_many(db, call, given, *more, **options)

    monkeypatch.setattr(audit, "record_many", remember)
    return acts


def _let_through(world: World, method: str, endpoint: Endpoint, recorded: list[audit.Act]) -> bool:
    """Do it once, by the first administrator who may."""
    service, name = method.split(".", 1)
    for cast in world.cast:
        if cast.state is not GrantState.ACTIVE:
            continue
        for target in targets(world, endpoint, cast):
            if is_expected(endpoint, cast, target) and target.subject != str(cast.actor.account_id):
                recorded.clear()
                answer = world.rehearse(service, name, endpoint.arguments(Ask(world, cast, target)), cast.actor)
                if answer.outcome is Outcome.ALLOWED:
                    return True
    return False


@pytest.mark.parametrize("method", WRITES)
def test_an_administrators_act_is_recorded(stage: World, recorded: list[audit.Act], method: str) -> None:
    assert _let_through(stage, method, ENDPOINTS[method], recorded)
    assert recorded
    for act in recorded:
        assert act.subject is not None or act.place, "on whom, or where"
        assert act.before or act.after or (method in VIEWS and act.reason), "and what changed"


def test_there_are_many() -> None:
    assert len(WRITES) > 25
