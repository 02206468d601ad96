"""The proof: recompute hours from evidence with the pure engine, and compare with ledger and standings. Writes nothing."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from services.credits import judgement, queries
from services.credits.judgement import Judgement, Terms, Written
from services.credits.queries import Study


@dataclasses.dataclass(frozen=True)
class Difference:
    """Evidence, ledger and standing of a course do not agree."""

    teacher_id: uuid.UUID
    programme_id: uuid.UUID
    course: str
    expected: str
    in_ledger: str
    in_standing: str


def find_differences(db: Session, studies: Sequence[Study], today: dt.date) -> list[Difference]:
    """Recompute these studies from their evidence and compare with what is written. Changes nothing."""
    programmes = queries.find_programmes(db, {programme for _, programme in studies})
    evidence, in_ledger = queries.list_evidence(db, studies), queries.sum_ledger(db, studies)
    standings, scores = queries.list_standings(db, studies), queries.list_scores(db, studies)
    found = []
    for study in studies:
        programme = programmes.get(study[1])
        if programme is None:
            found.append(Difference(*study, "", "no such programme", "", ""))
            continue
        terms = judgement.terms_of(programme)
        exam = scores.get(study, judgement.NO_SCORE) if terms.asks_for_score else judgement.NO_SCORE
        judged = judgement.judge(terms, evidence.get(study, []), today, exam)
        found += _differences_of(study, terms, judged, in_ledger.get(study, {}), standings.get(study))
    return found


def _differences_of(
    study: Study,
    terms: Terms,
    judged: Judgement,
    in_ledger: dict[str, Written],
    standing: Any,
) -> list[Difference]:
    written = {course["key"]: course["hours"] for course in standing.courses} if standing else {}
    left = {ref: each.amount for ref, each in in_ledger.items()}
    found = []
    for course in judged.outcome.courses:
        if course.key not in terms.ids:
            continue
        three = (
            f"{course.hours:.2f}",
            f"{left.pop(judgement.source_ref(terms.ids[course.key]), judgement.ZERO):.2f}",
            written.get(course.key, "none"),
        )
        if len(set(three)) > 1:
            found.append(Difference(*study, course.key, *three))
    # Entries of a source that the programme does not have.
    found += [Difference(*study, ref, "0.00", f"{amount:.2f}", "none") for ref, amount in left.items() if amount]
    if standing is not None and f"{standing.hours:.2f}" != f"{judged.outcome.hours:.2f}":
        found.append(Difference(*study, "", f"{judged.outcome.hours:.2f}", "", f"{standing.hours:.2f}"))
    if standing is not None and standing.requirement_met != judged.outcome.requirement_met:
        expected, written_met = (_met(each) for each in (judged.outcome.requirement_met, standing.requirement_met))
        found.append(Difference(*study, "", expected, "", written_met))
    return found


def _met(met: bool) -> str:
    return "requirement met" if met else "requirement not met"
