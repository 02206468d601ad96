"""Evaluation of study evidence under a pack, in the fixed order of `domain.md` §4.1.

Normalise, gates, accrual, item caps, group caps, total cap, requirements, outcome. Amounts are decimals. They are rounded
once, half up, when a course's amount is complete and before common caps share it out: rounding after them could push the
sum over a cap.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import operator
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple

from services.credits.rules.amounts import ZERO, rounded, shown
from services.credits.rules.evidence import Measured, Video, measure
from services.credits.rules.outcome import REASON_ORDER, CourseOutcome, Outcome, Reason, Shortfall, TraceLine
from services.credits.rules.pack import Gate, Kind, Measure, Mode, Rule, SeasonPack

_BY_KEY = operator.attrgetter("key")


# Part of the name of whatever is kept of `pass_gates`: raise it when the same evidence passes differently.
GATES_EDITION = 1


class Passed(NamedTuple):
    """What one course's evidence comes to behind its gates. It depends on no other course, so it can be kept."""

    studied_seconds: int
    counted_seconds: int
    reasons: tuple[Reason, ...]
    trace: tuple[TraceLine, ...] = ()  # the gates' lines; empty where it was kept


@dataclasses.dataclass
class _Course:
    """One course on its way through the steps behind the gates."""

    key: str
    studied_seconds: int
    counted_seconds: int
    reasons: set[Reason]
    hours: Decimal = ZERO
    full: Decimal | None = None  # what the course can earn at most; None: no bound of its own
    rule_id: str = ""
    done: bool = False

    def finish(self) -> CourseOutcome:
        return CourseOutcome(
            self.key,
            self.studied_seconds,
            self.counted_seconds,
            self.hours,
            self.done,
            self.rule_id,
            _in_order(self.reasons),
        )


class _Trace:
    """Collects a line for each rule that changed a number."""

    def __init__(self, lines: Iterable[TraceLine] = ()) -> None:
        self.lines = list(lines)

    def kept_back(self, rule: Rule, course: str, video: Measured, why: str) -> None:
        """None of the video's seconds count."""
        self.lines.append(TraceLine(rule.rule_id, course, video.key, "SECONDS", str(video.countable), "0", why))

    def hours(self, rule: Rule, course: _Course, after: Decimal, why: str) -> None:
        """Set the course's hours, and say so if that changes them."""
        if after != course.hours:
            line = TraceLine(rule.rule_id, course.key, "", "HOURS", shown(course.hours), shown(after), why)
            self.lines.append(line)
        course.hours = after


def evaluate(pack: SeasonPack, evidence: Mapping[str, Iterable[Video]], score: Decimal | None = None) -> Outcome:
    """What the evidence, by course key, and the exam's score earn under the pack.

    Evidence of courses that the pack does not know is ignored; `score` is None for an exam that was not taken.

    The order in which evidence arrives or is listed makes no difference, and more evidence never earns less in total.
    """
    return settle(pack, {key: pass_gates(pack, key, evidence[key]) for key in pack.courses if key in evidence}, score)


def pass_gates(pack: SeasonPack, key: str, videos: Iterable[Video]) -> Passed:
    """The first steps: what was studied of one course, and what of that counts."""
    gates = [rule for rule in pack.of_kind(Kind.GATE) if rule.selects(key)]
    gated = any(gate.gate is Gate.QUIZZES for gate in gates)
    closes_at = _closes_at(pack, key)
    trace = _Trace()
    reasons: set[Reason] = set()
    studied = counted = 0
    for video in sorted(map(measure, videos), key=_BY_KEY):
        studied += video.seen
        if video.countable < video.seen and _outside_window(video, gated=gated):
            reasons.add(Reason.OUTSIDE_WINDOW)
        if video.held:
            reasons.add(Reason.UNDER_REVIEW)
        reason = _refusal(gates, key, video, closes_at, trace) if video.seen else None
        if reason:
            reasons.add(reason)
        else:
            counted += video.countable
    if not studied:
        reasons.add(Reason.NOT_STARTED)
    return Passed(studied, counted, _in_order(reasons), tuple(trace.lines))


def settle(pack: SeasonPack, passed: Mapping[str, Passed], score: Decimal | None = None) -> Outcome:
    """The steps behind the gates, for all courses together: what counts earns, up to the caps, and may be enough."""
    found = [(key, passed.get(key, _UNTOUCHED)) for key in pack.courses]
    trace = _Trace(line for _, course in found for line in course.trace)
    courses = [
        _Course(key, course.studied_seconds, course.counted_seconds, set(course.reasons)) for key, course in found
    ]
    for step in (_accrue, _cap_items, _cap_groups, _cap_total):
        step(pack, courses, trace)
    outcomes = tuple(course.finish() for course in courses)
    shortfalls = _shortfalls(pack, outcomes, score)
    hours = sum((course.hours for course in outcomes), ZERO)
    return Outcome(outcomes, hours, not shortfalls, shortfalls, tuple(trace.lines))


_UNTOUCHED = Passed(0, 0, (Reason.NOT_STARTED,))


def _in_order(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    return tuple(sorted(reasons, key=REASON_ORDER.__getitem__))


def _closes_at(pack: SeasonPack, course: str) -> dt.datetime | None:
    """The instant from which an answer in this course is none."""
    ends = [rule.ends_at for rule in pack.of_kind(Kind.VALIDITY) if rule.ends_at is not None and rule.selects(course)]
    # In the zone in which answers come: instants of two zones take ten times as long to compare, once for each quiz.
    return min(ends).astimezone(dt.UTC) if ends else None


def _outside_window(video: Measured, *, gated: bool) -> bool:
    """Whether time was studied while the window was shut.

    Beyond a quiz that guards the video, seconds may also be uncountable because they were played before its answer; there
    the gate speaks.
    """
    if gated:
        return video.countable_before_quiz + video.held_before_quiz < video.seen_before_quiz
    return video.countable + video.held < video.seen


def _refusal(
    gates: list[Rule], course: str, video: Measured, closes_at: dt.datetime | None, trace: _Trace
) -> Reason | None:
    """Why the first gate that is shut keeps the video's time back, or None."""
    for gate in gates:
        if reason := _REFUSALS[gate.gate or Gate.QUIZZES](gate, course, video, closes_at, trace):
            return reason
    return None


def _quizzes_open(
    gate: Rule, course: str, video: Measured, closes_at: dt.datetime | None, trace: _Trace
) -> Reason | None:
    """Why the gate keeps the video's time back, or None. A video without quizzes has no such gate."""
    if not video.quizzes:
        return None
    unanswered = 0
    for quiz in video.quizzes:
        if quiz.answered_at is None or (closes_at is not None and quiz.answered_at >= closes_at):
            unanswered += 1
    if unanswered:
        trace.kept_back(gate, course, video, f"{unanswered} of {len(video.quizzes)} quizzes not answered in time")
        return Reason.QUIZ_UNANSWERED
    needed, rest = video.duration - video.first_quiz_at, video.countable - video.countable_before_quiz
    if rest < needed:
        held = video.held - video.held_before_quiz
        trace.kept_back(gate, course, video, f"{rest} of the {needed} s after the quiz watched{_waiting(held)}")
        return Reason.UNDER_REVIEW if rest + held >= needed else Reason.REMAINDER_UNWATCHED
    return None


def _waiting(seconds: int) -> str:
    return f", {seconds} s more are held for a review" if seconds else ""


def _not_whole(
    gate: Rule, course: str, video: Measured, _closes_at: dt.datetime | None, trace: _Trace
) -> Reason | None:
    if video.countable == video.duration:
        return None
    why = f"{video.countable} of {video.duration} s watched{_waiting(video.held)}: only whole videos count"
    trace.kept_back(gate, course, video, why)
    return Reason.UNDER_REVIEW if video.countable + video.held == video.duration else Reason.VIDEO_INCOMPLETE


_REFUSALS: dict[Gate, Callable[[Rule, str, Measured, dt.datetime | None, _Trace], Reason | None]] = {
    Gate.QUIZZES: _quizzes_open,
    Gate.WHOLE_VIDEO: _not_whole,
}


def _accrue(pack: SeasonPack, courses: list[_Course], trace: _Trace) -> None:
    for course in courses:
        rule = next(rule for rule in pack.of_kind(Kind.ACCRUAL) if rule.selects(course.key))
        course.rule_id = rule.rule_id
        trace.hours(rule, course, _ACCRUALS[_mode(rule)](pack, rule, course), f"{course.counted_seconds} s counted")
        course.full = rule.amount if rule.mode is Mode.THRESHOLD else None
        if not course.hours and course.studied_seconds and rule.mode is not Mode.PRORATA:
            course.reasons.add(Reason.BELOW_THRESHOLD)


def _mode(rule: Rule) -> Mode:
    if rule.mode is None:
        raise ValueError(f"{rule.rule_id}: an accrual needs a mode")
    return rule.mode


def _by_threshold(_pack: SeasonPack, rule: Rule, course: _Course) -> Decimal:
    if rule.threshold is None or rule.amount is None:
        raise ValueError(f"{rule.rule_id}: a threshold needs its seconds and its amount")
    return rule.amount if course.counted_seconds >= rule.threshold else ZERO


def _by_steps(pack: SeasonPack, _rule: Rule, course: _Course) -> Decimal:
    return Decimal(course.counted_seconds // pack.seconds_per_hour)


def _in_proportion(pack: SeasonPack, _rule: Rule, course: _Course) -> Decimal:
    return Decimal(course.counted_seconds) / pack.seconds_per_hour


_ACCRUALS: dict[Mode, Callable[[SeasonPack, Rule, _Course], Decimal]] = {
    Mode.THRESHOLD: _by_threshold,
    Mode.STEP_FLOOR: _by_steps,
    Mode.PRORATA: _in_proportion,
}


def _cap_items(pack: SeasonPack, courses: list[_Course], trace: _Trace) -> None:
    for course in courses:
        for rule in pack.of_kind(Kind.ITEM_CAP):
            if rule.selects(course.key):
                _cap_item(pack, rule, course, trace)
        course.done = course.hours > 0 and (course.full is None or course.hours >= course.full)
        course.hours = rounded(course.hours, pack.quantum)
        if not course.hours and course.counted_seconds:
            # In proportion, too: seconds that round to nothing are a zero as well, and each zero has its reason.
            course.reasons.add(Reason.BELOW_THRESHOLD)


def _cap_item(pack: SeasonPack, rule: Rule, course: _Course, trace: _Trace) -> None:
    cap = _cap(rule)
    course.full = cap if course.full is None else min(course.full, cap)
    was_cut = course.hours > cap
    trace.hours(rule, course, min(course.hours, cap), f"at most {shown(cap)} for the course")
    # Recorded, not credited: an amount was cut, or time worth another whole hour lies beyond the cap.
    if was_cut or (course.hours == cap and course.counted_seconds >= (cap + 1) * pack.seconds_per_hour):
        course.reasons.add(Reason.CAP_REACHED)


def _cap_groups(pack: SeasonPack, courses: list[_Course], trace: _Trace) -> None:
    for rule in pack.of_kind(Kind.GROUP_CAP):
        _share(rule, [course for course in courses if rule.selects(course.key)], trace)


def _cap_total(pack: SeasonPack, courses: list[_Course], trace: _Trace) -> None:
    for rule in pack.of_kind(Kind.TOTAL_CAP):
        _share(rule, courses, trace)


def _share(rule: Rule, courses: list[_Course], trace: _Trace) -> None:
    """Use up a common cap in the pack's order of courses."""
    left = _cap(rule)
    for course in courses:
        if course.hours > left:
            course.reasons.add(Reason.CAP_REACHED)
            trace.hours(rule, course, left, f"{shown(left)} left of the common {shown(_cap(rule))}")
        left -= course.hours


def _cap(rule: Rule) -> Decimal:
    if rule.cap is None:
        raise ValueError(f"{rule.rule_id}: a cap needs its amount")
    return rule.cap


def _shortfalls(pack: SeasonPack, courses: tuple[CourseOutcome, ...], score: Decimal | None) -> tuple[Shortfall, ...]:
    found = []
    for rule in pack.of_kind(Kind.REQUIREMENT):
        selected = [course for course in courses if rule.selects(course.key)]
        if rule.measure is Measure.COUNT:
            reached = Decimal(sum(course.done for course in selected))
        elif rule.measure is Measure.SCORE:
            reached = score or ZERO
        else:
            reached = sum((course.hours for course in selected), ZERO)
        missing = (rule.minimum or ZERO) - reached
        if missing > 0:
            found.append(Shortfall(rule.rule_id, rule.measure, missing))
    return tuple(found)
