"""Entrypoints of credits' RPC process: what teachers and administrators ask."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

from services.credits import contract, judgement, pack_files, queries, reconciliation, rehearsal, schemas
from services.credits.contract.recognisers import recogniser_at
from services.credits.conversions.entrypoints import Conversions
from services.credits.declarations.entrypoints import Declarations
from services.credits.evaluation import EvaluationError, evaluate_document
from services.credits.grades.entrypoints import Grades
from services.credits.handover.entrypoints import Handovers
from services.credits.models import LedgerEntry, Programme, Standing
from services.credits.policy import POLICIES
from services.credits.reconciling.entrypoints import Reconciling
from services.credits.snapshots import SNAPSHOTS
from services.credits.statistics.entrypoints import Statistics
from services.credits.verification.entrypoints import Verification
from services.shared import clock
from services.shared.audit_trail import AuditTrail
from services.shared.bus import Call, DatabaseProvider, query
from services.shared.bus.snapshots import TellsSnapshots
from services.shared.errors import InvalidInput
from services.shared.paging import page_of


class CreditsService(
    Declarations, Conversions, Verification, Statistics, Handovers, Grades, Reconciling, AuditTrail, TellsSnapshots
):
    name = contract.SERVICE
    policies = POLICIES
    snapshots = SNAPSHOTS
    database = DatabaseProvider()

    @query
    def get_hours(self, call):
        """Studied and recognised time side by side, course by course, with the reasons."""
        arguments = call.load(schemas.GetHours())
        teacher_id = arguments["teacher_id"] or call.actor.account_id
        with self.database.read(call) as db:
            _authorise_about(call, db, teacher_id)
            standing, programme = queries.get_standing(db, teacher_id, arguments["programme_id"])
            study = (teacher_id, programme.programme_id)
            exam = queries.list_scores(db, [study]).get(study, judgement.NO_SCORE)
        return schemas.Hours().dump(_hours(standing, programme, exam, call))

    @query
    def list_ledger(self, call):
        """The teacher's entries, newest first, each with its explanation."""
        arguments = call.load(schemas.ListLedger())
        teacher_id = arguments["teacher_id"] or call.actor.account_id
        limit = arguments["limit"]
        with self.database.read(call) as db:
            _authorise_about(call, db, teacher_id)
            found = queries.list_entries(db, teacher_id, arguments["year"], arguments["cursor"], limit + 1)
        return schemas.LedgerPage().dump(page_of(found, limit, _entry, lambda entry: entry.entry_id))

    @query
    def evaluate_rules(self, call):
        """What a document's evidence earns under a pack; nothing is read or kept."""
        try:
            return evaluate_document(call.arguments)
        except EvaluationError as error:
            raise InvalidInput(error.code, error.place, str(error)) from None

    @query
    def list_packs(self, call):
        """The rule packs that are shipped."""
        call.load(schemas.Nothing())
        packs = [pack_files.load_pack(pack_id) for pack_id in pack_files.list_packs()]
        return {"items": schemas.PackShown(many=True).dump(packs)}

    @query
    def rehearse_pack(self, call):
        """One page of what past evidence would come to under a pack that is not shipped; nothing is written."""
        arguments = call.load(schemas.RehearsePack())
        packs = rehearsal.parse_candidate(arguments["pack"], arguments["name"], arguments["against"])
        with self.database.read(call) as db:
            page = rehearsal.rehearse(db, *packs, arguments["after"], arguments["limit"], call.now)
        return schemas.Rehearsal().dump(page)

    @query
    def reconcile_ledger(self, call):
        """One page of the proof that ledger and standings follow from the evidence; `after` leads to the next page."""
        arguments = call.load(schemas.ReconcileLedger())
        with self.database.read(call) as db:
            after = tuple(arguments["after"]) if arguments["after"] else None
            studies = queries.list_studies(db, after, arguments["limit"])
            differences = reconciliation.find_differences(db, studies, judgement.beijing_day(call.now))
        is_last = len(studies) < arguments["limit"]
        return schemas.Reconciliation().dump(
            {"checked": len(studies), "differences": differences, "after": None if is_last else studies[-1]}
        )


def _authorise_about(call: Call, db: Any, teacher_id: uuid.UUID) -> None:
    """The teacher herself, or whoever answers for the place where she is now."""
    call.authorise(subject=teacher_id, place=queries.find_place(db, teacher_id), missing="credits.not_enrolled")


def _hours(standing: Standing, programme: Programme, exam: judgement.Score, call: Call) -> dict[str, Any]:
    titles = {course["key"]: course["title"] for course in programme.courses}
    courses = [{**course, "title": titles.get(course["key"], "")} for course in standing.courses]
    return {
        "teacher_id": standing.teacher_id,
        "programme_id": standing.programme_id,
        "unit": "HOUR",
        "version": standing.version,
        "studied_seconds": sum(course["studied_seconds"] for course in courses),
        "counted_seconds": sum(course["counted_seconds"] for course in courses),
        "hours": _amount(standing.hours),
        "courses_done": standing.courses_done,
        "courses_total": len(courses),
        "requirement_met": standing.requirement_met,
        "exam_score": None if exam.score is None else _amount(exam.score),
        "shortfalls": standing.shortfalls,
        "courses": courses,
        "pack": {"id": standing.pack_id, "version": standing.pack_version},
        "as_of": clock.format_instant(call.now),
    }


def _entry(entry: LedgerEntry) -> dict[str, Any]:
    return {
        "entry_id": entry.entry_id,
        "unit": entry.unit,
        "amount": _amount(entry.amount),
        "hour_type": entry.hour_type,
        "training_form": entry.training_form,
        "year": entry.year,
        "source_kind": entry.source_kind,
        "source_ref": entry.source_ref,
        "programme_id": entry.programme_id,
        "effective_on": entry.effective_on.isoformat(),
        "recorded_at": clock.format_instant(entry.recorded_at),
        "school_id": entry.school_id,
        "reversal_of": entry.reversal_of,
        "recogniser": recogniser_at(entry.recognised_at),
        "explanation": {
            "rule_id": entry.rule_id,
            "rule": _words(entry),
            "pack_id": entry.pack_id,
            "pack_version": entry.pack_version,
            "why": entry.why,
        },
    }


def _words(entry: LedgerEntry) -> Any:
    """The rule's text, as long as the shipped pack is still the one that the entry was made under."""
    try:
        pack = pack_files.load_pack(entry.pack_id)
    except pack_files.UnknownPackError:
        return None
    rule = pack.find_rule(entry.rule_id) if pack.version == entry.pack_version else None
    return rule.text if rule else None


def _amount(amount: Decimal) -> str:
    return f"{amount:.2f}"
