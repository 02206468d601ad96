"""Who may apply, what follows a review, when check-in and results are taken (`domain.md` §3.14). Pure rules; no I/O."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import hmac
import math
from collections.abc import Mapping
from typing import Any, Final

from services.learning.audience import is_for
from services.learning.contract.special_training import ReviewStage, TrainingBucket, TrainingState
from services.learning.selection.rules import MEMBER, ON_DUTY, Chooser
from services.shared.clock import BEIJING

REVIEWS: Final = frozenset(TrainingState(stage) for stage in ReviewStage)
GRADED: Final = frozenset({TrainingState.PASSED, TrainingState.FAILED})
IN_CLASS: Final = frozenset({TrainingState.ADMITTED, TrainingState.ATTENDING})
# What a withdrawn project ends; results stay, and so does what had ended before.
VOIDABLE: Final = REVIEWS | IN_CLASS

_AFTER_PASS: Final = {
    ReviewStage.SCHOOL_REVIEW: TrainingState.DISTRICT_REVIEW,
    ReviewStage.DISTRICT_REVIEW: TrainingState.INSTITUTION_REVIEW,
    ReviewStage.INSTITUTION_REVIEW: TrainingState.ADMITTED,
}


# --- applying and reviewing ---------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Project:
    """What of a project decides. `shown_at`: the region whose teachers may apply."""

    shown_at: str
    audience: Mapping[str, Any]
    applies_from: dt.datetime
    applies_until: dt.datetime
    withdrawn: bool


def application_refusal(project: Project, teacher: Chooser, state: TrainingState | None, now: dt.datetime) -> str:
    """The code of the first guard that refuses this application, or "". `state`: of an earlier one for the same project."""
    if teacher.membership not in MEMBER or teacher.school_id is None:
        return "learning.application_needs_school"
    if not f"{teacher.place}/".startswith(f"{project.shown_at}/"):
        return "learning.project_unknown"
    if teacher.employment != ON_DUTY:
        return "learning.application_archived"
    if state not in (None, TrainingState.TAKEN_BACK):
        return "learning.applied_already"
    if project.withdrawn:
        return "learning.project_withdrawn"
    if now < project.applies_from:
        return "learning.applications_not_open"
    if now >= project.applies_until:
        return "learning.applications_over"
    return "" if is_for(project.audience, teacher) else "learning.not_for_you"


def first_state(*, is_principal: bool) -> TrainingState:
    """Nobody reviews himself: a principal's own application begins at the district. Ours."""
    return TrainingState.DISTRICT_REVIEW if is_principal else TrainingState.SCHOOL_REVIEW


def state_after_pass(stage: ReviewStage) -> TrainingState:
    return _AFTER_PASS[stage]


# --- the teacher's lists ------------------------------------------------------------------------------------------------


def bucket_of(state: TrainingState, starts_on: dt.date, ends_on: dt.date, today: dt.date) -> TrainingBucket | None:
    """Where 我的专项培训 shows an application; None for one that was taken back or is void."""
    if state in REVIEWS:
        return TrainingBucket.UNDER_REVIEW
    if state is TrainingState.REJECTED:
        return TrainingBucket.REJECTED
    if state in GRADED or (state in IN_CLASS and today > ends_on):
        return TrainingBucket.OVER
    if state in IN_CLASS:
        return TrainingBucket.NOT_BEGUN if today < starts_on else TrainingBucket.ONGOING
    return None


# --- check-in 签到 -------------------------------------------------------------------------------------------------------

CODE_SECONDS: Final = 60  # a code on the wall changes as often; ours
CHECK_IN_EARLY: Final = dt.timedelta(minutes=30)  # ours
MOST_WRONG_CODES: Final = 5  # of one teacher at one session: a million codes cannot be tried; ours
_EARTH_METRES: Final = 6_371_000


def check_in_code(secret: bytes, instant: dt.datetime) -> str:
    """The six digits that are shown at this instant."""
    step = int(instant.timestamp()) // CODE_SECONDS
    digest = hmac.digest(secret, step.to_bytes(8, "big"), hashlib.sha256)
    return f"{int.from_bytes(digest[:8], 'big') % 1_000_000:06d}"


def code_changes_at(instant: dt.datetime) -> dt.datetime:
    step = int(instant.timestamp()) // CODE_SECONDS
    return dt.datetime.fromtimestamp((step + 1) * CODE_SECONDS, dt.UTC)


def is_code(secret: bytes, given: str, instant: dt.datetime) -> bool:
    """Whether it is the code of now, or the one before: typing takes its time."""
    before = instant - dt.timedelta(seconds=CODE_SECONDS)
    shown = (check_in_code(secret, instant), check_in_code(secret, before))
    # Both are compared, and each in constant time.
    return bool(sum(hmac.compare_digest(code, given) for code in shown))


def is_check_in_open(starts_at: dt.datetime, ends_at: dt.datetime, now: dt.datetime) -> bool:
    return starts_at - CHECK_IN_EARLY <= now < ends_at


def metres_between(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """Along the great circle (haversine)."""
    from_, to = math.radians(latitude), math.radians(other_latitude)
    half = math.sin((to - from_) / 2) ** 2
    half += math.cos(from_) * math.cos(to) * math.sin(math.radians(other_longitude - longitude) / 2) ** 2
    return 2 * _EARTH_METRES * math.asin(math.sqrt(min(1.0, half)))


@dataclasses.dataclass(frozen=True)
class Spot:
    """Where a session asks its people to be; a session without one asks for nothing."""

    latitude: float
    longitude: float
    radius_metres: int


def place_refusal(spot: Spot | None, position: tuple[float, float] | None) -> str:
    """The code by which the place refuses a check-in, or ""."""
    if spot is None:
        return ""
    if position is None:
        return "learning.check_in_place_missing"
    away = metres_between(spot.latitude, spot.longitude, *position)
    return "learning.check_in_elsewhere" if away > spot.radius_metres else ""


# --- the class and its results ------------------------------------------------------------------------------------------


def day_of(instant: dt.datetime) -> dt.date:
    return instant.astimezone(BEIJING).date()


def is_inside(starts_at: dt.datetime, ends_at: dt.datetime, starts_on: dt.date, ends_on: dt.date) -> bool:
    """Whether a session lies inside the days of its training; one may end at the last midnight."""
    last = day_of(ends_at - dt.timedelta(microseconds=1))
    return starts_at < ends_at and starts_on <= day_of(starts_at) and last <= ends_on


def grading_refusal(state: TrainingState, ends_on: dt.date, passed: bool, reason: str, today: dt.date) -> str:
    """The code of the first guard that refuses this result, or "".

    Hours are entered before the year ends in which the training does (GZ.SPECIAL, S3:734; years by the end date, `domain.md` §7.7);
    afterwards results stay as they are.
    """
    if today < ends_on:
        return "learning.training_not_over"
    if today.year > ends_on.year:
        return "learning.training_year_over"
    if state not in GRADED | IN_CLASS:
        return "learning.not_admitted"
    if passed and state is TrainingState.ADMITTED:
        return "learning.never_checked_in"
    if state in GRADED and (state is TrainingState.PASSED) is not passed and not reason:
        return "learning.grade_reason_missing"
    return ""
