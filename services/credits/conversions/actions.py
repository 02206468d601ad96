"""Converting what was earned under another unit, and undoing it: entries of the ledger, never an evaluation's silence."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from services.credits import bulk, queries, schemes
from services.credits.contract.conversions import ConversionState
from services.credits.contract.recognisers import Recogniser, recogniser_at
from services.credits.declarations.policy import FINAL
from services.credits.models import LedgerEntry, Placement
from services.credits.reversing import next_turn, standing_awards, take_back
from services.credits.rules import ledger
from services.credits.rules.ledger import Exchange, UnitError
from services.credits.schemes import Scheme
from services.credits.sources import conversion_ref, is_conversion
from services.credits.verification import queries as years
from services.credits.verification.actions import require_open_year, scheme_of
from services.shared import audit
from services.shared.actor import covers
from services.shared.bus import Call
from services.shared.errors import Conflict, InvalidInput, NotAllowed, NotFound
from services.shared.ids import new_id

MISSING = "credits.amount_unknown"
SOURCE_KIND = "CONVERSION"
_RANK = {level: rank for rank, level in enumerate(Recogniser)}


@dataclasses.dataclass(frozen=True)
class Converted:
    """What an amount is, or would be, in the unit of the place."""

    unit: str
    amount: Decimal
    rule_id: str
    pack_id: str
    category: str
    why: str
    entry_id: uuid.UUID | None = None
    recogniser: str | None = None
    recorded_at: dt.datetime | None = None


@dataclasses.dataclass(frozen=True)
class Conversion:
    """One source's amount of a year in another unit than the place's."""

    source_ref: str
    year: int
    unit: str
    amount: Decimal
    state: ConversionState
    converted: Converted | None


def list_conversions(
    db: Session, teacher_id: uuid.UUID, year: int, now: dt.datetime
) -> tuple[Scheme, list[Conversion]]:
    """What the teacher earned in the year in another unit than that of the place where she is now, converted or not."""
    placement = db.get(Placement, teacher_id)
    scheme = scheme_of(placement.place if placement else "", year)
    amounts = years.list_amounts(db, [teacher_id], [year], now)[teacher_id]
    foreign = [amount for amount in amounts if _needs_conversion(scheme, amount)]
    return scheme, [_shown(db, scheme, teacher_id, amount) for amount in foreign]


def convert_amount(
    db: Session, call: Call, teacher_id: uuid.UUID, source_ref: str, category: str | None, reason: str
) -> Conversion:
    """Let the source's amount count here: one entry in the unit of the place, by the rule of a pack, under the source's name.

    The amount itself stays where it is, in its own unit, which is not added to anything here. Raises Conflict where there is
    nothing to convert, it has been done, no rule says how, or the year is frozen.
    """
    placement, awards = _lock(db, call, teacher_id, source_ref)
    recognised_at = _recognising_place(call, placement.place, awards)
    scheme = scheme_of(placement.place, awards[0].year)
    amount = _amount(db, call, awards[-1])
    if not _needs_conversion(scheme, amount):
        raise Conflict("credits.conversion_not_needed")
    if standing_awards(db, teacher_id, conversion_ref(source_ref)):
        raise Conflict("credits.conversion_exists")
    label = _category(scheme, amount, category)
    try:
        exchange = _exchange(scheme, awards, amount)
    except UnitError:
        raise Conflict("credits.unit_unconvertible") from None
    entry = _entry(db, call, placement, scheme, awards[-1], exchange, label, reason, recognised_at)
    _append(db, [entry])
    _record(db, call, placement, reason, {"amount": str(amount.amount), "unit": amount.unit}, entry)
    return _shown(db, scheme, teacher_id, amount)


def undo_conversion(db: Session, call: Call, teacher_id: uuid.UUID, source_ref: str, reason: str) -> Conversion:
    """Take a conversion back by an entry that names it; the amount is listed again, and may be converted again."""
    placement, awards = _lock(db, call, teacher_id, source_ref)
    standing = standing_awards(db, teacher_id, conversion_ref(source_ref))
    if not standing:
        raise NotFound(MISSING, "source_ref")
    _recognising_place(call, placement.place, [*awards, *standing])
    entries = take_back(db, standing[-1], f"conversion undone: {reason}", call.now, call.actor.key)
    _append(db, entries)
    _record(db, call, placement, reason, {}, entries[0])
    return _shown(db, scheme_of(placement.place, awards[0].year), teacher_id, _amount(db, call, awards[-1]))


# --- parts -----------------------------------------------------------------------------------------------------------------


def _lock(db: Session, call: Call, teacher_id: uuid.UUID, source_ref: str) -> tuple[Placement, list[LedgerEntry]]:
    """Where the teacher is now, and the standing awards of the source, under the lock of their open year."""
    placement = db.get(Placement, teacher_id)
    call.authorise(place=placement.place if placement else "", missing=MISSING)
    if placement is None or is_conversion(source_ref):
        raise NotFound(MISSING, "source_ref")
    if call.actor.account_id == teacher_id:
        raise NotAllowed("credits.conversion_own")
    found = [award for award in standing_awards(db, teacher_id, source_ref) if award.programme_id is None]
    if not found:
        raise NotFound(MISSING, "source_ref")
    queries.lock_teacher_years(db, [(teacher_id, found[0].year)])
    # Again, under the lock: somebody may have taken it back meanwhile.
    awards = standing_awards(db, teacher_id, source_ref)
    if not awards:
        raise NotFound(MISSING, "source_ref")
    require_open_year(db, teacher_id, awards[0].year)
    return placement, awards


def _recognising_place(call: Call, place: str, awards: list[LedgerEntry]) -> str:
    """The nearest of the caller's places above the teacher whose level may decide about these awards.

    Who organises, recognises (S2:150): what a city recognised is not for a county to weigh anew.
    """
    levels = [_RANK[level] for award in awards if (level := recogniser_at(award.recognised_at))]
    mine = [at for at in call.actor.places(FINAL.roles) if covers(at, place)]
    enough = [at for at in mine if (level := recogniser_at(at)) and _RANK[level] >= max(levels, default=0)]
    if not enough:
        raise NotAllowed("credits.conversion_level")
    return max(enough, key=len)


def _amount(db: Session, call: Call, award: LedgerEntry) -> years.Amount:
    """What the award's source comes to in its year."""
    # Who waited for the lock may find what was recorded after he asked.
    as_of = max(call.now, award.recorded_at)
    amounts = years.list_amounts(db, [award.teacher_id], [award.year], as_of)[award.teacher_id]
    return next(each for each in amounts if each.source_ref == award.source_ref)


def _needs_conversion(scheme: Scheme, amount: years.Amount) -> bool:
    return amount.unit != scheme.pack.unit and not amount.probation and not is_conversion(amount.source_ref)


def _exchange(scheme: Scheme, awards: list[LedgerEntry], amount: years.Amount) -> Exchange:
    """Raises UnitError. The rules it was earned under are those of the place where it was recorded."""
    origin = schemes.find_scheme(awards[-1].place, amount.year)
    return ledger.exchange(scheme.pack, origin.pack if origin else None, amount.unit, amount.amount)


def _category(scheme: Scheme, amount: years.Amount, given: str | None) -> str:
    """As what it counts here: what was asked for, or else what it is called already where the pack knows that name."""
    pack = scheme.pack
    if given and given not in pack.categories:
        raise InvalidInput("credits.category_unknown", "category")
    if given is not None:
        return given
    known = str(getattr(amount, pack.dimension, ""))
    return known if known in pack.categories else ""


def _shown(db: Session, scheme: Scheme, teacher_id: uuid.UUID, amount: years.Amount) -> Conversion:
    done = standing_awards(db, teacher_id, conversion_ref(amount.source_ref))
    converted: Converted | None = None
    if done:
        entry, state = done[-1], ConversionState.CONVERTED
        converted = Converted(
            entry.unit,
            entry.amount,
            entry.rule_id,
            entry.pack_id,
            str(getattr(entry, scheme.pack.dimension, "")),
            entry.why,
            entry.entry_id,
            recogniser_at(entry.recognised_at),
            entry.recorded_at,
        )
    else:
        converted = _preview(scheme, standing_awards(db, teacher_id, amount.source_ref), amount)
        state = ConversionState.OPEN if converted else ConversionState.NO_RULE
    return Conversion(amount.source_ref, amount.year, amount.unit, amount.amount, state, converted)


def _preview(scheme: Scheme, awards: list[LedgerEntry], amount: years.Amount) -> Converted | None:
    """What it would come to, before anybody decides; None where no rule says."""
    try:
        exchange = _exchange(scheme, awards, amount)
    except UnitError:
        return None
    step = exchange.step
    category = _category(scheme, amount, None)
    return Converted(scheme.pack.unit, exchange.amount, step.rule_id, exchange.pack.pack_id, category, _why(exchange))


def _why(exchange: Exchange) -> str:
    step = exchange.step
    return f"{step.rule_id} of {exchange.pack.pack_id}: {step.before} -> {step.after}, {step.why}"


def _entry(
    db: Session,
    call: Call,
    placement: Placement,
    scheme: Scheme,
    award: LedgerEntry,
    exchange: Exchange,
    label: str,
    reason: str,
    recognised_at: str,
) -> dict[str, Any]:
    source = conversion_ref(award.source_ref)
    labels = {"hour_type": "", "training_form": ""}
    if label:
        labels[scheme.pack.dimension] = label
    return {
        "teacher_id": award.teacher_id,
        "entry_id": new_id(),
        "source_ref": source,
        "turn": next_turn(db, award.teacher_id, source),
        "rule_id": exchange.step.rule_id,
        "evidence_version": award.turn,
        "source_kind": SOURCE_KIND,
        "programme_id": None,
        "unit": scheme.pack.unit,
        "amount": exchange.amount,
        **labels,
        "year": award.year,
        "effective_on": award.effective_on,
        "recorded_at": call.now,
        "school_id": placement.school_id,
        "place": placement.place,
        "pack_id": exchange.pack.pack_id,
        "pack_version": exchange.pack.version,
        "why": f"{_why(exchange)}; {reason}",
        "reversal_of": None,
        "recognised_by": call.actor.key,
        "recognised_at": recognised_at,
    }


def _append(db: Session, entries: list[dict[str, Any]]) -> None:
    """Under the year's lock: a missing row means that somebody else wrote this turn, and nothing may be half done."""
    if bulk.append_entries(db, entries) != len(entries):
        raise Conflict("credits.conversion_exists")


def _record(
    db: Session, call: Call, placement: Placement, reason: str, before: dict[str, str], entry: dict[str, Any]
) -> None:
    audit.record(
        db,
        call,
        subject=entry["teacher_id"],
        place=placement.place,
        reason=reason,
        before=before,
        after={
            "source_ref": entry["source_ref"],
            "amount": str(entry["amount"]),
            "unit": entry["unit"],
            "rule_id": entry["rule_id"],
        },
    )
