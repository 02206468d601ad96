"""The gateway's side: every route leads to methods of the table, and a sample of cells over HTTP, with their status."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from gateway.app import create_app
from services.shared import audit_denials
from services.shared.actor import Desk
from services.shared.keys import KeyRing
from tests.matrix import endpoints as table
from tests.matrix.capabilities import Column
from tests.matrix.endpoints import ENDPOINTS
from tests.matrix.reach import About, Endpoint, Target, is_expected, targets
from tests.matrix.routes import OPERATIONS
from tests.matrix.test_prompt_rights import InProcessBus
from tests.matrix.world import Cast, GrantState, World

API = "/api/v1"


@pytest.fixture(scope="module")
def stage(world: World) -> Iterator[World]:
    patch = pytest.MonkeyPatch()
    patch.setattr(audit_denials._allowance, "take", lambda _actor: None)
    yield world
    patch.undo()


@pytest.fixture(scope="module")
def client(stage: World, keyring: KeyRing) -> Iterator[FlaskClient]:
    app = create_app(stage.settings, bus=InProcessBus(stage, keyring), keyring=keyring, limit_scale=100_000)
    yield app.test_client()
    app.extensions["yanxiu"].revocations.stop()


def operations(client: FlaskClient) -> set[str]:
    document: dict[str, Any] = client.get("/openapi.json").json  # type: ignore[assignment]
    return {
        operation["operationId"]
        for path in document["paths"].values()
        for operation in path.values()
        if isinstance(operation, dict) and "operationId" in operation
    }


def test_every_operation_is_named_after_its_method_or_listed(client: FlaskClient) -> None:
    """An operation that leads to no method of the table, and is not listed with the methods it uses, fails here."""
    known = {method.split(".", 1)[1] for method in (*ENDPOINTS, *table.ELSEWHERE)}
    unknown = operations(client) - known - set(OPERATIONS)
    assert unknown == set()
    assert set(OPERATIONS) <= operations(client)
    for methods in OPERATIONS.values():
        assert all(method in ENDPOINTS or method in table.ELSEWHERE for method in methods)


@dataclasses.dataclass(frozen=True)
class Sample:
    """How a method is reached over HTTP; only what changes nothing is taken, for here nothing is taken back."""

    method: str
    path: Callable[[Target], str]


SAMPLES = [
    Sample("org.list_memberships", lambda target: f"/memberships?school_id={school(target)}"),
    Sample("org.list_grants", lambda target: f"/grants?place={target.place}"),
    Sample("org.get_school_history", lambda target: f"/schools/{school(target)}/history"),
    Sample("org.list_transfers", lambda target: f"/transfers?place={target.place}"),
    Sample("billing.list_holds", lambda target: f"/holds?place={target.place}"),
    Sample("org.get_activation_progress", lambda target: f"/activation-progress?place={target.place}"),
    Sample("org.search_audit", lambda target: f"/audit-records?service=org&place={target.place}"),
    Sample("identity.get_account", lambda _target: "/accounts/me"),
    Sample("credits.list_ledger", lambda target: f"/ledger?teacher_id={target.subject}"),
]


def school(target: Target) -> str:
    assert target.spot is not None
    return str(target.spot.school["school_id"])


@pytest.fixture(scope="module")
def headers(stage: World) -> Callable[[Cast], dict[str, str]]:
    """Each actor's access token, once."""
    made: dict[Cast, dict[str, str]] = {}

    def of(cast: Cast) -> dict[str, str]:
        if cast not in made:
            made[cast] = {}
            if cast.actor.account_id is not None:
                desk = Desk.TEACHER if cast.state is None else Desk.ADMINISTRATOR
                token = stage.access_token(str(cast.actor.account_id), desk)
                made[cast] = {"Authorization": f"Bearer {token}"}
        return made[cast]

    return of


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.method)
def test_the_status_says_what_the_table_says(
    stage: World, client: FlaskClient, headers: Callable[[Cast], dict[str, str]], sample: Sample
) -> None:
    endpoint = ENDPOINTS[sample.method]
    seen = set()
    for cast in stage.cast:
        if cast.column is Column.STUDENT:
            continue  # its identity is the test's own, not the account's
        for target in targets(stage, endpoint, cast):
            answer = client.get(API + sample.path(target), headers=headers(cast))
            seen.add(answer.status_code)
            where = f"{cast.column} {cast.state} on {target.relation}: {answer.status_code} {answer.json}"
            if is_expected(endpoint, cast, target):
                assert answer.status_code == 200, where
            elif cast.column is Column.VISITOR:
                assert answer.status_code == 401, where
            else:
                assert answer.status_code in (403, 404), where
                body: dict[str, Any] = answer.json  # type: ignore[assignment]
                assert set(body) <= {"type", "title", "status", "detail", "code", "field", "call_id", "errors"}, where
    assert 200 in seen
    assert endpoint.about is About.NOTHING or seen & {403, 404}


def test_former_administrators_get_what_teachers_get(
    stage: World, client: FlaskClient, headers: Callable[[Cast], dict[str, str]]
) -> None:
    """Not only the status: the answer says nothing of what was held once."""
    endpoint: Endpoint = ENDPOINTS["org.list_memberships"]
    teacher = next(cast for cast in stage.cast if cast.column is Column.VERIFIED)
    former = [cast for cast in stage.cast if cast.state in (GrantState.REVOKED, GrantState.EXPIRED)]
    for target in targets(stage, endpoint, teacher):
        path = f"{API}/memberships?school_id={school(target)}"
        expected = _without_call_id(client.get(path, headers=headers(teacher)))
        for cast in former:
            assert _without_call_id(client.get(path, headers=headers(cast))) == expected


def _without_call_id(answer: Any) -> Any:
    return answer.status_code, {name: value for name, value in answer.json.items() if name != "call_id"}
