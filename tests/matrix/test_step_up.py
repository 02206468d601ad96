"""Where the table says "+ SMS", and for every view of personal data in clear, a fresh code is asked for (§3.11)."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator

import pytest

from services.shared import audit_denials, clock
from tests.matrix.capabilities import CAPABILITIES, Column
from tests.matrix.endpoints import ENDPOINTS
from tests.matrix.reach import Ask, is_expected, targets
from tests.matrix.world import Outcome, World
from yanxiu.local import processes

# Besides those whose rows say "+ SMS": what opens an account or a ticket for good, and what shows a person in clear.
ALSO = {
    "identity.view_phone_ticket",
    "identity.view_evidence",
    "identity.approve_phone_ticket",
    "identity.show_identity_history",
    "identity.propose_merge",
    "identity.approve_merge",
    "identity.undo_merge",
    "identity.start_pass_binding",
    "identity.unbind_pass",
    "org-bulk.open_download",
    "learning-bulk.open_download",
    "credits-bulk.open_download",
    "catalog-bulk.open_download",
    "billing-bulk.open_download",
    "certs-bulk.open_download",
    # Every process with jobs has the method; the catalogue has nothing personal to give away, and no kind of export.
    "catalog-bulk.request_export",
}
WITH_CODE = {
    method
    for method, endpoint in ENDPOINTS.items()
    if any(right.step_up for name in endpoint.rights for right in CAPABILITIES[name].values())
} | ALSO


@pytest.fixture(scope="module")
def stage(world: World) -> Iterator[World]:
    patch = pytest.MonkeyPatch()
    patch.setattr(audit_denials._allowance, "take", lambda _actor: None)
    with world.rehearsing():
        yield world
    patch.undo()


def test_exactly_these_methods_ask_for_a_code() -> None:
    asking = {
        f"{process}.{method}"
        for process in processes.SERVICE_PROCESSES
        for method, policy in processes.load_class(process).policies.items()
        if policy.step_up
    }
    assert asking == WITH_CODE


@pytest.mark.parametrize("method", sorted(WITH_CODE))
def test_without_a_fresh_code_nobody_gets_through(stage: World, method: str) -> None:
    endpoint = ENDPOINTS[method]
    service, name = method.split(".", 1)
    asked = 0
    for cast in stage.cast:
        for over in (None, clock.now() - dt.timedelta(seconds=1)):
            actor = dataclasses.replace(cast.actor, elevated_until=over)
            for target in targets(stage, endpoint, cast):
                answer = stage.rehearse(service, name, endpoint.arguments(Ask(stage, cast, target)), actor)
                assert answer.outcome is Outcome.DENIED
                if is_expected(endpoint, cast, target) and cast.column is not Column.VISITOR:
                    assert answer.code == "shared.step_up_needed"
                    asked += 1
    assert asked
