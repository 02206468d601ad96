"""The business clock and its simulated form."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from services.shared import clock


def test_instants_survive_their_written_form() -> None:
    instant = dt.datetime(2023, 2, 28, 15, 59, 59, 999_999, tzinfo=dt.UTC)
    assert clock.parse_instant(clock.format_instant(instant)) == instant
    assert clock.format_instant(clock.parse_instant("2023-03-01T00:00:00+08:00")) == "2023-02-28T16:00:00.000000Z"


def test_a_time_without_offset_is_no_instant() -> None:
    with pytest.raises(ValueError, match="offset"):
        clock.parse_instant("2023-03-01T00:00:00")


def test_the_simulated_clock_goes_on_at_the_real_pace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    simulated = clock.FileClock(tmp_path / "clock")
    monkeypatch.setattr(clock.time, "time", lambda: 1000.0)
    simulated.set(clock.parse_instant("2023-01-10T08:00:00+08:00"))
    monkeypatch.setattr(clock.time, "time", lambda: 1090.5)
    # Another process reads the same file.
    seen = clock.FileClock(tmp_path / "clock").now()
    assert seen == clock.parse_instant("2023-01-10T08:01:30.5+08:00")
