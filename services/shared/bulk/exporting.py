"""What exports of all services are made of: pages by key, names from identity, counts that need not count everything."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from marshmallow import Schema
from sqlalchemy.orm import Session

from services.shared import clock
from services.shared.actor import Actor
from services.shared.bulk.kinds import Export, ExportPage, Scope
from services.shared.bus.calls import Call
from services.shared.policy import Policy

PAGE_ROWS = 200  # as many as identity discloses at once

Rows = Sequence[Any]
People = dict[str, dict[str, str]]


def paged(
    name: str,
    title: str,
    policy: Policy,
    titles: tuple[str, ...],
    filters: type[Schema],
    missing: str,
    find: Callable[[Session, Scope, Any, int], Rows],
    count: Callable[[Session, Scope, int], int],
    key: Callable[[Any], Any],
    show: Callable[[Any, Call, Scope, Rows], Iterable[Sequence[str]]],
) -> Export:
    """An export that reads pages by key with `find` and `show`s them; nothing is open while it shows, which may ask others."""

    def read(service: Any, call: Call, scope: Scope, after: Any) -> ExportPage:
        call.authorise(place=scope.place, missing=missing)
        with service.database.read(call) as db:
            found = find(db, scope, after, PAGE_ROWS + 1)
        shown = found[:PAGE_ROWS]
        following = key(shown[-1]) if len(found) > PAGE_ROWS else None
        return ExportPage([list(cells) for cells in show(service, call, scope, shown)], following)

    def count_rows(service: Any, call: Call, scope: Scope) -> int:
        call.authorise(place=scope.place, missing=missing)
        with service.database.read(call) as db:
            return count(db, scope, Export.longest + 1)

    return Export(name, title, titles, policy.with_step_up(), count_rows, read, filters)


def disclosed(bus: Any, call: Call, scope: Scope, directory: str, account_ids: Iterable[uuid.UUID]) -> People:
    """The people whom `directory` discloses to this caller, by id; whom it does not, stay without a name."""
    wanted = sorted({str(account_id) for account_id in account_ids})
    if not wanted:
        return {}
    arguments = {"account_ids": wanted, "reason": scope.reason, "job_id": str(scope.job_id)}
    # Each page is a command of its own; its answer is kept nowhere, so a repeated one discloses and records again.
    command_id = f"/job/{scope.job_id}/{uuid.uuid4()}"
    reply = bus.tell_for(call.actor, directory, "disclose_people", arguments, command_id)
    return {person["account_id"]: person for person in reply["people"]}


def masked_name(bus: Any, actor: Actor, directory: str) -> str:
    """The name of whoever exports, for the watermark."""
    name = str(bus.ask_for(actor, directory, "get_profile", {})["name"])
    return name[:1] + "*" * len(name[1:])


def counted(statement: sa.Select[Any], limit: int) -> sa.Select[Any]:
    """How many rows, up to `limit`: whether there are more than may leave needs no counting of millions."""
    return sa.select(sa.func.count()).select_from(statement.limit(limit).subquery())


def day(instant: dt.datetime | None) -> str:
    return f"{instant.astimezone(clock.BEIJING):%Y-%m-%d}" if instant else ""
