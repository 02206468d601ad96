"""The ground that stories stand on: a small nation of each module's own, and the time, which only they move."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from services.shared import clock
from services.shared.keys import KeyRing
from services.shared.settings import Settings
from tests.conftest import FixedClock
from tests.matrix.conftest import made_world
from tests.matrix.telling import Telling, telling
from tests.matrix.world import Spot, Where, World, add_spots, lay_ground


@pytest.fixture(scope="module")
def fixed(request: pytest.FixtureRequest) -> Iterator[FixedClock]:
    """Stands still at the module's `BEGINS_AT`, or today."""
    begins_at = getattr(request.module, "BEGINS_AT", None)
    stopped = FixedClock(clock.parse_instant(begins_at) if begins_at else clock.now().replace(microsecond=0))
    clock.install(stopped)
    yield stopped
    clock.install(clock.SystemClock())


@pytest.fixture(scope="module")
def world(settings: Settings, keyring: KeyRing, fixed: FixedClock, request: pytest.FixtureRequest) -> Iterator[World]:
    with made_world(settings, keyring, request.module.__name__.rpartition("test_")[2]) as world:
        world.clock = fixed
        lay_ground(world)
        add_spots(world, (Where.OWN, Where.OTHER_COUNTY))
        yield world


@pytest.fixture
def here(world: World) -> Spot:
    return world.spots[Where.OWN]


@pytest.fixture
def there(world: World) -> Spot:
    return world.spots[Where.OTHER_COUNTY]


@pytest.fixture(autouse=True)
def told(world: World, request: pytest.FixtureRequest) -> Iterator[Telling]:
    yield from telling(world, request)


@pytest.fixture
def at(fixed: FixedClock) -> Callable[[str], None]:
    def move(instant: str) -> None:
        fixed.instant = clock.parse_instant(instant)

    return move
