"""Rule packs by themselves: a document with evidence in, what it earns out (`yanxiu rules evaluate`, `POST /rule-evaluations`).

Nothing is read from or written to any database; the same functions judge here and in production.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from marshmallow import ValidationError

from services.credits import evaluation_schemas as schemas
from services.credits import pack_files
from services.credits.pack_schema import CASES
from services.credits.rules import season
from services.credits.rules.amounts import shown
from services.credits.rules.evidence import Quiz, Video
from services.credits.rules.items import Item, ItemError, ItemsOutcome
from services.credits.rules.items import evaluate as evaluate_items
from services.credits.rules.ledger import Entry, LedgerOutcome, UnitError, shown_span, shown_steps
from services.credits.rules.ledger import evaluate as evaluate_ledger
from services.credits.rules.outcome import Outcome
from services.credits.rules.pack import Gate, ItemPack, Kind, LedgerPack, Pack, SeasonPack, Status
from services.credits.rules.watching import Piece, Watching, video_as_of


class EvaluationError(ValueError):
    """The document is at fault.

    `place` is the dotted path of the fault in it ("videos.0.watched.1.to"), "" for all of it; `code` one of the contract's.
    """

    def __init__(self, place: str, why: str, code: str = "credits.document_form") -> None:
        super().__init__(f"{place}: {why}" if place else why)
        self.place = place
        self.code = code


def evaluate_document(document: Any) -> dict[str, Any]:
    """What the evidence in `document` earns under the pack that it names.

    `kind` is "season", "ledger" or "items". Amounts are text with two places, instants RFC 3339. Raises EvaluationError.
    """
    head = _load(schemas.Head(), document)
    schema, act, wanted = _KINDS[head["kind"]]
    pack = _find_pack(head["pack"], wanted)
    answer: dict[str, Any] = act(pack, _load(schema(), document))
    return answer


def _load(schema: Any, document: Any) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise EvaluationError("", "must be a JSON object")
    try:
        loaded: dict[str, Any] = schema.load(document)
    except ValidationError as error:
        raise EvaluationError(*_first_fault(error.normalized_messages())) from None
    return loaded


def _first_fault(messages: Any, path: tuple[str, ...] = ()) -> tuple[str, str, str]:
    """The place, the words and the code of the first fault, in the document's order."""
    while isinstance(messages, dict):
        key, messages = next(iter(messages.items()))
        path = path if key == "_schema" else (*path, str(key))
    return ".".join(path), str(messages[0]), getattr(messages[0], "code", "credits.document_form")


def _find_pack(pack_id: str, wanted: type[Pack]) -> Pack:
    try:
        pack = pack_files.load_pack(pack_id)
    except pack_files.UnknownPackError:
        raise EvaluationError(
            "pack", f"unknown pack; known: {', '.join(pack_files.list_packs())}", "credits.pack_unknown"
        ) from None
    if not isinstance(pack, wanted):
        raise EvaluationError(
            "pack", f"{pack_id} does not judge documents of this kind", "credits.pack_of_another_kind"
        )
    if pack.status is Status.DRAFT:
        raise EvaluationError("pack", f"{pack_id} is a draft: nothing can be judged by it yet", "credits.pack_draft")
    return pack


# --- season --------------------------------------------------------------------------------------------------------------


def _judge_season(pack: Any, given: dict[str, Any]) -> dict[str, Any]:
    as_of, exam = given["as_of"], given["exam"]
    evidence: dict[str, list[Video]] = {}
    for index, video in enumerate(given["videos"]):
        if video["course"] not in pack.courses:
            known = ", ".join(pack.courses)
            raise EvaluationError(
                f"videos.{index}.course", f"the pack has no such course; it has: {known}", "credits.course_unknown"
            )
        evidence.setdefault(video["course"], []).append(_video(pack, video, as_of))
    outcome = season.evaluate(pack, evidence, Decimal(exam["score"]) if exam else None)
    return {
        "hours": shown(outcome.hours),
        "courses": [
            {
                "course": course.key,
                "studied_seconds": course.studied_seconds,
                "counted_seconds": course.counted_seconds,
                "hours": shown(course.hours),
                "reasons": [str(reason) for reason in course.reasons],
            }
            for course in outcome.courses
        ],
        "certificate": _certificate(pack, outcome, as_of, given["verified_at"]),
        "trace": [
            {
                "rule_id": line.rule_id,
                "course": line.course,
                "video": line.video,
                "unit": line.unit,
                "before": line.before,
                "after": line.after,
                "why": line.why,
            }
            for line in outcome.trace
        ],
        "pack": _named(pack),
    }


def _video(pack: SeasonPack, given: dict[str, Any], as_of: dt.datetime) -> Video:
    course = given["course"]
    windows = [rule for rule in pack.of_kind(Kind.VALIDITY) if rule.selects(course)]
    opens = max((rule.begins_at for rule in windows if rule.begins_at is not None), default=None)
    closes = min((rule.ends_at for rule in windows if rule.ends_at is not None), default=None)
    gated = any(rule.gate is Gate.QUIZZES and rule.selects(course) for rule in pack.of_kind(Kind.GATE))
    watching = Watching(
        key=given["video"],
        duration_seconds=given["duration_seconds"],
        pieces=tuple(Piece(piece["begin"], piece["end"], piece["at"]) for piece in given["watched"]),
        quizzes=tuple(Quiz(quiz["at_seconds"], quiz["answered_at"]) for quiz in given["quizzes"]),
    )
    return video_as_of(watching, as_of, opens, closes, gated=gated)


def _certificate(pack: SeasonPack, outcome: Outcome, as_of: dt.datetime, verified_at: dt.datetime | None) -> str:
    """What certs would decide at `as_of` (`domain.md` §3.18); verification stands here for itself, hours come first."""
    if pack.closes_at is not None and as_of < pack.closes_at:
        return "NOT_DUE"
    if not outcome.requirement_met:
        return "NOT_EARNED"
    return "ISSUED" if verified_at is not None and verified_at <= as_of else "BLOCKED"


# --- ledger --------------------------------------------------------------------------------------------------------------


def _judge_ledger(pack: Any, given: dict[str, Any]) -> dict[str, Any]:
    years = given["years"]
    for index, year in enumerate(years):
        if not pack.is_valid_in(year):
            until = f" to {pack.valid_to.year}" if pack.valid_to else ""
            raise EvaluationError(
                f"years.{index}", f"the pack is valid from {pack.valid_from.year}{until}", "credits.year_outside"
            )
    entries = [_entry(pack, years, index, entry) for index, entry in enumerate(given["entries"])]
    try:
        outcome = evaluate_ledger(pack, years, entries)
    except UnitError as error:
        why = f"the pack counts in {pack.unit} and cannot convert {error.unit}"
        raise EvaluationError(f"entries.{error.index}.unit", why, "credits.unit_unconvertible") from None
    return _ledger_shown(pack, outcome)


def _entry(pack: LedgerPack, years: Sequence[int], index: int, given: dict[str, Any]) -> Entry:
    place = f"entries.{index}"
    if given["year"] not in years:
        raise EvaluationError(
            f"{place}.year", f"{given['year']} is not among the years of the cycle", "credits.year_outside"
        )
    label = given[pack.dimension] or ""
    if label and label not in pack.categories:
        known = ", ".join(pack.categories)
        raise EvaluationError(
            f"{place}.{pack.dimension}", f"the pack knows no {label}; it knows: {known}", "credits.category_unknown"
        )
    if given["probation"] and not pack.of_kind(Kind.GATE):
        # It would count in no year and stand nowhere: a silence that looks like a result.
        raise EvaluationError(f"{place}.probation", "the pack has no rule for probation training")
    return Entry(given["year"], given["unit"], Decimal(given["amount"]), label, given["probation"])


def _ledger_shown(pack: LedgerPack, outcome: LedgerOutcome) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "years": [{"year": span.year, **shown_span(span)} for span in outcome.years],
        "cycle": shown_span(outcome.cycle),
        "trace": shown_steps(outcome.trace),
        "pack": _named(pack),
    }
    if outcome.probation is not None:
        probation = outcome.probation
        answer["probation"] = {
            "rule_id": probation.rule_id,
            "hours": shown(probation.hours),
            "required": shown(probation.required),
            "met": probation.met,
        }
    return answer


# --- items ---------------------------------------------------------------------------------------------------------------


def _judge_items(pack: Any, given: dict[str, Any]) -> dict[str, Any]:
    if not pack.is_valid_in(given["year"]):
        raise EvaluationError("year", f"the pack is valid from {pack.valid_from.year}", "credits.year_outside")
    items = [
        Item(
            rule_id=item["item"],
            units={unit: Decimal(str(item[unit])) for unit in schemas.UNITS if item.get(unit) is not None},
            case={name: item[name] for name in CASES if item.get(name) is not None},
        )
        for item in given["items"]
    ]
    try:
        outcome: ItemsOutcome = evaluate_items(pack, items)
    except ItemError as error:
        raise EvaluationError(f"items.{error.index}.{error.field}", str(error), "credits.item_unknown") from None
    return {
        "credits": shown(outcome.total),
        "items": [
            {"item": item.rule_id, "credits": shown(item.amount), "capped": item.capped} for item in outcome.items
        ],
        "trace": shown_steps(outcome.trace),
        "pack": _named(pack),
    }


def _named(pack: Pack) -> dict[str, str]:
    return {"id": pack.pack_id, "version": pack.version, "status": str(pack.status)}


Act = Callable[[Any, dict[str, Any]], dict[str, Any]]
_KINDS: dict[str, tuple[type[schemas.Head], Act, type[Pack]]] = {
    "season": (schemas.SeasonDocument, _judge_season, SeasonPack),
    "ledger": (schemas.LedgerDocument, _judge_ledger, LedgerPack),
    "items": (schemas.ItemsDocument, _judge_items, ItemPack),
}
