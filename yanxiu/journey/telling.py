"""Setting the story's scene: clock, operator, rosters, season file. Shared by `yanxiu demo` and the journey test."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from services.shared import clock
from services.shared.settings import Settings
from yanxiu.journey import clips
from yanxiu.journey.story import Results, Story
from yanxiu.journey.viewing import beijing
from yanxiu.local.operator import SAMPLE_OPERATOR, operator

SEASON_FILE = Path(__file__).resolve().parents[2] / "services" / "catalog" / "seasons" / "2023-winter.yaml"
CLOCK_STARTS = "2022-11-01T08:00:00"


def environment(settings: Settings) -> dict[str, str]:
    """What every process of the stack needs besides the settings; also sets the clock to before the season."""
    Path(settings.clock_file).parent.mkdir(parents=True, exist_ok=True)
    clock.FileClock(settings.clock_file).set(beijing(CLOCK_STARTS))
    return {
        "YANXIU_CLOCK_FILE": settings.clock_file,
        "YANXIU_DATABASE_PREFIX": settings.database_prefix,
        "YANXIU_DEVELOPMENT": "1",
    }


def tell(
    address: str, settings: Settings, operator_password: str, report: Callable[[str, int, int], None] = lambda *_: None
) -> Results:
    """Tell the story against a running stack; `settings` are those the stack runs with."""
    shared_clock = clock.FileClock(settings.clock_file)
    clock.install(shared_clock)
    report("preparing", 0, 2)
    with operator(settings) as cli:
        cli.load_divisions()
        report("preparing", 1, 2)
        cli.appoint_national_operator(SAMPLE_OPERATOR)
    report("preparing", 2, 2)
    story = Story(address, shared_clock, SAMPLE_OPERATOR, operator_password, rosters, season(), report)
    results = story.tell()
    programme_id = clips.publish(story.operator, settings.media_dir, beijing_now(shared_clock))
    results.addresses.append(("short clips to study", f"{address}/portal/study/programmes/{programme_id}"))
    return results


def beijing_now(shared_clock: clock.Clock) -> dt.datetime:
    return shared_clock.now().astimezone(clock.BEIJING)


def season() -> dict[str, Any]:
    with SEASON_FILE.open(encoding="utf-8") as file:
        loaded: dict[str, Any] = yaml.safe_load(file)
    return loaded


def rosters(edition: int) -> tuple[bytes, bytes]:
    """(schools, teachers) as .xlsx: 200 teachers, ten of them with a fault."""
    from yanxiu import samples

    return samples.schools_xlsx(edition), samples.teachers_xlsx(edition)
