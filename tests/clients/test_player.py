"""What the Python player collects and when it reports; the examples are the browser client's."""

from __future__ import annotations

from yanxiu.client.player import Player, Watching


def positions(begin, end, step=0.5):
    count = round((end - begin) / step)
    return [begin + step * number for number in range(count + 1)]


def test_whole_seconds_in_order_each_told_once():
    watching = Watching(900)
    for at in positions(0, 10.25, 0.25):
        watching.at(at)
    watching.cut()
    for at in positions(5, 12):
        watching.at(at)
    assert watching.take() == [(0, 10), (10, 12)]
    for at in positions(12.5, 20):
        watching.at(at)
    assert watching.take() == [(12, 20)]
    assert watching.take() == []


def test_a_seek_is_no_playing_and_nothing_lies_beyond_the_end():
    watching = Watching(900)
    for at in (1.5, 2.4, 600, 602, 602.5):
        watching.at(at)
    assert watching.take() == [(600, 602)]
    for at in (604.6, 899, 900.2):
        watching.at(at)
    assert watching.take() == [(602, 604), (899, 900)]


class Session:
    def __init__(self):
        self.reports = []
        self.flushes = 0
        self.accepts = True

    def report(self, *segments):
        self.reports.append(segments)
        return self.accepts

    def flush(self):
        self.flushes += 1
        return self.accepts


def play(player, begin, end):
    for second in range(begin, end):
        player.at(float(second), float(second))


def test_intervals_grow_up_to_half_the_silence_limit():
    session = Session()
    player = Player(session, 3600, 300, 0.0)
    play(player, 0, 1000)
    assert [report[0] for report in session.reports[:4]] == [(0, 30), (30, 90), (90, 210), (210, 360)]
    assert all(report[0][1] - report[0][0] <= 150 for report in session.reports)


def test_after_a_failure_it_tries_again_soon():
    session = Session()
    session.accepts = False
    player = Player(session, 3600, 600, 0.0)
    play(player, 0, 100)
    assert [report[0] for report in session.reports] == [(0, 30), (30, 60), (60, 90)]


def test_a_stop_reports_at_once_and_leaves_nothing():
    session = Session()
    player = Player(session, 3600, 600, 0.0)
    play(player, 0, 11)
    assert player.stop()
    assert session.reports == [((0, 10),)]
    assert player.stop()
    assert session.flushes == 1
