"""The life of a job: every transition, every refusal."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest

from services.shared.bulk import rules
from services.shared.bulk.rules import Act, JobState
from services.shared.errors import Conflict, LimitReached

NOW = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
ALLOWED = {
    ("UPLOADING", "ATTACH"): "UPLOADED",
    ("UPLOADING", "CANCEL"): "CANCELLED",
    ("UPLOADED", "VALIDATE"): "VALIDATING",
    ("UPLOADED", "CANCEL"): "CANCELLED",
    ("VALIDATING", "VALIDATE"): "VALIDATING",
    ("VALIDATING", "PRESENT"): "READY",
    ("VALIDATING", "REFUSE"): "REFUSED",
    ("VALIDATING", "CANCEL"): "CANCELLED",
    ("READY", "START"): "RUNNING",
    ("READY", "CANCEL"): "CANCELLED",
    ("RUNNING", "FINISH"): "DONE",
    ("RUNNING", "STOP"): "STOPPED",
    ("RUNNING", "REFUSE"): "REFUSED",
    ("RUNNING", "CANCEL"): "CANCELLED",
    ("DONE", "RERUN"): "RUNNING",
    ("STOPPED", "RERUN"): "RUNNING",
    ("CANCELLED", "RERUN"): "RUNNING",
}


@pytest.mark.parametrize(("state", "act"), list(itertools.product(JobState, Act)))
def test_every_pair_of_state_and_act(state: JobState, act: Act) -> None:
    if wanted := ALLOWED.get((state, act)):
        assert rules.next_state(state, act) == wanted
    else:
        with pytest.raises(Conflict, match=rules.REFUSALS.get(act, r"shared\.conflict")):
            rules.next_state(state, act)


def test_a_job_runs_again_over_what_is_not_done() -> None:
    rules.require_rerun(1, 0, validated=True, forgotten=False)
    rules.require_rerun(0, 1, validated=True, forgotten=False)


@pytest.mark.parametrize(
    ("failed", "pending", "validated", "forgotten", "code"),
    [
        (0, 0, True, False, "shared.nothing_to_rerun"),
        (5, 5, False, False, "shared.nothing_to_rerun"),
        (5, 5, True, True, "shared.job_forgotten"),
    ],
)
def test_a_job_without_anything_left_does_not(
    failed: int, pending: int, validated: bool, forgotten: bool, code: str
) -> None:
    with pytest.raises(Conflict, match=code):
        rules.require_rerun(failed, pending, validated=validated, forgotten=forgotten)


def test_there_is_room_up_to_the_maximum() -> None:
    rules.require_room(rules.MAXIMUM_UNFINISHED - 1)
    with pytest.raises(LimitReached, match=r"shared\.too_many_jobs"):
        rules.require_room(rules.MAXIMUM_UNFINISHED)
    rules.require_export_room(rules.MAXIMUM_EXPORTS_A_DAY - 1)
    with pytest.raises(LimitReached, match=r"shared\.too_many_exports"):
        rules.require_export_room(rules.MAXIMUM_EXPORTS_A_DAY)


def test_a_file_is_open_until_its_end() -> None:
    second = dt.timedelta(seconds=1)
    assert rules.is_open(NOW + second, NOW)
    assert not rules.is_open(NOW, NOW)
    assert not rules.is_open(None, NOW)


def test_no_file_lives_longer_than_a_day() -> None:
    assert rules.FILE_LIFETIME.total_seconds() <= 86_400
