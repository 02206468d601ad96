"""Frozen years as they are listed and printed: data here, the page is certs' matter. Nothing is computed anew."""

from __future__ import annotations

import datetime as dt
from typing import Any

from services.credits import pack_files, schemes
from services.credits.contract.verification import YearState
from services.credits.models import Placement
from services.credits.rules.pack import LedgerPack, Pack
from services.credits.verification import rules
from services.credits.verification.models import OpenYear, YearVerification
from services.credits.verification.queries import YearFound
from services.shared import clock
from services.shared.errors import Conflict


def sheet(held: YearVerification, placement: Placement, now: dt.datetime) -> dict[str, Any]:
    """Everything that a sheet prints but the name. Raises Conflict("credits.snapshot_damaged")."""
    body = held.body
    if rules.snapshot_hash(body) != held.hash:
        raise Conflict("credits.snapshot_damaged")
    return {
        **line(held, placement, now),
        "pack": {**body["pack"], "titles": _titles(body["pack"])},
        "verification": _figures(body["verification"], body["pack"]),
        "cycle": {"years": body["cycle"]["years"], **_figures(body["cycle"], body["pack"])},
        "probation": body["probation"],
        "not_converted": body["not_converted"],
    }


def year_line(found: YearFound, now: dt.datetime) -> dict[str, Any]:
    """One year in a list, frozen or open."""
    if found.held is not None:
        return {**line(found.held, found.placement, now), "computed_at": None}
    assert found.computed is not None  # a year that is neither is not found
    return open_line(found.computed)


def open_line(computed: OpenYear) -> dict[str, Any]:
    """An open year in a list, as it was computed in the night."""
    figures = computed.figures
    return {
        "teacher_id": str(computed.teacher_id),
        "school_name": computed.school_name,
        "place": computed.place,
        "year": computed.year,
        "state": str(YearState.OPEN),
        "version": 0,
        "unit": figures["pack"]["unit"],
        "met": computed.met,
        "total": figures["total"],
        "amounts": _in_order(figures["amounts"], figures["pack"]),
        "shortfalls": figures["shortfalls"],
        "cycle_met": figures["cycle_met"],
        "cycle_total": figures["cycle_total"],
        "frozen_at": None,
        "hash": None,
        "computed_at": clock.format_instant(computed.computed_at),
    }


def line(held: YearVerification, placement: Placement, now: dt.datetime) -> dict[str, Any]:
    """One frozen year in a list."""
    body = held.body
    scheme = schemes.get_scheme(held.scheme_id)
    window = rules.window_of(scheme.closing_of(held.year), scheme.complaints_until(held.year), now)
    return {
        "teacher_id": str(held.teacher_id),
        "school_name": _school_name(held, placement),
        "place": held.place,
        "year": held.year,
        "state": str(rules.state_of(YearState(held.state), window)),
        "version": held.version,
        "unit": body["pack"]["unit"],
        "met": held.met,
        "total": body["verification"]["total"],
        "amounts": _in_order(body["verification"]["amounts"], body["pack"]),
        "shortfalls": body["verification"]["shortfalls"],
        "cycle_met": _cycle_met(body["cycle"]),
        "cycle_total": body["cycle"]["total"],
        "frozen_at": clock.format_instant(held.frozen_at),
        "hash": held.hash,
    }


def _cycle_met(cycle: dict[str, Any]) -> bool | None:
    """None where the rules require nothing of a cycle: whoever lacks nothing has not met anything yet."""
    met: bool = cycle["met"]
    return None if cycle.get("required") == [] else met


def _school_name(held: YearVerification, placement: Placement) -> str:
    """The school of the frozen year, which is not always where the teacher is now."""
    if school := held.body.get("school"):
        return str(school["name"])
    # Frozen before snapshots named their schools.
    return placement.school_name if placement.school_id == held.school_id else ""


def _figures(span: dict[str, Any], pack: dict[str, Any]) -> dict[str, Any]:
    figures = {name: span.get(name, []) for name in ("met", "total", "shortfalls", "required")}
    return {**figures, "amounts": _in_order(span["amounts"], pack)}


def _in_order(amounts: dict[str, str], pack: dict[str, Any]) -> dict[str, str]:
    """By category as the pack lists them: the database keeps no order of names."""
    shipped = _shipped(pack)
    order = shipped.categories if isinstance(shipped, LedgerPack) else ()
    return {
        name: amounts[name]
        for name in (*[each for each in order if each in amounts], *sorted(set(amounts) - set(order)))
    }


def _titles(pack: dict[str, Any]) -> dict[str, str]:
    shipped = _shipped(pack)
    return dict(shipped.titles) if shipped else {"zh": pack["id"], "en": pack["id"]}


def _shipped(pack: dict[str, Any]) -> Pack | None:
    """The pack, as long as this installation still ships it; for words and order only, never for figures."""
    try:
        return pack_files.load_pack(pack["id"])
    except pack_files.UnknownPackError:
        return None
