"""How time is forged: each strategy plays one game of chance and skill at the table, by the dice of its trial."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from typing import Any

from tests.cheating.table import ASKED, GATED, OTHER, PLAIN, SILENCE, VIDEOS

Strategy = Callable[[Any, random.Random], None]
STRATEGIES: dict[str, Strategy] = {}


def strategy(play: Strategy) -> Strategy:
    STRATEGIES[play.__name__] = play
    return play


# --- more than the clock ------------------------------------------------------------------------------------------------


@strategy
def jump_to_the_end(table, dice):
    sitting = table.open(PLAIN)
    table.wait(dice.uniform(0, 300))
    table.report(sitting, 1, (0, 2700))


@strategy
def write_the_position_near_the_end(table, dice):
    sitting = table.open(PLAIN)
    table.wait(dice.uniform(1, 60))
    table.report(sitting, 1, (0, dice.randint(2600, 2697)))


@strategy
def play_faster(table, dice):
    sitting, speed, at = table.open(PLAIN), dice.uniform(1.01, 16), 0
    for seq in range(1, dice.randint(3, 20)):
        step = dice.uniform(10, 120)
        table.wait(step)
        end = min(2700, at + int(step * speed) + 1)
        if end > at:
            table.report(sitting, seq, (at, end))
        at = end


@strategy
def many_reports_at_one_instant(table, dice):
    sitting = table.open(PLAIN)
    table.wait(dice.uniform(10, 120))
    for seq in range(1, 21):
        table.report(sitting, seq, (120 * seq, 120 * seq + dice.randint(10, 100)))


@strategy
def a_second_more_each_time(table, dice):
    sitting, at = table.open(PLAIN), 0
    for seq in range(1, 21):
        step = dice.randint(10, 60)
        table.wait(step)
        table.report(sitting, seq, (at, at + step + 1))
        at += step + 1


@strategy
def fractions_of_seconds(table, dice):
    sitting = table.open(PLAIN)
    for seq in range(1, 60):
        table.wait(dice.uniform(0.1, 0.95))
        table.report(sitting, seq, (seq, seq + 1))


@strategy
def repeat_the_clipped_report(table, dice):
    sitting = table.open(PLAIN)
    table.wait(dice.uniform(10, 60))
    for _ in range(5):
        table.report(sitting, 1, (0, 2000))
        table.wait(dice.uniform(10, 300))


@strategy
def another_body_under_an_old_seq(table, dice):
    sitting = table.open(PLAIN)
    for _ in range(6):
        table.wait(dice.uniform(5, 60))
        begin = dice.randint(0, 2000)
        table.report(sitting, 1, (begin, begin + 300))


@strategy
def count_the_seqs_backwards(table, dice):
    sitting = table.open(PLAIN)
    for seq in range(20, 0, -1):
        table.wait(dice.uniform(1, 20))
        table.report(sitting, seq, (100 * seq, 100 * seq + 60))


@strategy
def enormous_seqs(table, dice):
    sitting = table.open(PLAIN)
    for _ in range(8):
        table.wait(dice.uniform(1, 20))
        table.report(sitting, dice.randint(2**31 - 1000, 2**31 - 2), (0, dice.randint(60, 2700)))


@strategy
def watch_the_same_minute_again(table, dice):
    sitting = table.open(PLAIN)
    for seq in range(1, 11):
        table.wait(60)
        table.report(sitting, seq, (0, 60))
    table.report(sitting, 11, (60, dice.randint(61, 2700)))


@strategy
def report_from_the_end_to_the_beginning(table, dice):
    sitting = table.open(PLAIN)
    for seq in range(1, 20):
        table.wait(dice.uniform(1, 60))
        table.report(sitting, seq, (2700 - 100 * seq, 2800 - 100 * seq))


@strategy
def crumbs_all_over_the_video(table, dice):
    sitting = table.open(PLAIN)
    for seq in range(1, 6):
        table.wait(dice.uniform(1, 60))
        places = sorted(dice.sample(range(0, 2699, 2), 150))
        table.report(sitting, seq, *[(at, at + 1) for at in places])


@strategy
def more_segments_than_allowed(table, dice):
    sitting = table.open(PLAIN)
    table.wait(dice.uniform(1, 60))
    table.report(sitting, 1, *[(2 * at, 2 * at + 1) for at in range(dice.randint(201, 1000))])


@strategy
def overlapping_segments(table, dice):
    sitting = table.open(PLAIN)
    table.wait(dice.uniform(10, 60))
    begin = dice.randint(0, 2000)
    table.report(sitting, 1, (begin, begin + 100), (begin + dice.randint(0, 99), begin + 200))


@strategy
def beyond_the_end(table, dice):
    sitting = table.open(PLAIN)
    table.wait(dice.uniform(10, 600))
    table.report(sitting, 1, (dice.randint(0, 2699), dice.randint(2701, 9999)))


@strategy
def before_the_beginning(table, dice):
    sitting = table.open(PLAIN)
    table.wait(dice.uniform(10, 600))
    table.report(sitting, 1, (-dice.randint(1, 9999), dice.randint(1, 2700)))


@strategy
def backwards_segments(table, dice):
    sitting = table.open(PLAIN)
    table.wait(dice.uniform(10, 600))
    table.report(sitting, 1, (dice.randint(1000, 2700), dice.randint(0, 999)))


# --- several at once ----------------------------------------------------------------------------------------------------


@strategy
def two_devices(table, dice):
    sittings = [table.open(PLAIN), table.open(OTHER)]
    for seq in range(1, 11):
        table.wait(dice.uniform(10, 120))
        for sitting in sittings:
            table.report(sitting, seq, (120 * seq, 120 * seq + 100))


@strategy
def many_courses_at_once(table, dice):
    sittings = [table.open(dice.choice(VIDEOS)) for _ in range(6)]
    table.wait(dice.uniform(10, 500))
    for sitting in sittings:
        table.report(sitting, 1, (0, dice.randint(100, 600)))


@strategy
def the_old_session_goes_on(table, dice):
    first = table.open(PLAIN)
    table.wait(dice.uniform(10, 120))
    table.report(first, 1, (0, 60))
    second = table.open(OTHER)
    for seq in range(2, 10):
        table.wait(dice.uniform(10, 120))
        table.report(first, seq, (60 * seq, 60 * seq + 60))
        table.report(second, seq, (60 * seq, 60 * seq + 60))


@strategy
def a_new_session_each_second(table, dice):
    sittings = []
    for number in range(30):
        sittings.append((number, table.open(dice.choice((PLAIN, OTHER)))))
        table.wait(dice.uniform(0.2, 1.5))
    dice.shuffle(sittings)
    for number, sitting in sittings:
        table.report(sitting, 1, (90 * number, 90 * number + 30))


@strategy
def back_and_forth_between_devices(table, dice):
    at = 0
    for _ in range(12):
        sitting = table.open(dice.choice((PLAIN, OTHER)))
        table.wait(dice.uniform(1, 60))
        table.report(sitting, 1, (at, at + 100))
        at += 100


@strategy
def drain_every_old_session_at_the_end(table, dice):
    sittings = []
    for _ in range(8):
        sitting = table.open(PLAIN)
        paper = table.accept(sitting, 1, (0, 1))
        sittings.append((sitting, paper))
        table.wait(dice.uniform(1, 200))
    for number, (sitting, paper) in enumerate(sittings):
        table.deliver(paper)
        table.report(sitting, 2, (300 * number, 300 * number + 300))


# --- nobody there -------------------------------------------------------------------------------------------------------


@strategy
def go_for_lunch(table, dice):
    sitting = table.open(PLAIN)
    table.wait(dice.uniform(SILENCE, 7200))
    table.renew(sitting)
    table.report(sitting, 1, (0, 2700))


@strategy
def a_sign_of_life_now_and_then(table, dice):
    sitting = table.open(PLAIN)
    for seq in range(1, 4):
        table.wait(dice.uniform(SILENCE, 4 * SILENCE))
        table.renew(sitting)
        table.report(sitting, seq, (900 * (seq - 1), 900 * seq))


@strategy
def a_batch_after_hours_offline(table, dice):
    sitting = table.open(PLAIN)
    table.wait(dice.uniform(600, 6 * 3600))
    table.renew(sitting)
    for seq in range(1, 28):
        table.report(sitting, seq, (100 * (seq - 1), 100 * seq))


@strategy
def study_around_the_clock(table, dice):
    for _ in range(24):
        sitting = table.open(dice.choice((PLAIN, OTHER)))
        table.wait(dice.uniform(1, 600))
        table.report(sitting, 1, (0, 2700))


@strategy
def ignore_the_prompts(table, dice):
    sitting = table.open(ASKED)
    for seq in range(1, 28):
        table.wait(100)
        table.renew(sitting)
        table.report(sitting, seq, (100 * (seq - 1), 100 * seq))


@strategy
def answer_prompts_in_advance(table, dice):
    sitting = table.open(ASKED)
    for seq in range(1, 28):
        table.confirm(sitting) if seq < 8 else None
        table.wait(100)
        table.renew(sitting)
        table.report(sitting, seq, (100 * (seq - 1), 100 * seq))


@strategy
def answer_prompts_late(table, dice):
    sitting = table.open(ASKED)
    for seq in range(1, 28):
        table.wait(100)
        if dice.random() < 0.08:
            table.confirm(sitting)
        table.renew(sitting)
        table.report(sitting, seq, (100 * (seq - 1), 100 * seq))


@strategy
def open_again_to_escape_the_prompt(table, dice):
    for number in range(9):
        sitting = table.open(ASKED)
        for seq in range(1, 4):
            table.wait(dice.uniform(90, 100))
            table.report(sitting, seq, (300 * number + 100 * (seq - 1), 300 * number + 100 * seq))


# --- quizzes ------------------------------------------------------------------------------------------------------------


@strategy
def seek_past_the_quiz(table, dice):
    sitting = table.open(GATED)
    for seq in range(1, 8):
        table.wait(dice.uniform(60, 120))
        begin = dice.randint(300, 2400)
        table.report(sitting, seq, (begin, begin + 120))


@strategy
def answer_afterwards(table, dice):
    sitting = table.open(GATED)
    length = dice.randint(60, 500)
    table.wait(length)
    paper = table.report(sitting, 1, (600, 600 + length))
    table.answer(sitting)
    table.report(sitting, 2, (600, 600 + length))
    table.report(sitting, 1, (600, 600 + length), receipt=paper.receipt)


@strategy
def save_up_time_for_after_the_quiz(table, dice):
    sitting = table.open(GATED)
    table.wait(dice.uniform(60, 590))
    table.report(sitting, 1, (0, 1))
    table.answer(sitting)
    table.wait(dice.uniform(1, 20))
    for piece in range(30):
        table.report(sitting, piece + 2, (600 + 10 * piece, 610 + 10 * piece))


@strategy
def wrong_answers_only(table, dice):
    sitting = table.open(GATED)
    for seq in range(1, 10):
        table.wait(100)
        table.answer(sitting, right=False)
        table.renew(sitting)
        table.report(sitting, seq, (dice.randint(500, 700), dice.randint(701, 2700)))


@strategy
def a_late_paper_of_before_the_answer(table, dice):
    sitting = table.open(GATED)
    table.wait(dice.uniform(60, 500))
    paper = table.accept(sitting, 1, (600, 1100))
    table.answer(sitting)
    table.wait(dice.uniform(0, 5))
    table.deliver(paper)


# --- the window ---------------------------------------------------------------------------------------------------------


@strategy
def study_after_the_close(table, dice):
    table.closes_ms = table.now_ms + dice.randint(1, 600) * 1000
    sitting = table.open(PLAIN)
    for seq in range(1, 15):
        table.wait(dice.uniform(30, 90))
        table.renew(sitting)
        table.report(sitting, seq, (90 * seq, 90 * seq + 90))


@strategy
def unused_time_after_the_close(table, dice):
    table.closes_ms = table.now_ms + 300_000
    sitting = table.open(PLAIN)
    table.wait(dice.uniform(301, 590))
    table.report(sitting, 1, (0, dice.randint(10, 600)))


@strategy
def study_before_the_opening(table, dice):
    table.opens_ms = table.now_ms + dice.randint(60, 900) * 1000
    sitting = table.open(PLAIN)
    for seq in range(1, 12):
        table.wait(dice.uniform(30, 100))
        table.renew(sitting)
        table.report(sitting, seq, (100 * seq, 100 * seq + 100))


# --- clocks, papers, other people ---------------------------------------------------------------------------------------


@strategy
def a_gateway_whose_clock_runs_ahead(table, dice):
    sitting = table.open(PLAIN)
    table.ahead_ms = dice.choice((1000, 60_000, 500_000))
    for seq in range(1, 10):
        table.wait(dice.uniform(1, 30))
        table.report(sitting, seq, (200 * seq, 200 * seq + 200))


@strategy
def a_gateway_whose_clock_is_slow(table, dice):
    sitting = table.open(PLAIN)
    table.wait(dice.uniform(60, 300))
    table.ahead_ms = -dice.choice((1000, 60_000, 86_400_000))
    for seq in range(1, 6):
        table.report(sitting, seq, (200 * seq, 200 * seq + 200))
        table.wait(dice.uniform(1, 30))


def _shifted(table, dice, seconds):
    sitting = table.open(PLAIN)
    table.wait(dice.uniform(10, 60))
    paper = table.accept(sitting, 1, (0, 2000))
    table.wait(2 * SILENCE)
    table.report(sitting, 1, (0, 2000), receipt=table.moved(paper, seconds))
    table.deliver(paper)


@strategy
def a_receipt_from_tomorrow(table, dice):
    _shifted(table, dice, dice.uniform(600, 86_400))


@strategy
def a_receipt_from_yesterday(table, dice):
    _shifted(table, dice, -dice.uniform(1, 86_400))


@strategy
def a_receipt_for_each_silence(table, dice):
    """Receipts of moments at which nobody was there would bridge the silences."""
    sitting = table.open(PLAIN)
    paper = table.accept(sitting, 1, (0, 1))
    table.wait(3600)
    for seq in range(2, 8):
        table.report(sitting, seq, (0, 1), receipt=table.moved(paper, 500 * (seq - 1), seq=seq))
    table.renew(sitting)
    table.report(sitting, 9, (0, 2700))


@strategy
def the_receipt_of_another_seq(table, dice):
    sitting = table.open(PLAIN)
    table.wait(dice.uniform(10, 300))
    paper = table.report(sitting, 1, (0, 300))
    table.wait(SILENCE * 3)
    for seq in range(2, 12):
        table.report(sitting, seq, (0, 300), receipt=paper.receipt)


@strategy
def the_receipt_of_another_body(table, dice):
    sitting = table.open(PLAIN)
    table.wait(dice.uniform(10, 300))
    paper = table.accept(sitting, 1, (0, 10))
    table.report(sitting, 1, (0, dice.randint(11, 2700)), receipt=paper.receipt)
    table.deliver(paper)


@strategy
def the_receipt_of_another_session(table, dice):
    first = table.open(PLAIN)
    table.wait(dice.uniform(10, 300))
    paper = table.accept(first, 1, (0, 300))
    second = table.open(OTHER)
    table.wait(dice.uniform(1, 10))
    table.report(second, 1, (0, 300), receipt=paper.receipt)


@strategy
def a_longer_video_in_the_token(table, dice):
    sitting = table.open(PLAIN)
    table.wait(dice.uniform(10, 500))
    table.report(sitting, 1, (2600, 3000), token=table.forge_token(sitting, duration_seconds=9999))


@strategy
def a_token_that_never_expires(table, dice):
    sitting = table.open(PLAIN)
    for seq in range(1, 6):
        table.wait(dice.uniform(300, 500))
        far = dt.datetime(2099, 1, 1, tzinfo=dt.UTC)
        table.report(sitting, seq, (0, 2700), token=table.forge_token(sitting, expires_at=far))


@strategy
def the_token_of_somebody_else(table, dice):
    mine = table.open(PLAIN, person=0)
    theirs = table.open(PLAIN, person=1)
    for seq in range(1, 8):
        table.wait(dice.uniform(10, 100))
        table.report(theirs, seq, (100 * seq, 100 * seq + 100), by=0)
        table.report(mine, seq, (100 * seq, 100 * seq + 100), token=theirs.token)


@strategy
def let_somebody_else_watch_for_me(table, dice):
    """A friend reports under my session with a token that names him."""
    mine = table.open(PLAIN, person=0)
    table.wait(SILENCE)
    for seq in range(1, 6):
        table.wait(dice.uniform(100, 500))
        begin = 500 * (seq - 1)
        table.report(mine, seq, (begin, begin + 500), by=1)
        far = dt.datetime(2099, 1, 1, tzinfo=dt.UTC)
        forged = table.forge_token(mine, teacher_id=table.account(1), expires_at=far)
        table.report(mine, 10 + seq, (begin, begin + 500), by=1, token=forged)


@strategy
def the_token_of_an_ended_session(table, dice):
    first = table.open(PLAIN)
    table.wait(dice.uniform(1, 60))
    table.open(OTHER)
    for seq in range(1, 6):
        table.wait(dice.uniform(10, 100))
        table.report(first, seq, (100 * seq, 100 * seq + 100))


# --- the broker ---------------------------------------------------------------------------------------------------------


@strategy
def papers_in_any_order(table, dice):
    sitting, papers = table.open(PLAIN), []
    for seq in range(1, 15):
        table.wait(dice.uniform(1, 100))
        papers.append(table.accept(sitting, seq, (100 * seq, 100 * seq + dice.randint(1, 200))))
        table.renew(sitting)
    dice.shuffle(papers)
    table.deliver(*papers)


@strategy
def papers_again_and_again(table, dice):
    sitting = table.open(PLAIN)
    for seq in range(1, 8):
        table.wait(dice.uniform(1, 100))
        paper = table.accept(sitting, seq, (150 * seq, 150 * seq + dice.randint(1, 200)))
        table.deliver(*[paper] * dice.randint(1, 4))


@strategy
def papers_held_back_for_days(table, dice):
    sitting, papers = table.open(PLAIN), []
    for seq in range(1, 8):
        table.wait(dice.uniform(1, 80))
        papers.append(table.accept(sitting, seq, (150 * seq, 150 * seq + 150)))
    table.wait(dice.uniform(3600, 90_000))
    table.open(OTHER)
    dice.shuffle(papers)
    table.deliver(*papers)


@strategy
def resend_everything_with_receipts(table, dice):
    sitting, papers = table.open(PLAIN), []
    for seq in range(1, 8):
        table.wait(dice.uniform(1, 80))
        papers.append(table.report(sitting, seq, (150 * seq, 150 * seq + 150)))
    for _ in range(2):
        table.wait(dice.uniform(1, 3600))
        dice.shuffle(papers)
        for paper in papers:
            table.report(sitting, paper.seq, *paper.segments, receipt=paper.receipt)


@strategy
def anything_at_all(table, dice):
    sittings, papers = [table.open(dice.choice(VIDEOS))], []
    for _ in range(40):
        sitting = dice.choice(sittings)
        match dice.randrange(8):
            case 0:
                sittings.append(table.open(dice.choice(VIDEOS)))
            case 1:
                table.answer(sitting)
            case 2:
                table.confirm(sitting)
            case 3:
                table.renew(sitting)
            case 4 if papers:
                table.deliver(*dice.sample(papers, min(3, len(papers))))
            case 5:
                papers.append(table.accept(sitting, dice.randint(1, 20), (0, dice.randint(1, 2700))))
            case _:
                begin = dice.randint(0, 2600)
                table.report(sitting, dice.randint(1, 40), (begin, begin + dice.randint(1, 100)))
        table.wait(dice.choice((0, 1, dice.uniform(0, 60), dice.uniform(0, 900))))
