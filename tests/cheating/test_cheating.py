"""Forgers of study time (`reliability.md` S7): over many trials none of them gets a second too much.

`make cheat` plays a thousand trials of each; here are as many as a minute allows. A failure names strategy and seed.
"""

from __future__ import annotations

import os
import random

import pytest

from services.learning.study.rules import multirange
from tests.cheating.strategies import STRATEGIES
from tests.cheating.table import GUARDS, OTHER, PLAIN, RulesTable, Sitting, overshoot

TRIALS = int(os.environ.get("YANXIU_CHEAT_TRIALS", "15"))
SEED = int(os.environ.get("YANXIU_CHEAT_SEED", "20230110"))
SABOTAGED_TRIALS = min(TRIALS, 15)

# Which guard each sabotage takes away, and some strategies that must win without it: else the suite would prove nothing.
WITHOUT = {
    "budget": [
        "jump_to_the_end",
        "play_faster",
        "many_reports_at_one_instant",
        "two_devices",
        "crumbs_all_over_the_video",
    ],
    "silence": ["go_for_lunch", "a_sign_of_life_now_and_then", "a_batch_after_hours_offline"],
    "take_over": ["two_devices", "many_courses_at_once", "the_old_session_goes_on"],
    "gate": ["seek_past_the_quiz", "answer_afterwards", "wrong_answers_only"],
    "window": ["study_after_the_close", "study_before_the_opening", "unused_time_after_the_close"],
    "papers": ["a_longer_video_in_the_token", "let_somebody_else_watch_for_me", "a_receipt_for_each_silence"],
    "server_time": ["a_gateway_whose_clock_runs_ahead"],
    "presence": ["ignore_the_prompts", "answer_prompts_in_advance", "open_again_to_escape_the_prompt"],
    # A seq that is taken twice spends its time twice: what was clipped is claimed from time that was left over.
    "seq": [],
}


def play(name: str, trial: int, without: str = "") -> int:
    table = RulesTable(without)
    STRATEGIES[name](table, random.Random(f"{SEED}/{name}/{trial}"))
    return overshoot(table)


def test_there_are_many_ways_to_cheat():
    assert len(STRATEGIES) >= 40
    assert set(WITHOUT) == set(GUARDS)


@pytest.mark.parametrize("name", STRATEGIES)
def test_nobody_gets_a_second_too_much(name):
    caught = {trial: seconds for trial in range(TRIALS) if (seconds := play(name, trial))}
    assert caught == {}, f"YANXIU_CHEAT_SEED={SEED}"


@pytest.mark.parametrize(("guard", "name"), [(guard, name) for guard, names in WITHOUT.items() for name in names])
def test_without_its_guard_the_suite_fails(guard, name):
    assert any(play(name, trial, guard) for trial in range(SABOTAGED_TRIALS))


def test_a_seq_is_taken_once():
    for without, seconds in (("", 30), ("seq", 90)):
        table = RulesTable(without)
        sitting = table.open(PLAIN)
        for turn in range(3):
            table.wait(30)
            table.report(sitting, 1, (100 * turn, 100 * turn + 30))
        assert multirange.total(table.studied(0, PLAIN)[0]) == seconds


# --- honest people on bad networks --------------------------------------------------------------------------------------

LOST = 0.10
TICK_SECONDS, REPORT_SECONDS, RENEW_SECONDS = 15, 60, 420


def watch_honestly(table: RulesTable, dice: random.Random) -> float:
    """Watch two videos over a link that loses every tenth request and every tenth answer; returns the share that counts.

    The player does what the reference clients do: a report is kept until it is known to be accepted and tried again
    under its seq; tokens are renewed in time.
    """
    watched = 0
    for video in (PLAIN, OTHER):
        sitting, length = table.open(video), dice.randint(900, 2700)
        unsent: list[tuple[int, tuple[int, int]]] = []
        at = reported = seq = 0
        renewed_ms = table.now_ms
        while reported < length or unsent:
            table.wait(TICK_SECONDS)
            at = min(length, at + TICK_SECONDS)
            if at - reported >= REPORT_SECONDS or (at == length and reported < length):
                seq += 1
                unsent.append((seq, (reported, at)))
                reported = at
            if table.now_ms - renewed_ms > RENEW_SECONDS * 1000 and dice.random() > LOST:
                table.renew(sitting)
                renewed_ms = table.now_ms
            unsent = [kept for kept in unsent if not _is_sent(table, dice, sitting, *kept)]
        watched += length
    counted = sum(multirange.total(table.studied(0, video)[1]) for video in (PLAIN, OTHER))
    return counted / watched


def _is_sent(table: RulesTable, dice: random.Random, sitting: Sitting, seq: int, segment: tuple[int, int]) -> bool:
    if dice.random() < LOST:
        return False
    table.report(sitting, seq, segment)
    return dice.random() >= LOST


def test_honest_people_on_a_bad_link_keep_their_time():
    shares = [watch_honestly(RulesTable(), random.Random(f"{SEED}/honest/{trial}")) for trial in range(TRIALS)]
    assert min(shares) >= 0.995


def test_honest_people_are_the_proof_that_the_table_gives_anything_at_all():
    table = RulesTable()
    sitting = table.open(PLAIN)
    table.wait(300)
    table.report(sitting, 1, (0, 300))
    assert table.studied(0, PLAIN) == (((0, 300),), ((0, 300),))
    assert table.witness.seconds(0, table.now_ms) == 300
