"""Offerings as teachers see them: with their period, the names of their units, and what others thought."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from services.catalog.contract.courses import HourType
from services.catalog.contract.periods import PeriodState, Tier
from services.catalog.contract.shelf import Order
from services.catalog.courses.queries import find_units
from services.catalog.periods.models import Offering, Period
from services.catalog.periods.queries import NO_OFFERING, get_offering, get_period
from services.catalog.periods.rules import SHOWN
from services.catalog.shelf import queries, rules
from services.catalog.shelf.actions.rating import average
from services.catalog.shelf.queries import Wanted
from services.catalog.shelf.rules import Candidate
from services.shared.actor import Actor
from services.shared.errors import InvalidInput, NotFound

Shown = dict[str, Any]
CANDIDATES = 60  # of each list that a recommendation looks at


def show(db: Session, offerings: Sequence[Offering], periods: Mapping[uuid.UUID, Period]) -> list[Shown]:
    """Each with its period and the names of its units."""
    units = find_units(
        db, {unit_id for each in offerings for unit_id in (each.applicant_unit_id, each.charging_unit_id)}
    )
    return [
        {
            **{column.key: getattr(each, column.key) for column in Offering.__table__.columns},
            "applicant_name": units[each.applicant_unit_id].name,
            "charging_name": units[each.charging_unit_id].name,
            "average_stars": average(each),
            "period": periods[each.period_id],
        }
        for each in offerings
    ]


def get_seen(db: Session, actor: Actor, offering_id: uuid.UUID) -> Shown:
    """One offering of a published period. A district's is unknown to whoever does not stand there: NotFound."""
    offering = get_offering(db, offering_id)
    period = get_period(db, offering.period_id)
    seen = rules.is_seen(Tier(period.tier), period.place, actor)
    if PeriodState(period.state) not in SHOWN or not seen:
        raise NotFound(NO_OFFERING, "offering_id")
    return show(db, [offering], {period.period_id: period})[0]


def require_subject(order: Order, subject: str) -> None:
    """Colleagues are those of a subject. Raises InvalidInput("catalog.subject_needed")."""
    if order is Order.PEERS and not subject:
        raise InvalidInput("catalog.subject_needed", "subject")


def recommend(db: Session, actor: Actor, gaps: Mapping[HourType, Decimal]) -> list[Shown]:
    """The shelf of one teacher (S3:686): five to eight courses that can be chosen now or soon, with the reasons."""
    assert actor.account_id is not None  # the policy admits persons only
    teaching = queries.find_teaching(db, actor.account_id)
    segment, subject = (teaching.segment, teaching.subject) if teaching is not None else ("", "")
    periods = queries.find_periods(db, rules.shelves(actor.place, actor), None, None) if actor.place else {}
    offerings = _candidates(db, periods, gaps, segment, subject)
    open_to = {
        key: each for key, each in offerings.items() if rules.is_for(each.audience, segment, subject, actor.place)
    }
    peers = queries.peers_of(db, open_to, subject) if subject else {}
    chosen = rules.recommend(
        [_candidate(each, peers.get(key, 0)) for key, each in open_to.items()],
        gaps,
        segment,
        subject,
        queries.courses_taken(db, actor.account_id, rules.TAKEN_BACK),
    )
    shown = show(db, [offerings[each.offering_id] for each in chosen], periods)
    return [{"offering": offering, "reasons": list(each.reasons)} for offering, each in zip(shown, chosen, strict=True)]


def _candidates(
    db: Session, periods: Collection[uuid.UUID], gaps: Mapping[HourType, Decimal], segment: str, subject: str
) -> dict[uuid.UUID, Offering]:
    """A few lists that have an index each, instead of a look at every course: of each missing hour type, of colleagues."""
    lists = [(Order.POPULAR, Wanted(subject=subject, segment=segment)), (Order.RATED, Wanted(segment=segment))]
    lists += [
        (Order.POPULAR, Wanted(hour_type=hour_type, subject=subject, segment=segment))
        for hour_type, hours in gaps.items()
        if hours > 0
    ]
    if subject:
        lists.append((Order.PEERS, Wanted(subject=subject)))
    found: dict[uuid.UUID, Offering] = {}
    for order, wanted in lists:
        for each in queries.browse(db, periods, wanted, order, None, CANDIDATES):
            found[each.offering.offering_id] = each.offering
    return found


def _candidate(offering: Offering, peers: int) -> Candidate:
    return Candidate(
        offering.offering_id,
        offering.course_id,
        HourType(offering.hour_type),
        offering.hours,
        tuple(offering.subjects),
        tuple(offering.segments),
        offering.chosen,
        peers,
        offering.score if offering.ratings else Decimal(0),
    )
