"""What owners tell: word for word the last event, to those who hold it, and to nobody else."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterable
from typing import Any

import pytest

from services.shared.actor import service_actor
from services.shared.errors import InvalidInput, NotAllowed, NotFound
from services.shared.settings import SERVICES
from tests.component.resync.conftest import Installation
from yanxiu.local import processes

pytestmark = pytest.mark.postgres

TOLD = [(service, type_) for service in SERVICES for type_ in getattr(processes.load_class(service), "snapshots", ())]
HELD = [
    (name.split("-")[0], projection)
    for name in processes.SERVICE_PROCESSES
    for projection in getattr(processes.load_class(name), "projections", ())
]


def read_all(installation: Installation, owner: str, event_type: str, limit: int) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    while True:
        after = items[-1]["key"] if items else None
        arguments = {"type": event_type, "after": after, "limit": limit}
        page = installation.call(owner, "read_snapshot", arguments)["items"]
        items += page
        if len(page) < limit:
            return items


def _subject(payload: dict[str, Any]) -> tuple[Any, ...]:
    """What a payload is about: one thing by its own id, or a person's fact, which differs by programme, course and exam."""
    for name in ("hold_id", "choice_id", "offering_id"):
        if name in payload:
            return (payload[name],)
    names = ("teacher_id", "account_id", "programme_id", "course_id", "exam_id", "period_id")
    facts = tuple(payload.get(name) for name in names)
    return facts if any(facts) else (payload.get("school_id"),)


def newest_announced(installation: Installation, owner: str, event_type: str) -> list[dict[str, Any]]:
    """The last payload about each fact."""
    payloads = installation.process[owner].outbox(event_type)
    newest = {_subject(payload): payload for payload in payloads}
    return in_order(newest.values())


def in_order(payloads: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(payloads, key=lambda payload: json.dumps(payload, sort_keys=True))


@pytest.mark.parametrize(("owner", "event_type"), TOLD)
def test_a_snapshot_says_what_the_last_event_said(installation: Installation, owner: str, event_type: str) -> None:
    told = [item["payload"] for item in read_all(installation, owner, event_type, limit=3)]
    assert told
    assert in_order(told) == newest_announced(installation, owner, event_type)
    schema = importlib.import_module(f"services.{owner}.contract").EVENTS[event_type]()
    assert [schema.validate(payload) for payload in told] == [{}] * len(told)


@pytest.mark.parametrize(("owner", "event_type"), TOLD)
def test_the_digest_adds_up_what_is_told(installation: Installation, owner: str, event_type: str) -> None:
    items = read_all(installation, owner, event_type, limit=500)
    digest = installation.call(owner, "get_digest", {"type": event_type})
    assert digest == {"count": len(items), "version_sum": sum(item["version"] for item in items)}
    keys = [item["key"] for item in items]
    assert keys == sorted(keys)


@pytest.mark.parametrize(("consumer", "projection"), HELD, ids=lambda each: getattr(each, "type", each))
def test_every_projection_has_an_owner_who_tells_its_holder(consumer: str, projection: Any) -> None:
    owner = processes.load_class(projection.owner)
    assert projection.type in owner.snapshots
    for method in ("read_snapshot", "get_digest"):
        assert {consumer, "cli"} <= owner.policies[method].services


def test_nobody_else_may_ask(installation: Installation, a_person: Any) -> None:
    for actor in (a_person(), service_actor("gateway"), service_actor("nobody")):
        for method in ("read_snapshot", "get_digest"):
            with pytest.raises(NotAllowed):
                installation.call("org", method, {"type": "org.membership_changed"}, actor)


def test_types_of_others_and_foreign_positions_are_refused(installation: Installation) -> None:
    with pytest.raises(NotFound):
        installation.call("org", "read_snapshot", {"type": "identity.profile_changed"})
    with pytest.raises(NotFound):
        installation.call("org", "get_digest", {"type": "org.school_created"})
    position = ["00000000-0000-7000-8000-000000000001"] * 2
    with pytest.raises(InvalidInput):
        installation.call("org", "read_snapshot", {"type": "org.membership_changed", "after": position})
    with pytest.raises(InvalidInput):
        installation.call("org", "read_snapshot", {"type": "org.membership_changed", "limit": 100_000})
