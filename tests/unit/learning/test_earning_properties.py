"""What must hold of earned time whatever is reported, in whatever order, however often."""

from __future__ import annotations

import dataclasses

from hypothesis import given, settings
from hypothesis import strategies as st

from services.learning.study.rules import earning, multirange
from services.learning.study.rules.earning import Report, Terms
from tests.unit.learning.server import MINUTE, SECOND, Server

DURATION = 600

segment = st.tuples(st.integers(0, DURATION - 1), st.integers(1, DURATION)).filter(lambda pair: pair[0] < pair[1])
steps = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.integers(0, 8 * MINUTE)),
        st.tuples(st.just("open"), st.sampled_from("abc")),
        st.tuples(st.just("answer"), st.sampled_from("abc")),
        # (which session, seq, what, how long ago it was accepted: a re-send with its receipt)
        st.tuples(
            st.just("report"),
            st.integers(0, 5),
            st.integers(1, 12),
            st.lists(segment, min_size=1, max_size=3),
            st.sampled_from([0, 0, 0, 10 * SECOND, 3 * MINUTE]),
        ),
    ),
    max_size=40,
)


def perform(server: Server, program: list) -> None:
    for step in program:
        match step:
            case ("wait", milliseconds):
                server.wait(milliseconds)
            case ("open", video):
                server.open(video, duration=DURATION, quiz_at=300)
            case ("answer", video) if video in server.videos:
                server.answer(video)
            case ("report", which, seq, segments, ago) if server.sittings:
                sitting = server.sittings[which % len(server.sittings)]
                server.report(sitting, seq, *segments, at_ms=server.now_ms - ago)


@given(steps, st.integers(0, 20 * MINUTE))
@settings(max_examples=400, deadline=None)
def test_credited_seconds_never_exceed_the_union_of_witnessed_time(program, closes_ms):
    server = Server(closes_ms=closes_ms)
    perform(server, program)
    assert server.seen_seconds() <= server.witnessed()
    assert server.countable_seconds() <= server.witnessed(0, closes_ms)
    for video in server.videos.values():
        assert multirange.subtraction(video.countable, video.seen) == ()


@given(steps)
@settings(max_examples=200, deadline=None)
def test_after_the_quiz_no_more_counts_than_time_has_passed_since_its_answer(program):
    server = Server()
    first_answer: dict[str, int] = {}
    for step in program:
        if step[0] == "answer" and step[1] in first_answer:
            continue  # an answered quiz stays answered
        perform(server, [step])
        if step[0] == "answer" and step[1] in server.videos:
            first_answer[step[1]] = server.now_ms
    for name, video in server.videos.items():
        after = multirange.total(multirange.clip(video.countable, 300, DURATION))
        if name not in first_answer:
            assert after == 0
        else:
            assert after <= server.witnessed(first_answer[name])


@given(steps)
@settings(max_examples=200, deadline=None)
def test_every_session_spends_only_time_that_it_had_and_the_sessions_are_disjoint(program):
    server = Server()
    perform(server, program)
    spent = []
    for sitting in server.sittings:
        assert multirange.subtraction(sitting.accrual.spent, sitting.accrual.live) == ()
        spent += [(sitting.opened_ms + begin, sitting.opened_ms + end) for begin, end in sitting.accrual.spent]
    assert multirange.total(multirange.normalise(spent)) == sum(end - begin for begin, end in spent)


@given(steps)
@settings(max_examples=200, deadline=None)
def test_sending_everything_again_changes_nothing(program):
    server = Server()
    perform(server, program)
    before = [(video.seen, video.countable) for video in server.videos.values()]
    clocks = [sitting.accrual for sitting in server.sittings]
    server.wait(10 * MINUTE)
    perform(server, [step for step in program if step[0] == "report"])
    for sitting, accrual in zip(server.sittings, clocks, strict=True):
        taken = {seq for begin, end in accrual.seqs for seq in range(begin, end)}
        assert taken <= {seq for begin, end in sitting.accrual.seqs for seq in range(begin, end)}
    repeated = Server()
    perform(repeated, [step for step in program for _ in ((0, 1) if step[0] == "report" else (0,))])
    assert [(video.seen, video.countable) for video in repeated.videos.values()] == before


# An honest viewer: stretches of play with pauses between; each is reported within seconds of its end.
stretches = st.lists(
    st.tuples(st.integers(1, 120), st.integers(0, 3 * MINUTE), st.integers(0, 9 * SECOND)), min_size=1, max_size=12
)


def honest_reports(plays: list) -> tuple[list[Report], int]:
    """(reports, seconds played); a report is accepted `late` milliseconds after its stretch ended."""
    now_ms, at, made = 0, 0, []
    for seq, (length, pause, late) in enumerate(plays, start=1):
        now_ms += length * SECOND
        made.append(Report(seq, now_ms + late, ((at, at + length),)))
        at += length
        now_ms += pause
    return made, at


@given(stretches, st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
def test_honest_reports_earn_all_in_any_order_and_however_often(plays, shuffle):
    made, played = honest_reports(plays)
    # Reports are at most 309 s apart: less than half of the silence limit, as the season's client does.
    terms = Terms(silence_ms=620 * SECOND, opens_ms=-1, closes_ms=10**12)
    delivered = made + shuffle.sample(made, len(made) // 2)
    shuffle.shuffle(delivered)
    accrual = earning.begin_accrual(terms.silence_ms)
    seen, countable = [], []
    for report in delivered:
        earned = earning.time_earned(accrual, report, terms)
        accrual = earned.accrual
        seen += earned.seen
        countable += earned.countable
    assert multirange.normalise(seen) == multirange.normalise(countable) == ((0, played),)


@given(stretches)
@settings(max_examples=300, deadline=None)
def test_an_honest_viewer_loses_nothing_to_a_quiz(plays):
    """Plays to the quiz, answers at once or after a pause, and plays on; slow reports of before come after the answer."""
    made, played = honest_reports(plays)
    ends = [report.segments[0][1] for report in made]
    quiz_at = ends[len(ends) // 2]
    position = ends.index(quiz_at)
    answered_ms = made[position].received_ms - plays[position][2]
    terms = Terms(silence_ms=10 * MINUTE, opens_ms=-1, closes_ms=10**12, gates=((quiz_at, None),))
    accrual = earning.begin_accrual(terms.silence_ms)
    countable = []
    for report in sorted(made, key=lambda one: one.received_ms):
        known = dataclasses.replace(
            terms, gates=((quiz_at, answered_ms if report.received_ms >= answered_ms else None),)
        )
        earned = earning.time_earned(accrual, report, known)
        accrual = earned.accrual
        countable += earned.countable
    assert multirange.normalise(countable) == ((0, played),)
