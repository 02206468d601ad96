"""Declared activities that a place's table pays: which table, which line of it, and what they come to in their year."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from services.credits import bulk, pack_files
from services.credits.declarations import queries
from services.credits.declarations.models import Declaration
from services.credits.evaluation_schemas import UNITS
from services.credits.models import Placement
from services.credits.pack_schema import CASES
from services.credits.reversing import next_turn, standing_awards, take_back
from services.credits.rules import items
from services.credits.rules.items import Item, ItemError, Share
from services.credits.rules.pack import ItemPack
from services.credits.schemes import Scheme
from services.credits.sources import declaration_ref
from services.shared.bus import Call
from services.shared.errors import Conflict, InvalidInput
from services.shared.ids import new_id


def find_table(scheme: Scheme | None, year: int, kind: str, given: dict[str, Any] | None) -> ItemPack | None:
    """The table of the place that pays the activity; None for hours that no table is asked about.

    Raises InvalidInput for an activity or a quantity that no table knows, that is declared as another kind of evidence, or that
    earns nothing; and where a kind that the place pays by a table is declared in hours.
    """
    tables = scheme.tables_of(year) if scheme else []
    if given is None:
        if kind != "DECLARATION" and any(rule.declared_as == kind for table in tables for rule in table.rules):
            raise InvalidInput("credits.item_needed", "item")
        return None
    if not tables:
        raise InvalidInput("credits.item_no_table", "item")
    for table in tables:
        if rule := table.find_item(given["item"]):
            if rule.declared_as != kind:
                raise InvalidInput("credits.item_kind", "kind")
            if not _alone(table, given):
                raise InvalidInput("credits.item_too_little", "item")
            return table
    raise InvalidInput("credits.item_unknown", "item.item")


def kept(table: ItemPack, given: dict[str, Any]) -> dict[str, str]:
    """The activity as a declaration keeps it: the table, the line, and the quantity or case in text."""
    named = {name: str(given[name]) for name in (*UNITS, *CASES) if given.get(name) is not None}
    return {"table": table.pack_id, "item": given["item"], **named}


def require_paid_here(scheme: Scheme | None, year: int, content: dict[str, Any]) -> ItemPack:
    """The table that the activity was declared under, if the place where the teacher is now still pays by it."""
    tables = scheme.tables_of(year) if scheme else []
    found = next((table for table in tables if table.pack_id == content["item"]["table"]), None)
    if found is None:
        raise Conflict("credits.item_table_gone")
    return found


def share_of(db: Session, table: ItemPack, declaration: Declaration) -> Share:
    """What the declared activity adds, or would add, to those of the year that were approved before it."""
    approved = _approved(db, table, declaration.teacher_id, declaration.year)
    earlier = [each for each in approved if each.declaration_id != declaration.declaration_id]
    if declaration in approved:
        earlier = approved[: approved.index(declaration)]
    return _shares(table, [*earlier, declaration])[-1]


def settle(db: Session, call: Call, table: ItemPack, teacher_id: uuid.UUID, year: int, recognised_at: str) -> None:
    """Bring the ledger to what the table pays for all activities of the year that stand approved.

    One that was approved under a used-up cap earns what is left once another is taken back. Each source has one award at
    most: what changes is taken back and entered anew, so every entry explains its whole amount. The caller holds the
    year's lock.
    """
    approved = _approved(db, table, teacher_id, year)
    entries: list[dict[str, Any]] = []
    for declaration, share in zip(approved, _shares(table, approved), strict=True):
        source = declaration_ref(declaration.declaration_id)
        standing = standing_awards(db, teacher_id, source)
        if sum((award.amount for award in standing), Decimal(0)) == share.amount:
            continue
        for award in standing:
            why = "the cap of the year is shared out anew"
            entries += take_back(db, award, why, call.now, call.actor.key)
        if share.amount:
            turn = next_turn(db, teacher_id, source) + len(standing)
            entries.append(_entry(db, call, table, declaration, share, turn, recognised_at))
    if bulk.append_entries(db, entries) != len(entries):
        raise Conflict("credits.declaration_state")


def explained(share: Share) -> str:
    return "; ".join(f"{step.rule_id}: {step.before} -> {step.after}, {step.why}" for step in share.trace)


def table_named(table_id: str) -> ItemPack | None:
    """The table of this name, as far as it is still shipped."""
    try:
        found = pack_files.load_pack(table_id)
    except pack_files.UnknownPackError:
        return None
    return found if isinstance(found, ItemPack) else None


# --- parts -----------------------------------------------------------------------------------------------------------------


def _alone(table: ItemPack, given: dict[str, Any]) -> Decimal:
    try:
        [share] = items.shares(table, [_item(kept(table, given))])
    except ItemError as error:
        raise InvalidInput("credits.item_unknown", f"item.{error.field}", str(error)) from None
    return share.amount


def _item(content: dict[str, str]) -> Item:
    return Item(
        content["item"],
        {unit: Decimal(content[unit]) for unit in UNITS if unit in content},
        {name: content[name] for name in CASES if name in content},
    )


def _approved(db: Session, table: ItemPack, teacher_id: uuid.UUID, year: int) -> list[Declaration]:
    return queries.list_approved_items(db, teacher_id, year, table.pack_id)


def _shares(table: ItemPack, declarations: Iterable[Declaration]) -> Sequence[Share]:
    try:
        return items.shares(table, [_item(each.content["item"]) for each in declarations])
    except ItemError:
        # The table's file has lost a line that was declared by.
        raise Conflict("credits.item_table_gone") from None


def _entry(
    db: Session,
    call: Call,
    table: ItemPack,
    declaration: Declaration,
    share: Share,
    turn: int,
    recognised_at: str,
) -> dict[str, Any]:
    placement = db.get(Placement, declaration.teacher_id)
    return {
        "teacher_id": declaration.teacher_id,
        "entry_id": new_id(),
        "source_ref": declaration_ref(declaration.declaration_id),
        "turn": turn,
        "evidence_version": declaration.round,
        "source_kind": declaration.kind,
        "programme_id": None,
        "rule_id": share.rule_id,
        "unit": table.unit,
        "amount": share.amount,
        "hour_type": "",
        "training_form": table.training_form,
        "year": declaration.year,
        "effective_on": declaration.content["ended_on"],
        "recorded_at": call.now,
        "school_id": placement.school_id if placement else None,
        "place": placement.place if placement else "",
        "pack_id": table.pack_id,
        "pack_version": table.version,
        "why": explained(share),
        "reversal_of": None,
        "recognised_by": call.actor.key,
        "recognised_at": recognised_at,
    }
