"""Rebuilding a projection from its owner: bootstrap of an empty one, and repair of one that lost or missed something.

Both sides are walked in the order of their keys. Whatever is missing or old goes through the very handler that takes the
live event, whose versions make it harmless beside events that arrive meanwhile. Each page is committed by itself, and what
is equal is only looked at, so a resync that was stopped goes on where it was. All facts of one first part of the key, a
teacher, are applied in one transaction: rules that judge them together must not see half of them. It removes nothing: a
holder that knows more than the owner (the owner was restored to an earlier time) is reported, for a person has to decide
who is right.
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable, Collection, Iterator
from typing import Any

import structlog

from services.shared import clock
from services.shared.bus.calls import MARKER, BatchConsumer, Event, Message
from services.shared.bus.snapshots import PAGE, Digest, Facts, Key
from services.shared.database import is_outage
from services.shared.ids import new_id

log = structlog.get_logger(__name__)

# (service, method, arguments) -> reply: `ServiceBus.ask` in a service, the operator's `ask` on the command line.
Ask = Callable[[str, str, dict[str, Any]], Any]


@dataclasses.dataclass(frozen=True)
class Projection:
    """What a service holds of another's facts: the event that tells them, the handler that takes it, where they are."""

    type: str
    handler: str
    facts: Facts

    @property
    def owner(self) -> str:
        return self.type.split(".", 1)[0]

    @property
    def table(self) -> str:
        """Where the facts are held: one event may tell of several tables."""
        return str(self.facts.key[0].class_.__tablename__)


@dataclasses.dataclass
class Outcome:
    """How a projection compares. `missing`: still absent or old. `ahead`: held, but newer than or unknown to the owner."""

    type: str
    owner: Digest
    held: Digest
    repaired: int = 0
    missing: int = 0
    ahead: int = 0

    @property
    def differs(self) -> bool:
        return bool(self.missing or self.ahead or self.owner != self.held)


@dataclasses.dataclass(frozen=True)
class _Item:
    key: Key
    version: int
    event: Event


def resync(
    service: Any,
    projection: Projection,
    ask: Ask,
    *,
    repair: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> Outcome:
    """Bring `service`'s projection to what its owner says now; with `repair=False` only compare. `progress` gets (done, of how many).

    Raises what `ask` raises, and nothing for a fact that the handler refuses: that one stays `missing`.
    """
    outcome = Outcome(projection.type, *_digests(service, projection, ask))
    done = 0
    for items, held in _walk(service, projection, ask):
        told = {item.key: item.version for item in items}
        outcome.ahead += sum(version > told.get(key, 0) for key, version in held.items())
        behind = [item for item in items if held.get(item.key, 0) < item.version]
        left = _repair(service, projection, behind) if repair and behind else len(behind)
        outcome.repaired += len(behind) - left
        outcome.missing += left
        done += len(items)
        if progress:
            progress(done, max(done, outcome.owner.count))
    outcome.owner, outcome.held = _digests(service, projection, ask)
    return outcome


def _digests(service: Any, projection: Projection, ask: Ask) -> tuple[Digest, Digest]:
    with service.database.work() as db:
        held = projection.facts.digest(db)
    return Digest(**ask(projection.owner, "get_digest", {"type": projection.type})), held


def _walk(service: Any, projection: Projection, ask: Ask) -> Iterator[tuple[list[_Item], dict[Key, int]]]:
    """Both sides, cut at the same keys: (what the owner tells, the versions held)."""
    after: Key | None = None
    while True:
        # First what is held, then what is owned: so what arrives in between is never taken for being ahead.
        with service.database.work() as db:
            held = projection.facts.list_versions(db, after, PAGE)
        items = _read_page(projection, ask, after)
        upto = _cut(held.keys(), {item.key for item in items})
        if upto is None:
            yield items, held
            return
        yield (
            [item for item in items if item.key <= upto],
            {key: version for key, version in held.items() if key <= upto},
        )
        after = upto


def _cut(held: Collection[Key], told: Collection[Key]) -> Key | None:
    """The key up to which both pages are whole, and nobody's facts are split; None when both are the last."""
    upto = min((max(page) for page in (held, told) if len(page) == PAGE), default=None)
    if upto is None or len(upto) == 1:
        return upto
    # Nobody has a page full of facts; if somebody should, they come in parts rather than never.
    return max((key for key in (*held, *told) if key[0] < upto[0]), default=upto)


def _read_page(projection: Projection, ask: Ask, after: Key | None) -> list[_Item]:
    position = [str(part) for part in after] if after else None
    arguments = {"type": projection.type, "after": position, "limit": PAGE}
    return [_item(projection, wire) for wire in ask(projection.owner, "read_snapshot", arguments)["items"]]


def _item(projection: Projection, wire: dict[str, Any]) -> _Item:
    key = tuple(uuid.UUID(part) for part in wire["key"])
    # No inbox row: the id is nobody's, and a resync may always be repeated.
    event = Event(new_id(), projection.type, key[0], clock.parse_instant(wire["occurred_at"]), wire["payload"])
    return _Item(key, wire["version"], event)


def _repair(service: Any, projection: Projection, behind: list[_Item]) -> int:
    """Apply what is missing or old; returns how much still is."""
    groups: dict[uuid.UUID, list[Event]] = {}
    for item in behind:
        groups.setdefault(item.key[0], []).append(item.event)
    _apply(service, projection, list(groups.values()))
    with service.database.work() as db:
        held = projection.facts.find_versions(db, [item.key for item in behind])
    return sum(held.get(item.key, 0) < item.version for item in behind)


def _apply(service: Any, projection: Projection, groups: list[list[Event]]) -> None:
    """All in one transaction; on an error in halves, so that one group's trouble holds up no other."""
    try:
        with service.database.work() as db:
            _hand_over(db, service, projection.handler, [event for group in groups for event in group])
    except Exception as error:
        if is_outage(error):
            raise
        if len(groups) == 1:
            # The class alone: an error's text may hold personal data.
            log.warning("resync_refused", type=projection.type, handler=projection.handler, error=type(error).__name__)
            return
        middle = len(groups) // 2
        _apply(service, projection, groups[:middle])
        _apply(service, projection, groups[middle:])


def _hand_over(db: Any, service: Any, handler: str, events: list[Event]) -> None:
    method = getattr(service, handler)
    if isinstance(getattr(getattr(type(service), handler), MARKER), BatchConsumer):
        method(db, [Message(str(event.id), event.to_wire()) for event in events])
        return
    for event in events:
        method(db, event)
