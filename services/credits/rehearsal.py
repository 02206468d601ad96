"""A pack tried on past evidence: whose hours would change under it, and by how much. Writes nothing."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from services.credits import judgement, pack_files, queries, schemes
from services.credits.models import Placement
from services.credits.queries import Study
from services.credits.rules import LedgerPack, Outcome, Pack, SeasonPack
from services.credits.rules.pack import Status
from services.credits.schemes import Scheme
from services.credits.verification import actions as verification
from services.credits.verification import queries as verification_queries
from services.shared.errors import InvalidInput
from services.shared.yaml_files import YamlError

CANDIDATE = "pack"


@dataclasses.dataclass(frozen=True)
class Change:
    """One amount of a teacher that would be another one: of a course ("" for the whole programme), a year, or a cycle.

    `met_…` says whether the requirement it belongs to (the programme's, the year's, the cycle's) is met, before and after.
    """

    teacher_id: uuid.UUID
    programme_id: uuid.UUID | None
    measure: str
    before: str
    after: str
    by: str
    met_before: bool
    met_after: bool


@dataclasses.dataclass(frozen=True)
class Page:
    checked: int
    changes: list[Change]
    after: list[uuid.UUID] | None  # where the next page begins


def parse_candidate(content: Any, name: str, against: str) -> tuple[Pack, Pack]:
    """The pack to try and the shipped one to compare it with.

    Raises InvalidInput for a faulty pack, a draft, and for packs that judge different kinds of evidence.
    """
    try:
        candidate = pack_files.parse_pack(content, name)
    except YamlError as error:
        raise InvalidInput("credits.document_form", CANDIDATE, str(error)) from None
    try:
        shipped = pack_files.load_pack(against)
    except pack_files.UnknownPackError:
        raise InvalidInput("credits.pack_unknown", "against") from None
    for pack, field in ((candidate, CANDIDATE), (shipped, "against")):
        if not isinstance(pack, SeasonPack | LedgerPack):
            # What activities earn is asked for and not kept: there is no past to try it on.
            raise InvalidInput("credits.pack_of_another_kind", field)
        if pack.status is Status.DRAFT:
            raise InvalidInput("credits.pack_draft", field)
    if type(candidate) is not type(shipped) or candidate.unit != shipped.unit:
        raise InvalidInput("credits.pack_of_another_kind", CANDIDATE)
    return candidate, shipped


def rehearse(
    db: Session, candidate: Pack, shipped: Pack, after: Sequence[uuid.UUID] | None, limit: int, now: dt.datetime
) -> Page:
    """One page of the comparison; `after` is the place where the page before ended."""
    if isinstance(candidate, SeasonPack) and isinstance(shipped, SeasonPack):
        return _rehearse_seasons(db, candidate, shipped, after, limit, now)
    assert isinstance(candidate, LedgerPack)  # `parse_candidate` has let nothing else through
    return _rehearse_years(db, candidate, shipped, after, limit, now)


# --- seasons ---------------------------------------------------------------------------------------------------------------


def _rehearse_seasons(
    db: Session,
    candidate: SeasonPack,
    shipped: SeasonPack,
    after: Sequence[uuid.UUID] | None,
    limit: int,
    now: dt.datetime,
) -> Page:
    start = (after[0], after[-1]) if after else None
    studies = queries.list_studies(db, start, limit)
    programmes = queries.find_programmes(db, {programme for _, programme in studies})
    mine = [study for study in studies if _is_judged_by(programmes.get(study[1]), shipped)]
    evidence = queries.list_evidence(db, mine) if mine else {}
    scores = queries.list_scores(db, mine)
    today = judgement.beijing_day(now)
    changes: list[Change] = []
    for study in mine:
        programme, rows = programmes[study[1]], evidence.get(study, [])
        was, would_be = (
            judgement.judge(
                judgement.terms_of(programme, pack), rows, today, scores.get(study, judgement.NO_SCORE)
            ).outcome
            for pack in (shipped, candidate)
        )
        changes += _changes_of_study(study, was, would_be)
    return Page(len(mine), changes, list(studies[-1]) if len(studies) == limit else None)


def _is_judged_by(programme: Any, pack: SeasonPack) -> bool:
    return programme is not None and programme.rule_pack == pack.pack_id


def _changes_of_study(study: Study, was: Outcome, would_be: Outcome) -> Iterator[Change]:
    """Course by course; the whole programme only where nothing but its requirement would be decided differently."""
    met = (was.requirement_met, would_be.requirement_met)
    before, after = ({course.key: course.hours for course in outcome.courses} for outcome in (was, would_be))
    different = [
        key for key in {**before, **after} if before.get(key, judgement.ZERO) != after.get(key, judgement.ZERO)
    ]
    for key in different:
        yield _change(study, key, before.get(key, judgement.ZERO), after.get(key, judgement.ZERO), met)
    if not different and was.requirement_met != would_be.requirement_met:
        yield _change(study, "", was.hours, would_be.hours, met)


def _change(
    study: tuple[uuid.UUID, uuid.UUID | None], measure: str, before: Decimal, after: Decimal, met: tuple[bool, bool]
) -> Change:
    return Change(*study, measure, f"{before:.2f}", f"{after:.2f}", f"{after - before:+.2f}", *met)


# --- years and cycles ------------------------------------------------------------------------------------------------------


def _rehearse_years(
    db: Session, candidate: LedgerPack, shipped: Pack, after: Sequence[uuid.UUID] | None, limit: int, now: dt.datetime
) -> Page:
    adopted = [scheme for scheme in schemes.list_schemes() if scheme.pack.pack_id == shipped.pack_id]
    teachers = queries.list_teachers_with_entries(db, after[0] if after else None, limit)
    placements = queries.list_placements(db, teachers)
    years = sorted({year for scheme in adopted for cycle in scheme.cycles for year in cycle})
    amounts = verification_queries.list_amounts(db, teachers, years, now)
    checked = 0
    changes: list[Change] = []
    for teacher_id in teachers:
        placement = placements.get(teacher_id)
        spans = list(_spans(placement, adopted, {amount.year for amount in amounts[teacher_id]}))
        checked += bool(spans)
        for scheme, year in spans:
            trial = dataclasses.replace(scheme, pack=candidate)
            was, would_be = (verification.judge(each, year, amounts[teacher_id]) for each in (scheme, trial))
            changes += _changes_of_year(teacher_id, year, was, would_be)
    return Page(checked, _without_repetition(changes), [teachers[-1]] if len(teachers) == limit else None)


def _spans(placement: Placement | None, adopted: Sequence[Scheme], years: set[int]) -> Iterator[tuple[Scheme, int]]:
    """The years with entries that one of these schemes judges where the teacher is now."""
    for year in sorted(years):
        scheme = schemes.find_scheme(placement.place, year) if placement else None
        if scheme is not None and scheme in adopted:
            yield scheme, year


def _changes_of_year(
    teacher_id: uuid.UUID, year: int, was: dict[str, Any], would_be: dict[str, Any]
) -> Iterator[Change]:
    cycle = was["cycle"]["years"]
    for measure, old, new in (
        (f"{year}", was["verification"], would_be["verification"]),
        (f"{cycle[0]}-{cycle[-1]}", was["cycle"], would_be["cycle"]),
    ):
        before, after = Decimal(old["total"]), Decimal(new["total"])
        if before != after or old["shortfalls"] != new["shortfalls"]:
            yield _change((teacher_id, None), measure, before, after, (old["met"], new["met"]))


def _without_repetition(changes: Sequence[Change]) -> list[Change]:
    """Every year of a cycle tells of the cycle."""
    return list(dict.fromkeys(changes))
