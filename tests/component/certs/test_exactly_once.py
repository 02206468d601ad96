"""One certificate per teacher, however often, however many at once, and wherever a run dies."""

import threading
from collections import Counter

import pytest
import sqlalchemy as sa

from services.certs import queries
from services.certs import service as service_module
from services.certs.actions import deciding, projections
from services.certs.models import Certificate, CertificateHistory, Decision, Standing
from services.certs.rules import State
from services.shared import outbox
from services.shared.ids import new_id


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(service_module, "BATCH", 3)


def issued(season):
    """Teachers of all certificates of the season, as often as they have one."""
    with season.certs.database.work() as db:
        found = db.scalars(sa.select(Certificate).where(Certificate.programme_id == season.programme_id)).all()
        histories = db.scalars(
            sa.select(CertificateHistory).where(
                CertificateHistory.certificate_id.in_([one.certificate_id for one in found])
            )
        ).all()
    assert len(histories) == len(found)
    assert len({one.number for one in found}) == len(found)
    return Counter(one.teacher_id for one in found)


def assert_each_once(season, teachers):
    assert issued(season) == Counter(teachers)
    events = season.events("certs.certificate_issued")
    assert Counter(event["teacher_id"] for event in events) == Counter(map(str, teachers))
    assert all(event["version"] == 1 for event in events)


def test_repeated_runs_issue_once(season):
    teachers = [season.teacher() for _ in range(8)]
    season.close()
    for _ in range(4):
        season.decide()
    season.close()
    season.decide()
    assert_each_once(season, teachers)


def run_at_once(season, runs=6):
    failures = []

    def run():
        try:
            season.decide()
        except Exception as error:  # noqa: BLE001  a thread's failure must reach the test
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(runs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    season.decide()
    assert not failures


def test_parallel_runs_issue_once(season):
    teachers = [season.teacher() for _ in range(40)]
    season.close()
    run_at_once(season)
    assert_each_once(season, teachers)


def test_without_the_locks_the_index_still_lets_nobody_have_two(season, monkeypatch):
    def look_only(db, programme_id, teacher_ids):
        standings = sa.select(Standing).where(
            Standing.programme_id == programme_id, Standing.teacher_id.in_(teacher_ids), Standing.pending
        )
        return list(db.scalars(standings.order_by(Standing.teacher_id)))

    attempts = Counter()
    honest = deciding._certificate

    def count(office, programme, case, *others):
        attempts[case.teacher_id] += 1
        return honest(office, programme, case, *others)

    monkeypatch.setattr(queries, "lock_pending", look_only)
    monkeypatch.setattr(deciding, "_certificate", count)
    teachers = [season.teacher() for _ in range(20)]
    season.close()
    run_at_once(season)
    assert issued(season) == Counter(teachers)
    # Otherwise the runs never met, and this proved nothing.
    assert max(attempts.values()) > 1


STEPS = [
    (queries, "list_pending"),
    (queries, "lock_pending"),
    (deciding, "_certificate"),
    (deciding, "_issue"),
    (deciding, "_record"),
    (outbox, "announce_many"),
]


@pytest.mark.parametrize(("module", "step"), STEPS, ids=[name for _, name in STEPS])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("batch", [1, 2])
def test_a_run_that_dies_anywhere_leaves_work_for_the_next(season, monkeypatch, module, step, after, batch):
    teachers = [season.teacher() for _ in range(7)]
    season.close()
    honest, calls = getattr(module, step), Counter()

    def die(*arguments):
        calls[step] += 1
        if calls[step] != batch:
            return honest(*arguments)
        if after:
            honest(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(module, step, die)
    with pytest.raises(KeyboardInterrupt):
        season.decide()
    assert max(issued(season).values(), default=0) <= 1
    season.decide()
    season.decide()
    assert_each_once(season, teachers)


def test_the_index_alone_refuses_a_second_valid_certificate(season):
    teacher = season.teacher()
    season.close()
    season.decide()
    with season.certs.database.work() as db:
        [first] = db.scalars(sa.select(Certificate).where(Certificate.teacher_id == teacher))
    # Its bit in the status list is PostgreSQL's to give.
    columns = [column for column in Certificate.__table__.columns if column.key != "status_index"]
    values = {column.key: getattr(first, column.key) for column in columns}
    second = sa.insert(Certificate).values(values | {"certificate_id": new_id(), "number": "other"})
    with season.certs.database.work() as db, pytest.raises(sa.exc.IntegrityError, match="certificate_one_valid"):
        db.execute(second)


def test_a_lost_decision_finds_the_certificate_that_is_there(season, a_person):
    teacher = season.teacher()
    season.close()
    season.decide()
    with season.certs.database.work() as db:
        db.execute(sa.delete(Decision).where(Decision.teacher_id == teacher))
        projections.reconsider(db, teacher)
    season.decide()
    assert issued(season) == Counter([teacher])
    assert season.standing_of(teacher, a_person)["certificate_id"]


def test_a_number_that_is_taken_is_drawn_again(season, monkeypatch):
    values = iter([5, 5, 5, 6, 7])
    monkeypatch.setattr(
        deciding.secrets, "randbelow", lambda _limit: next(values) + season.programme_id.int % 10**9 * 10
    )
    teachers = [season.teacher() for _ in range(2)]
    season.close()
    for _ in range(4):
        season.decide()
    assert issued(season) == Counter(teachers)


def test_names_are_asked_in_batches_and_only_for_those_who_need_one(season):
    entitled = [season.teacher() for _ in range(4)]
    for _ in range(3):
        season.teacher("5.00", done=4)
        season.teacher(state="PENDING")
    season.close()
    season.decide()
    assert sorted(one for ids in season.directory.asked for one in ids) == sorted(map(str, entitled))
    assert all(len(ids) <= 3 for ids in season.directory.asked)


def test_while_identity_is_away_nothing_is_lost(season):
    teachers = [season.teacher() for _ in range(4)]
    season.close()
    season.directory.down = True
    season.decide()
    assert not issued(season)
    season.directory.down = False
    season.decide()
    assert_each_once(season, teachers)


def test_one_teacher_s_trouble_holds_up_nobody_else(season, a_person):
    teachers = [season.teacher() for _ in range(7)]
    # A name that is no text: whatever let it in, the others get their certificates.
    season.directory.names[str(teachers[3])] = 7
    season.close()
    season.decide()
    assert issued(season) == Counter(teachers) - Counter([teachers[3]])
    assert season.standing_of(teachers[3], a_person)["reasons"] == ["decision_pending"]
    season.directory.names[str(teachers[3])] = "张明"
    season.decide()
    assert_each_once(season, teachers)


def while_asking(season, monkeypatch, event):
    """Let `event` happen between the question for names and the decision."""
    honest, done = season.directory.call, []

    def call(*arguments, **options):
        reply = honest(*arguments, **options)
        if not done:
            done.append(event())
        return reply

    monkeypatch.setattr(season.directory, "call", call)


def test_verified_while_names_are_asked_is_issued_next_time_under_her_name(season, monkeypatch, a_person):
    season.teacher()
    late = season.teacher(state="PENDING")
    season.close()
    while_asking(season, monkeypatch, lambda: season.place(late, "VERIFIED"))
    season.decide()
    season.decide()
    assert season.standing_of(late, a_person)["state"] == "ISSUED"
    assert not season.events("certs.certificate_blocked")


def test_released_while_names_are_asked_gets_no_certificate(season, monkeypatch, a_person):
    teacher = season.teacher()
    season.close()
    while_asking(season, monkeypatch, lambda: season.place(teacher, "RELEASED", "", ""))
    season.decide()
    assert season.standing_of(teacher, a_person)["state"] == "BLOCKED"
    assert not issued(season)


def test_a_verification_that_is_still_committing_is_waited_for(season, a_person):
    teacher = season.teacher(state="PENDING")
    season.close()
    version = season.memberships[teacher] + 1
    payload = {
        "teacher_id": str(teacher),
        "version": version,
        "state": "VERIFIED",
        "school_id": None,
        "school_name": "一小",
        "place": "CN/1",
        "effective_at": "2023-01-01T00:00:00.000000Z",
    }
    with season.certs.database.work() as db:
        projections.keep_membership(db, payload)
        season.decide()
        assert season.standing_of(teacher, a_person)["reasons"] == ["decision_pending"]
    season.decide()
    assert season.standing_of(teacher, a_person)["state"] == "ISSUED"


def test_the_reconciler_finds_a_verification_that_was_missed(season, a_person):
    teacher = season.teacher(state="PENDING")
    season.close()
    season.decide()
    with season.certs.database.work() as db:
        db.execute(sa.text("UPDATE placement SET state = 'VERIFIED' WHERE teacher_id = :id"), {"id": teacher})
    season.decide()
    assert season.standing_of(teacher, a_person)["state"] == "BLOCKED"
    season.certs.service.reconsider_blocked(None)
    season.decide()
    assert season.standing_of(teacher, a_person)["state"] == State.ISSUED
