"""The probe over its own database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.shared import migrations
from services.shared.bus.providers import Environment, instantiate
from services.shared.keys import KeyRing
from services.shared.settings import Settings
from tests import probe as probe_package
from tests.conftest import Component
from tests.probe import contract
from tests.probe.service import ProbeService


@pytest.fixture(scope="session")
def probe_service(settings: Settings, keyring: KeyRing) -> Iterator[Component]:
    folder = Path(probe_package.__file__).parent
    migrations.migrate_service(settings, keyring, contract.SERVICE, folder)
    made = Component(instantiate(ProbeService, Environment(settings, keyring, lambda: None)))
    yield made
    made.database.dispose()
    migrations.drop_all(settings, (contract.SERVICE,))


@pytest.fixture
def probe(probe_service: Component) -> Component:
    return probe_service
