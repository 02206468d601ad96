"""The smaller rules: form of reports, quizzes, reasons, who may enrol, what is durable."""

from __future__ import annotations

import datetime as dt

import pytest

from services.learning import contract
from services.learning.contract import reports
from services.learning.enrolment import rules as enrolment
from services.learning.enrolment.rules import LearnerFacts, ProgrammeState
from services.learning.study.actions.sessions import durable_seq
from services.learning.study.rules import explaining, quizzes
from services.learning.study.rules.explaining import Reason, VideoState
from services.learning.study.rules.quizzes import Quiz
from services.shared.errors import InvalidInput
from services.shared.ids import new_id

OPENS = dt.datetime(2023, 1, 5, tzinfo=dt.UTC)
CLOSES = dt.datetime(2023, 3, 1, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)


@pytest.mark.parametrize(
    ("segments", "code", "field"),
    [
        ([], "segments_empty", "segments"),
        ([(n, n + 1) for n in range(201)], "segments_too_many", "segments"),
        ([(0, 10), (10, 10)], "segment_backwards", "segments.1"),
        ([(10, 5)], "segment_backwards", "segments.0"),
        ([(-1, 5)], "segment_outside", "segments.0"),
        ([(895, 901)], "segment_outside", "segments.0"),
        ([(0, 2**62)], "segment_outside", "segments.0"),
        ([(50, 60), (0, 10), (5, 7)], "segments_overlap", "segments.2"),
    ],
)
def test_segments_that_cannot_be_are_refused(segments, code, field):
    with pytest.raises(InvalidInput) as refusal:
        reports.read_segments(segments, 900)
    assert (refusal.value.code, refusal.value.field) == (f"learning.{code}", field)


def test_segments_keep_the_order_in_which_they_were_played():
    assert reports.read_segments([[600, 900], [0, 30], [30, 60]], 900) == ((600, 900), (0, 30), (30, 60))


def test_a_digest_knows_order_and_bounds():
    digests = {
        reports.digest(segments) for segments in [((0, 60),), ((0, 61),), ((0, 30), (30, 60)), ((30, 60), (0, 30))]
    }
    assert len(digests) == 4


def quiz(at, answers=("b",)):
    return Quiz(new_id(), at, ("a", "b", "c"), frozenset(answers))


def test_an_answer_is_right_when_it_is_all_of_the_right_options_and_no_other():
    several = quiz(10, ("a", "c"))
    assert quizzes.is_right(several, ["c", "a"])
    assert not quizzes.is_right(several, ["a"])
    assert not quizzes.is_right(several, ["a", "b", "c"])
    assert quizzes.unknown_options(several, ["a", "z"]) == [1]


def test_quizzes_take_turns_by_position():
    late, early = quiz(1200), quiz(600)
    assert quizzes.in_order([late, early]) == [early, late]
    assert quizzes.is_its_turn(early, [late, early], frozenset())
    assert not quizzes.is_its_turn(late, [late, early], frozenset())
    assert quizzes.is_its_turn(late, [late, early], frozenset({early.quiz_id}))


@pytest.mark.parametrize(
    ("seen", "countable", "answered", "required", "reasons"),
    [
        ((), (), None, True, []),
        (((0, 600),), ((0, 600),), None, True, [Reason.QUIZ_UNANSWERED]),
        (((0, 700),), ((0, 600),), None, True, [Reason.QUIZ_UNANSWERED]),
        # domain.md W04: answered, closed before the end.
        (((0, 720),), ((0, 720),), OPENS, True, [Reason.REST_UNWATCHED]),
        (((0, 900),), ((0, 900),), OPENS, True, []),
        (((0, 900),), ((0, 600), (700, 900)), OPENS, True, [Reason.REST_UNWATCHED, Reason.BEFORE_ANSWER]),
        (((0, 900),), ((0, 500), (600, 900)), OPENS, True, [Reason.OUTSIDE_WINDOW]),
        # domain.md W05: a course whose time counts without its quiz.
        (((0, 900),), ((0, 900),), None, False, []),
        (((0, 900),), ((0, 899),), None, False, [Reason.OUTSIDE_WINDOW]),
    ],
)
def test_every_second_that_does_not_count_has_its_reason(seen, countable, answered, required, reasons):
    state = VideoState(900, seen, countable, ((600, answered),), quiz_required=required)
    assert explaining.video_reasons(state) == reasons


def test_course_windows_are_half_open():
    assert explaining.course_reasons(OPENS, CLOSES, OPENS - SECOND) == [Reason.COURSE_NOT_OPEN]
    assert explaining.course_reasons(OPENS, CLOSES, OPENS) == []
    assert explaining.course_reasons(OPENS, CLOSES, CLOSES - SECOND) == []
    assert explaining.course_reasons(OPENS, CLOSES, CLOSES) == [Reason.PROGRAMME_CLOSED]


def test_programme_windows_are_half_open():
    states = [enrolment.programme_state(OPENS, CLOSES, now) for now in (OPENS - SECOND, OPENS, CLOSES - SECOND, CLOSES)]
    assert states == [ProgrammeState.PLANNED, ProgrammeState.OPEN, ProgrammeState.OPEN, ProgrammeState.CLOSED]


@pytest.mark.parametrize(
    ("state", "complete", "placed", "refusal"),
    [
        (ProgrammeState.PLANNED, True, True, "learning.programme_not_open"),
        (ProgrammeState.CLOSED, True, True, "learning.programme_closed"),
        (ProgrammeState.OPEN, False, False, "learning.profile_incomplete"),
        (ProgrammeState.OPEN, True, False, "learning.school_missing"),
        (ProgrammeState.OPEN, True, True, ""),
    ],
)
def test_the_guards_of_enrolment(state, complete, placed, refusal):
    facts = LearnerFacts(complete, place="CN/440000/440100/440103/other" if placed else "")
    assert enrolment.enrolment_refusal(state, {}, facts) == refusal


@pytest.mark.parametrize(
    ("seqs", "durable"), [((), 0), (((1, 2),), 1), (((1, 4), (5, 9)), 3), (((2, 5),), 0), (((1, 13),), 12)]
)
def test_durable_is_everything_up_to_the_first_gap(seqs, durable):
    assert durable_seq(seqs) == durable


def test_every_reason_and_error_has_words_in_both_languages():
    assert {str(reason) for reason in Reason} <= contract.ERRORS.keys()
    assert all(chinese and english for chinese, english in contract.ERRORS.values())
    assert all(code.startswith("learning.") for code in contract.ERRORS)


def test_the_stream_is_the_one_that_the_bus_declares():
    from services.shared.bus import topology

    assert contract.STUDY_EXCHANGE == topology.STUDY
