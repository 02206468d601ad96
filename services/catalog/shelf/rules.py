"""Pure rules of the shelf: what is seen where, what counts as chosen, and which courses are recommended; no I/O."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from services.catalog.contract.courses import HourType
from services.catalog.contract.periods import Tier
from services.catalog.contract.shelf import Reason
from services.catalog.periods.rules import places_above
from services.shared.actor import Actor, covers
from services.shared.errors import InvalidInput, NotAllowed

# A choice that was taken back, by whomever, counts for nothing (`domain.md` §3.12).
TAKEN_BACK = frozenset({"CANCELLED", "VOID"})
PASSED = "PASSED"
# The shelf shows 5-8 (GZ.REC, S3:686).
FEWEST, MOST = 5, 8
WELL_RATED = Decimal("3.5")  # of the score that begins at three stars; ours


@dataclasses.dataclass(frozen=True)
class Candidate:
    """A course on offer, as far as a recommendation looks at it."""

    offering_id: uuid.UUID
    course_id: uuid.UUID
    hour_type: HourType
    hours: Decimal
    subjects: tuple[str, ...]
    segments: tuple[str, ...]
    chosen: int = 0
    peers: int = 0
    score: Decimal = Decimal(0)


@dataclasses.dataclass(frozen=True)
class Recommended:
    offering_id: uuid.UUID
    reasons: tuple[Reason, ...]


def is_seen(tier: Tier, place: str, actor: Actor) -> bool:
    """A city's courses are on the wall; a district's are for who stands in it, or answers for it (`domain.md` §3.12)."""
    if tier is Tier.CITY:
        return True
    if actor.place and covers(place, actor.place):
        return True
    return any(covers(grant.place, place) or covers(place, grant.place) for grant in actor.grants)


def shelves(place: str, actor: Actor) -> list[tuple[Tier, str]]:
    """Whose periods somebody sees who asks about a place: those of all that it lies in."""
    return [(tier, above) for above in places_above(place) for tier in Tier if is_seen(tier, above, actor)]


def is_for(audience: Mapping[str, Sequence[str]], segment: str, subject: str, place: str) -> bool:
    """Whether an offering's audience takes a teacher in, as far as is known; learning decides when somebody chooses.

    A school's place ends in its id without hyphens (`s` + 32 hexadecimal digits).
    """
    own_school = place.rpartition("/")[2].removeprefix("s")
    return (
        (not audience["segments"] or segment in audience["segments"])
        and (not audience["subjects"] or subject in audience["subjects"])
        and (not audience["place_ids"] or any(covers(each, place) for each in audience["place_ids"]))
        and (
            not audience["school_ids"]
            or own_school in {school_id.replace("-", "") for school_id in audience["school_ids"]}
        )
    )


def key_of(cursor: Sequence[str] | None) -> tuple[str, str] | None:
    """The key that a page ended with. Raises InvalidInput("shared.bad_cursor")."""
    if cursor is None:
        return None
    try:
        Decimal(cursor[0])
        uuid.UUID(cursor[1])
    except (ArithmeticError, ValueError):
        raise InvalidInput("shared.bad_cursor", "cursor") from None
    return cursor[0], cursor[1]


def counts(state: str) -> int:
    """1 for a choice that stands, whatever became of it; 0 for one that was taken back."""
    return 0 if state in TAKEN_BACK else 1


def require_passed(states: Iterable[str]) -> None:
    """Only who has passed can say what the course was worth. Raises NotAllowed("catalog.not_passed")."""
    if PASSED not in states:
        raise NotAllowed("catalog.not_passed")


def recommend(
    candidates: Iterable[Candidate],
    gaps: Mapping[HourType, Decimal],
    segment: str,
    subject: str,
    taken: Iterable[uuid.UUID],
) -> list[Recommended]:
    """At most eight courses for one teacher, each with its reasons, the most fitting first.

    What the year lacks comes first, the largest gap of all, then subject and segment, then what others say. `gaps` are the
    hours missing of each type; `taken` are courses that the teacher has already chosen, now or before. Courses for another
    subject or segment are left out. Fewer than five with a reason of the teacher's own are filled up with what is popular.
    """
    left = set(taken)
    fitting = [each for each in candidates if each.course_id not in left and _fits(each, segment, subject)]
    told = {each.offering_id: _reasons(each, gaps, segment, subject) for each in fitting}
    ranked = sorted(fitting, key=lambda each: _rank(each, gaps, told[each.offering_id]))
    personal = [each for each in ranked if _OWN & set(told[each.offering_id])]
    others = [each for each in ranked if not _OWN & set(told[each.offering_id])]
    shown = _spread(personal, gaps, told)[:MOST]
    shown += others[: max(0, FEWEST - len(shown))]
    return [Recommended(each.offering_id, told[each.offering_id]) for each in shown]


_OWN = frozenset({Reason.HOURS_MISSING, Reason.SUBJECT, Reason.SEGMENT, Reason.PEERS})


def _fits(course: Candidate, segment: str, subject: str) -> bool:
    """Nobody is shown a course that says it is for others; what a teacher has not told excludes nothing."""
    return (not course.subjects or not subject or subject in course.subjects) and (
        not course.segments or not segment or segment in course.segments
    )


def _reasons(course: Candidate, gaps: Mapping[HourType, Decimal], segment: str, subject: str) -> tuple[Reason, ...]:
    found = (
        (Reason.HOURS_MISSING, gaps.get(course.hour_type, Decimal(0)) > 0),
        (Reason.SUBJECT, bool(subject) and subject in course.subjects),
        (Reason.SEGMENT, bool(segment) and segment in course.segments),
        (Reason.PEERS, course.peers > 0),
        (Reason.RATED, course.score >= WELL_RATED),
        (Reason.POPULAR, course.chosen > 0),
    )
    return tuple(reason for reason, holds in found if holds) or (Reason.NEW,)


def _rank(course: Candidate, gaps: Mapping[HourType, Decimal], reasons: Sequence[Reason]) -> tuple[object, ...]:
    own = [Reason.SUBJECT in reasons, Reason.SEGMENT in reasons]
    missing = gaps.get(course.hour_type, Decimal(0))
    # The youngest of equals first, and always in the same order.
    return (
        -missing,
        *(not each for each in own),
        -course.peers,
        -course.score,
        -course.chosen,
        -course.offering_id.int,
    )


def _spread(
    ranked: list[Candidate], gaps: Mapping[HourType, Decimal], told: Mapping[uuid.UUID, tuple[Reason, ...]]
) -> list[Candidate]:
    """First as many courses of each missing type as fill its gap, then the others: eight for one gap would hide the next."""
    left = dict(gaps)
    needed, rest = [], []
    for each in ranked:
        if Reason.HOURS_MISSING in told[each.offering_id] and left[each.hour_type] > 0:
            left[each.hour_type] -= each.hours
            needed.append(each)
        else:
            rest.append(each)
    return needed + rest
