"""`Idempotency-Key` from header to service: passed on, made when absent, told back, one command each."""

from __future__ import annotations

import uuid

from flask.testing import FlaskClient

from services.shared.errors import Conflict
from tests.fakes import FakeBus
from tests.gateway.conftest import Tokens

NOTES = "/api/v1/notes"


def test_the_clients_key_is_the_command_id(client: FlaskClient, bus: FakeBus) -> None:
    bus.answer("notes", "create_note", {"note_id": "1", "title": "x"})
    answer = client.post(NOTES, json={"title": "x"}, headers={"Idempotency-Key": "client-made-key-1"})
    assert answer.status_code == 201
    assert answer.headers["Idempotency-Key"] == "client-made-key-1"
    assert bus.sent[0].command_id == "client-made-key-1"


def test_a_key_is_made_and_told_when_the_client_sends_none(client: FlaskClient, bus: FakeBus) -> None:
    bus.answer("notes", "create_note", {"note_id": "1", "title": "x"})
    first = client.post(NOTES, json={"title": "x"}).headers["Idempotency-Key"]
    second = client.post(NOTES, json={"title": "x"}).headers["Idempotency-Key"]
    assert uuid.UUID(first) != uuid.UUID(second)
    assert [sent.command_id for sent in bus.sent] == [first, second]


def test_a_repetition_has_one_effect_and_the_same_answer(client: FlaskClient, bus: FakeBus, tokens: Tokens) -> None:
    made: list[str] = []
    bus.answer(
        "notes", "create_note", lambda arguments, _: made.append("x") or {"note_id": str(len(made)), "title": "x"}
    )
    headers = {**tokens.headers(), "Idempotency-Key": "client-made-key-1"}
    answers = [client.post(NOTES, json={"title": "x"}, headers=headers) for _ in range(5)]
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.data for answer in answers}) == 1
    assert len(made) == 1


def test_another_body_under_the_same_key(client: FlaskClient, bus: FakeBus, tokens: Tokens) -> None:
    bus.answer("notes", "create_note", {"note_id": "1", "title": "x"})
    headers = {**tokens.headers(), "Idempotency-Key": "client-made-key-1"}
    client.post(NOTES, json={"title": "x"}, headers=headers)
    answer = client.post(NOTES, json={"title": "y"}, headers=headers)
    assert answer.status_code == 422
    assert answer.json["code"] == "shared.key_reused"


def test_one_key_of_two_people_are_two_commands(client: FlaskClient, bus: FakeBus, tokens: Tokens) -> None:
    bus.answer("notes", "create_note", {"note_id": "1", "title": "x"})
    for title in ("x", "y"):
        headers = {**tokens.headers(), "Idempotency-Key": "client-made-key-1"}
        assert client.post(NOTES, json={"title": title}, headers=headers).status_code == 201


def test_a_refused_command_may_be_tried_again_with_its_key(client: FlaskClient, bus: FakeBus) -> None:
    headers = {"Idempotency-Key": "client-made-key-1"}
    bus.answer("notes", "create_note", Conflict("shared.conflict"))
    assert client.post(NOTES, json={"title": "x"}, headers=headers).status_code == 409
    bus.answer("notes", "create_note", {"note_id": "1", "title": "x"})
    assert client.post(NOTES, json={"title": "x"}, headers=headers).status_code == 201


def test_questions_carry_no_command_id(client: FlaskClient, bus: FakeBus) -> None:
    bus.answer("notes", "list_notes", {"items": [], "next_cursor": None})
    client.get(NOTES, headers={"Idempotency-Key": "client-made-key-1"})
    assert bus.sent[0].command_id is None
