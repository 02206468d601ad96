"""Which reported seconds a teacher has earned, and which of them count. Pure rules; no I/O.

The server's clock is the witness (`architecture.md` decision 9). A study session owns the milliseconds between its
opening and its end, except those of long silences and of unanswered presence prompts. Each second of video is paid for with a second of that clock, and
a millisecond is spent once: so what is earned can never exceed the time that really passed, whatever is reported, how
often, or in which order.
"""

from __future__ import annotations

import dataclasses
import itertools

from services.learning.study.rules import multirange
from services.learning.study.rules.multirange import EMPTY, Ranges

# An engineering bound: a session's clock must fit an int4 of milliseconds (24.8 days); nobody studies a day on end.
LONGEST_SESSION_MS = 24 * 3600 * 1000
FOREVER_MS = 2**62
ALL_DAY: Ranges = ((0, LONGEST_SESSION_MS),)


@dataclasses.dataclass(frozen=True)
class Terms:
    """What the programme says about the session's video; all instants in milliseconds since the session opened."""

    silence_ms: int
    opens_ms: int
    closes_ms: int
    # Positions of the quizzes that gate the video, ascending, each with the instant of its right answer or None.
    gates: tuple[tuple[int, int | None], ...] = ()
    ms_per_second: int = 1000  # of the server's clock for one second of video; less where a programme allows speed


@dataclasses.dataclass(frozen=True)
class Accrual:
    """The clock of one study session, in milliseconds since it opened, and the reports it has taken."""

    live: Ranges
    spent: Ranges = EMPTY
    seqs: Ranges = EMPTY
    present: Ranges = ALL_DAY  # where presence prompts were answered in time (`presence.py`)
    ended_ms: int = LONGEST_SESSION_MS
    heard_ms: int = 0  # the latest sign of life


@dataclasses.dataclass(frozen=True)
class Report:
    """`segments` in the order they were played."""

    seq: int
    received_ms: int
    segments: tuple[tuple[int, int], ...]


@dataclasses.dataclass(frozen=True)
class Earned:
    seen: Ranges
    countable: Ranges
    accrual: Accrual


@dataclasses.dataclass(frozen=True)
class _Piece:
    """A stretch of one report between two quizzes. The clock from `home_ms` is where it belongs; `away_ms` ends that."""

    begin: int
    end: int
    played_until_ms: int
    home_ms: int
    away_ms: int
    unlocked: bool


def begin_accrual(silence_ms: int) -> Accrual:
    """A session that has just opened: its clock runs until the first silence."""
    return Accrual(live=((0, min(silence_ms, LONGEST_SESSION_MS)),))


def end_accrual(accrual: Accrual, ended_ms: int) -> Accrual:
    """The session was taken over: not a millisecond more."""
    return dataclasses.replace(accrual, ended_ms=max(0, min(accrual.ended_ms, ended_ms)))


def time_earned(accrual: Accrual, report: Report, terms: Terms) -> Earned:
    """What the report adds to the watched sets, and the session's clock afterwards.

    A report of a seq that was taken before adds nothing, whatever it says now: the part that was clipped then is lost.
    Of a report longer than the clock allows, the seconds played last are kept.
    """
    if multirange.contains(accrual.seqs, report.seq):
        return Earned(EMPTY, EMPTY, accrual)
    heard = _hear(accrual, report, terms.silence_ms)
    witnessed = multirange.intersection(heard.live, heard.present)
    clock = multirange.clip(witnessed, 0, min(heard.heard_ms, heard.ended_ms))
    unspent = multirange.subtraction(clock, accrual.spent)
    seen: list[tuple[int, int]] = []
    countable: list[tuple[int, int]] = []
    # The last piece first: its place on the clock is the surest.
    for piece in reversed(_pieces(report, terms)):
        counted, unspent = _earn_countable(piece, report, terms, unspent)
        watched, unspent = _earn_rest(piece, report, counted, terms, unspent)
        seen += watched
        countable += counted
    spent = multirange.union(accrual.spent, multirange.subtraction(clock, unspent))
    heard = dataclasses.replace(heard, spent=spent)
    return Earned(multirange.normalise(seen), multirange.normalise(countable), heard)


def _hear(accrual: Accrual, report: Report, silence_ms: int) -> Accrual:
    """Note the seq and the sign of life: the clock runs on from here until the next silence."""
    seqs = multirange.union(accrual.seqs, ((report.seq, report.seq + 1),))
    at_ms = report.received_ms
    if not 0 <= at_ms < LONGEST_SESSION_MS:
        # Beyond its day the session hears nothing more, but what is left of its time can still be claimed.
        heard_ms = max(accrual.heard_ms, min(at_ms, LONGEST_SESSION_MS))
        return dataclasses.replace(accrual, seqs=seqs, heard_ms=heard_ms)
    live = multirange.union(accrual.live, ((at_ms, min(at_ms + silence_ms, LONGEST_SESSION_MS)),))
    return dataclasses.replace(accrual, seqs=seqs, live=live, heard_ms=max(accrual.heard_ms, at_ms))


def _pieces(report: Report, terms: Terms) -> list[_Piece]:
    """The report cut at the quizzes, in playing order, each with the latest instant at which it can have ended."""
    length = sum(end - begin for begin, end in report.segments)
    played_until_ms = report.received_ms - length * terms.ms_per_second
    pieces = []
    for begin, end in report.segments:
        cuts = [begin, *(at for at, _ in terms.gates if begin < at < end), end]
        for left, right in itertools.pairwise(cuts):
            played_until_ms += (right - left) * terms.ms_per_second
            pieces.append(_Piece(left, right, played_until_ms, *_home(left, terms)))
    return pieces


def _home(position: int, terms: Terms) -> tuple[int, int, bool]:
    """Between which answers the part at `position` belongs, and whether every quiz before it is answered."""
    answers = [answered for at, answered in terms.gates if at <= position]
    later = [answered for at, answered in terms.gates if at > position and answered is not None]
    passed = [answered for answered in answers if answered is not None]
    home_ms = max(passed, default=0)
    return home_ms, max(min(later, default=FOREVER_MS), home_ms), len(passed) == len(answers)


def _earn_countable(piece: _Piece, report: Report, terms: Terms, unspent: Ranges) -> tuple[Ranges, Ranges]:
    """The seconds of the piece that count, and what is left of the clock.

    A second counts when the latest time at which it can have been played, counted backwards from the receipt, is
    counted, and when a second of the clock that is counted as well pays for it.
    """
    if not piece.unlocked:
        return EMPTY, unspent
    opened_ms = max(piece.home_ms, terms.opens_ms)
    begin, end = _played_between(piece, opened_ms, terms.closes_ms, terms.ms_per_second)
    if end <= begin:
        return EMPTY, unspent
    # Its home first: a part before a quiz that is reported late must not eat the time that the part after it needs.
    home = (opened_ms, min(piece.away_ms, terms.closes_ms, report.received_ms))
    before, ever = (opened_ms, min(terms.closes_ms, report.received_ms)), (opened_ms, terms.closes_ms)
    paid, unspent = _pay(unspent, end - begin, terms.ms_per_second, home, before, ever)
    return multirange.normalise([(end - paid, end)]), unspent


def _played_between(piece: _Piece, from_ms: int, until_ms: int, rate: int) -> tuple[int, int]:
    """The seconds of the piece that were played wholly within the interval."""
    begin = piece.end - (piece.played_until_ms - from_ms) // rate
    late_ms = max(0, piece.played_until_ms - until_ms)
    end = piece.end + (-late_ms) // rate  # rounds a second that was begun out of the interval
    return max(piece.begin, begin), end


def _earn_rest(piece: _Piece, report: Report, counted: Ranges, terms: Terms, unspent: Ranges) -> tuple[Ranges, Ranges]:
    """All seconds of the piece that are earned, counted ones included: the history (`seen`)."""
    rest = multirange.subtraction(((piece.begin, piece.end),), counted)
    # Time that counts for nothing else is spent first.
    windows = (0, min(piece.home_ms, report.received_ms)), (0, report.received_ms), (0, FOREVER_MS)
    paid, unspent = _pay(unspent, multirange.total(rest), terms.ms_per_second, *windows)
    return multirange.union(counted, multirange.last(rest, paid)), unspent


def _pay(unspent: Ranges, seconds: int, rate: int, *windows: tuple[int, int]) -> tuple[int, Ranges]:
    """How many seconds the windows, in their order, can pay for, and the clock without them; the latest goes first.

    The last window may lie after the receipt: a report that comes late (re-sent with its receipt) finds its own time
    spent by those that came before it, which left theirs. Time that really passed pays for it all the same.
    """
    offers = []
    offered = EMPTY
    for begin, end in windows:
        offer = multirange.subtraction(multirange.clip(unspent, begin, end), offered)
        offered = multirange.union(offered, offer)
        offers.append(offer)
    paid = min(seconds, multirange.total(offered) // rate)
    due = paid * rate
    for offer in offers:
        part = multirange.last(offer, due)
        due -= multirange.total(part)
        unspent = multirange.subtraction(unspent, part)
    return paid, unspent
