"""Routes of corrections: what they pass on and what they refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gateway.blueprints import corrections as corrections_blueprint
from services.shared.actor import Role
from services.shared.errors import Conflict, NotAllowed
from services.shared.ids import new_id
from tests.fakes import FakeBus
from tests.gateway.conftest import Tokens

PATH = "/api/v1/certificate-corrections"
OPERATOR = (Role.NATIONAL_OPERATOR, "CN")


@pytest.fixture
def client(make_app: Callable[..., Flask]) -> FlaskClient:
    return make_app(corrections_blueprint).test_client()


def test_a_proposal_travels_as_a_command(client: FlaskClient, bus: FakeBus, tokens: Tokens) -> None:
    bus.answer("certs", "propose_correction", {"correction_id": str(new_id()), "state": "PROPOSED"})
    body = {"act": "REVOKE", "certificate_ids": [str(new_id())], "reason": "冒名学习"}
    headers = tokens.headers(None, OPERATOR) | {"Idempotency-Key": "correct-0001"}
    answer = client.post(PATH, json=body, headers=headers)
    assert (answer.status_code, answer.json["state"]) == (201, "PROPOSED")
    assert (bus.sent[0].arguments, bus.sent[0].command_id) == (body, "correct-0001")


@pytest.mark.parametrize("verb", ["approval", "rejection", "withdrawal"])
def test_each_step_leads_to_its_method(client: FlaskClient, bus: FakeBus, tokens: Tokens, verb: str) -> None:
    method = {"approval": "approve", "rejection": "reject", "withdrawal": "withdraw"}[verb] + "_correction"
    bus.answer("certs", method, {"state": "APPROVED"})
    correction_id = str(new_id())
    body = {"reason": "证据不足"} if verb == "rejection" else None
    answer = client.post(f"{PATH}/{correction_id}/{verb}", json=body, headers=tokens.headers(None, OPERATOR))
    assert answer.status_code == 200
    assert bus.sent[0].arguments == {"correction_id": correction_id, **(body or {})}


def test_refusals_are_told_in_the_language_asked_for(client: FlaskClient, bus: FakeBus, tokens: Tokens) -> None:
    headers = tokens.headers(None, OPERATOR) | {"Accept-Language": "en"}
    for error, status, words in (
        (NotAllowed("certs.second_person_needed"), 403, "two persons"),
        (Conflict("certs.correction_lapsed"), 409, "30 days"),
    ):
        bus.answer("certs", "approve_correction", error)
        answer = client.post(f"{PATH}/{new_id()}/approval", headers=headers)
        assert (answer.status_code, answer.json["code"]) == (status, error.code)
        assert words in answer.json["detail"]


@pytest.mark.parametrize(
    "change",
    [
        {"act": "DESTROY"},
        {"certificate_ids": []},
        {"certificate_ids": "x"},
        {"certificate_ids": ["x"]},
        {"certificate_ids": [str(new_id())] * 201},
        {"reason": " "},
        {"reason": None},
    ],
)
def test_bad_bodies_are_refused_before_they_travel(
    client: FlaskClient, bus: FakeBus, tokens: Tokens, change: dict[str, Any]
) -> None:
    body = {"act": "REVOKE", "certificate_ids": [str(new_id())], "reason": "冒名学习", **change}
    answer = client.post(PATH, json=body, headers=tokens.headers(None, OPERATOR))
    assert answer.status_code == 400
    assert answer.json["field"].split(".")[0] == next(iter(change))
    assert bus.sent == []
