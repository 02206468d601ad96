"""Refused attempts in the audit trail: who reached for what was not theirs. Few rows, however often somebody tries."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import structlog

from services.shared import audit
from services.shared.actor import Kind
from services.shared.errors import NotAllowed, ServiceError

if TYPE_CHECKING:
    from services.shared.bus.calls import Call

log = structlog.get_logger(__name__)

PER_ACTOR_AND_MINUTE = 10
# Of one process, so that many accounts together cannot fill the table either.
PER_MINUTE = 600
_PLACE = re.compile(r"CN(/[0-9a-z]{1,40}){0,6}")


class Allowance:
    """How many refusals are still recorded in this minute, and how many of each actor's were left out before."""

    def __init__(self, minute: Callable[[], int] = lambda: int(time.monotonic() // 60)) -> None:
        self._minute = minute
        self._current = -1
        self._all = 0
        self._counts: dict[str, int] = {}
        self._left_out: dict[str, int] = {}

    def take(self, actor: str) -> int | None:
        """None when this one is not to be recorded; otherwise how many of the actor's earlier ones were not."""
        if (minute := self._minute()) != self._current:
            self._current, self._all = minute, 0
            self._left_out = {key: count - PER_ACTOR_AND_MINUTE for key, count in self._counts.items()}
            self._counts = {}
        self._counts[actor] = self._counts.get(actor, 0) + 1
        self._all += 1
        if self._counts[actor] > PER_ACTOR_AND_MINUTE or self._all > PER_MINUTE:
            return None
        return max(0, self._left_out.pop(actor, 0))


_allowance = Allowance()


def note_refusal(service: Any, call: Call, error: ServiceError) -> None:
    """Record that `call` was refused for lack of a right. Whatever goes wrong here, the refusal stays the answer."""
    if call.actor.kind is not Kind.PERSON or not _is_denial(call, error):
        return
    database = getattr(service, "database", None)
    if database is None or (left_out := _allowance.take(call.actor.key)) is None:
        return
    asked = reached_for(call.arguments)
    person = asked.get("teacher_id") or asked.get("account_id")
    after = {"asked": asked} | ({"not_recorded_before": left_out} if left_out else {})
    act = audit.Act(uuid.UUID(person) if person else None, _place_of(call), after=after)
    try:
        with database.work() as db:
            audit.record_many(db, call, [act], refusal=error.code)
    except Exception as failure:  # noqa: BLE001  a refusal must not become a defect, nor an outage hide it
        log.warning("refusal_not_recorded", service=call.service, method=call.method, error=type(failure).__name__)


def _place_of(call: Call) -> str:
    """Where whoever tried administers: that place's auditor is to see it. What was reached for stands in the row."""
    return min((grant.place for grant in call.actor.grants), default="")


def _is_denial(call: Call, error: ServiceError) -> bool:
    """A right that was lacking; a NotFound only where the scope hid the target, before any target was authorised."""
    return isinstance(error, NotAllowed) or (call.policy.needs_target and not call.settled)


def reached_for(arguments: dict[str, Any]) -> dict[str, str]:
    """Of untrusted arguments only what can hold no personal data: ids, and places of the tree."""
    return {name: value for name, value in list(arguments.items())[:20] if _is_plain_name(name) and _is_harmless(value)}


def _is_plain_name(name: Any) -> bool:
    return isinstance(name, str) and name.isidentifier() and len(name) <= 40


def _is_harmless(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        return value == str(uuid.UUID(value))
    except ValueError:
        return _PLACE.fullmatch(value) is not None
