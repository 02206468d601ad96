"""GATED tenants (`domain.md` §3.1): until a school vouches, a teacher keeps the own account, chooses a school, and nothing else."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from services.shared import audit_denials
from tests.matrix.capabilities import Column
from tests.matrix.endpoints import ENDPOINTS
from tests.matrix.reach import About, Ask, targets
from tests.matrix.world import Outcome, World
from yanxiu.local import processes

# The rows that are open meanwhile: the account, the profile, and becoming a school's teacher.
OPEN = {"keep the own account", "edit own unverified profile", "be a teacher of a school"}
# Of these rows, what waits all the same.
CLOSED = {
    "identity.submit_profile": "there is nobody yet who reviews it",
    "identity.request_step_up_code": "nothing that needs it is open",
    "identity.step_up": "the same",
    "learning.enrol": "studying begins with the approval (S2:30)",
    "learning.open_study_session": "the same",
    "learning.start_exam_attempt": "the same",
    "credits.evaluate_rules": "not about the account",
    "org.list_own_transfers": "nobody transfers a teacher whom no school has verified",
    "billing.list_own_holds": "nor holds her",
    **dict.fromkeys(
        ("learning.put_in_basket", "learning.take_from_basket", "learning.submit_basket", "learning.choose_course"),
        "so does choosing",
    ),
    "learning.list_seats": "the same",
    "billing.list_own_orders": "whoever may not choose has ordered nothing",
    "billing.get_own_dues": "and owes nothing",
    **dict.fromkeys((method for method in ENDPOINTS if "-bulk." in method), "jobs are administrators'"),
}
PUBLIC = {"see public facts", "register, sign in"}


def waits(method: str) -> bool:
    """Whether a waiting teacher is refused."""
    rights = set(ENDPOINTS[method].rights)
    if rights & PUBLIC:
        return False
    return not (rights & OPEN) or method in CLOSED


@pytest.fixture(scope="module")
def stage(world: World) -> Iterator[World]:
    patch = pytest.MonkeyPatch()
    patch.setattr(audit_denials._allowance, "take", lambda _actor: None)
    with world.rehearsing():
        yield world
    patch.undo()


def test_exactly_these_methods_are_open_meanwhile() -> None:
    wrong = []
    for method in ENDPOINTS:
        process, name = method.split(".", 1)
        policy = processes.load_class(process).policies[name]
        if (policy.signed_in or policy.own) and not policy.anyone and policy.waiting is waits(method):
            wrong.append(method)
    assert wrong == []


@pytest.mark.parametrize("method", [method for method in ENDPOINTS if waits(method)])
def test_whoever_waits_is_told_so(stage: World, method: str) -> None:
    service, name = method.split(".", 1)
    cast = next(cast for cast in stage.cast if cast.column is Column.UNVERIFIED)
    waiting = dataclasses.replace(cast.actor, waiting=True)
    endpoint = ENDPOINTS[method]
    for target in targets(stage, endpoint, cast):
        answer = stage.rehearse(service, name, endpoint.arguments(Ask(stage, cast, target)), waiting)
        assert answer.outcome is Outcome.DENIED
        if (
            endpoint.about is About.NOTHING
            and stage.rehearse(service, name, endpoint.arguments(Ask(stage, cast, target)), cast.actor).outcome
            is Outcome.ALLOWED
        ):
            assert answer.code == "identity.awaiting_approval"
