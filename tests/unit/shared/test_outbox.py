"""What may go into the outbox: the contract judges every payload."""

from typing import Any

import pytest
from marshmallow import Schema, fields

from services.shared import outbox
from services.shared.ids import new_id

TYPE = "testing.something_happened"


class SomethingHappened(Schema):
    account_id = fields.UUID(required=True)
    version = fields.Integer(required=True, strict=True)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    rows: list[Any] = []
    monkeypatch.setattr(outbox, "_schemas", {TYPE: SomethingHappened})
    monkeypatch.setattr(outbox, "run_many", lambda _db, _statement, given, **_same: rows.extend(given))
    return rows


def event(**changes: Any) -> tuple[str, dict[str, Any]]:
    account_id = str(new_id())
    return account_id, {"account_id": account_id, "version": 1, **changes}


@pytest.mark.parametrize("odd", [{"version": "1"}, {"more": 1}, {"account_id": None}, {"account_id": "nobody"}])
@pytest.mark.parametrize("position", [0, 1, 2])
def test_one_payload_that_breaks_the_contract_keeps_all_of_them_back(
    sent: list[Any], odd: dict[str, Any], position: int
) -> None:
    events = [event(), event()]
    events.insert(position, event(**odd))
    with pytest.raises(ValueError, match="breaks its contract"):
        outbox.announce_many(None, TYPE, events)  # type: ignore[arg-type]
    assert sent == []


def test_payloads_go_out_in_their_order(sent: list[Any]) -> None:
    events = [event() for _ in range(3)]
    outbox.announce_many(None, TYPE, events)  # type: ignore[arg-type]
    assert [(row["aggregate_id"], row["payload"]) for row in sent] == events
    assert len({row["id"] for row in sent}) == 3


def test_nothing_to_tell_is_no_statement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "_schemas", {TYPE: SomethingHappened})
    outbox.announce_many(None, TYPE, [])  # type: ignore[arg-type]
