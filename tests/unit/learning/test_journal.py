"""The client's journal: nothing that was sent is forgotten, and no seq is used twice."""

from __future__ import annotations

from yanxiu.client.journal import SavedReport, StudyJournal

OPENED = {"study_session_id": "session", "play_token": "token"}


def test_a_journal_reads_back_as_it_was(tmp_path):
    journal = StudyJournal(tmp_path / "journal")
    journal.begin(OPENED)
    for begin in (0, 60, 120):
        journal.save(((begin, begin + 60),))
    journal.accept(1, "first")
    journal.accept(2, "second")
    journal.make_durable(1)
    again = StudyJournal(tmp_path / "journal")
    assert again.session == OPENED
    assert (again.last_seq, again.durable_seq) == (3, 1)
    assert again.unconfirmed() == [SavedReport(2, ((60, 120),), "second"), SavedReport(3, ((120, 180),))]
    assert again.unconfirmed() == journal.unconfirmed()


def test_half_a_line_is_cut_off_and_the_next_one_is_whole(tmp_path):
    path = tmp_path / "journal"
    StudyJournal(path).begin(OPENED)
    with path.open("a") as file:
        file.write('{"event": "report", "seq": 1, "segm')
    StudyJournal(path).save(((0, 60),))
    assert StudyJournal(path).unconfirmed() == [SavedReport(1, ((0, 60),))]


def test_durable_never_goes_back():
    journal = StudyJournal()
    journal.save(((0, 60),))
    journal.save(((60, 120),))
    journal.make_durable(2)
    journal.make_durable(1)
    assert (journal.durable_seq, journal.unconfirmed()) == (2, [])
