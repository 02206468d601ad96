"""Pure rules of training projects: their dates, and what may still change (`domain.md` §3.14); no I/O."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from services.catalog.contract.projects import ProjectState
from services.shared.clock import BEIJING
from services.shared.errors import Conflict, InvalidInput

# What may still change once teachers apply: they applied for the rest as it was shown. Ours.
CHANGEABLE: Final = frozenset({"title", "venue", "summary", "starts_on", "ends_on", "applies_until", "capacity"})


def midnight(day: dt.date) -> dt.datetime:
    """The first instant of a Beijing day."""
    return dt.datetime.combine(day, dt.time(), BEIJING)


def require_window(values: Mapping[str, Any]) -> None:
    """Raises InvalidInput("catalog.project_window") naming the field."""
    if values["applies_from"] >= values["applies_until"]:
        raise InvalidInput("catalog.project_window", "applies_until")
    if values["ends_on"] < values["starts_on"]:
        raise InvalidInput("catalog.project_window", "ends_on")
    if values["applies_until"] > midnight(values["starts_on"]):
        raise InvalidInput("catalog.project_window", "applies_until")


def require_draft(state: ProjectState) -> None:
    """Raises Conflict("catalog.project_state")."""
    if state is not ProjectState.DRAFT:
        raise Conflict("catalog.project_state")


def require_publishable(state: ProjectState, applies_until: dt.datetime, now: dt.datetime) -> None:
    """Raises Conflict("catalog.project_state"), InvalidInput when nobody could apply any more."""
    require_draft(state)
    if applies_until <= now:
        raise InvalidInput("catalog.project_past", "applies_until")


def require_change(state: ProjectState, old: Mapping[str, Any], new: Mapping[str, Any], now: dt.datetime) -> None:
    """Whether a project may become `new`. A draft may become anything; a published one anything until applications begin,
    and from then on what nobody applied for.

    Raises Conflict for a withdrawn project or one that is over, and for what teachers have applied for; InvalidInput for
    dates that make no sense or have passed.
    """
    require_window(new)
    if state is ProjectState.DRAFT:
        return
    if state is not ProjectState.PUBLISHED:
        raise Conflict("catalog.project_state")
    if now >= midnight(old["ends_on"] + dt.timedelta(days=1)):
        raise Conflict("catalog.project_over")
    _require_coming(old, new, now)
    if now >= old["applies_from"]:
        _require_as_applied_for(old, new)


def _require_coming(old: Mapping[str, Any], new: Mapping[str, Any], now: dt.datetime) -> None:
    """What is moved is moved into the future."""
    for name in ("applies_from", "applies_until"):
        if new[name] != old[name] and new[name] <= now:
            raise InvalidInput("catalog.project_past", name)
    if new["ends_on"] != old["ends_on"] and now >= midnight(new["ends_on"]):
        raise InvalidInput("catalog.project_past", "ends_on")


def _require_as_applied_for(old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    for name in new:
        if new[name] != old[name] and name not in CHANGEABLE:
            raise Conflict("catalog.project_applied", name)
    if new["capacity"] is not None and (old["capacity"] is None or new["capacity"] < old["capacity"]):
        raise Conflict("catalog.project_applied", "capacity")


def require_withdrawable(state: ProjectState, ends_on: dt.date, now: dt.datetime) -> None:
    """Raises Conflict: "catalog.project_state" for one that is withdrawn, "catalog.project_over" after its end."""
    if state is ProjectState.WITHDRAWN:
        raise Conflict("catalog.project_state")
    if state is ProjectState.PUBLISHED and now >= midnight(ends_on + dt.timedelta(days=1)):
        raise Conflict("catalog.project_over")
