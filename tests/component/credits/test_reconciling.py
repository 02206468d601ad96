"""The daily proof: it goes on where it stopped, is run once a day, and tells of what does not agree, and of nothing else."""

from __future__ import annotations

import dataclasses

import pytest
import sqlalchemy as sa

from services.credits.recognition import RecognitionService
from services.credits.reconciling import actions
from services.credits.service import CreditsService
from services.shared import clock, migrations
from services.shared.bus.providers import Environment, instantiate
from services.shared.ids import new_id
from tests.conftest import Component

FAILED = "credits.reconciliation_failed"


@pytest.fixture
def alone(settings, keyring, season):
    """Databases of the test's own with three teachers' seasons, for the proof looks at all there is."""
    own = dataclasses.replace(settings, database_prefix=f"{settings.database_prefix}_daily")
    migrations.migrate_service(own, keyring, "credits")
    recognition = Component(instantiate(RecognitionService, Environment(own, keyring, lambda: None)))
    recognition.deliver("on_programme_published", *season.published())
    for _ in range(3):
        recognition.deliver_batch("record_progress", season.everything(new_id()), events=True)
    component = Component(instantiate(CreditsService, Environment(own, keyring, lambda: None)))
    yield component
    component.database.dispose()
    recognition.database.dispose()
    migrations.drop_all(own, ("credits",))


def runs(credits_service):
    with credits_service.database.work() as db:
        rows = db.execute(sa.text("SELECT checked, differences, done_at FROM reconciliation_run ORDER BY day")).all()
    return [(row.checked, row.differences, row.done_at is not None) for row in rows]


def break_one(credits_service):
    with credits_service.database.work() as db:
        db.execute(
            sa.text(
                "UPDATE standing SET hours = 99 WHERE teacher_id = (SELECT min(teacher_id::text)::uuid FROM standing)"
            )
        )


def test_what_agrees_is_told_to_nobody_and_proved_once_a_day(alone, fixed_clock):
    for _ in range(2):
        alone.service.reconcile_daily(clock.now())
    assert runs(alone) == [(3, 0, True)]
    assert alone.outbox(FAILED) == []
    fixed_clock.instant = clock.parse_instant("2023-01-11T00:00:30+08:00")
    alone.service.reconcile_daily(clock.now())
    assert runs(alone) == [(3, 0, True), (3, 0, True)]


def test_what_differs_is_kept_and_told_of_its_programme(alone, season, fixed_clock):
    break_one(alone)
    alone.service.reconcile_daily(clock.now())
    assert runs(alone) == [(3, 1, True)]
    assert alone.outbox(FAILED) == [{"programme_id": season.programme_id, "day": "2023-01-10", "differences": 1}]
    with alone.database.work() as db:
        [found] = db.execute(sa.text("SELECT expected, in_standing FROM reconciliation_difference")).all()
    assert tuple(found) == ("6.00", "99.00")
    # As long as it is not mended each day tells of it again.
    fixed_clock.instant = clock.parse_instant("2023-01-11T00:00:30+08:00")
    alone.service.reconcile_daily(clock.now())
    assert [each["day"] for each in alone.outbox(FAILED)] == ["2023-01-10", "2023-01-11"]


def test_a_proof_that_was_cut_off_goes_on_and_skips_nobody(alone, monkeypatch):
    monkeypatch.setattr(actions, "BATCH", 2)
    break_one(alone)
    with alone.database.work() as db:
        assert actions.reconcile_batch(db, clock.now())
    assert runs(alone) == [(2, 1, False)]

    def killed_before_its_commit():
        with alone.database.work() as db:
            actions.reconcile_batch(db, clock.now())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        killed_before_its_commit()
    alone.service.reconcile_daily(clock.now())
    assert runs(alone) == [(3, 1, True)]
    assert len(alone.outbox(FAILED)) == 1


def test_a_difference_that_was_half_a_commit_is_none(alone, monkeypatch):
    """What the first look saw is looked at again under the locks of whoever writes."""
    break_one(alone)
    plain, looks = actions.reconciliation.find_differences, []

    def mended_meanwhile(db, studies, today):
        found = plain(db, studies, today)
        if not looks:
            db.execute(sa.text("UPDATE standing SET hours = 6"))
        looks.append(len(found))
        return found

    monkeypatch.setattr(actions.reconciliation, "find_differences", mended_meanwhile)
    alone.service.reconcile_daily(clock.now())
    assert looks == [1, 0]
    assert runs(alone) == [(3, 0, True)]
