"""Forgers of study time (`reliability.md` S7): each strategy gains nothing, and would gain without its guard.

A strategy plays against the server and returns (what it got, the most it may get), in seconds.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from services.learning.study.rules import multirange
from tests.unit.learning.server import HOUR, MINUTE, SECOND, Server

Strategy = Callable[[Server], tuple[int, int]]


def jump_to_the_end(server: Server) -> tuple[int, int]:
    """The script that writes `position = duration - 3` (domain.md §4.8)."""
    sitting = server.open("v")
    server.wait(3 * SECOND)
    server.report(sitting, 1, (0, 2700))
    return server.seen_seconds(), 3


def play_at_four_times_the_speed(server: Server) -> tuple[int, int]:
    sitting = server.open("v")
    for minute in range(10):
        server.wait(MINUTE)
        server.report(sitting, minute + 1, (240 * minute, 240 * minute + 240))
    return server.seen_seconds(), 600


def many_reports_at_one_instant(server: Server) -> tuple[int, int]:
    """Each report alone fits the elapsed time."""
    sitting = server.open("v")
    server.wait(MINUTE)
    for seq in range(20):
        server.report(sitting, seq + 1, (60 * seq, 60 * seq + 60))
    return server.seen_seconds(), 60


def one_second_overdrawn_each_minute(server: Server) -> tuple[int, int]:
    sitting = server.open("v")
    for minute in range(30):
        server.wait(MINUTE)
        server.report(sitting, minute + 1, (61 * minute, 61 * minute + 61))
    return server.seen_seconds(), 1800


def repeat_the_clipped_report(server: Server) -> tuple[int, int]:
    """What was clipped is lost for that seq, however often it is sent."""
    sitting = server.open("v")
    server.wait(MINUTE)
    for _ in range(5):
        server.report(sitting, 1, (0, 240))
        server.wait(4 * MINUTE)
    return server.seen_seconds(), 60


def another_body_under_an_old_seq(server: Server) -> tuple[int, int]:
    sitting = server.open("v")
    server.wait(MINUTE)
    server.report(sitting, 1, (0, 60))
    server.wait(MINUTE)
    server.report(sitting, 1, (600, 660))
    return server.seen_seconds(), 60


def two_devices_at_once(server: Server) -> tuple[int, int]:
    first, second = server.open("a"), server.open("b")
    for minute in range(10):
        server.wait(MINUTE)
        for sitting in (first, second):
            server.report(sitting, minute + 1, (60 * minute, 60 * minute + 60))
    return server.seen_seconds(), 600


def six_courses_at_once(server: Server) -> tuple[int, int]:
    sittings = [server.open(f"course {number}") for number in range(6)]
    server.wait(4 * MINUTE)
    for sitting in sittings:
        server.report(sitting, 1, (0, 240))
    return server.seen_seconds(), 240


def the_old_session_goes_on_after_take_over(server: Server) -> tuple[int, int]:
    first = server.open("a")
    server.wait(MINUTE)
    server.report(first, 1, (0, 60))
    second = server.open("b")
    server.wait(2 * MINUTE)
    server.report(first, 2, (60, 180))
    server.report(second, 1, (0, 120))
    return server.seen_seconds(), 180


def a_new_session_each_second(server: Server) -> tuple[int, int]:
    """Fresh sessions do not bring fresh time, and old ones are drained afterwards."""
    sittings = []
    for number in range(30):
        sittings.append(server.open(f"v{number % 3}"))
        server.wait(SECOND)
    for number, sitting in enumerate(sittings):
        server.report(sitting, 1, (90 * (number // 3), 90 * (number // 3) + 30))
    return server.seen_seconds(), 30


def go_for_lunch(server: Server) -> tuple[int, int]:
    """The page stays open, nobody reports, and the hour is claimed afterwards."""
    sitting = server.open("v")
    server.wait(HOUR)
    server.report(sitting, 1, (0, 2700))
    return server.seen_seconds(), 300


def a_sign_of_life_every_hour(server: Server) -> tuple[int, int]:
    sitting = server.open("v")
    for hour in range(6):
        server.wait(HOUR)
        server.report(sitting, hour + 1, (450 * hour, 450 * hour + 450))
    return server.seen_seconds(), 6 * 300


def a_clock_from_tomorrow(server: Server) -> tuple[int, int]:
    sitting = server.open("v")
    server.wait(MINUTE)
    server.report(sitting, 1, (0, 2700), at_ms=server.now_ms + 24 * HOUR)
    return server.seen_seconds(), 60


def keep_the_clock_busy_from_tomorrow(server: Server) -> tuple[int, int]:
    """Signs of life that lie ahead make no time for later."""
    sitting = server.open("v")
    for ahead in range(1, 10):
        server.report(sitting, ahead, (0, 1), at_ms=ahead * 4 * MINUTE)
    server.wait(40 * MINUTE)
    server.report(sitting, 20, (0, 2400))
    return server.seen_seconds(), 300


def seek_past_the_quiz(server: Server) -> tuple[int, int]:
    sitting = server.open("v", duration=900, quiz_at=600)
    for stretch in range(3):
        server.wait(5 * MINUTE)
        server.report(sitting, stretch + 1, (300 * stretch, 300 * stretch + 300))
    return server.countable_seconds(), 600


def answer_afterwards(server: Server) -> tuple[int, int]:
    """Watch the part after the quiz first, answer, and send the report again."""
    sitting = server.open("v", duration=900, quiz_at=600)
    server.wait(5 * MINUTE)
    server.report(sitting, 1, (600, 900))
    server.answer("v")
    server.report(sitting, 2, (600, 900))
    return server.countable_seconds(), 0


def save_up_time_for_after_the_quiz(server: Server) -> tuple[int, int]:
    """Idle before the quiz, answer, then claim the rest in ten-second pieces of ten seconds."""
    sitting = server.open("v", duration=900, quiz_at=600)
    server.wait(5 * MINUTE)
    server.report(sitting, 1, (0, 1))
    server.answer("v")
    server.wait(10 * SECOND)
    for piece in range(30):
        server.report(sitting, piece + 2, (600 + 10 * piece, 610 + 10 * piece))
    return server.countable_seconds(), 11


def study_after_the_close(server: Server) -> tuple[int, int]:
    server.closes_ms = 5 * MINUTE
    sitting = server.open("v")
    for minute in range(10):
        server.wait(MINUTE)
        server.report(sitting, minute + 1, (60 * minute, 60 * minute + 60))
    return server.countable_seconds(), 300


def spend_unused_time_after_the_close(server: Server) -> tuple[int, int]:
    """Time of before the close, left over, does not lift seconds that were played after it."""
    server.closes_ms = 5 * MINUTE
    sitting = server.open("v")
    server.wait(5 * MINUTE + 30 * SECOND)
    server.report(sitting, 1, (0, 30))
    return server.countable_seconds(), 0


def study_before_the_opening(server: Server) -> tuple[int, int]:
    server.opens_ms = 5 * MINUTE
    sitting = server.open("v")
    server.wait(4 * MINUTE)
    server.report(sitting, 1, (0, 240))
    return server.countable_seconds(), 0


def overlapping_segments(server: Server) -> tuple[int, int]:
    """A part that is not allowed brings the whole report down."""
    sitting = server.open("v")
    server.wait(MINUTE)
    server.report(sitting, 1, (0, 30), (15, 45))
    return server.seen_seconds(), 0


def beyond_the_end_of_the_video(server: Server) -> tuple[int, int]:
    sitting = server.open("v", duration=30)
    server.wait(MINUTE)
    server.report(sitting, 1, (0, 60))
    return server.seen_seconds(), 0


def watch_the_same_minute_again_and_again(server: Server) -> tuple[int, int]:
    """W08: watching again adds to nothing, and uses the time up."""
    sitting = server.open("v")
    for minute in range(10):
        server.wait(MINUTE)
        server.report(sitting, minute + 1, (0, 60))
    server.report(sitting, 11, (60, 660))
    return server.seen_seconds(), 60


STRATEGIES: list[tuple[Strategy, str]] = [
    (jump_to_the_end, "clock"),
    (play_at_four_times_the_speed, "clock"),
    (many_reports_at_one_instant, "spent"),
    (one_second_overdrawn_each_minute, "spent"),
    (repeat_the_clipped_report, "seq"),
    (another_body_under_an_old_seq, "seq"),
    (two_devices_at_once, "take_over"),
    (six_courses_at_once, "take_over"),
    (the_old_session_goes_on_after_take_over, "take_over"),
    (a_new_session_each_second, "take_over"),
    (go_for_lunch, "silence"),
    (a_sign_of_life_every_hour, "silence"),
    (a_clock_from_tomorrow, "server_time"),
    (keep_the_clock_busy_from_tomorrow, "server_time"),
    (seek_past_the_quiz, "gate"),
    (answer_afterwards, "gate"),
    (save_up_time_for_after_the_quiz, "slots"),
    (study_after_the_close, "window"),
    (spend_unused_time_after_the_close, "window"),
    (study_before_the_opening, "window"),
    (overlapping_segments, "form"),
    (beyond_the_end_of_the_video, "form"),
    (watch_the_same_minute_again_and_again, "spent"),
]
NAMES = [strategy.__name__ for strategy, _ in STRATEGIES]


@pytest.mark.parametrize(("strategy", "guard"), STRATEGIES, ids=NAMES)
def test_a_forger_gains_nothing(strategy: Strategy, guard: str) -> None:
    server = Server()
    got, most = strategy(server)
    assert got <= most
    assert server.seen_seconds() <= server.witnessed()


@pytest.mark.parametrize(("strategy", "guard"), STRATEGIES, ids=NAMES)
def test_without_its_guard_the_forger_would_gain(strategy: Strategy, guard: str) -> None:
    got, most = strategy(Server(without=guard))
    assert got > most


def test_every_set_is_canonical_whatever_the_forgers_did() -> None:
    for strategy, _ in STRATEGIES:
        server = Server()
        strategy(server)
        for video in server.videos.values():
            assert video.seen == multirange.normalise(video.seen)
            assert multirange.subtraction(video.countable, video.seen) == ()
