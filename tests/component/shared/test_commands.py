"""Commands over a real database: one effect per key, whatever the client repeats."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from services.shared import idempotency
from services.shared.errors import Conflict, InvalidInput, NotFound, ServiceError, Unavailable
from services.shared.tables import outbox
from tests.conftest import Component, person


def name() -> str:
    return f"n{uuid.uuid4().hex}"


def total(probe: Component, which: str) -> int:
    found: int = probe.call("get_total", {"name": which})["total"]
    return found


def test_the_same_key_and_body_take_effect_once_and_answer_alike(probe: Component) -> None:
    who, key, which = person(), str(uuid.uuid4()), name()
    first = probe.call("count", {"name": which}, who, key)
    assert [probe.call("count", {"name": which}, who, key) for _ in range(3)] == [first] * 3
    assert total(probe, which) == 1


def test_sabotage_without_the_remembered_reply_it_doubles(probe: Component, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "find_reply", lambda *_: None)
    monkeypatch.setattr(idempotency, "keep_reply", lambda *_: None)
    who, key, which = person(), str(uuid.uuid4()), name()
    for _ in range(2):
        probe.call("count", {"name": which}, who, key)
    assert total(probe, which) == 2


def test_the_same_key_with_another_body_is_refused(probe: Component) -> None:
    who, key, which = person(), str(uuid.uuid4()), name()
    probe.call("count", {"name": which}, who, key)
    with pytest.raises(InvalidInput, match=r"shared\.key_reused"):
        probe.call("count", {"name": which, "amount": 2}, who, key)
    assert total(probe, which) == 1


def test_keys_of_different_actors_do_not_meet(probe: Component) -> None:
    key, which = str(uuid.uuid4()), name()
    probe.call("count", {"name": which}, person(), key)
    probe.call("count", {"name": which}, person(), key)
    assert total(probe, which) == 2


def test_parallel_repetitions_take_effect_once(probe: Component) -> None:
    who, key, which = person(), str(uuid.uuid4()), name()
    outcomes: list[Any] = []

    def run() -> None:
        try:
            outcomes.append(probe.call("count", {"name": which}, who, key))
        except ServiceError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert total(probe, which) == 1
    assert {"total": 1} in outcomes
    assert all(outcome in ({"total": 1}, "shared.in_progress") for outcome in outcomes)


def test_a_running_command_answers_its_repetition_at_once(probe: Component) -> None:
    who, key, which = person(), str(uuid.uuid4()), name()
    with probe.database.work() as db:
        db.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(f"{who.key} {key}", 0))))
        with pytest.raises(Conflict, match=r"shared\.in_progress"):
            probe.call("count", {"name": which}, who, key)


def test_a_refused_command_leaves_nothing(probe: Component, monkeypatch: pytest.MonkeyPatch) -> None:
    which, key, who = name(), str(uuid.uuid4()), person()

    def fail(*_: object) -> None:
        raise NotFound("probe.gone")

    monkeypatch.setattr("tests.probe.service.outbox.announce", fail)
    with pytest.raises(NotFound):
        probe.call("count", {"name": which}, who, key)
    monkeypatch.undo()
    assert total(probe, which) == 0
    # The key is free again: nothing was remembered of the refusal.
    assert probe.call("count", {"name": which}, who, key) == {"total": 1}


def test_state_and_announcement_commit_together(probe: Component) -> None:
    which = name()
    probe.call("count", {"name": which})
    with probe.database.work() as db:
        rows = db.execute(sa.select(outbox.c.payload).where(outbox.c.payload["name"].astext == which)).all()
    assert [row.payload for row in rows] == [{"name": which, "amount": 1}]


def test_a_call_without_time_left_is_refused_before_it_touches_anything(probe: Component) -> None:
    from services.shared.actor import ANONYMOUS
    from services.shared.bus import dispatch

    with pytest.raises(Unavailable, match=r"shared\.deadline"):
        dispatch.run_method(probe.service, "count", {"name": name()}, ANONYMOUS, command_id="x", deadline=0.0)


@pytest.mark.parametrize("method", ["nope", "on_counted", "_count", "database", "__init__", ""])
def test_only_declared_methods_can_be_reached(probe: Component, method: str) -> None:
    with pytest.raises(NotFound, match=r"shared\.no_such_method"):
        probe.call(method)


@pytest.mark.parametrize("arguments", [{"name": 5}, {}, {"name": "x", "more": 1}, {"name": "x", "amount": "many"}])
def test_bad_arguments_name_the_field(probe: Component, arguments: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match=r"shared\.invalid") as refusal:
        probe.call("count", arguments)
    assert refusal.value.field in ("name", "amount", "more")


def test_a_command_without_its_id_is_refused(probe: Component) -> None:
    """Sabotage of a caller: the client repeats what got no answer, so such a command could run twice."""
    from services.shared.actor import ANONYMOUS
    from services.shared.bus import dispatch

    which = name()
    with pytest.raises(InvalidInput, match=r"shared\.no_command_id"):
        dispatch.run_method(probe.service, "count", {"name": which}, ANONYMOUS)
    assert total(probe, which) == 0
